// PieceUsage: the usage of answers with images, speech and transcriptions, whose details tell text, image and audio apart.
// Thread-safety: values.
#pragma once

#include <optional>
#include <string_view>

#include "farthing/meter.h"
#include "wire/json_walk.h"
#include "wire/reported_cost.h"

namespace farthing::wire {

class PieceUsage {
 public:
  /// A member `depth` levels below what the usage object stands in: 1 = of the usage itself, 2 = of its object `detail`.
  void take(std::size_t depth, std::string_view detail, std::string_view name, const Scalar& scalar);

  /// What is not told apart is `input`, `output`: the dearer kinds. Nothing when what there is cannot be a bill (promise 5): a
  /// count missing, negative or broken, no input at all, parts larger than their whole.
  std::optional<Quantities> quantities(Quantity input, Quantity output) const;
  std::optional<Usd> reported_cost() const { return reported_.cost(); }
  /// Whether it counts anything: xAI's tells the cost alone.
  bool counted() const { return broken_ || input_ || output_ || total_ || audio_ms_; }

 private:
  void seconds(const Scalar& scalar);

  std::optional<std::int64_t> input_, output_, total_, audio_ms_;
  std::int64_t input_text_ = 0;
  std::int64_t input_image_ = 0;
  std::int64_t input_audio_ = 0;
  std::int64_t output_text_ = 0;
  ReportedCost reported_;
  bool broken_ = false;
};

/// Whole milliseconds of a JSON number of seconds, rounded up (R10); nothing for what is none, or beyond any recording.
std::optional<std::int64_t> ms_of_seconds(std::string_view number);

}  // namespace farthing::wire
