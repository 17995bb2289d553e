#include "wire/json_cursor.h"

#include <array>
#include <cstring>

#include "wire/json_bytes.h"

namespace farthing::wire {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// One bit per level: object or array.
class Nesting {
 public:
  bool push(bool object) {
    if (depth_ == JsonCursor::max_depth) return false;
    const auto word = static_cast<std::size_t>(depth_ / 64);
    const std::uint64_t bit = std::uint64_t{1} << (depth_ % 64);
    bits_[word] = object ? bits_[word] | bit : bits_[word] & ~bit;
    ++depth_;
    return true;
  }
  void pop() { --depth_; }
  bool empty() const { return depth_ == 0; }
  bool in_object() const {
    const int top = depth_ - 1;
    return (bits_[static_cast<std::size_t>(top / 64)] >> (top % 64) & 1) != 0;
  }

 private:
  std::array<std::uint64_t, JsonCursor::max_depth / 64> bits_{};
  int depth_ = 0;
};

}  // namespace

JsonCursor::JsonCursor(std::string_view text)
    : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()) {
  if (text.starts_with(byte_order_mark)) at_ += byte_order_mark.size();
}

void JsonCursor::fail(const char* what) {
  if (failed_) return;
  failed_ = true;
  failed_at_ = at();
  what_ = what;
  at_ = end_;
}

std::string JsonCursor::problem() const {
  return std::string(what_) + " at byte " + std::to_string(failed_at_);
}

void JsonCursor::space() {
  while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
}

JsonCursor::Kind JsonCursor::kind() {
  space();
  switch (peek()) {
    case '{': return Kind::object;
    case '[': return Kind::array;
    case '"': return Kind::string;
    case 't':
    case 'f': return Kind::boolean;
    case 'n': return Kind::null;
    default: return is_digit(peek()) || peek() == '-' ? Kind::number : Kind::none;
  }
}

void JsonCursor::open(char bracket) {
  space();
  if (peek() != bracket) return fail(bracket == '{' ? "expected '{'" : "expected '['");
  if (++depth_ > max_depth) return fail("nested too deep");
  ++at_;
  fresh_ = true;
}

bool JsonCursor::next_key(std::string_view& key) {
  space();
  if (peek() == '}') {
    ++at_;
    --depth_;
    fresh_ = false;
    return false;
  }
  if (!fresh_) {
    if (peek() != ',') {
      fail("expected ',' or '}'");
      return false;
    }
    ++at_;
    space();
  }
  fresh_ = false;
  if (peek() != '"') {
    fail("expected a key");
    return false;
  }
  bool escaped = false;
  key = string_body(escaped);
  if (escaped) {
    key_.clear();
    decode_json_text(key, key_);
    key = key_;
  }
  space();
  if (peek() != ':') {
    fail("expected ':'");
    return false;
  }
  ++at_;
  return true;
}

bool JsonCursor::next_item() {
  space();
  if (peek() == ']') {
    ++at_;
    --depth_;
    fresh_ = false;
    return false;
  }
  if (!fresh_) {
    if (peek() != ',') {
      fail("expected ',' or ']'");
      return false;
    }
    ++at_;
    space();
  }
  fresh_ = false;
  if (at_ == end_) fail("expected a value");
  return !failed_;
}

std::string_view JsonCursor::string_body(bool& escaped) {
  const char* p = at_ + 1;
  const char* const from = p;
  for (;;) {
    p = skip_plain_bytes(p, end_);
    if (p == end_) {
      at_ = end_;
      fail("a string without its end");
      return {};
    }
    const auto c = static_cast<unsigned char>(*p);
    if (c == '"') break;
    const char* const next = c == '\\' ? after_escape(p, end_) : c >= 0x80 ? after_utf8(p, end_) : nullptr;
    if (next == nullptr) {
      at_ = p;
      fail(c == '\\' ? "an unknown escape" : c >= 0x80 ? "invalid UTF-8" : "a control character in a string");
      return {};
    }
    escaped = escaped || c == '\\';
    p = next;
  }
  at_ = p + 1;
  return {from, static_cast<std::size_t>(p - from)};
}

std::string_view JsonCursor::raw_text() {
  space();
  if (peek() != '"') {
    fail("expected a string");
    return {};
  }
  fresh_ = false;
  bool escaped = false;
  return string_body(escaped);
}

std::string JsonCursor::text() {
  std::string decoded;
  decode_json_text(raw_text(), decoded);
  return decoded;
}

void JsonCursor::literal(std::string_view word) {
  if (static_cast<std::size_t>(end_ - at_) < word.size() || std::memcmp(at_, word.data(), word.size()) != 0) {
    return fail("expected a value");
  }
  at_ += word.size();
}

bool JsonCursor::boolean() {
  space();
  fresh_ = false;
  const bool value = peek() == 't';
  literal(value ? "true" : "false");
  return value && !failed_;
}

void JsonCursor::null() {
  space();
  fresh_ = false;
  literal("null");
}

void JsonCursor::skip_number() {
  if (peek() == '-') ++at_;
  if (!is_digit(peek())) return fail("expected a digit");
  if (*at_ == '0') {
    ++at_;
    if (is_digit(peek())) return fail("a number that begins with 0");
  }
  while (is_digit(peek())) ++at_;
  if (peek() == '.') {
    ++at_;
    if (!is_digit(peek())) return fail("expected a digit");
    while (is_digit(peek())) ++at_;
  }
  if (peek() == 'e' || peek() == 'E') {
    ++at_;
    if (peek() == '+' || peek() == '-') ++at_;
    if (!is_digit(peek())) return fail("expected a digit");
    while (is_digit(peek())) ++at_;
  }
}

std::string_view JsonCursor::number() {
  space();
  fresh_ = false;
  const char* const from = at_;
  skip_number();
  if (failed_) return {};
  return {from, static_cast<std::size_t>(at_ - from)};
}

void JsonCursor::skip_scalar() {
  switch (peek()) {
    case '"': {
      bool escaped = false;
      string_body(escaped);
      return;
    }
    case 't': return literal("true");
    case 'f': return literal("false");
    case 'n': return literal("null");
    default: return is_digit(peek()) || peek() == '-' ? skip_number() : fail("expected a value");
  }
}

bool JsonCursor::skip_key() {
  if (peek() != '"') {
    fail("expected a key");
    return false;
  }
  bool escaped = false;
  string_body(escaped);
  space();
  if (peek() != ':') {
    fail("expected ':'");
    return false;
  }
  ++at_;
  space();
  return true;
}

// Without recursion: the depth of a text from outside must not be the depth of our stack.
void JsonCursor::skip() {
  space();
  fresh_ = false;
  Nesting nesting;
  for (;;) {
    const char c = peek();
    if (c == '{' || c == '[') {
      if (!nesting.push(c == '{')) return fail("nested too deep");
      ++at_;
      space();
      const bool closed = peek() == (c == '{' ? '}' : ']');
      if (!closed) {
        if (c == '{' && !skip_key()) return;
        continue;
      }
      ++at_;
      nesting.pop();
    } else {
      skip_scalar();
    }
    for (;;) {  // behind a value: what is closed here, or the next value
      if (failed_ || nesting.empty()) return;
      space();
      const bool object = nesting.in_object();
      if (peek() == ',') {
        ++at_;
        space();
        if (object && !skip_key()) return;
        break;
      }
      if (peek() != (object ? '}' : ']')) return fail(object ? "expected ',' or '}'" : "expected ',' or ']'");
      ++at_;
      nesting.pop();
    }
  }
}

void JsonCursor::skip_numbers() {
  if (kind() != Kind::array) return skip();
  const auto* const close = static_cast<const char*>(std::memchr(at_, ']', static_cast<std::size_t>(end_ - at_)));
  if (close == nullptr) return fail("an array without its end");
  fresh_ = false;
  at_ = close + 1;
}

bool JsonCursor::finish() {
  space();
  if (at_ != end_) fail("something behind the JSON value");
  return !failed_;
}

std::optional<std::int64_t> whole_number(std::string_view number) {
  const bool negative = number.starts_with('-');
  if (negative) number.remove_prefix(1);
  if (number.empty() || number.size() > 18) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : number) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return negative ? -value : value;
}

}  // namespace farthing::wire
