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

/// Both compilers have such vectors, and take them apart where the processor has none.
using Sixteen = std::uint8_t __attribute__((vector_size(16)));

bool any(Sixteen bits) {
  std::uint64_t words[2];
  std::memcpy(words, &bits, sizeof words);
  return (words[0] | words[1]) != 0;
}

bool is_ascii_64(const char* text) {
  Sixteen parts[4];
  std::memcpy(parts, text, sizeof parts);
  return !any((parts[0] | parts[1] | parts[2] | parts[3]) & 0x80);
}

/// Whether a byte below 0x20 is among them.
bool has_low_64(const char* text) {
  Sixteen parts[4];
  std::memcpy(parts, text, sizeof parts);
  return any((parts[0] < 0x20) | (parts[1] < 0x20) | (parts[2] < 0x20) | (parts[3] < 0x20));
}

/// Whether all are ASCII from 0x20 on.
bool is_plain_64(const char* text) {
  using SixteenSigned = std::int8_t __attribute__((vector_size(16)));  // others than ASCII are below zero
  SixteenSigned parts[4];
  std::memcpy(parts, text, sizeof parts);
  return !any(reinterpret_cast<Sixteen>((parts[0] < 0x20) | (parts[1] < 0x20) | (parts[2] < 0x20) | (parts[3] < 0x20)));
}

}  // namespace

std::string_view problem_of_bytes(std::string_view text) {
  // What a program writes is plain for the most part: looked through once.
  std::size_t plain = 0;
  while (plain + 64 <= text.size() && is_plain_64(text.data() + plain))
    plain += 64;
  text.remove_prefix(plain);
  if (!is_utf8(text)) return "is not UTF-8";
  return has_control_bytes(text) ? "a control character stands in it" : std::string_view();
}

bool has_control_bytes(std::string_view text) {
  const auto is_one = [](char c) {
    return static_cast<unsigned char>(c) < 0x20U && c != '\n' && c != '\r' && c != '\t';
  };
  const char* at = text.data();
  const char* end = at + text.size();
  for (; end - at >= 64; at += 64) {
    if (has_low_64(at) && std::any_of(at, at + 64, is_one)) return true;
  }
  return std::any_of(at, end, is_one);
}

std::int64_t code_points(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
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
