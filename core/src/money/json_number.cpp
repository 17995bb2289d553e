#include "money/json_number.h"

#include <algorithm>
#include <limits>

namespace farthing {

namespace {

constexpr int nano_power = 9;
/// More say nothing about money; a digit of 128 bits is left for the rounding.
constexpr int most_digits = 36;
constexpr int most_power = 1'000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Digits from `at` on; moves it behind them. False where there is none.
bool digits(std::string_view text, std::size_t& at) {
  const std::size_t begin = at;
  while (at < text.size() && is_digit(text[at]))
    ++at;
  return at > begin;
}

}  // namespace

std::optional<Usd> usd_of_number(std::string_view number, int power) {
  std::size_t at = 0;
  if (!digits(number, at)) return std::nullopt;
  if (at > 1 && number[0] == '0') return std::nullopt;
  const std::string_view whole = number.substr(0, at);
  std::string_view fraction;
  if (at < number.size() && number[at] == '.') {
    const std::size_t begin = ++at;
    if (!digits(number, at)) return std::nullopt;
    fraction = number.substr(begin, at - begin);
  }
  if (at < number.size() && (number[at] == 'e' || number[at] == 'E')) {
    ++at;
    const bool minus = at < number.size() && number[at] == '-';
    if (minus || (at < number.size() && number[at] == '+')) ++at;
    const std::size_t begin = at;
    if (!digits(number, at)) return std::nullopt;
    int exponent = 0;
    for (const char c : number.substr(begin, at - begin))
      exponent = std::min(exponent * 10 + (c - '0'), most_power);
    power += minus ? -exponent : exponent;
  }
  if (at != number.size()) return std::nullopt;
  power += nano_power;

  // What is beyond the digits that are kept only decides between "half" and "more than half".
  Int128 value = 0;
  int kept = 0;
  bool more = false;
  power -= static_cast<int>(std::min<std::size_t>(fraction.size(), most_power));
  if (fraction.size() > most_power) return std::nullopt;
  for (const std::string_view part : {whole, fraction}) {
    for (const char c : part) {
      if (kept == most_digits) {
        more = more || c != '0';
        ++power;
        continue;
      }
      value = value * 10 + (c - '0');
      if (value != 0) ++kept;
    }
  }
  for (; power > 0 && value != 0; --power) {
    if (value > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
    value *= 10;
  }
  int last = 0;  // the digit that was cut last
  for (; power < 0 && (value != 0 || last != 0); ++power) {
    more = more || last != 0;
    last = static_cast<int>(value % 10);
    value /= 10;
  }
  if (power < 0) last = 0;
  if (last > 5 || (last == 5 && (more || value % 2 != 0))) ++value;
  if (value > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  return Usd{static_cast<std::int64_t>(value)};
}

}  // namespace farthing
