// From an answer to a ledger row: steps 6 and 7 of a call (ARCHITECTURE.md); the table of R23, streams by R24.
#include <algorithm>
#include <array>

#include "guard/attempt.h"
#include "guard/results.h"
#include "prices/fees.h"

namespace farthing {

namespace {

constexpr std::size_t max_error_body = 1U << 20U;
constexpr std::size_t max_body = 64U << 20U;

bool same_header(std::string_view name, std::string_view lower) {
  return name.size() == lower.size() && std::equal(name.begin(), name.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
         });
}

/// Statuses of something between us and the model: what it did is not known (R23). 529 is none of them: with Anthropic's
/// own error body it says that the provider is overloaded and did nothing (its reference of errors, 2026-11).
bool unknown_outcome(int status) {
  return status == 408 || status == 499 || status == 502 || status == 504 || (status >= 520 && status < 529);
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> headroom_headers = {{
    {"x-ratelimit-remaining-requests", "requests"},
    {"x-ratelimit-remaining-tokens", "tokens"},
    {"x-ratelimit-reset-requests", "reset_requests"},
    {"x-ratelimit-reset-tokens", "reset_tokens"},
}};

}  // namespace

void Attempt::State::head(int code, std::span<const HeaderView> headers) {
  if (phase != Phase::sent) return;
  status = code;
  streaming = false;
  for (const HeaderView& header : headers) {
    if (same_header(header.name, "content-type")) {
      streaming = header.value.find("event-stream") != std::string_view::npos;
    } else if (same_header(header.name, "x-request-id") || same_header(header.name, "request-id")) {  // Anthropic's
      request_id = header.value.substr(0, 128);
    } else if (header.name.size() > 12 && (header.name[0] == 'x' || header.name[0] == 'X')) {
      for (const auto& [name, word] : headroom_headers) {
        if (!same_header(header.name, name) || header.value.find_first_of("\"\\") != std::string_view::npos) continue;
        if (headroom.empty()) headroom.reserve(160);
        headroom.append(headroom.empty() ? "{\"" : ",\"").append(word).append("\":\"");
        headroom.append(header.value.substr(0, 32)).append(1, '"');
      }
    }
  }
  if (!headroom.empty() && headroom.back() != '}') headroom += "}";
  streaming = streaming && status < 300;
  if (streaming && route.dialect->stream != nullptr) reader = route.dialect->stream(strip_usage);
}

Delivered Attempt::State::data(std::string_view bytes) {
  if (reader) {
    const StreamReader::Delivery delivery = reader->feed(bytes);
    // The terminal marker settles: a stream usually does not reach its end. Gemini's has none; gateways and older models write
    // a finish reason into every chunk.
    if (phase == Phase::sent && reader->facts().final && !route.dialect->running_totals)
      settle_answer(reader->facts(), true);
    return {delivery.same, delivery.bytes};
  }
  if (results) {
    take_results(bytes, false);
    return {};
  }
  if (route.dialect->binary && status < 300) return {};
  if (phase == Phase::sent && buffer.size() + bytes.size() <= (status >= 400 ? max_error_body : max_body))
    buffer.append(bytes);
  return {};
}

Delivered Attempt::State::end() {
  if (reader) {
    const std::string_view rest = reader->finish();
    if (phase == Phase::sent) settle_ended(reader->facts());
    return {false, rest};
  }
  end_body(buffer);
  return {};
}

void Attempt::State::end_body(std::string_view whole) {
  if (phase != Phase::sent) return;
  if (results) {
    take_results(whole, true);
    return settle_results();
  }
  if (uploading) return keep_file(read_file_id(whole));
  if (streaming && route.dialect->stream != nullptr) {  // a stream that was read whole
    if (!reader) reader = route.dialect->stream(strip_usage);
    reader->feed(whole);
    reader->finish();
    return settle_ended(reader->facts());
  }
  settle_answer(route.dialect->read_answer(whole, facts), true);
}

/// A stream whose body came to its end.
void Attempt::State::settle_ended(const AnswerFacts& answer) {
  if (answer.final || !route.host.ends_unmarked || !answer.told_at_finish) return settle_answer(answer, answer.final);
  AnswerFacts marked = answer;  // R24: the end of the body is the marker there
  marked.final = marked.quantities.has_value();
  settle_answer(marked, marked.final);
}

/// The table of R23. `whole`: with the dialect's terminal marker.
void Attempt::State::settle_answer(const AnswerFacts& answer, bool whole) {
  if (job) return poll_answer(answer, whole || answer.ended);
  const bool final = whole && answer.final && answer.quantities.has_value();
  if (status < 300) {
    // What goes on has no final usage yet, whatever its first answer says.
    if (!streaming && makes_job() && answer.job == JobState::pending) {
      if (!keep_job(answer)) settle(How::hold, &answer, "no_job_id");
      return;
    }
    if (final) return settle(How::usage, &answer, "");
    // An error as the whole answer of a 200 (Azure) is the provider's own; in a stream it came after work was begun.
    // R17: a stream that breaks off is no end of what goes on in the background.
    const bool goes_on = streaming ? makes_job() && !answer.error : answer.job == JobState::pending;
    if (goes_on && keep_job(answer)) return;
    if (answer.error && !streaming) return settle(How::provider_error, &answer, answer.error_code);
    if (answer.done && sized.counted) return settle(How::counted, &answer, "");
    return settle(How::hold, &answer, answer.error ? answer.error_code : "no_final_usage");
  }
  if (status < 400) return settle(How::provider_error, &answer, "redirect");
  if (unknown_outcome(status) || !answer.error) return settle(How::hold, &answer, "status_" + std::to_string(status));
  settle(How::provider_error, &answer, answer.error_code);
}

/// R24: what could have been produced until we closed.
Usd Attempt::State::closed_cost(std::int64_t* output) const {
  if (!plan) return Usd{held[Meter::usd]};  // a poll: how it was sized is not known here
  const std::int64_t seconds = (core->clock->boot_ms() - sent_boot_ms + 999) / 1000;
  const std::int64_t speed = plan->model != nullptr ? plan->model->tokens_per_second_bound : 0;
  const auto by_time = checked_mul(seconds, speed);
  const std::int64_t most = std::max<std::int64_t>(settlement.row.output_limit, sized.demand.want);
  *output = most;
  if (speed > 0 && by_time) *output = std::min(most, std::max(reader ? reader->output_seen() : 0, *by_time));
  const auto cost = guard::ceiling_with(sized, *output);
  return std::min(cost.value_or(Usd{held[Meter::usd]}), Usd{held[Meter::usd]});
}

void Attempt::State::settle_closed() {
  if (reader && reader->facts().final) return settle_answer(reader->facts(), true);
  if (reader && makes_job() && keep_job(reader->facts())) return;
  // What goes on in the background does not stop when its stream is closed.
  const bool bounded = !makes_job() && streaming && route.host.stops_on_disconnect && !core->policy.abandoned_is_hold &&
                       sized.priced && route.dialect->has_output && plan->model != nullptr &&
                       plan->model->tokens_per_second_bound > 0;
  if (!bounded) return settle(How::hold, reader ? &reader->facts() : nullptr, "closed");
  settle(How::counted, reader ? &reader->facts() : nullptr, "closed");
}

void Attempt::State::end_by(Abort how) {
  if (phase == Phase::waiting) {
    leave_queue();
    forget_ids();
    phase = Phase::ended;
    return;
  }
  if (job || uploading) {  // what is broken off is the asking
    phase = Phase::ended;
    return;
  }
  if (phase == Phase::granted) return settle(How::released, nullptr, "not_sent");
  if (phase != Phase::sent) return;
  if (how == Abort::not_sent) return settle(How::released, nullptr, "not_sent");
  if (how == Abort::closed) return settle_closed();
  if (reader && reader->facts().final && !route.dialect->running_totals) return settle_answer(reader->facts(), true);
  if (reader && makes_job() && keep_job(reader->facts())) return;
  settle(How::hold, reader ? &reader->facts() : nullptr, "interrupted");
}

/// R17: the context of a job's call, which another process may have made, with its rates.
std::shared_ptr<const CallContext> Attempt::State::priced_elsewhere(const CallContext& context,
                                                                    const RateSet& rates) const {
  auto made = std::make_shared<CallContext>(context);
  made->rates_json = rates.to_json();
  return made;
}

/// What this call costs nothing by: where it goes, or what it asks for.
bool Attempt::State::free_of_charge() const {
  return route.host.free || (plan && plan->model != nullptr && plan->model->free);
}

/// The rates of what was asked for with so many tokens of input; empty where nothing prices it.
std::optional<RateSet> Attempt::State::rates_asked(std::int64_t context_tokens) const {
  if (!plan || plan->model == nullptr) return std::nullopt;
  Terms terms = guard::terms_asked(facts, route.host);
  terms.at_ms = granted_ms;
  terms.context_tokens = context_tokens;
  terms.volume = granted_volume;
  return core->book->rates(*plan->model, terms);
}

/// What an answer is priced by. R25: the book and the store's time of the reserve; R29: the served model and tier make the
/// price.
Attempt::State::Rated Attempt::State::rates_served(const CallContext& context, const AnswerFacts& answer,
                                                   std::int64_t context_tokens) const {
  Rated rated;
  const std::string& provider = context.provider;
  const Model* served = answer.model.empty() ? nullptr : core->book->find(provider, answer.model);
  const Model* asked = plan ? plan->model : core->book->find(provider, context.model);
  const Model* model = served != nullptr ? served : asked;
  // R25: another book reserved it, so what was asked for is priced as that one did.
  const bool other_book = job && context.book_version != core->book->version();
  // A host that chooses among providers may have gone from a free model to another, which nobody knows.
  rated.elsewhere = route.host.reports_cost && served == nullptr && !answer.model.empty() && asked != nullptr &&
                    asked->free && answer.model != context.model;
  if (route.host.free || (!other_book && !rated.elsewhere && model != nullptr && model->free)) {
    rated.free = true;
  } else if (other_book) {
    const std::string_view usual = facts.service_tier.empty() || facts.service_tier == "auto"
                                       ? std::string_view("default")
                                       : std::string_view(facts.service_tier);
    const bool as_asked = answer.service_tier.empty() || answer.service_tier == usual ||
                          (usual == "priority" && answer.service_tier == "default");
    rated.rates = as_asked ? kept.rates_with(context_tokens) : rate_set_of(kept.dearest);
  } else if (model != nullptr && !rated.elsewhere) {
    Terms terms = guard::terms_asked(facts, route.host);
    terms.at_ms = granted_ms;
    terms.context_tokens = context_tokens;
    const std::string resolution = resolution_of(answer.size);
    if (!answer.service_tier.empty()) terms.service_tier = answer.service_tier;
    if (!answer.region.empty()) terms.region = answer.region;
    if (!answer.size.empty()) {
      terms.size = answer.size;
      terms.resolution = resolution;
    }
    if (!answer.search_context.empty()) terms.search_context = answer.search_context;
    if (asked != nullptr && core->book->volume_cap(*model) == core->book->volume_cap(*asked))
      terms.volume = granted_volume;
    rated.rates = core->book->rates(*model, terms);
  }
  return rated;
}

std::optional<Attempt::State::Shares> Attempt::State::shares_of_others(const CallContext& context,
                                                                       const AnswerFacts& answer) const {
  Shares shares;
  for (const ModelUse& use : answer.others) {
    AnswerFacts other = answer;
    other.model = use.model;
    // A model that the book does not know would be priced as the one that was asked for, one of a job by what was kept of that.
    if (job || core->book->find(context.provider, use.model) == nullptr) return std::nullopt;
    const Rated rated = rates_served(context, other, meters_of(use.quantities)[Meter::input_tokens]);
    if (!rated.rates) return std::nullopt;
    shares.emplace_back(*rated.rates, use.quantities);
  }
  return shares;
}

/// What its quantities cost; the results of a batch were priced line by line.
void Attempt::State::price(LedgerRow& row, const AnswerFacts& answer) const {
  row.booked = meters_of(row.quantities);
  if (results) return price_results(row);
  const Quantities own = without(row.quantities, answer.others);
  const std::int64_t input = meters_of(own)[Meter::input_tokens];
  const Rated rated = rates_served(*row.context, answer, std::min(kept.largest_input.value_or(input), input));
  if (rated.free) {
    row.actual = Usd{};
  } else if (rated.rates) {
    const auto others = shares_of_others(*row.context, answer);
    const RateSet told = rates_used(*rated.rates, own);
    row.context = plan ? plan->priced_by(told) : priced_elsewhere(*row.context, told);
    if (const auto cost = cost_of(*rated.rates, own); cost && others) row.actual = guard::sum_with(*cost, *others);
  }
  // What a tool with a fee of its own was used for, nobody tells.
  bool told = !facts.elsewhere && (facts.fees == Quantities{} || route.dialect->tells_tools) && !kept.untold;
  // Speech and images are dearer than the text that they would be taken for.
  const bool paints = facts.painted_output || (plan && plan->model != nullptr && plan->model->modality == "image");
  const bool kinds_told = (answer.speech_told || !facts.spoken_output) && (answer.images_told || !paints);
  if (route.dialect->has_output && !route.dialect->pieces && row.quantities[Quantity::output_tokens] > 0)
    told = told && kinds_told;
  if (!told) row.actual.reset();
  if (answer.reported_cost && route.host.reports_cost) {
    if (row.actual) {
      if (const auto more = checked_add(answer.reported_cost->nano, -row.actual->nano))
        row.reported_difference = Usd{*more};
    }
    row.actual = answer.reported_cost;
  } else {
    row.others = answer.others;
  }
  if (row.actual || (told && !sized.priced)) return;
  row.error_class = told ? unpriced_usage : untold_usage;
  // Used, but not priced: never for free (promise 5). Of a free model nothing was held, so nothing is known.
  if (sized.priced && !rated.elsewhere && !sized.no_ceiling) row.actual = Usd{held[Meter::usd]};
}

/// The row of this attempt with what its answer tells; what it costs is not in it yet.
void Attempt::State::fill_row(const AnswerFacts* answer) {
  LedgerRow& row = settlement.row;
  row.id = attempt_id;
  row.held = held;
  row.status = status;
  row.request_id = std::move(request_id);
  row.headroom = std::move(headroom);
  if (answer != nullptr) {
    row.model_served.assign(answer->model, 0, 128);
    row.tier_served.assign(answer->service_tier, 0, 32);
    row.response_id.assign(answer->id, 0, 128);
    row.finish_reason.assign(answer->finish_reason, 0, 32);
  }
}

void Attempt::State::settle(How how, const AnswerFacts* answer, std::string_view error_class) {
  if (phase == Phase::ended) return;
  phase = Phase::ended;
  if (how == How::hold && route.host.release_unknown)
    how = How::provider_error;  // R23: declared; the guarantee excludes it

  fill_row(answer);
  LedgerRow& row = settlement.row;
  row.how = how;
  row.latency_ms = job                 ? std::max<std::int64_t>(core->clock->wall_ms() - granted_ms, 0)
                   : sent_boot_ms == 0 ? 0
                                       : core->clock->boot_ms() - sent_boot_ms;
  row.error_class = error_class.substr(0, 64);

  switch (how) {
    case How::usage: {
      row.quantities = *answer->quantities;
      // What a usage in tokens does not tell: the request does.
      for (const Quantity asked :
           {Quantity::images, Quantity::audio_ms, Quantity::characters, Quantity::web_searches}) {
        if (row.quantities[asked] == 0) row.quantities[asked] = sized.pieces[asked];
      }
      price(row, *answer);
      settlement.lesson = lesson(row);
      break;
    }
    case How::counted: {
      if (answer != nullptr && answer->done && sized.counted) {
        row.quantities = *sized.counted;
        price(row, *answer);
        break;
      }
      std::int64_t output = 0;
      row.actual = closed_cost(&output);
      row.quantities[Quantity::input_tokens] = sized.input_tokens;
      row.quantities[Quantity::output_tokens] = output;
      row.booked = meters_of(row.quantities);
      break;
    }
    case How::hold:
      row.booked = held;
      if (sized.priced && !sized.no_ceiling) row.actual = Usd{held[Meter::usd]};
      break;
    default:
      if (sized.priced) row.actual = Usd{};
      break;
  }
  row.booked[Meter::usd] = row.actual ? row.actual->nano : 0;
  // R10: spent once anything was sent
  // R10: of a batch all that ran, or may have; one where the provider refused it whole.
  const bool refused = how == How::provider_error && !job;
  const std::int64_t requests = route.dialect->batch && !refused ? held[Meter::requests] : 1;
  row.booked[Meter::requests] = how == How::released ? 0 : requests;
  row.booked[Meter::actions] = how == How::released ? 0 : held[Meter::actions];
  row.booked[Meter::runs] = how == How::released ? 0 : held[Meter::runs];
  if (how == How::released) forget_ids();
  row.booked[Meter::concurrent] = 0;

  const bool cut = row.finish_reason == route.dialect->cut_word;
  if (we_lowered && cut && core->options.on_warning && !core->here().told_of_cut.exchange(true)) {
    core->options.on_warning(
        "an answer was cut at " + std::to_string(row.output_limit) +
        " output tokens by a limit that Farthing set, so "
        "that the call fits its caps; give max_tokens yourself, raise the cap, or set output = \"as_asked\"");
  }
  if (!job) call->commit(held, row.booked);
  auto settled = [&] {
    const auto limited = patience();
    return core->store->settle(settlement);
  }();
  if (!job) core->here().housekeeping.hold_ended();
  if (settled) {
    if (settled->learned) core->here().learning.put(known, *settled->learned);
    keep_receipt(std::move(row), std::move(settled->remaining), std::move(settled->keep));
    core->here().tell(settled->alerts);
  } else {
    keep_receipt(LedgerRow(row), {}, nullptr);
    // R26: never the caller's problem. In a forked child, or after close, nobody will write it: the hold expires.
    if (settled.error().code != Code::closed) core->here().housekeeping.queue(std::move(settlement), settled.error());
  }
  core->here().queue.settled();
}

/// What this call teaches: it was billed by the provider's own usage.
std::optional<Lesson> Attempt::State::lesson(const LedgerRow& row) const {
  if (!teaches) return std::nullopt;
  Lesson made{.key = known.key, .residual = std::nullopt, .output = std::nullopt};
  const std::int64_t billed = row.booked[Meter::input_tokens];
  if (teaches_input && billed > 0) made.residual = guard::residual_of(billed, counted->tokens, !facts.tool_set.empty());
  if (route.dialect->has_output) {
    const std::int64_t choices = std::max<std::int64_t>(1, facts.choices);
    made.output =
        row.booked[Meter::output_tokens] / choices + (row.booked[Meter::output_tokens] % choices != 0 ? 1 : 0);
  }
  return made.residual || made.output ? std::optional(made) : std::nullopt;
}

void Attempt::State::keep_receipt(LedgerRow&& row, std::vector<Remaining> remaining, std::shared_ptr<const void> keep) {
  auto made = std::make_shared<guard::KeptReceipt>();
  Receipt& told = made->facts;
  told.attempt = id_text;
  told.call = std::move(row.call);
  told.response_id = std::move(row.response_id);
  told.request_id = std::move(row.request_id);
  told.model = row.context->model;
  told.model_served = std::move(row.model_served);
  told.cost = row.actual;
  told.likely = row.likely;
  told.ceiling = row.ceiling;
  told.quantities = row.quantities;
  told.how = row.how;
  told.output_limit_asked = row.output_limit_asked;
  told.output_limit = row.output_limit;
  made->context = std::move(row.context);
  made->keep = std::move(keep);
  made->remaining = std::move(remaining);
  made->runs = std::move(row.runs);
  receipt = made;
  core->here().receipts.put(std::move(made));
}

}  // namespace farthing
