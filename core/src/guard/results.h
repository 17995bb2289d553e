// BatchResults: what the results of a batch add up to while they are downloaded, a line for each request (R17).
// Thread-safety: a value.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "farthing/meter.h"
#include "farthing/prices.h"
#include "wire/batch.h"

namespace farthing::guard {

struct BatchResults {
  wire::Lines lines;
  std::int64_t told = 0;    // requests, however they ended
  bool unreadable = false;  // a line says nothing that we know: these are not all results, or no results
  bool untold = false;      // one was answered, and nobody says what it used
  bool unpriced = false;    // one was billed by what nobody knows
  Quantities quantities;
  /// What was used, by its rates: sums are rounded once.
  std::vector<std::pair<RateSet, Quantities>> priced;
  std::string model, tier;  // served, of the last one

  void add(const RateSet& rates, const Quantities& used);
};

/// False where it does not fit.
bool add_to(Quantities& sum, const Quantities& more);

/// Nothing where a part has no price.
std::optional<Usd> sum_with(Usd own, const std::vector<std::pair<RateSet, Quantities>>& others);

}  // namespace farthing::guard
