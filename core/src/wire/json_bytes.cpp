#include "wire/json_bytes.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/json_cursor.h"

namespace farthing::wire {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The four digits behind "\u" at `p`; the escapes were checked before.
std::uint32_t code_unit(const char* p) {
  std::uint32_t value = 0;
  for (int i = 2; i < 6; ++i) value = value << 4 | static_cast<std::uint32_t>(hex_digit(p[i]));
  return value;
}

void append_utf8(std::uint32_t c, std::string& out) {
  const auto byte = [&out](std::uint32_t b) { out.push_back(static_cast<char>(b)); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xC0 | c >> 6);
    byte(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    byte(0xE0 | c >> 12);
    byte(0x80 | (c >> 6 & 0x3F));
    byte(0x80 | (c & 0x3F));
  } else {
    byte(0xF0 | c >> 18);
    byte(0x80 | (c >> 12 & 0x3F));
    byte(0x80 | (c >> 6 & 0x3F));
    byte(0x80 | (c & 0x3F));
  }
}

/// Decodes the "\u" escape at `p`, both halves where it is a pair, and goes behind it.
void append_code(const char*& p, const char* end, std::string& out) {
  constexpr std::uint32_t replacement = 0xFFFD;
  std::uint32_t c = code_unit(p);
  p += 6;
  if (c >= 0xD800 && c < 0xDC00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
    const std::uint32_t low = code_unit(p);
    if (low >= 0xDC00 && low < 0xE000) {
      c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
      p += 6;
    }
  }
  append_utf8(c >= 0xD800 && c < 0xE000 ? replacement : c, out);
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

const char* after_escape(const char* p, const char* end) {
  if (end - p < 2) return nullptr;
  switch (p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': return p + 2;
    case 'u':
      if (end - p < 6) return nullptr;
      for (int i = 2; i < 6; ++i) {
        if (hex_digit(p[i]) < 0) return nullptr;
      }
      return p + 6;
    default: return nullptr;
  }
}

// A byte that is not UTF-8 may become a replacement character of three bytes on the other side, and our count of bytes
// would no longer be a bound of the tokens: so it is refused.
const char* after_utf8(const char* p, const char* end) {
  while (p < end && static_cast<unsigned char>(*p) >= 0x80) {
    const auto lead = static_cast<unsigned char>(*p);
    const auto second = static_cast<unsigned char>(end - p > 1 ? p[1] : 0);
    if (lead >= 0xC2 && lead < 0xE0) {
      if (end - p < 2 || !is_continuation(p[1])) return nullptr;
      p += 2;
    } else if (lead >= 0xE0 && lead < 0xF0) {
      if (end - p < 3 || !is_continuation(p[1]) || !is_continuation(p[2])) return nullptr;
      if (lead == 0xE0 && second < 0xA0) return nullptr;   // longer than it needs to be
      if (lead == 0xED && second >= 0xA0) return nullptr;  // half a surrogate pair
      p += 3;
    } else if (lead >= 0xF0 && lead < 0xF5) {
      if (end - p < 4 || !is_continuation(p[1]) || !is_continuation(p[2]) || !is_continuation(p[3])) return nullptr;
      if (lead == 0xF0 && second < 0x90) return nullptr;
      if (lead == 0xF4 && second >= 0x90) return nullptr;  // beyond U+10FFFF
      p += 4;
    } else {
      return nullptr;
    }
  }
  return p;
}

void decode_json_text(std::string_view raw, std::string& out) {
  const char* p = raw.data();
  const char* const end = p + raw.size();
  out.reserve(out.size() + raw.size());
  while (p < end) {
    if (*p != '\\') {
      out.push_back(*p++);
      continue;
    }
    switch (p[1]) {
      case 'b': out.push_back('\b'); break;
      case 'f': out.push_back('\f'); break;
      case 'n': out.push_back('\n'); break;
      case 'r': out.push_back('\r'); break;
      case 't': out.push_back('\t'); break;
      case 'u': append_code(p, end, out); continue;
      default: out.push_back(p[1]); break;
    }
    p += 2;
  }
}

}  // namespace farthing::wire
