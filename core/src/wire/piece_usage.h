// PieceUsage: the usage of answers with images, speech and transcriptions, whose details tell text, image and audio apart.
// Thread-safety: values.
#pragma once

#include <optional>
#include <string_view>

#include "farthing/meter.h"
#include "wire/json_walk.h"

namespace farthing::wire {

class PieceUsage {
 public:
  /// A member of the usage object, `detail` the object it stands in ("" for the usage itself). `number` is its text in the
  /// answer, for numbers that are not whole.
  void take(std::string_view detail, std::string_view name, const Scalar& scalar, std::string_view number = {});

  /// What is not told apart is `input`, `output`: the dearer kinds. Nothing when what there is cannot be a bill (promise 5): a
  /// count missing, negative or broken, no input at all, parts larger than their whole.
  std::optional<Quantities> quantities(Quantity input, Quantity output) const;

 private:
  std::optional<std::int64_t> input_, output_, total_, audio_ms_;
  std::int64_t input_text_ = 0;
  std::int64_t input_image_ = 0;
  std::int64_t input_audio_ = 0;
  std::int64_t output_text_ = 0;
  bool broken_ = false;
};

/// Whole milliseconds of a JSON number of seconds, rounded up (R10); nothing for what is none, or no length of audio.
std::optional<std::int64_t> ms_of_seconds(std::string_view number);

}  // namespace farthing::wire
