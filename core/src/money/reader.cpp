#include "money/reader.h"

#include <algorithm>

namespace farthing::money_detail {
namespace {

constexpr std::size_t shown_bytes_max = 60;
constexpr std::size_t found_bytes_max = 16;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

MoneyReader::MoneyReader(std::string_view text, std::string_view what, std::string_view example)
    : text_(text), what_(what), example_(example) {}

void MoneyReader::skip_spaces() {
  while (peek() == ' ' || peek() == '\t')
    ++at_;
}

bool MoneyReader::take(std::string_view token) {
  if (text_.substr(at_, token.size()) != token) return false;
  at_ += token.size();
  return true;
}

std::optional<Error> MoneyReader::integer_part(std::int64_t most, Int128& value) {
  const std::size_t start = at_;
  std::size_t last_comma = 0;  // place just after it; 0 = none yet
  bool underscore = false;
  if (!is_digit(peek())) return expected("a digit");
  for (;; ++at_) {
    const char c = peek();
    if (is_digit(c)) {
      if (last_comma != 0 && at_ - last_comma == 3) {
        return wrong("a comma separates groups of three digits", last_comma - 1);
      }
      value = value * 10 + (c - '0');
      if (value > most) {
        return wrong("too large (at most " + std::to_string(most) + " USD)", start);
      }
      continue;
    }
    if (c != ',' && c != '_') break;
    const bool between = is_digit(text_[at_ - 1]) && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]);
    if (!between) return wrong(std::string("\"") + c + "\" stands only between digits", at_);
    if (c == '_') {
      underscore = true;
    } else {
      // "0,50" is half a unit to half of the world and fifty to the other: only what can be nothing but groups.
      const std::size_t group = at_ - (last_comma == 0 ? start : last_comma);
      const bool groups = last_comma == 0 ? group <= 3 && text_[start] != '0' : group == 3;
      if (!groups) {
        return wrong("a comma separates groups of three digits; decimals follow a point", at_);
      }
      last_comma = at_ + 1;
    }
    if (underscore && last_comma != 0) return wrong("two kinds of separators", at_);
  }
  if (last_comma != 0 && at_ - last_comma != 3) {
    return wrong("a comma separates groups of three digits; decimals follow a point", last_comma - 1);
  }
  return std::nullopt;
}

std::optional<Error> MoneyReader::fraction_part(int decimals, Int128& value) {
  int seen = 0;
  if (take(".")) {
    if (!is_digit(peek())) return expected("a digit after the point");
    for (;; ++at_) {
      const char c = peek();
      if (c == '_' && is_digit(text_[at_ - 1]) && at_ + 1 < text_.size() && is_digit(text_[at_ + 1])) {
        continue;
      }
      if (!is_digit(c)) break;
      if (++seen > decimals) {
        return wrong("more than " + std::to_string(decimals) + " decimals", at_);
      }
      value = value * 10 + (c - '0');
    }
  }
  for (; seen < decimals; ++seen)
    value *= 10;
  return std::nullopt;
}

Result<Int128> MoneyReader::number(int decimals, std::int64_t most) {
  Int128 value = 0;
  if (auto error = integer_part(most, value)) return *std::move(error);
  if (auto error = fraction_part(decimals, value)) return *std::move(error);
  if (peek() == 'e' || peek() == 'E') {
    return wrong("an exponent is not accepted, write the digits", at_);
  }
  return value;
}

Result<Int128> MoneyReader::amount(int decimals, std::int64_t most) {
  const bool dollar = take("$");
  const bool usd = !dollar && take("USD");
  if (usd) skip_spaces();
  if (!dollar && !usd && !is_digit(peek())) return expected("a number, \"$\" or \"USD\"");
  Result<Int128> value = number(decimals, most);
  if (!value || dollar || usd) return value;
  skip_spaces();
  if (at_end()) return expected("the currency, \"USD\",");
  if (!take("USD")) return expected("\"USD\" (the only currency)");
  return value;
}

Result<std::int64_t> MoneyReader::whole(std::int64_t most) {
  const std::size_t start = at_;
  Int128 value = 0;
  if (auto error = integer_part(most, value)) return *std::move(error);
  if (value == 0) return wrong("must be at least 1", start);
  return static_cast<std::int64_t>(value);
}

Status MoneyReader::finish() {
  skip_spaces();
  if (at_end()) return success();
  return expected("the end");
}

Error MoneyReader::expected(std::string_view accepted) const {
  std::string problem = "expected " + std::string(accepted);
  if (at_end()) return wrong(problem + " but it ends", at_);
  // The word that stands there. Only plain ASCII is shown: a stray byte of a longer character helps nobody.
  std::size_t end = at_;
  while (end < text_.size() && text_[end] > ' ' && text_[end] < '\x7F' && end - at_ < found_bytes_max)
    ++end;
  const std::string_view found = text_.substr(at_, end - at_);
  if (!found.empty()) return wrong(problem + " but found \"" + std::string(found) + "\"", at_);
  return wrong(problem + (peek() == ' ' ? " but found a space" : " but found something else"), at_);
}

Error MoneyReader::wrong(std::string_view problem, std::size_t at) const {
  std::string message(what_);
  message += " " + quoted() + ": " + std::string(problem) + ", at character " + std::to_string(character(at)) +
             ". Write it like " + std::string(example_) + ".";
  return {Code::invalid_money, std::move(message)};
}

std::size_t MoneyReader::character(std::size_t byte) const {
  std::size_t count = 1;
  for (std::size_t i = 0; i < byte && i < text_.size(); ++i) {
    if ((static_cast<unsigned char>(text_[i]) & 0xC0U) != 0x80U) ++count;
  }
  return count;
}

std::string MoneyReader::quoted() const {
  std::string out = "\"";
  std::size_t end = std::min(text_.size(), shown_bytes_max);
  // Not in the middle of a character.
  while (end < text_.size() && end > 0 && (static_cast<unsigned char>(text_[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  for (const char c : text_.substr(0, end)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7F ? ' ' : c;
  }
  return out + (end < text_.size() ? "...\"" : "\"");
}

std::string decimal_text(Int128 value, int decimals) {
  std::string digits;
  const bool negative = value < 0;
  // Digit by digit from the value as it is: its negation may not fit.
  int place = 0;
  constexpr int zeros_kept = 2;
  for (; value != 0 || place <= decimals; ++place) {
    int digit = static_cast<int>(value % 10);
    if (digit < 0) digit = -digit;
    value /= 10;
    if (place == decimals && decimals != 0) digits += '.';
    const bool trailing = digits.empty() && digit == 0 && place < decimals - zeros_kept;
    if (!trailing) digits += static_cast<char>('0' + digit);
  }
  if (negative) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

}  // namespace farthing::money_detail
