// Several documents, one truth (R6): one id in two documents is one cap with the lowest limit; and what a document would
// loosen if it replaced the one of its name.
//
//   merge_lowest(kept, other);                       // the caps of another document, one by one
//   for (const std::string& line : loosens(registry, policy)) ...
//
// Thread-safety: free functions.
#pragma once

#include <string>
#include <vector>

#include "farthing/policy.h"
#include "policy/registry.h"

namespace farthing {

/// The limit of one counter by the document: of its own in `limits`, else the cap's.
std::int64_t limit_of(const Cap& cap, const std::vector<std::string>& each_values);

/// Makes `kept` hold both: for every counter the lower of the two limits, and the stricter of what else restricts.
void merge_lowest(Cap& kept, const Cap& other);

/// The limits in force that would be higher, or gone, after `next` has replaced the current document of its name, a
/// sentence each; empty when it loosens nothing. Overrides are left out of account: they end.
std::vector<std::string> loosens(const Registry& now, const Policy& next);

}  // namespace farthing
