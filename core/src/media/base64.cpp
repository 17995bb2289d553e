#include "media/base64.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace farthing::media {
namespace {

constexpr std::uint8_t none = 0xFF;
constexpr std::uint8_t space = 0xFE;

constexpr std::array<std::uint8_t, 256> digits = [] {
  std::array<std::uint8_t, 256> of{};
  of.fill(none);
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    of[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  of['-'] = 62;
  of['_'] = 63;
  for (const char c : {' ', '\t', '\r', '\n'})
    of[static_cast<unsigned char>(c)] = space;
  return of;
}();

std::uint8_t digit(char c) {
  return digits[static_cast<unsigned char>(c)];
}

}  // namespace

std::optional<std::string> from_base64(std::string_view text, std::size_t most) {
  while (!text.empty() && (text.back() == '=' || digit(text.back()) == space))
    text.remove_suffix(1);
  std::string bytes;
  bytes.reserve(std::min(most, text.size() / 4 * 3) + 3);
  std::uint32_t bits = 0;
  int held = 0;  // digits in `bits`
  std::size_t at = 0;
  while (at < text.size() && bytes.size() < most) {
    if (held == 0 && at + 4 <= text.size()) {
      const std::uint8_t a = digit(text[at]);
      const std::uint8_t b = digit(text[at + 1]);
      const std::uint8_t c = digit(text[at + 2]);
      const std::uint8_t d = digit(text[at + 3]);
      if ((a | b | c | d) < 64) {
        const char three[] = {static_cast<char>(a << 2 | b >> 4), static_cast<char>(b << 4 | c >> 2),
                              static_cast<char>(c << 6 | d)};
        bytes.append(three, 3);
        at += 4;
        continue;
      }
    }
    const std::uint8_t one = digit(text[at++]);
    if (one == space) continue;
    if (one == none) return std::nullopt;
    bits = bits << 6U | one;
    if (++held < 4) continue;
    for (const unsigned shift : {16U, 8U, 0U})
      bytes.push_back(static_cast<char>(bits >> shift & 0xFFU));
    bits = 0;
    held = 0;
  }
  if (held == 1) return std::nullopt;
  if (held >= 2) bytes.push_back(static_cast<char>(bits >> (held == 2 ? 4U : 10U) & 0xFFU));
  if (held == 3) bytes.push_back(static_cast<char>(bits >> 2U & 0xFFU));
  return bytes;
}

std::string_view without_data_url(std::string_view text) {
  if (text.substr(0, 5) != "data:") return text;
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) return {};
  const std::string_view head = text.substr(0, comma);
  constexpr std::string_view mark = ";base64";
  return head.size() >= mark.size() && head.substr(head.size() - mark.size()) == mark ? text.substr(comma + 1)
                                                                                      : std::string_view();
}

}  // namespace farthing::media
