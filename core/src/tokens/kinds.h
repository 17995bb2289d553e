// Kinds: what the patterns of the encodings tell apart in a text, one bit each, so that a class of the pattern is a mask.
// The table is data of Unicode 16.0.0 (core/data/tokens/), looked up in place.
//
//   const Char c = char_at(at);                   // at: valid UTF-8, not the end
//   if (c.kind & any_letter) at += c.size;
//
// Thread-safety: pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "embedded/token_kinds.h"

namespace farthing::tokens_detail {

/// The values are those of make_tokens.py.
enum Kind : std::uint8_t {
  upper = 1,      // \p{Lu} \p{Lt}
  lower = 2,      // \p{Ll}
  letter = 4,     // \p{Lm} \p{Lo}: neither
  mark = 8,       // \p{M}: not \p{L}
  number = 16,    // \p{N}
  space = 32,     // \s but for the next
  line_end = 64,  // \r \n
  other = 128,
};
inline constexpr unsigned any_letter = upper | lower | letter;
inline constexpr unsigned any_space = space | line_end;

struct Char {
  unsigned kind;
  unsigned size;  // in bytes
};

/// Of ASCII; 0 for the bytes of longer characters.
inline constexpr std::array<std::uint8_t, 256> ascii_kinds = [] {
  std::array<std::uint8_t, 256> kinds{};
  for (unsigned c = 0; c < 128; ++c) {
    if (c >= 'A' && c <= 'Z') {
      kinds[c] = upper;
    } else if (c >= 'a' && c <= 'z') {
      kinds[c] = lower;
    } else if (c >= '0' && c <= '9') {
      kinds[c] = number;
    } else if (c == '\r' || c == '\n') {
      kinds[c] = line_end;
    } else if (c == ' ' || (c >= '\t' && c <= '\r')) {
      kinds[c] = space;
    } else {
      kinds[c] = other;
    }
  }
  return kinds;
}();

/// The number of bytes of the character that begins with `first`.
inline unsigned size_of_char(unsigned char first) {
  return first < 0x80 ? 1U : first < 0xE0 ? 2U : first < 0xF0 ? 3U : 4U;
}

inline Char long_char_at(const unsigned char* at) {
  constexpr std::size_t blocks = 0x110000 / 64;
  const char* table = embedded::token_kinds().data();
  const unsigned size = size_of_char(*at);
  const unsigned block = size == 2   ? at[0] & 0x1FU
                         : size == 3 ? (at[0] & 0x0FU) << 6 | (at[1] & 0x3FU)
                                     : (at[0] & 0x07U) << 12 | (at[1] & 0x3FU) << 6 | (at[2] & 0x3FU);
  std::uint16_t which;
  std::memcpy(&which, table + std::size_t{block} * 2, sizeof(which));
  return {static_cast<unsigned char>(table[blocks * 2 + std::size_t{which} * 64 + (at[size - 1] & 0x3FU)]), size};
}

inline Char char_at(const char* at) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(at);
  if (*bytes < 0x80) return {ascii_kinds[*bytes], 1};
  return long_char_at(bytes);
}

}  // namespace farthing::tokens_detail
