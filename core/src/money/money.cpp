#include "farthing/money.h"

#include <limits>

#include "money/reader.h"

namespace farthing {
namespace {

using money_detail::MoneyReader;

constexpr int usd_decimals = 9;
constexpr Int128 nano_max = std::numeric_limits<std::int64_t>::max();
constexpr std::string_view usd_example = "\"0.50 USD\" or \"$0.50\"";
/// Whole dollars that fit; the last fraction of a dollar is checked after.
constexpr std::int64_t usd_whole_max = std::numeric_limits<std::int64_t>::max() / 1'000'000'000;

Result<Usd> parse(std::string_view text, bool with_sign) {
  MoneyReader reader(text, "amount", usd_example);
  reader.skip_spaces();
  const std::size_t start = reader.at();
  bool negative = false;
  if (reader.peek() == '-' || reader.peek() == '+') {
    if (!with_sign) return reader.expected("an amount without a sign");
    negative = reader.peek() == '-';
    reader.take(negative ? "-" : "+");
  }
  Result<Int128> nano = reader.amount(usd_decimals, usd_whole_max);
  if (!nano) return nano.error();
  if (Status end = reader.finish(); !end) return end.error();
  const Int128 value = negative ? -*nano : *nano;
  if (value > nano_max || value < -nano_max - 1) {
    return reader.wrong("too large (at most 9223372036.854775807 USD)", start);
  }
  return Usd{static_cast<std::int64_t>(value)};
}

}  // namespace

Result<Usd> parse_usd(std::string_view text) {
  return parse(text, false);
}

Result<Usd> parse_signed_usd(std::string_view text) {
  return parse(text, true);
}

std::string to_text(Usd amount) {
  return money_detail::decimal_text(amount.nano, usd_decimals);
}

std::optional<std::int64_t> checked_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

std::optional<std::int64_t> checked_mul(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

}  // namespace farthing
