// Who spent most of a counter, for its alert (R35). Thread-safety: free functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "farthing/cap.h"
#include "farthing/control.h"
#include "store/store.h"

namespace farthing::report {

/// The three largest values of each kind of label that the cap does not fix itself, and of the models; by the newest
/// 10,000 entries since `since_ms`. Empty where the ledger cannot be read, and for slots, which nobody spends.
std::vector<Spender> top_spenders(Store& store, const Cap& cap, const std::vector<std::string>& each_values,
                                  std::int64_t since_ms);

}  // namespace farthing::report
