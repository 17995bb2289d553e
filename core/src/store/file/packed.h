// What the packed values of a file have in common.
#pragma once

#include <cstdint>
#include <string>

namespace farthing {

/// Packed counters and holds carry this in front (R38).
inline constexpr std::uint32_t packed_format = 1;

inline void append(std::string& out, const void* data, std::size_t size) {
  out.append(static_cast<const char*>(data), size);
}

}  // namespace farthing
