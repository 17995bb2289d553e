#include "wire/json_walk.h"

namespace farthing::wire {

namespace {

bool follows(unsigned char byte) {
  return (byte & 0xC0U) == 0x80U;
}

/// How many bytes the character takes that begins here, 0 when it is none; 4 bytes can be read. Unicode 15, table 3-7.
std::size_t character(const unsigned char* text) {
  const unsigned char first = text[0];
  const unsigned char second = text[1];
  if (first < 0x80U) return 1;
  if (first < 0xC2U || first > 0xF4U || !follows(second)) return 0;
  if (first < 0xE0U) return 2;
  if (!follows(text[2])) return 0;
  if (first < 0xF0U) return (first == 0xE0U && second < 0xA0U) || (first == 0xEDU && second > 0x9FU) ? 0 : 3;
  if (!follows(text[3])) return 0;
  return (first == 0xF0U && second < 0x90U) || (first == 0xF4U && second > 0x8FU) ? 0 : 4;
}

/// Three bytes that are a character, without the leads that need a closer look.
bool is_usual_three(const char* text) {
  const auto byte = [&](int i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  return (lead & 0xF0U) == 0xE0U && lead != 0xE0U && lead != 0xEDU && follows(byte(1)) && follows(byte(2));
}

constexpr std::uint64_t high_bits = 0x8080808080808080U;

bool is_ascii_64(const char* text) {
  std::uint64_t words[8];
  std::memcpy(words, text, sizeof words);
  return (((words[0] | words[1]) | (words[2] | words[3]) | (words[4] | words[5]) | (words[6] | words[7])) &
          high_bits) == 0;
}

}  // namespace

bool has_control_bytes(std::string_view text) {
  const auto is_one = [](char c) {
    return static_cast<unsigned char>(c) < 0x20U && c != '\n' && c != '\r' && c != '\t';
  };
  constexpr std::uint64_t spaces = 0x2020202020202020U;
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof word);
    // Set where a byte is below 0x20; a borrow can only add a false one above a true one.
    if (((word - spaces) & ~word & high_bits) == 0) continue;
    if (std::any_of(text.begin() + static_cast<std::ptrdiff_t>(at), text.begin() + static_cast<std::ptrdiff_t>(at + 8),
                    is_one))
      return true;
  }
  return std::any_of(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), is_one);
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (at + 16 <= text.size()) {
      std::uint64_t words[2];
      std::memcpy(words, text.data() + at, sizeof words);
      if (((words[0] | words[1]) & high_bits) == 0) {
        at += 16;
        while (at + 64 <= text.size() && is_ascii_64(text.data() + at))
          at += 64;
        continue;
      }
      // Most of what is no ASCII stands in runs of three bytes; five of them before the next look.
      std::size_t run = 0;
      while (run < 5 && is_usual_three(text.data() + at + 3 * run))
        ++run;
      at += 3 * run;
      if (run == 5) continue;
      const std::size_t length = run == 0 ? character(reinterpret_cast<const unsigned char*>(text.data()) + at) : 0;
      if (run == 0 && length == 0) return false;
      at += length;
      continue;
    }
    unsigned char bytes[4] = {};  // what is beyond the end follows nothing
    std::memcpy(bytes, text.data() + at, std::min<std::size_t>(4, text.size() - at));
    const std::size_t length = character(bytes);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

}  // namespace farthing::wire
