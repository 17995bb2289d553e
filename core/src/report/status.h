// StatusReport from a store: every registered cap and live run with what is spent, reserved and left.
// Thread-safety: free functions.
#pragma once

#include "farthing/control.h"
#include "store/store.h"

namespace farthing::report {

Result<StatusReport> status_of(Store& store);

/// The values of `each` with their kinds.
std::vector<std::pair<std::string, std::string>> counter_of(const Cap& cap,
                                                            const std::vector<std::string>& each_values);
LimitChange limit_change(const Cap& cap, const Override& change);

}  // namespace farthing::report
