// Data compressed with zlib, inflated to a bound.
// Thread-safety: free functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace farthing::media {

/// What the zlib data that `data` begins with stands for, which it takes off `data`; nothing where it is damaged, cut off or
/// longer than `most` bytes.
std::optional<std::string> inflate_zlib(std::string_view& data, std::size_t most);

}  // namespace farthing::media
