#include "guard/batches.h"

#include <algorithm>
#include <limits>

#include "money/json_document.h"

namespace farthing::guard {

namespace {

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

void add(std::int64_t& sum, std::int64_t more) {
  sum = checked_add(sum, more).value_or(most);
}

Json fees_json(const Quantities& fees) {
  Json json = Json::object();
  for (std::size_t i = 0; i < quantity_count; ++i) {
    if (fees.of[i] != 0) json[quantity_text(static_cast<Quantity>(i))] = fees.of[i];
  }
  return json;
}

}  // namespace

std::string BatchSize::to_json() const {
  return dump_json(Json{{"endpoint", endpoint},
                        {"model", model},
                        {"region", region},
                        {"problem", problem},
                        {"requests", requests},
                        {"input_tokens", input_tokens},
                        {"bounded_tokens", bounded_tokens},
                        {"largest_input", largest_input},
                        {"output_tokens", output_tokens},
                        {"likely_input", likely_input},
                        {"likely_output", likely_output},
                        {"own_searches", own_searches},
                        {"tool_steps", tool_steps},
                        {"unbounded", unbounded},
                        {"unbounded_by", unbounded_by},
                        {"endless", endless},
                        {"media", media},
                        {"sound", sound},
                        {"server_tools", server_tools},
                        {"spoken_output", spoken_output},
                        {"painted_output", painted_output},
                        {"fees", fees_json(fees)},
                        {"size", size},
                        {"cache_writes", static_cast<int>(cache_writes)}});
}

std::optional<BatchSize> batch_size_of(std::string_view text) {
  const Json json = parse_json(text);
  if (!json.is_object()) return std::nullopt;
  BatchSize size;
  try {
    json.at("endpoint").get_to(size.endpoint);
    json.at("model").get_to(size.model);
    json.at("region").get_to(size.region);
    json.at("problem").get_to(size.problem);
    json.at("requests").get_to(size.requests);
    json.at("input_tokens").get_to(size.input_tokens);
    json.at("bounded_tokens").get_to(size.bounded_tokens);
    json.at("largest_input").get_to(size.largest_input);
    json.at("output_tokens").get_to(size.output_tokens);
    json.at("likely_input").get_to(size.likely_input);
    json.at("likely_output").get_to(size.likely_output);
    json.at("own_searches").get_to(size.own_searches);
    json.at("tool_steps").get_to(size.tool_steps);
    json.at("unbounded").get_to(size.unbounded);
    json.at("unbounded_by").get_to(size.unbounded_by);
    json.at("endless").get_to(size.endless);
    json.at("media").get_to(size.media);
    json.at("sound").get_to(size.sound);
    json.at("server_tools").get_to(size.server_tools);
    json.at("spoken_output").get_to(size.spoken_output);
    json.at("painted_output").get_to(size.painted_output);
    json.at("size").get_to(size.size);
    for (const auto& [name, count] : json.at("fees").items()) {
      const auto quantity = quantity_of(name);
      if (!quantity) return std::nullopt;
      size.fees[*quantity] = count.get<std::int64_t>();
    }
    size.cache_writes = static_cast<CacheWrites>(json.at("cache_writes").get<std::uint8_t>());
  } catch (const Json::exception&) {  // a field that is missing or of another type
    return std::nullopt;
  }
  return size;
}

BatchSize size_requests(const RequestFacts& facts, const HostFacts& host, const Model* model, const PriceBook& book) {
  // Tokens only: what they cost is asked where the batch is. The window bounds what bytes do not; whether it may, the policy
  // of who asks for the batch says.
  Policy by_window;
  by_window.unbounded.kind = Unbounded::Kind::context_window;
  HostFacts unpriced = host;
  unpriced.free = true;
  BatchSize size;
  size.endpoint = facts.batch_of->endpoint;
  size.model = facts.model;
  size.region = facts.region;
  for (const RequestFacts& request : facts.batch) {
    const Sized sized = size_call({.facts = request,
                                   .dialect = *facts.batch_of,
                                   .host = unpriced,
                                   .policy = by_window,
                                   .book = book,
                                   .model = model,
                                   .output_capped = true,
                                   .rewritable = false});
    const std::int64_t choices = sized.demand.per_output[Meter::output_tokens];
    ++size.requests;
    add(size.input_tokens, sized.input_tokens);
    size.largest_input = std::max(size.largest_input, sized.input_tokens);
    // As it was asked for: Anthropic lets batches write more than a model's longest answer (its beta of 300,000 tokens, 2026-11).
    const std::int64_t output = std::max(sized.demand.want, request.output_limit.value_or(0));
    add(size.output_tokens, checked_mul(output, choices).value_or(most));
    add(size.likely_input, sized.likely[Quantity::input_tokens]);
    add(size.likely_output, sized.likely[sized.likely_output]);
    add(size.own_searches, sized.pieces[Quantity::web_searches]);
    add(size.tool_steps, request.server_tool_steps.value_or(0));
    // How much is searched decides the price of a search, and a batch has one price.
    const bool searches = request.search_options;
    if (sized.unbounded_count > 0 || searches) {
      if (size.unbounded++ == 0)
        size.unbounded_by = sized.unbounded_count > 0 ? std::string(sized.unbounded_by[0]) : "web search in a batch";
      size.endless = size.endless || searches || sized.problem != Sized::Problem::none;
    } else {
      add(size.bounded_tokens, sized.input_tokens);
    }
    size.media = size.media || request.media || request.remote;
    size.sound = size.sound || may_have_sound(request);
    size.server_tools = size.server_tools || request.server_tools;
    size.spoken_output = size.spoken_output || request.spoken_output;
    size.painted_output = size.painted_output || request.painted_output;
    const bool first_container = size.fees[Quantity::code_sessions] == 0;
    for (std::size_t i = 0; i < quantity_count; ++i)
      size.fees.of[i] += request.fees.of[i];
    if (request.fees[Quantity::code_sessions] > 0) {
      if (first_container) size.size = request.pieces.size;
      if (size.size != request.pieces.size)
        size.fees[Quantity::tool_calls] += 1;  // a batch has one price of a container
    }
    if (size.requests == 1) size.cache_writes = request.cache_writes;
    // `unknown` comes first and is the dearest.
    const bool unknown = size.cache_writes == CacheWrites::unknown || request.cache_writes == CacheWrites::unknown;
    size.cache_writes = unknown ? CacheWrites::unknown : std::max(size.cache_writes, request.cache_writes);
  }
  return size;
}

Sized size_batch(const SizeInput& input, const BatchSize& batch) {
  Sized sized;
  sized.requests = batch.requests;
  sized.input_tokens = batch.input_tokens;
  sized.largest_input = batch.largest_input;
  sized.likely[Quantity::input_tokens] = batch.likely_input;
  sized.likely[Quantity::output_tokens] = batch.likely_output;
  sized.likely[Quantity::web_searches] = batch.own_searches;
  for (std::size_t i = 0; i < quantity_count; ++i)
    sized.likely.of[i] += batch.fees.of[i];
  sized.likely[Quantity::requests] = batch.requests;
  sized.pieces[Quantity::input_tokens] = batch.input_tokens;
  sized.pieces[Quantity::output_tokens] = batch.output_tokens;
  Amounts& fixed = sized.demand.fixed;
  fixed[Meter::requests] = batch.requests;
  fixed[Meter::concurrent] = 1;  // one job
  fixed[Meter::input_tokens] = batch.input_tokens;
  fixed[Meter::output_tokens] = batch.output_tokens;
  fixed[Meter::tokens] = checked_add(batch.input_tokens, batch.output_tokens).value_or(most);
  if (fixed[Meter::tokens] == most) {
    sized.problem = Sized::Problem::overflow;
    return sized;
  }
  const Unbounded& unbounded = input.policy.unbounded;
  if (batch.unbounded > 0) {
    sized.unbounded_by[sized.unbounded_count++] = batch.unbounded_by;
    sized.confidence = "unbounded";
    const bool refused = unbounded.kind == Unbounded::Kind::refuse ||
                         (unbounded.kind == Unbounded::Kind::context_window && batch.endless);
    if (refused) {
      sized.problem = Sized::Problem::unbounded;
      return sized;
    }
  }

  // One request with the tokens of all, at the rates of the dearest of them.
  RequestFacts all;
  all.service_tier = input.facts.service_tier;
  all.region = batch.region;
  all.media = batch.media;
  all.media_other = batch.sound;
  all.server_tools = batch.server_tools;
  all.server_tool_steps = batch.tool_steps;
  all.spoken_output = batch.spoken_output;
  all.painted_output = batch.painted_output;
  all.fees = batch.fees;
  all.pieces.size = batch.size;
  all.cache_writes = batch.cache_writes;
  const Dialect* each = dialect_of(batch.endpoint);
  Sized one = sized;
  one.pieces = {};
  one.pieces[Quantity::web_searches] = batch.own_searches;
  one.demand.want = batch.output_tokens;
  const bool by_amount = batch.unbounded > 0 && unbounded.kind == Unbounded::Kind::amount;
  if (by_amount) {
    one.input_tokens = batch.bounded_tokens;
    one.unbounded_count = 0;
  }
  SizeInput of_all{.facts = all,
                   .dialect = each != nullptr ? *each : input.dialect,
                   .host = input.host,
                   .policy = input.policy,
                   .book = input.book,
                   .model = input.model,
                   .at_ms = input.at_ms,
                   .until_ms = input.until_ms,
                   .money_capped = input.money_capped,
                   .bill = input.bill};
  price(of_all, searches_of(input), one);
  if (one.problem != Sized::Problem::none) {
    sized.problem = one.problem;
    sized.unbounded_by = one.unbounded_by;
    sized.unbounded_count = one.unbounded_count;
    sized.confidence = one.confidence;
    return sized;
  }
  // What has no rate is in every request; price() has put in the amount of one.
  const bool unrated = one.unbounded_count > 0 && unbounded.kind == Unbounded::Kind::amount;
  const std::int64_t amounts = unrated ? batch.requests - 1 : by_amount ? batch.unbounded : 0;
  if (unrated) {
    sized.unbounded_by = one.unbounded_by;
    sized.unbounded_count = one.unbounded_count;
    sized.confidence = one.confidence;
  }
  const auto amount = checked_mul(unbounded.kind == Unbounded::Kind::amount ? unbounded.amount.nano : 0, amounts);
  if (input.bill != nullptr && amount) input.bill->amount.nano += *amount;
  const auto ceiling = ceiling_with(one, batch.output_tokens);
  const auto whole = amount && ceiling ? checked_add(ceiling->nano, *amount) : std::nullopt;
  if (one.priced && !whole) {
    sized.problem = Sized::Problem::overflow;
  } else if (one.priced) {
    sized.priced = true;
    sized.dearest = one.dearest;
    sized.likely_usd = one.likely_usd;
    sized.input_usd = Usd{*whole};
    fixed[Meter::usd] = *whole;
  } else if (input.money_capped) {
    sized.problem = Sized::Problem::unpriced;
  }
  return sized;
}

}  // namespace farthing::guard
