// Fees: what tools that run at a provider cost beside an answer's tokens.
// Thread-safety: free functions.
#pragma once

#include <array>

#include "farthing/prices.h"

namespace farthing {

inline constexpr std::array<Quantity, 4> tool_fees = {Quantity::web_searches, Quantity::tool_calls,
                                                      Quantity::code_sessions, Quantity::file_searches};

/// What a ledger entry says of its rates: those of tools only where one was used. Few calls use any, and their text would
/// take each entry of the file store over a page of it.
RateSet rates_used(RateSet rates, const Quantities& used);

}  // namespace farthing
