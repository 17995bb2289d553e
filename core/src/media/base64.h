// base64 as providers take it: either alphabet, padded or not, line ends inside.
// Thread-safety: free functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace farthing::media {

/// The first bytes that `text` stands for, at least `most` where it has as many; nothing where what was read of it is no base64.
std::optional<std::string> from_base64(std::string_view text, std::size_t most);

/// The base64 of "data:image/png;base64,...", or `text` itself where it is no data URL; empty for one of another kind.
std::string_view without_data_url(std::string_view text);

}  // namespace farthing::media
