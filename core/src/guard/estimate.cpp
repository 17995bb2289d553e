#include "guard/estimate.h"

#include <algorithm>
#include <limits>

#include "guard/batches.h"
#include "guard/explain.h"
#include "guard/learning.h"

namespace farthing::guard {

namespace {

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
      for (const CounterView& view : *views) {
        if (view.cap == nullptr || view.cap->cap.id != cap.id || view.each_values != set.each_values ||
            *now >= view.window.end_ms)
          continue;
        left.spent = view.committed - view.reserved;
        left.reserved = view.reserved;
        if (cap.window.per != Per::total && cap.meter != Meter::concurrent) left.resets_at_ms = view.window.end_ms;
      }
      result.push_back(std::move(left));
    }
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
    const auto more = checked_mul(ceiling[each.meter], count);
    each.reserved = more ? checked_add(each.reserved, *more).value_or(beyond) : beyond;
  }
}

/// The largest output limit up to `most` that `room` pays, -1 where not even the fixed part has room.
std::int64_t affordable(std::int64_t room, Meter meter, const Demand& demand, std::int64_t most) {
  const std::int64_t fixed = demand.fixed[meter];
  const std::int64_t per_output = demand.per_output[meter];
  if (fixed == 0 && per_output == 0) return most;
  if (room < fixed) return -1;
  return per_output == 0 ? most : std::min(most, (room - fixed) / per_output);
}

/// The output limit that each of `count` calls at once would be granted (R20, engine::admit).
std::optional<std::int64_t> fitting_limit(const std::vector<CapLeft>& left, const std::vector<PlannedCap>& per_call,
                                          const Demand& demand, std::int64_t count) {
  std::int64_t limit = demand.want;
  for (const CapLeft& each : left) {
    if (demand.share == 0 || demand.per_output[each.meter] == 0) continue;
    limit = std::min(limit, (each.limit - each.spent) / demand.share / demand.per_output[each.meter]);
  }
  limit = std::max(limit, demand.least);
  for (const CapLeft& each : left) {
    const std::int64_t room = each.remaining() < 0 ? -1 : each.remaining() / count;
    limit = affordable(room, each.meter, demand, limit);
  }
  for (const PlannedCap& cap : per_call)
    limit = affordable(cap.limit, cap.meter, demand, limit);
  if (limit < demand.least) return std::nullopt;
  return limit;
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

Sized size(const Core& core, const AskedCall& call, const InputCount* counted, Bill* bill) {
  return size_call({.facts = call.facts,
                    .dialect = call.dialect,
                    .host = call.host,
                    .policy = core.policy,
                    .book = *core.book,
                    .model = call.model(),
                    .at_ms = core.clock->wall_ms(),
                    .money_capped = false,
                    .output_capped = call.plan->output_capped || limited(*call.scope),
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
  if (!free && (model == nullptr || !core.book->rates(*model, {.at_ms = core.clock->wall_ms()}))) {
    std::string text = "no price is known";
    if (model != nullptr) return text;
    const auto near = core.book->near(call.host.provider, call.plan->context->model, 3);
    for (const std::string& name : near)
      text += (&name == &near.front() ? "; near names: " : ", ") + name;
    return text;
  }
  std::string what;
  for (const std::string& each : unbounded_by)
    what += (what.empty() ? "" : ", ") + each;
  return what.empty() ? "it is beyond what can be counted, or has no price in part" : "nothing bounds it: " + what;
}

/// Which cap or run has room for how much. A call demands as its bytes bound it, and where that is refused as it counts.
Status look_at_caps(Core& core, const AskedCall& call, std::initializer_list<Demand> demands, Estimate& estimate) {
  auto left = left_now(core, call.plan->plan, call.scope->runs());
  if (!left) return left.error();
  const bool money_capped = call.plan->money_capped || limited(*call.scope);
  for (const Demand& demand : demands) {
    if (estimate.fits_output_limit || (money_capped && !estimate.ceiling)) break;
    estimate.fits_output_limit = fitting_limit(*left, call.plan->plan.per_call, demand, call.asked.count);
  }
  hold(*left, estimate.ceiling_meters, call.asked.count);
  estimate.left = std::move(*left);
  return success();
}

}  // namespace

Result<Estimate> estimate(Core& core, const Asked& asked) {
  const Dialect* dialect = core.endpoints.of(asked.endpoint);
  if (dialect == nullptr) dialect = dialect_of(asked.endpoint);
  if (dialect == nullptr) return no_endpoint(core, asked.endpoint);
  if (asked.count < 1 || asked.count > 1'000'000'000)
    return Error{Code::invalid_argument, "count is a whole number from 1 to 1,000,000,000"};
  const auto read_call = read(core, asked, *dialect);
  if (!read_call) return read_call.error();
  const AskedCall& call = *read_call;
  const InputCount* counted = call.counted ? &*call.counted : nullptr;

  Bill bill;
  const Sized sized = size(core, call, counted, &bill);
  const Sized first = counted != nullptr && counted->ceiling ? size(core, call, nullptr, nullptr) : sized;
  Estimate estimate;
  estimate.hold = ceiling_with(first, first.demand.want);
  estimate.model = call.plan->context->model;
  estimate.provider = call.host.provider;
  estimate.endpoint = asked.endpoint;
  estimate.confidence = sized.confidence;
  estimate.count = asked.count;
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
  if (const Status looked = look_at_caps(core, call, {first.demand, sized.demand}, estimate); !looked)
    return looked.error();
  return estimate;
}

}  // namespace farthing::guard
