// Everything a store knows of one attempt, call, response or refusal, by its id (`farthing why ID`).
// Thread-safety: free functions.
#pragma once

#include "farthing/control.h"
#include "store/store.h"

namespace farthing::report {

Result<WhyReport> why_of(Store& store, const std::string& id);
/// One refusal as compact JSON.
std::string denial_entry_json(const DenialEntry& entry);

}  // namespace farthing::report
