#include "counting/factors.h"

#include <algorithm>

namespace farthing::counting {
namespace {

/// A script that has this share of a text's bytes makes it a text of that script.
constexpr std::size_t script_share = 4;  // one in so many
/// Brackets and operators: prose has next to none, source code one in ten or so.
constexpr std::size_t code_share = 20;

bool is_operator(unsigned char byte) {
  constexpr std::string_view operators = "{}[]<>=;_/\\|&*+#$%^~@`";
  return operators.find(static_cast<char>(byte)) != std::string_view::npos;
}

}  // namespace

TextKind kind_of(std::string_view text) {
  constexpr std::string_view spaces = " \t\r\n";
  const std::size_t first = text.find_first_not_of(spaces);
  if (first == std::string_view::npos) return TextKind::prose;
  std::size_t cjk = 0;
  std::size_t cyrillic = 0;
  std::size_t operators = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    // Lead bytes of UTF-8: kana, Han and Hangul have three bytes each, Cyrillic two.
    if (byte >= 0xe3 && byte <= 0xed)
      cjk += 3;
    else if (byte >= 0xd0 && byte <= 0xd3)
      cyrillic += 2;
    else
      operators += is_operator(byte) ? 1 : 0;
  }
  if (cjk * script_share > text.size()) return TextKind::cjk;
  if (cyrillic * script_share > text.size()) return TextKind::cyrillic;
  const char opening = text[first];
  const char closing = text[text.find_last_not_of(spaces)];
  if ((opening == '{' && closing == '}') || (opening == '[' && closing == ']')) return TextKind::json;
  return operators * code_share > text.size() ? TextKind::code : TextKind::prose;
}

std::int64_t Factors::of(TextKind kind) const {
  switch (kind) {
    case TextKind::code:
      return code;
    case TextKind::json:
      return json;
    case TextKind::cjk:
      return cjk;
    case TextKind::cyrillic:
      return cyrillic;
    case TextKind::prose:
      break;
  }
  return prose;
}

Thousandths thousandths(const Encoding& encoding, std::string_view text, const Factors& factors) {
  if (text.empty()) return 0;
  const TextKind kind = kind_of(text);
  if (kind != TextKind::prose) return encoding.count(text) * factors.of(kind);
  std::int64_t tokens = 0;
  if (factors.rare_from > 0) {
    for (const std::uint32_t id : encoding.encode(text))
      tokens += id >= factors.rare_from ? 2 : 1;
  } else {
    tokens = encoding.count(text);
  }
  if (factors.underscores) tokens += std::count(text.begin(), text.end(), '_');
  return tokens * factors.prose;
}

}  // namespace farthing::counting
