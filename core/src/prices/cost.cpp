// What a call costs under a set of rates.
#include <string>

#include "farthing/prices.h"

namespace farthing {
namespace {

/// Quantities that are counted for meters and reports also where they are not what the provider bills by.
bool billed_otherwise(const RateSet& rates, Quantity quantity) {
  switch (quantity) {
    case Quantity::requests:
      return true;  // few providers bill per call
    case Quantity::images:
      return rates[Quantity::output_image_tokens].has_value();
    case Quantity::audio_ms:
      return rates[Quantity::input_audio_tokens] || rates[Quantity::output_audio_tokens] || rates[Quantity::characters];
    case Quantity::characters:
      return rates[Quantity::input_tokens].has_value();
    default:
      return false;
  }
}

Result<Cost> sum_of(const RateSet& rates, const Quantities& quantities) {
  Cost cost;
  for (std::size_t i = 0; i < quantity_count; ++i) {
    const std::int64_t count = quantities.of[i];
    if (count == 0) continue;
    const auto quantity = static_cast<Quantity>(i);
    if (count < 0) {
      return Error{Code::invalid_argument, std::string(quantity_text(quantity)) + " is " + std::to_string(count) +
                                               ": a quantity cannot be negative."};
    }
    const Rate* rate = rate_for(rates, quantity);
    if (rate != nullptr) {
      cost.add(*rate, count);
    } else if (!billed_otherwise(rates, quantity)) {
      return Error{Code::unpriced_model, "there is no rate for " + std::string(quantity_text(quantity)) + " (" +
                                             std::to_string(count) +
                                             " were used): the price book has none, and unknown is never zero."};
    }
  }
  return cost;
}

Error too_large() {
  return {Code::overflow, "the cost does not fit: it is above 9223372036.85 USD."};
}

}  // namespace

const Rate* rate_for(const RateSet& rates, Quantity quantity) {
  for (;;) {
    if (const auto& rate = rates[quantity]) return &*rate;
    switch (quantity) {
      case Quantity::reasoning_tokens:
        quantity = Quantity::output_tokens;
        break;
      // A provider that has no longer-lived cache of its own price writes it at the usual one.
      case Quantity::cache_write_1h_tokens:
        quantity = Quantity::cache_write_tokens;
        break;
      case Quantity::cache_write_tokens:
      case Quantity::cache_read_tokens:
        quantity = Quantity::input_tokens;
        break;
      case Quantity::code_sessions:
      case Quantity::file_searches:
        quantity = Quantity::tool_calls;
        break;
      default:
        return nullptr;
    }
  }
}

Result<Usd> cost_of(const RateSet& rates, const Quantities& quantities) {
  const Result<Cost> cost = sum_of(rates, quantities);
  if (!cost) return cost.error();
  const auto usd = cost->half_even();
  if (!usd) return too_large();
  return *usd;
}

Result<Usd> ceiling_of(const RateSet& rates, const Quantities& quantities) {
  const Result<Cost> cost = sum_of(rates, quantities);
  if (!cost) return cost.error();
  const auto usd = cost->rounded_up();
  if (!usd) return too_large();
  return *usd;
}

}  // namespace farthing
