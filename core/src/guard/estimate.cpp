#include "guard/estimate.h"

#include <algorithm>
#include <limits>

#include "guard/batches.h"
#include "guard/explain.h"
#include "guard/learning.h"
#include "policy/plan.h"

namespace farthing::guard {

namespace {

constexpr int max_tries = 8;

/// What every matching cap has left, and every limited run (R28).
Result<std::vector<CapLeft>> left_now(Core& core, const Plan& plan, const std::vector<Run>& runs) {
  const auto views = core.store->counters(std::nullopt);
  if (!views) return views.error();
  const auto now = core.store->now_ms();
  if (!now) return now.error();
  std::vector<CapLeft> result;
  for (const PlannedSet& set : plan.sets) {
    for (const PlannedCap& planned : set.caps) {
      const Cap& cap = planned.registered->cap;
      CapLeft left;
      left.cap_id = cap.id;
      left.meter = cap.meter;
      left.per = cap.window.per;
      left.limit = planned.limit;
      for (std::size_t i = 0; i < cap.each.size(); ++i)
        left.counter.emplace_back(cap.each[i], set.each_values[i]);
      if (cap.window.per != Per::total && cap.meter != Meter::concurrent)
        left.resets_at_ms = window_around(cap.window, *now).end_ms;
      for (const CounterView& view : *views) {
        if (view.cap == nullptr || view.cap->cap.id != cap.id || view.each_values != set.each_values ||
            *now >= view.window.end_ms)
          continue;
        left.spent = view.committed - view.reserved;
        left.reserved = view.reserved;
      }
      result.push_back(std::move(left));
    }
  }
  for (const PlannedCap& planned : plan.per_call) {
    CapLeft left;
    left.cap_id = planned.registered->cap.id;
    left.meter = planned.meter;
    left.per = Per::call;
    left.limit = planned.limit;
    result.push_back(std::move(left));
  }
  for (const Run& run : runs) {
    if (!run.limit) continue;
    CapLeft left;
    left.run = run.task;
    left.limit = run.limit->nano;
    for (const CounterView& view : *views) {
      if (view.cap != nullptr || view.run != run.id) continue;
      left.spent = view.committed - view.reserved;
      left.reserved = view.reserved;
    }
    result.push_back(std::move(left));
  }
  return result;
}

/// The same after `count` calls of this ceiling.
void hold(std::vector<CapLeft>& left, const Amounts& ceiling, std::int64_t count) {
  constexpr std::int64_t beyond = std::numeric_limits<std::int64_t>::max() / 2;
  for (CapLeft& each : left) {
    const auto more = checked_mul(ceiling[each.meter], each.per == Per::call ? 1 : count);
    each.reserved = more ? checked_add(each.reserved, *more).value_or(beyond) : beyond;
  }
}

/// A run with a limit is a cap on money (R28).
bool limited(const Scope& scope) {
  return std::any_of(scope.runs().begin(), scope.runs().end(), [](const Run& run) { return run.limit.has_value(); });
}

/// Where requests of a dialect go, if nothing else is said: of one that many providers speak, to the model's maker.
std::string_view own_host(const Dialect& dialect, std::string_view model, const PriceBook& book) {
  if (dialect.rule != nullptr) return dialect.rule->host;
  if (dialect.endpoint.starts_with("messages")) return "api.anthropic.com";
  if (dialect.path.starts_with(':')) return "generativelanguage.googleapis.com";
  if (!model.empty() && book.find("openai", model) == nullptr) {
    const Model* found = find_anywhere(book, model);
    const std::string_view home = found == nullptr ? std::string_view() : home_of(found->provider);
    if (!home.empty()) return home;
  }
  return "api.openai.com";
}

Error no_endpoint(const Core& core, std::string_view endpoint) {
  std::string known;
  for (const std::string_view described : core.endpoints.names())
    known += (known.empty() ? "" : ", ") + std::string(described);
  for (const Dialect* each : dialects())
    known += (known.empty() ? "" : ", ") + std::string(each->endpoint);
  return {Code::invalid_argument, "\"" + std::string(endpoint) + "\" is no endpoint; accepted are " + known};
}

/// As in an address, with the port where it has one.
bool is_host(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(".-_:[]").find(c) != std::string_view::npos;
  });
}

/// Of a batch by file: what was seen of the file when it was uploaded.
Result<BatchSize> kept_batch(Core& core, const std::string& host, const std::string& file) {
  const auto kept = core.store->find_batch_file(host, file);
  if (!kept) return kept.error();
  std::optional<BatchSize> batch;
  if (*kept) batch = batch_size_of(**kept);
  if (batch && batch->problem.empty()) return std::move(*batch);
  return Error{Code::unbounded_request, "what file " + file + " asks for is not known" +
                                            (batch ? ": " + batch->problem : std::string(" on this store"))};
}

/// What is known of the call that is asked about.
struct AskedCall {
  const Asked& asked;
  const Dialect& dialect;
  RequestFacts facts;
  HostFacts host;
  std::shared_ptr<const Scope> scope;
  std::shared_ptr<const CallPlan> plan;
  std::optional<BatchSize> batch;
  std::optional<InputCount> counted;
  std::optional<Learned> learned;

  const Model* model() const { return plan->model; }
};

/// `refusing`: as a call is sized, which is refused where nothing bounds or prices it; else as far as anything is known.
Sized size(const Core& core, const AskedCall& call, bool refusing, const InputCount* counted, Bill* bill) {
  const CallPlan& plan = *call.plan;
  const bool run_limit = limited(*call.scope);
  return size_call({.facts = call.facts,
                    .dialect = call.dialect,
                    .host = call.host,
                    .policy = core.policy,
                    .book = *core.book,
                    .model = call.model(),
                    .at_ms = core.clock->wall_ms(),
                    .money_capped = refusing && (plan.money_capped || run_limit),
                    .output_capped = plan.output_capped || run_limit,
                    .tokens_capped = refusing && plan.counts_tokens(),
                    .audio_capped = refusing && plan.counts(Meter::audio_seconds),
                    .rewritable = call.facts.object_open != 0 && !call.facts.prediction,
                    .counted = counted,
                    .learned = call.learned ? &*call.learned : nullptr,
                    .batch = call.batch ? &*call.batch : nullptr,
                    .bill = bill});
}

/// Reads the request, finds its plan, counts its input, looks up what calls like it taught.
Result<AskedCall> read(Core& core, const Asked& asked, const Dialect& dialect) {
  auto facts = dialect.scan_request(asked.body);
  if (!facts) return facts.error();
  AskedCall call{.asked = asked,
                 .dialect = dialect,
                 .facts = std::move(*facts),
                 .host = {},
                 .scope = asked.scope,
                 .plan = {},
                 .batch = {},
                 .counted = {},
                 .learned = {}};
  // No client's: the labels go into the scope, by which the plan is found again.
  static const Binding unbound;
  if (!asked.labels.entries().empty()) {
    auto labelled = call.scope->with(asked.labels);
    if (!labelled) return labelled.error();
    call.scope = std::move(*labelled);
  }
  const std::string host(asked.host.empty() ? own_host(dialect, call.facts.model, *core.book) : asked.host);
  call.host = dialect.host_facts(host, core.hosts);
  fill_video_defaults(call.host.provider, call.facts);
  if (!call.facts.batch_file.empty()) {
    auto batch = kept_batch(core, host, call.facts.batch_file);
    if (!batch) return batch.error();
    call.batch = std::move(*batch);
    call.facts.model = call.batch->model;
  }
  auto plan = core.here().contexts.find({.binding = unbound,
                                         .scope = *call.scope,
                                         .host = host,
                                         .host_facts = call.host,
                                         .dialect = dialect,
                                         .asked = call.facts.model,
                                         .key_id = "",
                                         .pieces = &call.facts.pieces});
  if (!plan) return plan.error();
  call.plan = std::move(*plan);
  const Model* model = call.model();
  if (dialect.batch && !call.batch) call.batch = size_requests(call.facts, call.host, model, *core.book);

  CountedModel counted_by = model == nullptr ? CountedModel{} : counted_model(*model);
  auto vocabulary = core.tokenizers.find(call.facts.model, counted_by.name);
  if (!vocabulary) return Error{Code::invalid_policy, "tokenizer: " + vocabulary.error().message};
  counted_by.vocabulary = std::move(*vocabulary);
  if ((model != nullptr || counted_by.vocabulary) && !call.batch)
    call.counted = count_input(asked.endpoint, asked.body, counted_by);
  if (!dialect.pieces && dialect.rule == nullptr) {
    const auto stored = core.store->learned(core.here().learning.key_of(*call.plan->context, call.facts, asked.body));
    if (stored) call.learned = *stored;  // another process's calls too
    // What was learned of the input is what was missing with the built-in vocabulary.
    if (call.learned && counted_by.vocabulary) call.learned->residuals = {};
  }
  return call;
}

/// Why there is no ceiling, in words.
std::string why_not(const Core& core, const AskedCall& call, const std::vector<std::string>& unbounded_by) {
  const Model* model = call.model();
  const bool free = call.host.free || (model != nullptr && model->free);
  if (!free && model != nullptr) {
    const std::int64_t now_ms = core.clock->wall_ms();
    if (const auto why = why_unpriced(*core.book, *model, call.facts, call.host, now_ms); !why.empty())
      return std::string(why);
    Terms terms = terms_asked(call.facts, call.host);
    terms.at_ms = now_ms;
    if (!core.book->rates(*model, terms)) return "no price is known";
  } else if (!free) {
    std::string text = "no price is known";
    if (call.facts.model.empty()) return text + ": the request names no model";
    // Without a host, whose it is cannot be told from a name that nobody has.
    const std::string& wanted = call.plan->context->model;
    std::vector<std::string_view> names;
    std::string sellers;
    for (const Model* each : core.book->models()) {
      names.push_back(each->name);
      if (each->name == wanted) sellers.append(sellers.empty() ? "" : ", ").append(each->provider);
    }
    if (call.asked.host.empty() && !sellers.empty())
      return text + " of " + std::string(call.host.provider) + "; it is sold by " + sellers +
             ": say where it goes (host)";
    const auto near =
        call.asked.host.empty() ? near_names(wanted, names, 3) : core.book->near(call.host.provider, wanted, 3);
    for (const std::string& name : near)
      text += (&name == &near.front() ? "; near names: " : ", ") + name;
    return text;
  }
  std::string what;
  for (const std::string& each : unbounded_by)
    what += (what.empty() ? "" : ", ") + each;
  return what.empty() ? "it is beyond what can be counted, or has no price in part" : "nothing bounds it: " + what;
}

/// What would become of the calls if they were sent now.
struct Outlook {
  std::optional<std::int64_t> output_limit;
  std::string why_not;
  bool plan_changed = false;
};

/// R10: an action and a run are counted once.
Demand with_ids(Core& core, const AskedCall& call, Demand demand) {
  SeenOnce& seen = core.here().seen;
  const std::string& action = call.scope->action();
  if (call.plan->counts(Meter::actions))
    demand.fixed[Meter::actions] = !action.empty() && seen.has("action/" + action) ? 0 : 1;
  if (call.plan->counts(Meter::runs)) {
    for (const Run& run : call.scope->runs())
      demand.fixed[Meter::runs] += seen.has("run/" + run.id) ? 0 : 1;
  }
  return demand;
}

/// What all of `count` calls ask of the caps together, each with an output limit of at most `want`.
Demand of_all(const AskedCall& call, const Demand& one, std::int64_t want) {
  Demand all = one;
  for (std::size_t i = 0; i < meter_count; ++i) {
    const auto meter = static_cast<Meter>(i);
    if (meter == Meter::runs || (meter == Meter::actions && !call.scope->action().empty())) continue;
    constexpr std::int64_t beyond = std::numeric_limits<std::int64_t>::max();
    all.fixed[meter] = checked_mul(one.fixed[meter], call.asked.count).value_or(beyond);
    all.per_output[meter] = checked_mul(one.per_output[meter], call.asked.count).value_or(beyond);
  }
  all.want = want;
  all.share = 0;  // what it leaves is in `want`
  return all;
}

/// The store answers as it would answer a call (R20); nothing is held. `tentative`: as it would the first time, where the call may
/// ask again with less.
Result<Outlook> look(Core& core, const AskedCall& call, const Demand& demand, const Plan& plan, bool tentative) {
  ReserveRequest request;
  request.id = core.store->next_id();
  request.plan = &plan;
  for (const Run& run : call.scope->runs())
    request.runs.push_back({run.id, run.task, run.limit});
  request.demand = demand;
  request.take_what_fits = true;
  request.look_only = true;
  request.tentative = tentative;
  const ReserveAnswer answer = core.store->reserve(request);
  Outlook outlook;
  if (const auto* granted = std::get_if<Granted>(&answer)) {
    outlook.output_limit = granted->output_limit;
  } else if (const auto* refused = std::get_if<Refused>(&answer)) {
    Denial denial;
    denial.code = refused->code;
    denial.caps = refused->caps;
    denial.held = refused->held;
    denial.at_ms = refused->at_ms;
    outlook.why_not = denial_message(denial);
  } else if (const auto* error = std::get_if<Error>(&answer)) {
    return *error;
  } else {
    outlook.plan_changed = true;
  }
  return outlook;
}

Result<Outlook> look(Core& core, const AskedCall& call, const Demand& demand, bool tentative) {
  auto one = look(core, call, demand, call.plan->plan, tentative);
  if (!one || !one->output_limit || call.asked.count == 1) return one;
  Plan shared = call.plan->plan;
  shared.per_call.clear();  // what one call may cost was asked of one
  auto all = look(core, call, of_all(call, demand, *one->output_limit), shared, tentative);
  if (all && !all->why_not.empty())
    all->why_not = "for " + std::to_string(call.asked.count) + " such calls at once: " + all->why_not;
  return all;
}

/// A call demands as its bytes bound it, and where not all of that fits as its input counts.
Result<Outlook> outlook_of(Core& core, const AskedCall& call, const Estimate& estimate) {
  if (auto barred = call.plan->barred()) return Outlook{.output_limit = {}, .why_not = std::move(barred->message)};
  const Sized first = size(core, call, true, nullptr, nullptr);
  if (first.problem != Sized::Problem::none) {
    return Outlook{.output_limit = {},
                   .why_not = estimate.no_ceiling.empty() ? std::string("nothing bounds what a cap counts of it")
                                                          : estimate.no_ceiling};
  }
  const bool countable = call.counted && call.counted->ceiling;
  auto found = look(core, call, with_ids(core, call, first.demand), countable);
  if (!found || found->output_limit || found->plan_changed || !countable) return found;
  return look(core, call, with_ids(core, call, size(core, call, true, &*call.counted, nullptr).demand), false);
}

Estimate estimate_of(const Core& core, const AskedCall& call) {
  const InputCount* counted = call.counted ? &*call.counted : nullptr;

  Bill bill;
  const Sized sized = size(core, call, false, counted, &bill);
  const Sized first = counted != nullptr && counted->ceiling ? size(core, call, false, nullptr, nullptr) : sized;
  Estimate estimate;
  estimate.hold = ceiling_with(first, first.demand.want);
  estimate.model = call.plan->context->model;
  estimate.provider = call.host.provider;
  estimate.endpoint = call.asked.endpoint;
  estimate.confidence = sized.confidence;
  estimate.count = call.asked.count;
  const auto input_lessons =
      sized.input_correction != 0 ? static_cast<std::int64_t>(call.learned->residuals.count()) : 0;
  const auto output_lessons = sized.learned_output ? static_cast<std::int64_t>(call.learned->outputs.count()) : 0;
  estimate.learned_calls = std::max(input_lessons, output_lessons);
  if (sized.learned_output)
    estimate.output_p90 = std::clamp<std::int64_t>(*call.learned->output(90), 0, sized.demand.want);
  for (std::size_t i = 0; i < sized.unbounded_count; ++i)
    estimate.unbounded_by.emplace_back(sized.unbounded_by[i]);
  estimate.likely = sized.likely_usd;
  estimate.ceiling = ceiling_with(sized, sized.demand.want);
  estimate.output_limit = sized.demand.want;
  estimate.likely_meters = meters_of(sized.likely);
  for (std::size_t i = 0; i < meter_count; ++i) {
    const auto output = checked_mul(sized.demand.per_output.of[i], sized.demand.want);
    estimate.ceiling_meters.of[i] = output ? checked_add(sized.demand.fixed.of[i], *output).value_or(0) : 0;
  }
  if (estimate.likely) estimate.likely_meters[Meter::usd] = estimate.likely->nano;

  explain({.facts = call.facts,
           .dialect = call.dialect,
           .sized = sized,
           .bill = bill,
           .counted = counted,
           .input_lessons = input_lessons,
           .output_lessons = output_lessons},
          estimate);
  if (!estimate.ceiling) estimate.no_ceiling = why_not(core, call, estimate.unbounded_by);
  return estimate;
}

}  // namespace

Result<Estimate> estimate(Core& core, const Asked& asked) {
  const Dialect* dialect = core.endpoints.of(asked.endpoint);
  if (dialect == nullptr) dialect = dialect_of(asked.endpoint);
  if (dialect == nullptr) return no_endpoint(core, asked.endpoint);
  if (asked.count < 1 || asked.count > 1'000'000'000)
    return Error{Code::invalid_argument, "count is a whole number from 1 to 1,000,000,000"};
  if (!is_host(asked.host)) {
    return Error{Code::invalid_argument,
                 "host = \"" + std::string(asked.host) +
                     "\" is none; accepted: a host as in an address, with the port where it has "
                     "one, such as \"api.groq.com\" or \"localhost:11434\""};
  }
  for (int tries = 0;; ++tries) {
    const auto call = read(core, asked, *dialect);
    if (!call) return call.error();
    Estimate estimate = estimate_of(core, *call);
    auto outlook = outlook_of(core, *call, estimate);
    if (!outlook) return outlook.error();
    // A halt of yesterday's registry may be over, and nobody asked the store.
    const bool barred = tries == 0 && call->plan->barred();
    if (outlook->plan_changed && tries >= max_tries)
      return Error{Code::store_busy, "the policies of the store change faster than they can be read"};
    if (barred || outlook->plan_changed) {
      if (const auto loaded = core.here().contexts.reload(); !loaded) return loaded.error();
      continue;
    }
    estimate.fits_output_limit = outlook->output_limit;
    estimate.no_fit = std::move(outlook->why_not);
    auto left = left_now(core, call->plan->plan, call->scope->runs());
    if (!left) return left.error();
    hold(*left, estimate.ceiling_meters, asked.count);
    estimate.left = std::move(*left);
    return estimate;
  }
}

}  // namespace farthing::guard
