// Tokens of images, sound and pages of documents in the input, by the rule of the model (the book's `image_rule`, prices/README.md).
// Thread-safety: free functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "media/media.h"

namespace farthing {

/// The rule of a model: its own, or what its name says where the book has none; "" = not known.
std::string_view image_rule_of(std::string_view rule, std::string_view model_name);

struct MediaTokens {
  std::int64_t likely = 0;
  /// Nothing where one of the inputs has no bound under the rule.
  std::optional<std::int64_t> ceiling = 0;
};

/// All of `inputs`. No bound have an image of unknown size where there is no largest, sound and documents where no provider
/// states what they are, and documents whose texts count beside the pictures of their pages. `closer`: the request sets a
/// media resolution.
MediaTokens media_tokens(std::string_view rule, const std::vector<MediaInput>& inputs, bool closer);

/// How many pages the documents among `inputs` likely have.
std::int64_t pages_of(const std::vector<MediaInput>& inputs);

}  // namespace farthing
