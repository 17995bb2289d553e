#include "farthing/money.h"

#include "money/reader.h"

namespace farthing {
namespace {

using money_detail::MoneyReader;

constexpr int usd_decimals = 9;
constexpr std::string_view usd_example = "\"0.50 USD\" or \"$0.50\"";
constexpr std::int64_t nano_of_one = 1'000'000'000;

}  // namespace

Result<Usd> parse_usd(std::string_view text, Usd most) {
  MoneyReader reader(text, "amount", usd_example);
  reader.skip_spaces();
  const std::size_t start = reader.at();
  if (reader.peek() == '-' || reader.peek() == '+') return reader.expected("an amount without a sign");
  Result<Int128> nano = reader.amount(usd_decimals, most.nano / nano_of_one);
  if (!nano) return nano.error();
  if (Status end = reader.finish(); !end) return end.error();
  if (*nano > most.nano) return reader.wrong("too large (at most " + to_text(most) + " USD)", start);
  return Usd{static_cast<std::int64_t>(*nano)};
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
