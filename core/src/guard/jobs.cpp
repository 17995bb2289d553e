// Calls whose work goes on after their answer (R17): their hold becomes a job's, and what asks for the job settles it.
#include <algorithm>
#include <limits>

#include "guard/attempt.h"
#include "guard/job_terms.h"

namespace farthing {

bool Attempt::State::makes_job() const {
  const JobKind* kind = route.dialect->job;
  return kind != nullptr && (kind->always || facts.background);
}

/// The rates of every step of the context from `least` to `most` tokens: which of them is reached, its usage says.
void Attempt::State::keep_rates(guard::JobTerms& terms, std::int64_t least, std::int64_t most) const {
  const auto low = rates_asked(least);
  if (!low) return;
  terms.rates[least] = low->to_json();
  const auto high = rates_asked(most);
  if (!high || *high == *low) return;
  std::int64_t before = least;  // the last one that is priced as `least` is
  std::int64_t after = most;
  while (after - before > 1) {
    const std::int64_t middle = before + (after - before) / 2;
    (rates_asked(middle) == low ? before : after) = middle;
  }
  keep_rates(terms, after, most);
}

/// The call is answered, its work is not done. True: its hold goes on as a job's.
bool Attempt::State::keep_job(const AnswerFacts& answer) {
  if (route.dialect->job == nullptr || answer.id.empty()) return false;
  phase = Phase::ended;
  guard::JobTerms terms;
  terms.tier = facts.service_tier;
  terms.region = facts.region.empty() ? std::string(route.host.region) : facts.region;
  terms.size = facts.pieces.size;
  terms.quality = facts.pieces.quality;
  terms.resolution = facts.pieces.resolution;
  terms.video_ms = facts.pieces.video_ms;
  terms.videos = facts.pieces.videos;
  terms.counted = sized.counted;
  terms.volume = granted_volume;
  terms.requests = sized.requests;
  terms.largest_input = sized.largest_input;
  keep_rates(terms, 0, sized.largest_input.value_or(sized.input_tokens));
  if (sized.priced) terms.dearest = sized.dearest.to_json();
  terms.free = free_of_charge();
  terms.reports_cost = route.host.reports_cost;
  terms.release_unknown = route.host.release_unknown;
  // Results tell it line by line.
  terms.untold = facts.elsewhere || (batch && route.dialect->read_result == nullptr && !route.dialect->tells_parts &&
                                     batch->more_than_tokens());

  fill_row(&answer);
  settlement.job = Job{.attempt = attempt_id,
                       .host = host,
                       .id = answer.id,
                       .kind = std::string(route.dialect->job->name),
                       .lives_ms = route.dialect->job->lives_ms,
                       .slot_until_deadline = core->policy.slots_until_deadline,
                       .terms = terms.to_json()};

  const auto written = [&] {
    const auto limited = patience();
    return core->store->settle(settlement);
  }();
  core->here().housekeeping.hold_ended();  // nobody renews it any more
  keep_receipt(LedgerRow(settlement.row), {}, nullptr);
  if (!written && written.error().code != Code::closed)
    core->here().housekeeping.queue(std::move(settlement), written.error());
  return true;
}

Verdict Attempt::State::begin_poll(const RequestView& request) {
  // Only jobs of calls that were guarded are known, and foreign hosts have none (R31).
  if (binding->install && !core->hosts.known(request.host)) return {};
  host = request.host;
  in_event_loop = request.in_event_loop;
  return find_job();
}

/// Looks for the job that the path names. A poll is never refused: where nothing is known, it passes.
Verdict Attempt::State::find_job() {
  auto found = [&] {
    const auto limited = patience();
    return core->store->find_job(host, route.job_id);
  }();
  const bool busy = !found && found.error().code == Code::store_busy;
  // The call that made it may still wait to be written by the guard's own thread.
  const bool may_come = found && !*found && core->here().housekeeping.queued() > 0;
  if (busy || may_come) {
    if (auto again = ask_again(busy ? busy_most_ms : unwritten_most_ms)) return std::move(*again);
  }
  // An id is one of its kind, and what has left the ledger of `memory:` is over.
  if (!found || !*found || (*found)->over || (*found)->job.kind != route.dialect->job->name || !(*found)->row.context) {
    phase = Phase::ended;
    return {};
  }
  job = std::move(**found);
  kept = guard::job_terms_of(job->job.terms);
  const guard::JobTerms& terms = kept;
  facts.service_tier = terms.tier;
  facts.region = terms.region;
  facts.pieces.size = terms.size;
  facts.pieces.quality = terms.quality;
  facts.pieces.resolution = terms.resolution;
  facts.pieces.videos = terms.videos;
  route.host.free = terms.free;
  route.host.reports_cost = terms.reports_cost;
  route.host.release_unknown = terms.release_unknown;
  settlement.row = std::move(job->row);
  attempt_id = job->job.attempt;
  id_text = to_text(attempt_id);
  held = settlement.row.held;
  granted_volume = terms.volume;
  granted_ms = settlement.row.reserved_ms;
  sized.priced = settlement.row.ceiling || !terms.dearest.empty();
  sized.no_ceiling = !settlement.row.ceiling;
  sized.counted = terms.counted;
  request_id = settlement.row.request_id;
  if (route.results) results.emplace();
  phase = Phase::granted;
  Verdict verdict;
  verdict.kind = Verdict::Kind::send;
  return verdict;
}

/// What an answer says of a job: it goes on, or it is over and settled.
void Attempt::State::poll_answer(const AnswerFacts& answer, bool whole) {
  JobState state = status < 300 && whole ? answer.job : JobState::none;
  if (status < 300 && route.deletes) state = JobState::cancelled;
  // A part of a batch's answers is not its bill.
  if (answer.requests_told > 0 && kept.requests > 0 && answer.requests_told != kept.requests) state = JobState::pending;
  const bool told = answer.quantities.has_value();
  switch (state) {
    case JobState::none:
    case JobState::pending:
      phase = Phase::ended;
      return;
    case JobState::done:
      // What was asked for, unless more was made: of one, while all that were asked for are counted.
      if (sized.counted && !(told && (*answer.quantities)[Quantity::video_ms] > (*sized.counted)[Quantity::video_ms]))
        return settle(How::counted, &answer, "");
      if (!told) return settle(How::hold, &answer, "no_final_usage");
      if (facts.pieces.videos > 1) {  // told of one
        AnswerFacts all = answer;
        std::int64_t& ms = (*all.quantities)[Quantity::video_ms];
        ms = checked_mul(ms, facts.pieces.videos).value_or(std::numeric_limits<std::int64_t>::max());
        return settle(How::usage, &all, "");
      }
      return settle(How::usage, &answer, "");
    case JobState::failed:
      return told && answer.final ? settle(How::usage, &answer, answer.error_code)
                                  : settle(How::provider_error, &answer, answer.error_code);
    case JobState::cancelled:
      if (told && answer.final) return settle(How::usage, &answer, "cancelled");
      return settle(How::hold, &answer, route.deletes ? "deleted" : "cancelled");
  }
}

/// What a request leaves to an earlier video, as far as the store knows it; a verdict: the store is busy.
std::optional<Verdict> Attempt::State::look_up_source() {
  Pieces& pieces = facts.pieces;
  if (pieces.video_of.empty() || source_looked_up) return std::nullopt;
  const std::string& id = route.job_id.empty() ? pieces.video_of : route.job_id;
  const auto found = core->store->find_job(host, id);
  if (!found) return refuse_or_ask_again(found.error());
  source_looked_up = true;
  if (!*found || !(*found)->row.context) return std::nullopt;
  const guard::JobTerms terms = guard::job_terms_of((*found)->job.terms);
  if (facts.model.empty()) facts.model = (*found)->row.context->model;
  if (!pieces.video_ms) pieces.video_ms = terms.video_ms;
  if (pieces.size.empty()) pieces.size = terms.size;
  if (pieces.resolution.empty()) pieces.resolution = terms.resolution;
  return std::nullopt;
}

}  // namespace farthing
