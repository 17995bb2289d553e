// UsageFields: the numbers of a usage object as a provider spells them, and the disjoint quantities they mean.
// Thread-safety: values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "farthing/meter.h"
#include "farthing/money.h"
#include "wire/json_walk.h"
#include "wire/reported_cost.h"

namespace farthing::wire {

class UsageFields {
 public:
  /// A member `depth` levels below what the usage object stands in: 1 = of the usage itself, 2 = of its object `detail`, 3 = of
  /// an object in that.
  void take_at(std::size_t depth, std::string_view detail, std::string_view name, const Scalar& scalar) {
    if (depth == 1) take({}, name, scalar);
    if (depth == 2 || (depth == 3 && name == "ttl_12h_tokens")) take(detail, name, scalar);
  }
  /// A member of the usage object, `detail` the object it stands in ("" for the usage itself).
  void take(std::string_view detail, std::string_view name, const Scalar& scalar);
  /// Something was there, if only `{}`.
  void begin() { *this = UsageFields(); }

  /// Nothing when what there is cannot be a bill: a count missing, negative, broken, no input at all, or parts larger than their whole
  /// (missing is not zero, promise 5). `has_output`: output must be told.
  std::optional<Quantities> quantities(bool has_output) const;
  /// Whether the output's speech, its images, are told apart from its text.
  bool speech_told() const { return output_audio_.has_value(); }
  bool images_told() const { return output_image_.has_value(); }
  std::optional<Usd> reported_cost() const { return reported_.cost(); }
  /// How much was searched, where the price differs by it: "low".
  const std::string& search_context() const { return search_context_; }

 private:
  std::optional<std::int64_t> input_, output_, total_;
  std::int64_t cached_ = 0;
  std::int64_t cache_write_ = 0;
  std::int64_t long_lived_write_ = 0;  // of it
  std::int64_t input_audio_ = 0;
  std::int64_t input_image_ = 0;
  std::int64_t reasoning_ = 0;
  std::optional<std::int64_t> output_audio_, output_image_;
  std::optional<std::int64_t> reasoning_apart_, citations_, searches_;
  std::string search_context_;
  ReportedCost reported_;
  bool broken_ = false;
};

}  // namespace farthing::wire
