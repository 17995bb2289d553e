#include "wire/reported_cost.h"

#include <string>

#include "money/json_number.h"

namespace farthing::wire {

void ReportedCost::take(std::string_view detail, std::string_view name, const Scalar& scalar) {
  const auto money = [&](std::optional<Usd>& out, int power) {
    if (scalar.is_null()) return;
    out = scalar.kind == Scalar::Kind::integer  ? usd_of_number(std::to_string(scalar.integer), power)
          : scalar.kind == Scalar::Kind::number ? usd_of_number(scalar.text, power)
                                                : std::nullopt;
    broken_ = broken_ || !out;
  };
  if (detail.empty()) {
    if (name == "cost_in_usd_ticks")
      money(ticks_, -10);
    else if (name == "cost")
      money(cost_, 0);
    else if (name == "is_byok")
      own_key_ = scalar.kind == Scalar::Kind::boolean && scalar.boolean;
  } else if (detail == "cost_details") {
    if (name == "upstream_inference_cost") money(upstream_cost_, 0);
  } else if (detail == "cost") {
    if (name == "total_cost") money(cost_, 0);
  }
}

std::optional<Usd> ReportedCost::cost() const {
  if (broken_) return std::nullopt;
  if (ticks_) return ticks_;
  if (!cost_ || !own_key_) return cost_;
  // The host's fee, and what the provider behind it bills the caller.
  const auto sum = upstream_cost_ ? checked_add(cost_->nano, upstream_cost_->nano) : std::nullopt;
  return sum ? std::optional(Usd{*sum}) : std::nullopt;
}

}  // namespace farthing::wire
