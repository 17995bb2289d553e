// ReportedCost: what a provider says in its usage that it charged. xAI in ticks of 10^-10 USD, OpenRouter in USD, where the
// key of the upstream provider is the caller's own with what that one charges, Perplexity as the sum of its parts (their
// references, 2026-11).
// Thread-safety: values.
#pragma once

#include <optional>
#include <string_view>

#include "farthing/money.h"
#include "wire/json_walk.h"

namespace farthing::wire {

class ReportedCost {
 public:
  /// A member of the usage object, `detail` the object it stands in ("" for the usage itself).
  void take(std::string_view detail, std::string_view name, const Scalar& scalar);
  /// Nothing where it does not say, or not clearly.
  std::optional<Usd> cost() const;

 private:
  std::optional<Usd> ticks_, cost_, upstream_cost_;
  bool own_key_ = false;
  bool broken_ = false;
};

}  // namespace farthing::wire
