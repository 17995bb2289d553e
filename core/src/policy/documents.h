// Several documents, one truth (R6): one id in two documents is one cap with the lowest limit; and what a document would
// change if it replaced the one of its name.
//
//   merge_lowest(kept, other);                       // the caps of another document, one by one
//   for (const CapEffect& effect : effects(registry, policy)) ...
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

/// What changes for the calls that a cap counts.
struct CapEffect {
  bool looser = false;  // a limit in force is higher, or gone
  std::string words;    // `cap "a" (5.00 USD per day): becomes 10.00 USD`
};

/// R4: the cap that one of `next` was until now; null where there is none, or somebody goes on with it.
const RegisteredCap* renamed_from(const Registry& now, const Policy& next, const Cap& cap);
/// The cap of this id; null where no document has one.
const RegisteredCap* in_force(const Registry& registry, const std::string& id);
/// A document that is in force beside the one named `own` and holds this cap; null: none.
const std::string* other_holder(const RegisteredCap& registered, const std::string& own);

/// Whose limit on this cap is in force where `own` has none or a higher one: the name of another document; null: no other's.
const std::string* lowered_by(const Registry& registry, const Policy& own, const std::string& cap_id);

/// R8: a limit set at run time is in the unit and for the counters of its cap; one of `old` holds on where those are the same.
bool takes_limits_of(const Cap& cap, const Cap& old);

/// A limit set at run time, as a document leaves it.
struct SetLimit {
  Cap cap;          // of the document, with the lowest limits of all that hold it
  Override change;  // as it was set
  /// Else it rests: it is in the unit and for the counters of a cap that was.
  bool in_force = true;
};
/// Those on caps of `next` that are in force once it replaces the current document of its name, or until then.
std::vector<SetLimit> set_limits(const Registry& now, const Policy& next, std::int64_t now_ms);

/// What it does to the caps in force that `next` replaces the current document of its name; one without caps removes it.
/// Overrides are left out of account: they end.
std::vector<CapEffect> effects(const Registry& now, const Policy& next);

}  // namespace farthing
