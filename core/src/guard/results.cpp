// What came out of a batch: its lines are priced one by one, and settled when all were seen (R17).
#include "guard/results.h"

#include <algorithm>

#include "guard/attempt.h"

namespace farthing {

namespace guard {

bool add_to(Quantities& sum, const Quantities& more) {
  for (std::size_t i = 0; i < quantity_count; ++i) {
    const auto added = checked_add(sum.of[i], more.of[i]);
    if (!added) return false;
    sum.of[i] = *added;
  }
  return true;
}

std::optional<Usd> sum_with(Usd own, const std::vector<std::pair<RateSet, Quantities>>& others) {
  for (const auto& [rates, used] : others) {
    const auto cost = cost_of(rates, used);
    const auto sum = cost ? checked_add(own.nano, cost->nano) : std::nullopt;
    if (!sum) return std::nullopt;
    own.nano = *sum;
  }
  return own;
}

void BatchResults::add(const RateSet& rates, const Quantities& used) {
  auto place = std::find_if(priced.begin(), priced.end(), [&](const auto& known) { return known.first == rates; });
  if (place == priced.end()) place = priced.insert(priced.end(), {rates, {}});
  if (!add_to(place->second, used)) unpriced = true;
}

}  // namespace guard

void Attempt::State::take_results(std::string_view bytes, bool ended) {
  if (phase != Phase::sent || status >= 300) return;
  const auto take = [&](std::string_view line) {
    const AnswerFacts answer = route.dialect->read_result(line);
    ++results->told;
    if (answer.job == JobState::failed) return;  // nothing is billed of it
    if (answer.job != JobState::done) {
      results->unreadable = true;
      return;
    }
    if (!answer.quantities) {
      results->untold = true;
      return;
    }
    results->model = answer.model;
    results->tier = answer.service_tier;
    if (!guard::add_to(results->quantities, *answer.quantities)) results->untold = true;
    const Quantities own = without(*answer.quantities, answer.others);
    const Rated rated = rates_served(*settlement.row.context, answer, meters_of(own)[Meter::input_tokens]);
    if (rated.free) return;
    const auto others = shares_of_others(*settlement.row.context, answer);
    if (!rated.rates || !others) {
      results->unpriced = true;
      return;
    }
    results->add(*rated.rates, own);
    for (const auto& [rates, used] : *others)
      results->add(rates, used);
  };
  results->lines.feed(bytes, take);
  if (ended) results->lines.finish(take);
}

/// Each line at its own rates, which the row names where they are the same for all.
void Attempt::State::price_results(LedgerRow& row) const {
  std::int64_t sum = 0;
  bool all = !results->unpriced;
  for (const auto& [rates, used] : results->priced) {
    const auto cost = cost_of(rates, used);
    const auto more = cost ? checked_add(sum, cost->nano) : std::nullopt;
    all = all && more;
    sum = more.value_or(sum);
  }
  if (results->priced.size() == 1) row.context = priced_elsewhere(*row.context, results->priced.front().first);
  if (all) {
    row.actual = Usd{sum};
    return;
  }
  // Used, but not priced: never for free (promise 5).
  if (sized.priced && !sized.no_ceiling) row.actual = Usd{held[Meter::usd]};
  row.error_class = unpriced_usage;
}

/// Only the whole of it settles: a download that broke off has fewer lines than the batch has requests.
void Attempt::State::settle_results() {
  const bool whole = status < 300 && !results->unreadable && !results->lines.too_long();
  if (!whole || results->told != kept.requests) {
    phase = Phase::ended;
    return;
  }
  AnswerFacts answer;
  answer.id = route.job_id;
  answer.model = results->model;
  answer.service_tier = results->tier;
  // What one of them used is not known: not in money, nor in tokens (R23).
  if (results->untold) return settle(How::hold, &answer, "no_final_usage");
  answer.quantities = results->quantities;
  answer.final = true;
  settle(How::usage, &answer, "");
}

}  // namespace farthing
