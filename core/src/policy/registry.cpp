#include "policy/registry.h"

namespace farthing {

LimitInForce limit_in_force(const Cap& cap, const std::vector<Override>& overrides,
                            const std::vector<std::string>& values, std::int64_t now_ms) {
  LimitInForce found;
  found.of_policy = cap.limit;
  if (const auto own = cap.limits.find(values); !values.empty() && own != cap.limits.end())
    found.of_policy = own->second;
  for (const Override& change : overrides) {
    if (change.cap_id != cap.id || (change.until_ms && *change.until_ms <= now_ms)) continue;
    if (!change.each_values.empty() && change.each_values != values) continue;
    if (found.change == nullptr || change.at_ms >= found.change->at_ms) found.change = &change;
  }
  found.limit = found.change == nullptr ? found.of_policy : found.change->limit;
  return found;
}

}  // namespace farthing
