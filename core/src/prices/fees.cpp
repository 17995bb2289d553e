#include "prices/fees.h"

#include <algorithm>

namespace farthing {

RateSet rates_used(RateSet rates, const Quantities& used) {
  // One of them may be priced by the rate of another (rate_for).
  const bool any = std::any_of(tool_fees.begin(), tool_fees.end(), [&](Quantity fee) { return used[fee] > 0; });
  for (const Quantity fee : tool_fees) {
    if (!any) rates[fee].reset();
  }
  return rates;
}

}  // namespace farthing
