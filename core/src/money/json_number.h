// A number of a JSON text as money: what a provider says that a call cost.
//
//   usd_of_number("6e-7", 0)          // 600 nano
//   usd_of_number("37756000", -10)    // in ticks of 10^-10 USD: 3,775,600 nano
//
// Thread-safety: a free function.
#pragma once

#include <optional>
#include <string_view>

#include "farthing/money.h"

namespace farthing {

/// `number` x 10^`power` USD, exact in decimals and rounded once, half to even, to whole nanos. Nothing where it is no number of
/// JSON's grammar, is negative, or does not fit.
std::optional<Usd> usd_of_number(std::string_view number, int power);

}  // namespace farthing
