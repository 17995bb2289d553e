#include "guard/described.h"

#include <algorithm>

namespace farthing::guard {

Sized size_described(const SizeInput& input) {
  const RequestFacts& facts = input.facts;
  const EndpointRule& rule = *input.dialect.rule;
  Sized sized;
  const auto unbounded = [&sized](std::string_view what) {
    if (sized.unbounded_count < sized.unbounded_by.size()) sized.unbounded_by[sized.unbounded_count++] = what;
  };
  sized.likely = *facts.asked;
  sized.demand.fixed = meters_of(*facts.asked);
  sized.demand.fixed[Meter::concurrent] = 1;
  sized.input_tokens = sized.demand.fixed[Meter::input_tokens];
  sized.confidence = rule.usage.empty() && rule.cost.empty() ? "exact" : "heuristic";
  if (!facts.unsaid.empty()) unbounded(facts.unsaid);

  const bool free = input.host.free || (input.model != nullptr && input.model->free);
  std::optional<RateSet> rates;
  if (input.model != nullptr && !free) {
    Terms terms = terms_asked(facts, input.host);
    terms.at_ms = input.at_ms;
    terms.until_ms = input.until_ms;
    terms.context_tokens = sized.input_tokens;
    rates = input.book.dearest_rates(*input.model, terms);
  }
  if (rates) {
    // What is billed, and neither asked for nor told, would be for free (promise 5).
    bool billed = false;
    for (std::size_t i = 0; i < quantity_count; ++i) {
      const auto quantity = static_cast<Quantity>(i);
      if (!(*rates)[quantity]) continue;
      billed = true;
      const bool known = quantity == Quantity::requests ||
                         std::any_of(rule.asks.begin(), rule.asks.end(),
                                     [&](const AskedQuantity& ask) { return ask.quantity == quantity; });
      if (!known) unbounded(quantity_text(quantity));
    }
    const auto ceiling = ceiling_of(*rates, *facts.asked);
    if (billed && ceiling) {
      sized.dearest = *rates;
      sized.input_usd = *ceiling;
      if (const auto cost = cost_of(*rates, *facts.asked)) sized.likely_usd = *cost;
      sized.priced = true;
      if (input.bill != nullptr) put_lines(*input.bill, *rates, *facts.asked);
      if (input.bill != nullptr) input.bill->usual = *rates;
    }
  } else if (free) {
    sized.likely_usd = Usd{};
    sized.priced = true;
  }
  if (sized.unbounded_count > 0) {
    sized.confidence = "unbounded";
    if (input.policy.unbounded.kind == Unbounded::Kind::amount) {
      sized.input_usd = input.policy.unbounded.amount;
      sized.priced = true;
      if (input.bill != nullptr) *input.bill = {.lines = {}, .amount = sized.input_usd, .usual = {}};
    } else {
      sized.problem = Sized::Problem::unbounded;
      sized.no_ceiling = true;
    }
    sized.likely_usd.reset();  // it would leave out what nobody knows
  }
  sized.demand.fixed[Meter::usd] = sized.input_usd.nano;
  if (sized.problem == Sized::Problem::none && !sized.priced && input.money_capped)
    sized.problem = Sized::Problem::unpriced;
  return sized;
}

}  // namespace farthing::guard
