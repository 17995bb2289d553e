// StatusReport from a store: every registered cap and live run with what is spent, reserved and left.
// Thread-safety: free functions.
#pragma once

#include "farthing/control.h"
#include "store/store.h"

namespace farthing::report {

Result<StatusReport> status_of(Store& store);

}  // namespace farthing::report
