#include "tokens/utf8.h"

#include <cstdint>
#include <cstring>

namespace farthing::tokens_detail {
namespace {

bool follows(unsigned char byte) {
  return (byte & 0xC0) == 0x80;
}

struct Sequence {
  std::size_t size;  // of the character, or of the beginning of one that is not completed; at least 1
  bool valid;
};

/// The character, or its failed beginning, at `at`, which is not ASCII.
Sequence sequence_at(const unsigned char* at, const unsigned char* end) {
  const unsigned char first = *at;
  const auto left = static_cast<std::size_t>(end - at);
  // The second byte alone rules out what is overlong, a surrogate or beyond U+10FFFF.
  const unsigned char least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  const std::size_t size = first < 0xC2 ? 0U : first < 0xE0 ? 2U : first < 0xF0 ? 3U : first < 0xF5 ? 4U : 0U;
  if (size == 0 || left < 2 || at[1] < least || at[1] > most) return {1, false};
  for (std::size_t i = 2; i < size; ++i) {
    if (i >= left || !follows(at[i])) return {i, false};
  }
  return {size, true};
}

/// Beyond all ASCII from `at` on, eight bytes at a time.
const unsigned char* after_ascii(const unsigned char* at, const unsigned char* end) {
  while (end - at >= 8) {
    std::uint64_t eight;
    std::memcpy(&eight, at, sizeof(eight));
    if ((eight & 0x8080808080808080) != 0) break;
    at += 8;
  }
  while (at < end && *at < 0x80)
    ++at;
  return at;
}

const unsigned char* after_valid(const unsigned char* at, const unsigned char* end) {
  for (;;) {
    at = after_ascii(at, end);
    // Most texts that are not English are runs of these two; a run of one size is well predicted.
    while (end - at >= 2 && *at >= 0xC2 && *at < 0xE0 && follows(at[1]))
      at += 2;
    while (end - at >= 3 && *at > 0xE0 && *at < 0xED && follows(at[1]) && follows(at[2]))
      at += 3;
    if (at == end) return at;
    if (*at < 0x80) continue;
    const Sequence sequence = sequence_at(at, end);
    if (!sequence.valid) return at;
    at += sequence.size;
  }
}

}  // namespace

std::size_t valid_length(std::string_view text) {
  const auto* begin = reinterpret_cast<const unsigned char*>(text.data());
  return static_cast<std::size_t>(after_valid(begin, begin + text.size()) - begin);
}

std::string_view valid_utf8(std::string_view text, std::string& kept) {
  std::size_t valid = valid_length(text);
  if (valid == text.size()) return text;
  kept.clear();
  kept.reserve(text.size() + 2);
  for (;;) {
    kept.append(text.substr(0, valid));
    text.remove_prefix(valid);
    if (text.empty()) return kept;
    const auto* at = reinterpret_cast<const unsigned char*>(text.data());
    kept.append("\xEF\xBF\xBD");
    text.remove_prefix(sequence_at(at, at + text.size()).size);
    valid = valid_length(text);
  }
}

}  // namespace farthing::tokens_detail
