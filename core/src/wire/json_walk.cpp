#include "wire/json_walk.h"

namespace farthing::wire {

namespace {

/// How many bytes the character at `at` takes; 0 when it is none. Unicode 15, table 3-7.
std::size_t character(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U; };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  const unsigned second = byte(1);
  if (first < 0x80U) return 1;
  if (first >= 0xC2U && first <= 0xDFU) return follows(1) ? 2 : 0;
  if (first >= 0xE0U && first <= 0xEFU) {
    const bool narrow = (first == 0xE0U && second < 0xA0U) || (first == 0xEDU && second > 0x9FU);
    return !narrow && follows(1) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0U && first <= 0xF4U) {
    const bool narrow = (first == 0xF0U && second < 0x90U) || (first == 0xF4U && second > 0x8FU);
    return !narrow && follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

bool is_utf8(std::string_view text) {
  constexpr std::uint64_t high_bits = 0x8080808080808080U;
  for (std::size_t at = 0; at < text.size();) {
    if (at + 16 <= text.size()) {
      std::uint64_t words[2];
      std::memcpy(words, text.data() + at, sizeof words);
      if (((words[0] | words[1]) & high_bits) == 0) {
        at += 16;
        continue;
      }
    }
    const std::size_t length = character(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

}  // namespace farthing::wire
