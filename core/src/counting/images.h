// Tokens of images and sound in the input, by the rule of the model (the book's `image_rule`, prices/README.md).
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
  std::int64_t ceiling = 0;
};

/// All of `inputs`; nothing where one of them has no bound under this rule: an image of unknown size where there is no
/// largest, sound and documents where no provider states what they are. `closer`: the request sets a media resolution.
std::optional<MediaTokens> media_tokens(std::string_view rule, const std::vector<MediaInput>& inputs, bool closer);

}  // namespace farthing
