// From a request to a grant: steps 1 to 5 of a call (ARCHITECTURE.md).
#include <algorithm>
#include <charconv>

#include "guard/attempt.h"
#include "guard/process.h"

namespace farthing {

namespace {

constexpr int max_tries = 16;
constexpr std::int64_t poll_ms = 40;  // other processes' settlements are found by asking

/// R21: at most the client's own timeout, where its SDK tells it.
std::int64_t client_timeout_ms(std::span<const HeaderView> headers) {
  for (const HeaderView& header : headers) {
    if (header.name != "x-stainless-read-timeout" && header.name != "X-Stainless-Read-Timeout") continue;
    std::int64_t seconds = 0;
    const auto [end, problem] =
        std::from_chars(header.value.data(), header.value.data() + header.value.size(), seconds);
    if (problem == std::errc() && seconds > 0 && seconds < 1'000'000) return seconds * 1000;
  }
  return 0;
}

bool signed_request(std::span<const HeaderView> headers) {
  return guard::credential_of(headers).kind == guard::Credential::Kind::sigv4;
}

}  // namespace

Verdict Attempt::State::begin(const RequestView& request) {
  if (phase != Phase::fresh) return over();
  route = core->here().routes.of(request.method, request.host, request.path);
  if (!route.host.guard) return {};
  if (route.kind == Route::Kind::free) return route.uploads ? begin_upload(request) : Verdict();
  if (route.kind == Route::Kind::poll) return begin_poll(request);
  const bool described = route.kind == Route::Kind::priced && route.dialect->rule != nullptr;
  const bool foreign = binding->install && !described && !core->hosts.known(request.host);
  if (route.kind == Route::Kind::unknown) {
    if (foreign || route.host.free) return {};
    host = request.host;
    return refuse_unknown_endpoint(request);
  }
  if (route.dialect->batch && route.host.free) return {};  // nobody need know what its files ask for
  if (!request.body) {
    Verdict verdict;
    verdict.kind = Verdict::Kind::need_body;
    return verdict;
  }
  auto scanned = route.dialect->scan_request(*request.body);
  // R31: a dialect's path whose body has `model`, or that names it itself
  if (foreign && (!scanned || (scanned->model.empty() && route.path_model.empty()))) return {};
  host = request.host;
  in_event_loop = request.in_event_loop;
  if (!scanned) return refuse(scanned.error().code, scanned.error().message);
  facts = std::move(*scanned);
  deployment = request.path.find("/deployments/") != std::string_view::npos;
  if (route.dialect->batch && !route.path_model.empty() && !facts.model.empty() && facts.model != route.path_model)
    return refuse(Code::unreadable_request, "the requests of the batch ask for \"" + facts.model +
                                                "\", its path for \"" + route.path_model +
                                                "\": which of them counts is not known");
  if (!route.path_model.empty()) facts.model = route.path_model;  // where the path names it, whatever the body says
  fill_video_defaults(route.host.provider, facts);
  body_now = *request.body;
  client_wait_ms = client_timeout_ms(request.headers);
  key_id = core->keys.id(guard::credential_of(request.headers), host);
  attempt_number = call->next_attempt();
  if (core->policy.refuse_duplicates && makes_job())
    fingerprint = core->keys.of_request(key_id, host, request.path, *request.body);

  if (route.host.provider.empty()) return refuse_unknown_host();
  if (signed_request(request.headers)) facts.object_open = 0;  // R20: a signed body is not rewritten
  if (facts.object_open == 0 && limit_unread()) facts.output_limit.reset();
  const Verdict verdict = ask(false);
  if (phase == Phase::waiting) body.assign(body_now);
  body_now = {};
  return verdict;
}

Result<std::shared_ptr<const guard::CallPlan>> Attempt::State::find_plan() const {
  return core->here().contexts.find({.binding = *binding,
                                     .scope = *scope,
                                     .host = host,
                                     .host_facts = route.host,
                                     .dialect = *route.dialect,
                                     .asked = facts.model,
                                     .key_id = key_id,
                                     .pieces = &facts.pieces,
                                     .retry = attempt_number > 1});
}

/// Plan, size and reserve, without waiting for the store where the caller is an event loop.
Verdict Attempt::State::ask(bool take_what_fits) {
  const auto limited = patience();
  if (!plan) {
    if (auto refused = plan_and_size()) return std::move(*refused);
  }
  return reserve(take_what_fits);
}

/// The store shall be asked once more, for at most `most_ms` from the first time; nothing: that is over.
std::optional<Verdict> Attempt::State::ask_again(std::int64_t most_ms) {
  const std::int64_t now = core->clock->boot_ms();
  if (busy_until_ms == 0) busy_until_ms = now + most_ms;
  if (now >= busy_until_ms) return std::nullopt;
  if (phase != Phase::waiting) {
    phase = Phase::waiting;
    wait_until_ms = busy_until_ms;
  }
  Verdict verdict;
  verdict.kind = Verdict::Kind::wait;
  verdict.wait_ms = busy_poll_ms;
  return verdict;
}

/// R42: a busy store is asked again by an event loop; anything else that is wrong with it refuses.
Verdict Attempt::State::refuse_or_ask_again(const Error& problem) {
  if (problem.code == Code::store_busy) {
    if (auto again = ask_again(busy_most_ms)) {
      plan.reset();  // what was found of it may be half of it
      return std::move(*again);
    }
  }
  const bool own = problem.code == Code::store_replaced || problem.code == Code::store_not_shared;
  return refuse(own ? problem.code : Code::store_unavailable, problem.message);
}

/// Labels, plan and size; a verdict when that already refuses.
std::optional<Verdict> Attempt::State::plan_and_size() {
  if (auto busy = look_up_source()) return busy;
  if (auto verdict = look_up_file()) return verdict;
  auto found = find_plan();
  // A refusal that no reserve is asked about must not be of yesterday's registry: a halt may be over.
  if (found && (*found)->barred()) {
    if (const auto loaded = core->here().contexts.reload(); !loaded) return refuse_or_ask_again(loaded.error());
    found = find_plan();
  }
  if (!found) return refuse_or_ask_again(found.error());
  plan = std::move(*found);
  if (auto barred = plan->barred()) return refuse(barred->code, std::move(barred->message));
  if (route.dialect->batch && facts.batch_file.empty())
    batch = guard::size_requests(facts, route.host, plan->model, *core->book);
  if (!known.learned && !route.dialect->pieces && route.dialect->rule == nullptr)
    known = core->here().learning.find(*plan->context, facts, body_now);
  const bool run_limit =
      std::any_of(scope->runs().begin(), scope->runs().end(), [](const Run& run) { return run.limit.has_value(); });
  const std::int64_t now_ms = core->clock->wall_ms();
  sized = guard::size_call({.facts = facts,
                            .dialect = *route.dialect,
                            .host = route.host,
                            .policy = core->policy,
                            .book = *core->book,
                            .model = plan->model,
                            .at_ms = now_ms,
                            .until_ms = now_ms + core->policy.held_wait_ms + busy_most_ms,
                            .money_capped = plan->money_capped || run_limit,
                            .output_capped = plan->output_capped || run_limit,
                            .tokens_capped = plan->counts_tokens(),
                            .audio_capped = plan->counts(Meter::audio_seconds),
                            .rewritable = facts.object_open != 0 && !facts.prediction,
                            .counted = counted ? &*counted : nullptr,
                            .learned = known.learned.get(),
                            .batch = batch ? &*batch : nullptr});
  switch (sized.problem) {
    case guard::Sized::Problem::none:
      break;
    case guard::Sized::Problem::unpriced:
      return refuse_unpriced();
    case guard::Sized::Problem::unbounded:
      return refuse_unbounded();
    case guard::Sized::Problem::overflow:
      return refuse(Code::unbounded_request,
                    "the cost of this request is beyond what can be counted: lower its output limit or choices");
  }
  count_ids();
  fill_draft();
  return std::nullopt;
}

/// R10: an action and a run are counted once, by the first attempt whose reserve is granted.
void Attempt::State::count_ids() {
  forget_ids();  // of a plan that was made again
  const auto first = [&](const std::string& id) {
    if (!core->here().seen.first(id)) return false;
    counted_ids.push_back(id);
    return true;
  };
  if (plan->counts(Meter::actions) &&
      first(scope->action().empty() ? "call/" + call->id() : "action/" + scope->action())) {
    sized.demand.fixed[Meter::actions] = 1;
  }
  if (plan->counts(Meter::runs)) {
    for (const Run& run : scope->runs())
      sized.demand.fixed[Meter::runs] += first("run/" + run.id) ? 1 : 0;
  }
}

void Attempt::State::forget_ids() {
  for (const std::string& id : counted_ids)
    core->here().seen.forget(id);
  counted_ids.clear();
}

void Attempt::State::fill_draft() {
  LedgerRow& draft = settlement.row;
  draft.runs.clear();  // of a plan that was made again; all else is told anew
  draft.context = plan->context;
  draft.call = call->id();
  draft.action = scope->action();
  for (const Run& run : scope->runs())
    draft.runs.emplace_back(run.id, run.task);
  draft.process = guard::process_name();
  draft.policy_revision = plan->plan.revision;
  draft.attempt_number = attempt_number;
  draft.likely = sized.likely_usd;
  draft.ceiling = guard::ceiling_with(sized, sized.demand.want);
  draft.output_limit_asked = facts.output_limit.value_or(0);
  draft.confidence = sized.confidence;
  draft.tier_asked = facts.service_tier;
}

std::vector<RunHold> Attempt::State::run_holds() const {
  std::vector<RunHold> holds;
  for (const Run& run : scope->runs())
    holds.push_back({run.id, run.task, run.limit});
  return holds;
}

/// R21: the line of a counter or run of this call in which others wait already; "" when there is none.
std::string Attempt::State::line_before() const {
  const guard::HoldQueue& queue = core->here().queue;
  if (ticket || queue.empty()) return "";
  std::vector<std::string> lines;
  for (const PlannedSet& set : plan->plan.sets) {
    for (const PlannedCap& cap : set.caps)
      lines.push_back(line_of(cap, set));
  }
  for (const Run& run : scope->runs())
    lines.push_back(line_of_run(run.id));
  return queue.busy_line(lines);
}

/// Of the asked model, whose volume the grant tells.
std::string_view Attempt::State::volume_cap() const {
  return plan->model == nullptr ? std::string_view() : core->book->volume_cap(*plan->model);
}

Verdict Attempt::State::reserve(bool take_what_fits) {
  bool for_good = false;
  for (int tries = 0; tries < max_tries; ++tries) {
    seen_changes = core->here().queue.changes();
    attempt_id = core->store->next_id();
    if (attempt_id.value == 0) {  // the store did not even give an id: it says why when it is asked for anything
      const auto why = core->store->now_ms();
      return refuse_or_ask_again(why ? Error{Code::store_busy, "the store was busy"} : why.error());
    }
    ReserveRequest request;
    request.id = attempt_id;
    request.plan = &plan->plan;
    request.runs = run_holds();
    request.call_committed = call->committed();
    request.demand = sized.demand;
    request.take_what_fits = take_what_fits;
    request.volume_cap = volume_cap();
    if (!take_what_fits) request.behind = line_before();
    request.fingerprint = fingerprint;
    request.tentative = !for_good && may_count_closer();
    request.draft = &settlement.row;
    ReserveAnswer answer = core->store->reserve(request);
    if (const auto* grant = std::get_if<Granted>(&answer)) return granted(*grant);
    if (const auto* refused = std::get_if<Refused>(&answer)) {
      for_good = !count_closer(*refused);
      if (for_good && !refused->alerts_due && !refused->less_fits) return refuse(*refused);
      core->here().tell(refused->alerts);  // of holds that expired before
      if (for_good) continue;              // R35: a refusal that alerts tell of; R20: a grant of less output
      if (auto still = plan_and_size()) return std::move(*still);
      continue;
    }
    if (const auto* back = std::get_if<HeldBack>(&answer)) {
      if (request.tentative && count_closer(back->refusal)) {
        if (auto still = plan_and_size()) return std::move(*still);
        continue;
      }
      if (core->policy.held_wait_ms == 0) return reserve(true);
      return wait_in(back->waiting_for);
    }
    if (const auto* error = std::get_if<Error>(&answer)) {
      if (error->code == Code::invalid_argument) continue;  // the id is taken: draw another
      return refuse_or_ask_again(*error);
    }
    // R6: the registry changed, so the plan is made again; nothing was booked.
    if (const auto loaded = core->here().contexts.reload(); !loaded) return refuse_or_ask_again(loaded.error());
    if (auto refused = plan_and_size()) return std::move(*refused);
  }
  return refuse(Code::store_unavailable, "the store's policies change faster than a call can be planned");
}

bool Attempt::State::may_count_closer() const {
  return !was_counted && !batch && plan->model != nullptr && can_bound(guard::counted_model(*plan->model));
}

/// The bytes of a request bound its tokens for next to nothing; counting them takes its time, so it is done where the bound
/// does not fit with all of the output. Where less input cannot help it is only for what the refusal says: a cap that is used up
/// refuses long requests for next to nothing, however often it is asked. True: the ceiling is lower now.
bool Attempt::State::count_closer(const Refused& refused) {
  if (!may_count_closer() || refused.caps.empty()) return false;
  for (const RefusedCap& cap : refused.caps) {
    const std::int64_t input = cap.meter == Meter::usd ? sized.input_usd.nano : sized.demand.fixed[cap.meter];
    const bool helps = cap.remaining() >= cap.requested - input;
    if (!helps && body_now.size() > guard::max_lesson_bytes) return false;
  }
  was_counted = true;
  counted = count_input(route.dialect->endpoint, body_now, guard::counted_model(*plan->model));
  return counted && counted->ceiling && *counted->ceiling < sized.input_tokens;
}

/// A lesson needs a count, and there is none where the bound of bytes did. Nothing is learned of what is exact, and images and
/// sound, which are counted by their size, teach nothing of texts.
void Attempt::State::prepare_lesson() {
  teaches = known.learned != nullptr && guard::lesson_due(*known.learned, attempt_id);
  if (!teaches || plan->model == nullptr || sized.unbounded_count > 0 || facts.media || facts.remote) return;
  const CountedModel model = guard::counted_model(*plan->model);
  if (facts.tool_set.empty() && can_bound(model)) return;
  if (!was_counted && body_now.size() <= guard::max_lesson_bytes) {
    const EncodingPtr encoding = encoding_of(model);
    if (encoding && !encoding->loaded()) core->here().housekeeping.load(encoding);
    if (!encoding || !encoding->loaded()) return;  // a later call teaches
    was_counted = true;
    counted = count_input(route.dialect->endpoint, body_now, model);
  }
  teaches_input = counted && !counted->media;
}

Verdict Attempt::State::wait_in(const std::string& line) {
  if (phase != Phase::waiting || !ticket) {
    phase = Phase::waiting;
    const std::int64_t wait =
        client_wait_ms > 0 ? std::min(core->policy.held_wait_ms, client_wait_ms) : core->policy.held_wait_ms;
    wait_until_ms = core->clock->boot_ms() + wait;
  }
  ticket = core->here().queue.join(line, seen_changes, ticket);
  Verdict verdict;
  verdict.kind = Verdict::Kind::wait;
  verdict.wait_ms = std::clamp<std::int64_t>(wait_until_ms - core->clock->boot_ms(), 1, poll_ms);
  return verdict;
}

Verdict Attempt::State::proceed() {
  if (phase != Phase::waiting) return over();
  if (route.kind == Route::Kind::poll) return find_job();
  const bool over = ticket && core->clock->boot_ms() >= wait_until_ms;
  if (!over && ticket && !core->here().queue.is_head(*ticket)) {
    Verdict verdict;
    verdict.kind = Verdict::Kind::wait;
    verdict.wait_ms = std::clamp<std::int64_t>(wait_until_ms - core->clock->boot_ms(), 1, poll_ms);
    return verdict;
  }
  body_now = body;
  Verdict verdict = ask(over);
  body_now = {};
  if (verdict.kind != Verdict::Kind::wait) {
    leave_queue();
    body.clear();
  }
  return verdict;
}

void Attempt::State::leave_queue() {
  if (ticket) core->here().queue.leave(ticket);
  ticket.reset();
}

/// The caller's limit has a name that this host ignores.
bool Attempt::State::limit_unread() const {
  return route.host.reads_max_tokens && facts.output_limit_name == "max_completion_tokens" && !facts.limits_max_tokens;
}

std::string_view Attempt::State::limit_name() const {
  if (!facts.output_limit_name.empty()) return facts.output_limit_name;
  return route.host.output_limit_name.empty() || route.dialect->endpoint != "chat.completions"
             ? route.dialect->output_limit_name
             : route.host.output_limit_name;
}

Verdict Attempt::State::granted(const Granted& grant) {
  phase = Phase::granted;
  facts.batch = {};  // they may be many
  held = grant.held;
  granted_ms = grant.at_ms;
  granted_volume = grant.volume;
  id_text = to_text(attempt_id);
  call->commit(Amounts{}, held);
  core->here().housekeeping.hold_opened();
  core->here().tell(grant.alerts);

  Rewrite change;
  const bool ours = sized.demand.share > 0;  // the caller gave no limit, a cap needs one (R20)
  const bool lower = ours || grant.output_limit < sized.demand.want;
  change.max_tokens_too = limit_unread() && (lower || facts.output_limit);
  if (route.dialect->has_output && (lower || change.max_tokens_too)) {
    change.output_limit = lower ? grant.output_limit : *facts.output_limit;
    change.output_limit_name = limit_name();
    we_lowered = lower;
  }
  // Usage is asked for only where it is taken, and where the caller did not ask himself.
  if (facts.stream && route.dialect->takes_usage_option && route.host.usage_in_streams &&
      !facts.usage_asked.value_or(false) && facts.object_open != 0) {
    change.ask_for_usage = true;
    strip_usage = true;
  }
  LedgerRow& draft = settlement.row;
  draft.ceiling = guard::ceiling_with(sized, grant.output_limit);  // of what was granted, not of what was asked
  if (draft.likely && draft.ceiling) draft.likely = std::min(*draft.likely, *draft.ceiling);
  prepare_lesson();
  draft.output_limit = change.output_limit ? *change.output_limit : facts.output_limit.value_or(0);

  Verdict verdict;
  verdict.kind = Verdict::Kind::send;
  if (change.output_limit || change.ask_for_usage) verdict.body = rewrite(body_now, facts, change);
  return verdict;
}

}  // namespace farthing
