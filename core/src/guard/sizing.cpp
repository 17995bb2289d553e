#include "guard/sizing.h"

#include <algorithm>
#include <limits>

#include "counting/images.h"
#include "farthing/maker.h"
#include "guard/batches.h"
#include "guard/described.h"
#include "guard/learning.h"
#include "guard/pieces.h"

namespace farthing::guard {
namespace {

// Likely where nothing was learnt: answers without a limit are short.
constexpr std::int64_t likely_output = 400;
constexpr std::int64_t likely_output_reasoning = 1'200;

constexpr std::int64_t million = 1'000'000;

/// The dearest of several rates; empty when none of them is given.
std::optional<Rate> dearest_of(const RateSet& rates, std::initializer_list<Quantity> quantities) {
  std::optional<Rate> found;
  for (const Quantity quantity : quantities) {
    const std::optional<Rate>& rate = rates[quantity];
    if (rate && (!found || dearer(*rate, *found))) found = rate;
  }
  return found;
}

/// One unit's price, rounded up to a whole nano (R20).
std::optional<std::int64_t> nano_per_unit(const Rate& rate) {
  const Int128 divisor = static_cast<Int128>(rate.per) * atto_per_nano;
  const Int128 nano = (rate.atto + divisor - 1) / divisor;
  if (nano < 0 || nano > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  return static_cast<std::int64_t>(nano);
}

std::int64_t saturating_mul(std::int64_t a, std::int64_t b) {
  const auto product = checked_mul(a, b);
  return product ? *product : std::numeric_limits<std::int64_t>::max();
}

void unbounded(Sized& sized, std::string_view what) {
  if (sized.unbounded_count < sized.unbounded_by.size()) sized.unbounded_by[sized.unbounded_count++] = what;
}

/// R31: every input ceiling is min(bound, context window), and where bytes are no bound the window is, if the policy
/// takes it for one.
void size_input(const SizeInput& input, const std::optional<OwnSearches>& own, Sized& sized) {
  const RequestFacts& facts = input.facts;
  sized.text_tokens = facts.input_bytes;
  const bool profiled = input.model != nullptr && !input.model->overhead.empty();
  sized.hidden_tokens = hidden_tokens_bound(profiled ? input.model->overhead : input.dialect.overhead, facts);
  const auto rule =
      input.model == nullptr ? std::string_view() : image_rule_of(input.model->image_rule, input.model->name);
  const MediaTokens media = media_tokens(rule, facts.media_inputs, facts.media_resolution);
  sized.media_tokens = media.ceiling.value_or(0);
  sized.media_likely = media.likely;
  sized.pages = pages_of(facts.media_inputs);
  std::int64_t bytes_bound = sized.text_tokens + sized.hidden_tokens + sized.media_tokens;
  if (input.counted != nullptr && input.counted->ceiling &&
      *input.counted->ceiling + sized.media_tokens < bytes_bound) {
    sized.text_tokens = input.counted->tokens;
    sized.hidden_tokens = *input.counted->ceiling - input.counted->tokens;
    sized.input_is_counted = true;
    bytes_bound = *input.counted->ceiling + sized.media_tokens;
  }

  const bool searches_more = facts.server_tools || (facts.search_options && !own);
  if (own && own->billed > 0) sized.pieces[Quantity::web_searches] = sized.likely[Quantity::web_searches] = own->billed;

  // Embeddings, completions: every input has a window of its own. Server tools: every step reads the context again.
  const std::int64_t window = input.model != nullptr ? input.model->context_window : 0;
  std::int64_t windows = std::max<std::int64_t>(1, facts.inputs);
  if (searches_more) {
    sized.input_steps = facts.server_tool_steps ? saturating_mul(1, *facts.server_tool_steps + 1) : 1;
    windows = saturating_mul(windows, sized.input_steps);
  }
  const std::int64_t window_bound = window > 0 ? saturating_mul(window, windows) : 0;

  const bool texts_of_pages = facts.media && !media.ceiling && sized.pages > 0;
  if (texts_of_pages) unbounded(sized, "the text of a document's pages");
  if (facts.media && (facts.media_other || (!media.ceiling && !texts_of_pages)))
    unbounded(sized, "image, audio or file");
  if (facts.remote && (facts.remote_other || !media.ceiling)) unbounded(sized, "URL, file id or earlier response");
  if (searches_more)
    unbounded(sized, facts.server_tool_steps ? "server tools" : "server tools without a limit of their uses");

  if (own && own->unseen) unbounded(sized, "what the model finds by itself");
  if (facts.other_models) unbounded(sized, "other models that the host may choose");
  if (facts.unknown) unbounded(sized, "a part that is not known here");
  if (!facts.endless.empty()) unbounded(sized, facts.endless);

  if (sized.unbounded_count == 0) {
    sized.input_tokens = window_bound > 0 ? std::min(bytes_bound, window_bound) : bytes_bound;
    sized.input_is_window = window_bound > 0 && window_bound < bytes_bound;
    return;
  }
  sized.confidence = "unbounded";
  sized.input_is_window = true;
  // Without a window nothing is a bound; what is likely of media is in it all the same.
  sized.input_tokens = window_bound > 0 ? window_bound : bytes_bound + (media.ceiling ? 0 : media.likely);
  const bool endless = (searches_more && !facts.server_tool_steps) || facts.other_models || !facts.endless.empty() ||
                       (own && own->endless);
  // What costs nothing needs no bound on its money.
  const bool free = input.host.free || (input.model != nullptr && input.model->free);
  if (free && !input.tokens_capped) return;
  switch (input.policy.unbounded.kind) {
    case Unbounded::Kind::amount:
      return;  // held at that amount, see price()
    case Unbounded::Kind::refuse:
      sized.problem = Sized::Problem::unbounded;
      return;
    case Unbounded::Kind::context_window:
      if (endless || window_bound == 0) sized.problem = Sized::Problem::unbounded;
      return;
  }
}

/// Images that the answer may bring: asked for, or what the model is made for.
bool paints(const SizeInput& input) {
  return input.facts.painted_output || (input.model != nullptr && input.model->modality == "image");
}

PaintedTokens painted(const SizeInput& input) {
  if (!paints(input)) return {};
  return painted_tokens(input.model == nullptr ? input.facts.model : input.model->name, input.facts.pieces.size);
}

/// R20: what output is asked for, and the least that is acceptable.
void size_output(const SizeInput& input, Sized& sized) {
  const RequestFacts& facts = input.facts;
  Demand& demand = sized.demand;
  if (!input.dialect.has_output) return;
  const std::int64_t choices = std::max<std::int64_t>(1, facts.choices);
  demand.per_output[Meter::output_tokens] = choices;
  demand.per_output[Meter::tokens] = choices;

  const bool reasoning = input.model != nullptr && input.model->reasoning;
  const std::int64_t maximum = input.model != nullptr ? input.model->max_output_tokens : 0;
  const std::int64_t window = input.model != nullptr ? input.model->context_window : 0;
  const std::int64_t floor =
      std::max({reasoning ? min_output_reasoning : min_output, input.dialect.output_limit_minimum,
                facts.thinking_budget > 0 ? facts.thinking_budget + min_output : 0, painted(input).most});
  const bool may_lower = input.policy.fit_output && input.rewritable && input.output_capped;

  if (facts.output_limit) {
    // Whether a smaller limit cuts an image off, nobody says: one of them is held.
    const std::int64_t asked = std::max({std::int64_t{0}, *facts.output_limit, painted(input).most});
    demand.want = maximum > 0 ? std::min(asked, maximum) : asked;
    sized.own_output_limit = demand.want;
    demand.least = may_lower ? std::min(demand.want, floor) : demand.want;
    return;
  }
  if (input.dialect.output_default > 0 && (input.host.provider == "openai" || input.host.provider == "azure")) {
    // What the provider takes for a limit then. Writing a larger one would make the answer longer than the caller expects.
    demand.want = input.dialect.output_default;
    demand.least = demand.want;
    sized.own_output_limit = demand.want;
    return;
  }
  // The request without a limit: the model's maximum bounds it, else its context window.
  sized.own_output_limit = maximum > 0 ? maximum : window;
  const std::int64_t usual = reasoning ? default_output_reasoning : default_output;
  if (may_lower) {
    demand.want = maximum > 0 ? std::min(maximum, usual) : usual;
    demand.least = std::min(demand.want, floor);
    demand.share = default_output_share;
    return;
  }
  demand.want = sized.own_output_limit;
  if (demand.want == 0) {
    // Nothing known bounds it. A limit of ours can, where we may write one and somebody cares.
    demand.want = usual;
    if (input.output_capped && !input.rewritable) {
      unbounded(sized, "output without a limit");
      sized.confidence = "unbounded";
      if (input.policy.unbounded.kind != Unbounded::Kind::amount) sized.problem = Sized::Problem::unbounded;
    }
  }
  demand.least = demand.want;
}

/// What no rate prices.
void refuse_unknown(const SizeInput& input, std::string_view what, Sized& sized) {
  unbounded(sized, what);
  sized.confidence = "unbounded";
  if (input.money_capped) sized.problem = Sized::Problem::unbounded;
}

void size_likely(const SizeInput& input, Sized& sized) {
  const RequestFacts& facts = input.facts;
  std::int64_t input_tokens =
      std::min(sized.input_tokens, facts.input_bytes / likely_bytes_per_token + 1 + sized.media_likely);
  if (input.counted != nullptr && sized.unbounded_count == 0) {
    const std::int64_t tokens = input.counted->tokens;
    if (input.learned != nullptr) {
      sized.input_correction = corrected(tokens, *input.learned, !facts.tool_set.empty()) - tokens;
    }
    input_tokens = std::min(sized.input_tokens, tokens + sized.input_correction + sized.media_likely);
    sized.confidence = confidence_of(*input.counted);
    const bool changed = sized.media_likely > 0 || sized.input_correction != 0;
    if (changed && sized.confidence == "exact") sized.confidence = "calibrated";
    if (sized.input_correction != 0 && sized.confidence == "heuristic") sized.confidence = "calibrated";
  }
  // Every tool with a fee is likely used once, and each use has the model read its input again.
  if (facts.server_tool_steps.value_or(1) > 0) {
    std::int64_t uses = 0;
    for (std::size_t i = 0; i < quantity_count; ++i) {
      const std::int64_t use = std::min<std::int64_t>(facts.fees.of[i], 1);
      sized.likely.of[i] += use;
      uses += use;
    }
    sized.reread_tokens = std::min(saturating_mul(input_tokens, uses), sized.input_tokens - input_tokens);
    input_tokens += sized.reread_tokens;
  }
  sized.likely[Quantity::input_tokens] = input_tokens;
  sized.likely[Quantity::requests] = 1;
  if (input.dialect.has_output) {
    // Of a model that somebody else sells, its maker's entry may know it: what it thinks costs there too.
    const bool reasoning = input.model != nullptr && reasons(input.book, *input.model).value_or(false);
    const auto learned = input.learned == nullptr ? std::nullopt : input.learned->output(50);
    sized.learned_output = learned.has_value();
    const bool image = paints(input);
    const std::int64_t unlearnt = image ? painted(input).likely : reasoning ? likely_output_reasoning : likely_output;
    const std::int64_t output = std::clamp<std::int64_t>(learned.value_or(unlearnt), 0, sized.demand.want);
    if (image)
      sized.likely_output = Quantity::output_image_tokens;
    else if (facts.spoken_output)
      sized.likely_output = Quantity::output_audio_tokens;
    sized.likely[sized.likely_output] = saturating_mul(output, std::max<std::int64_t>(1, facts.choices));
  }
}

/// OpenAI gives some accounts a tier that the price page has for few models, at six times the price, and Anthropic's fast mode
/// costs two to six times as much (2026-11): of other models it is not known, and never what the other tiers cost.
bool is_tier_unpriced(const PriceBook& book, const Model& model, Terms terms) {
  const bool fast_mode = terms.service_tier == "fast" && model.overhead == "claude";
  if (terms.service_tier != "ultrafast" && !fast_mode) return false;
  const auto asked = book.rates(model, terms);
  terms.service_tier = "default";
  return asked == book.rates(model, terms);
}

/// Whether requests say it where their input shall stay in a cache for long: OpenAI's models, whoever sells them.
bool asks_for_long_lived(const Model& model) {
  return model.overhead.starts_with("openai-");
}

}  // namespace

Terms terms_asked(const RequestFacts& facts, const HostFacts& host) {
  return {.service_tier = facts.service_tier,
          .region = facts.region.empty() ? host.region : std::string_view(facts.region),
          .size = facts.pieces.size,
          .quality = facts.pieces.quality,
          .resolution = facts.pieces.resolution,
          .search_context = facts.search_context};
}

std::string_view why_unpriced(const PriceBook& book, const Model& model, const RequestFacts& facts,
                              const HostFacts& host, std::int64_t at_ms) {
  Terms terms = terms_asked(facts, host);
  terms.at_ms = at_ms;
  if (is_tier_unpriced(book, model, terms))
    return "its price is not known for the service_tier or speed that this request names";
  if (book.rates(model, terms) || !is_priced_by_what_is_said(book, model, at_ms)) return "";
  return "it has prices by size, quality, resolution or search context, and none for what this request says of them";
}

bool may_have_sound(const RequestFacts& facts) {
  using Kind = MediaFacts::Kind;
  return facts.media_other || facts.remote_other ||
         std::any_of(facts.media_inputs.begin(), facts.media_inputs.end(), [](const MediaInput& input) {
           return input.facts.kind == Kind::audio || input.facts.kind == Kind::video;
         });
}

void price(const SizeInput& input, const std::optional<OwnSearches>& own, Sized& sized) {
  if (input.host.free || (input.model != nullptr && input.model->free)) {
    sized.priced = true;
    sized.likely_usd = Usd{};
    return;
  }
  if (input.model == nullptr) return;
  const CacheWrites writes = input.facts.cache_writes;
  Terms terms = terms_asked(input.facts, input.host);
  terms.at_ms = input.at_ms;
  terms.until_ms = input.until_ms;
  terms.context_tokens = sized.largest_input.value_or(sized.input_tokens);
  terms.writes_cache = writes != CacheWrites::none;
  terms.writes_cache_1h =
      writes == CacheWrites::long_lived || (writes == CacheWrites::unknown && !asks_for_long_lived(*input.model));
  if (is_tier_unpriced(input.book, *input.model, terms)) return;
  Terms most = terms;
  if (most.region.empty()) most.region = input.host.account_region;
  auto dearest = input.book.dearest_rates(*input.model, most);
  if (!dearest) return;
  sized.dearest = *dearest;
  const RateSet& rates = sized.dearest;
  // The rate of input covers what is read from a cache or written into one.
  std::optional<Rate> input_rate = rates[Quantity::input_tokens];
  if (input.facts.media || input.facts.remote)
    input_rate = dearest_of(rates, {Quantity::input_tokens, Quantity::input_image_tokens});
  if (may_have_sound(input.facts))
    input_rate =
        dearest_of(rates, {Quantity::input_tokens, Quantity::input_audio_tokens, Quantity::input_image_tokens});
  if (!input_rate) return;
  Cost fixed;
  const auto add = [&](Quantity quantity, std::int64_t count, const Rate& rate) {
    fixed.add(rate, count);
    if (input.bill != nullptr) input.bill->add(quantity, count, rate);
  };
  add(Quantity::input_tokens, sized.input_tokens, *input_rate);
  if (const auto& each = rates[Quantity::requests]) add(Quantity::requests, sized.requests, *each);
  bool search_fee_unknown = own && own->fee && !rates[Quantity::requests] && !rates[Quantity::web_searches];
  if (const std::int64_t billed = sized.pieces[Quantity::web_searches]; billed > 0) {
    const auto& search = rates[Quantity::web_searches];
    if (search)
      add(Quantity::web_searches, billed, *search);
    else
      search_fee_unknown = true;
  }
  // The dearest of the tools, for every step.
  bool fee_unknown = false;
  Quantity tool = Quantity::tool_calls;
  const Rate* fee = nullptr;
  for (std::size_t i = 0; i < quantity_count; ++i) {
    if (input.facts.fees.of[i] == 0) continue;
    const Rate* rate = rate_for(rates, static_cast<Quantity>(i));
    if (rate == nullptr) fee_unknown = true;
    if (rate == nullptr || (fee != nullptr && !dearer(*rate, *fee))) continue;
    fee = rate;
    tool = static_cast<Quantity>(i);
  }
  const bool output_unknown = (input.facts.spoken_output && !rates[Quantity::output_audio_tokens]) ||
                              (paints(input) && !rates[Quantity::output_image_tokens]);
  if (fee_unknown || search_fee_unknown || output_unknown) {
    if (sized.no_ceiling) return;
    const std::string_view what = fee_unknown          ? unknown_fee
                                  : search_fee_unknown ? unknown_search_fee
                                                       : unknown_output_rate;
    if (input.policy.unbounded.kind != Unbounded::Kind::amount) return refuse_unknown(input, what, sized);
    unbounded(sized, what);  // held at that amount
    sized.confidence = "unbounded";
  }
  if (fee != nullptr && input.facts.server_tool_steps) add(tool, *input.facts.server_tool_steps, *fee);
  // A container may be made before anybody uses it, and is billed then too (OpenAI's developer forum, 2025-11).
  if (const std::int64_t made = input.facts.fees[Quantity::code_sessions]; made > 0) {
    if (const Rate* session = rate_for(rates, Quantity::code_sessions)) add(Quantity::code_sessions, made, *session);
  }
  auto input_usd = fixed.rounded_up();
  if (sized.unbounded_count > 0 && input.policy.unbounded.kind == Unbounded::Kind::amount) {
    input_usd = input.policy.unbounded.amount;  // the policy's word for what bytes do not bound
    if (input.bill != nullptr) *input.bill = {.lines = {}, .amount = *input_usd, .usual = {}};
  }
  std::optional<std::int64_t> unit = 0;
  if (input.dialect.has_output) {
    const auto output_rate = dearest_of(rates, {Quantity::output_tokens, Quantity::reasoning_tokens,
                                                Quantity::output_audio_tokens, Quantity::output_image_tokens});
    if (!output_rate) return;
    unit = nano_per_unit(*output_rate);
  }
  const std::int64_t choices = std::max<std::int64_t>(1, input.facts.choices);
  const auto per_output = unit ? checked_mul(*unit, choices) : std::nullopt;
  if (!input_usd || !per_output || !checked_mul(*per_output, sized.demand.want)) {
    sized.problem = Sized::Problem::overflow;
    return;
  }
  sized.input_usd = *input_usd;
  sized.demand.fixed[Meter::usd] = input_usd->nano;
  sized.demand.per_output[Meter::usd] = *per_output;
  sized.priced = true;

  // At the step of a price by context that the likely input is in: of one request where there are many.
  terms.context_tokens =
      std::min(terms.context_tokens, sized.likely[Quantity::input_tokens] / std::max<std::int64_t>(1, sized.requests));
  if (const auto usual = input.book.rates(*input.model, terms)) {
    const auto cost = cost_of(*usual, sized.likely);
    const auto ceiling = ceiling_with(sized, sized.demand.want);
    if (cost) sized.likely_usd = ceiling ? std::min(*cost, *ceiling) : *cost;
    if (input.bill != nullptr) input.bill->usual = *usual;
  }
  if (input.bill != nullptr && *unit > 0)
    input.bill->lines.push_back({Quantity::output_tokens, saturating_mul(sized.demand.want, choices),
                                 Rate{static_cast<Int128>(*unit) * atto_per_nano * million, million}});
}

void Bill::add(Quantity quantity, std::int64_t count, const Rate& rate) {
  if (count == 0) return;
  const auto known =
      std::find_if(lines.begin(), lines.end(), [quantity](const Line& line) { return line.quantity == quantity; });
  if (known == lines.end())
    lines.push_back({quantity, count, rate});
  else
    known->count += count;
}

void put_lines(Bill& bill, const RateSet& rates, const Quantities& quantities) {
  for (std::size_t i = 0; i < quantity_count; ++i) {
    const auto quantity = static_cast<Quantity>(i);
    const Rate* rate = quantities[quantity] > 0 ? rate_for(rates, quantity) : nullptr;
    if (rate != nullptr) bill.add(quantity, quantities[quantity], *rate);
  }
}

std::optional<OwnSearches> searches_of(const SizeInput& input) {
  return input.model == nullptr ? std::nullopt : own_searches(input.model->overhead);
}

Sized size_call(const SizeInput& input) {
  if (input.batch != nullptr) return size_batch(input, *input.batch);
  if (input.facts.asked) return size_described(input);
  if (input.dialect.pieces) return size_pieces(input);
  Sized sized;
  const auto own = searches_of(input);
  size_input(input, own, sized);
  size_output(input, sized);
  size_likely(input, sized);
  Demand& demand = sized.demand;
  demand.fixed[Meter::requests] = 1;
  demand.fixed[Meter::concurrent] = 1;
  demand.fixed[Meter::input_tokens] = sized.input_tokens;
  demand.fixed[Meter::tokens] = sized.input_tokens;
  if (!input.dialect.has_output && sized.unbounded_count == 0) {
    sized.counted.emplace();
    (*sized.counted)[Quantity::input_tokens] = sized.input_tokens;
    (*sized.counted)[Quantity::requests] = 1;
  }
  // What is likely is known also where nothing bounds it.
  sized.no_ceiling = sized.problem == Sized::Problem::unbounded;
  if (sized.problem != Sized::Problem::overflow) price(input, own, sized);
  if (sized.problem == Sized::Problem::none && !sized.priced && input.money_capped) {
    sized.problem = Sized::Problem::unpriced;
  }
  return sized;
}

std::optional<Usd> ceiling_with(const Sized& sized, std::int64_t output_limit) {
  if (!sized.priced || sized.no_ceiling) return std::nullopt;
  const auto output = checked_mul(sized.demand.per_output[Meter::usd], output_limit);
  const auto sum = output ? checked_add(sized.input_usd.nano, *output) : std::nullopt;
  if (!sum) return std::nullopt;
  return Usd{*sum};
}

}  // namespace farthing::guard
