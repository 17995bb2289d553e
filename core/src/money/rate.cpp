// Rates and the exact cost of a call.
#include <array>
#include <limits>
#include <numeric>

#include "farthing/money.h"
#include "money/reader.h"

namespace farthing {
namespace {

using money_detail::MoneyReader;

constexpr int rate_decimals = 18;
/// No price comes near; with it, amount x quantity fits in 128 bits for every quantity a call can have.
constexpr std::int64_t rate_usd_max = 1'000'000'000;
constexpr std::int64_t per_max = 1'000'000'000'000;
constexpr std::string_view rate_example = "\"0.25 USD per million\", \"0.04 USD each\" or \"0.006 USD per minute\"";

struct Unit {
  std::string_view word;
  std::int64_t per;
};

// The first of equal value is the one that is written. Times are for quantities in ms.
constexpr std::array<Unit, 5> units = {{
    {"million", 1'000'000},
    {"thousand", 1'000},
    {"second", 1'000},
    {"minute", 60'000},
    {"hour", 3'600'000},
}};

/// Quotient towards minus infinity and what is left, for a positive divisor.
struct Division {
  Int128 quotient;
  Int128 rest;
};

Division floor_divide(Int128 value, Int128 divisor) {
  Division result{value / divisor, value % divisor};
  if (result.rest < 0) {
    result.rest += divisor;
    --result.quotient;
  }
  return result;
}

std::optional<Usd> as_usd(Int128 nano) {
  if (nano > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  if (nano < std::numeric_limits<std::int64_t>::min()) return std::nullopt;
  return Usd{static_cast<std::int64_t>(nano)};
}

}  // namespace

Result<Rate> parse_rate(std::string_view text) {
  MoneyReader reader(text, "rate", rate_example);
  reader.skip_spaces();
  Result<Int128> atto = reader.amount(rate_decimals, rate_usd_max);
  if (!atto) return atto.error();
  Rate rate{*atto, 1};
  const std::size_t before = reader.at();
  reader.skip_spaces();
  if (reader.at() == before) return reader.expected("\" each\" or \" per ...\"");
  if (!reader.take("each")) {
    if (!reader.take("per ")) return reader.expected("\"each\" or \"per ...\"");
    reader.skip_spaces();
    rate.per = 0;
    for (const Unit& unit : units) {
      if (reader.take(unit.word)) {
        rate.per = unit.per;
        break;
      }
    }
    if (rate.per == 0) {
      if (reader.peek() < '0' || reader.peek() > '9') {
        return reader.expected("million, thousand, second, minute, hour or a whole number");
      }
      Result<std::int64_t> per = reader.whole(per_max);
      if (!per) return per.error();
      rate.per = *per;
    }
  }
  if (Status end = reader.finish(); !end) return end.error();
  return rate;
}

std::string to_text(const Rate& rate) {
  std::string text = money_detail::decimal_text(rate.atto, rate_decimals) + " USD ";
  if (rate.per == 1) return text + "each";
  for (const Unit& unit : units) {
    if (unit.per == rate.per) return text.append("per ").append(unit.word);
  }
  return text + "per " + std::to_string(rate.per);
}

void Cost::add(const Rate& rate, std::int64_t quantity) {
  Int128 product = 0;
  overflow_ |= __builtin_mul_overflow(rate.atto, static_cast<Int128>(quantity), &product);
  if (rate.per != denominator_) {
    // To one denominator, the least common multiple. Nearly every rate of a call has the same `per`.
    if (rate.per <= 0) {
      overflow_ = true;
      return;
    }
    const std::int64_t shared = std::gcd(denominator_, rate.per);
    const std::int64_t own_factor = rate.per / shared;
    const std::int64_t other_factor = denominator_ / shared;
    overflow_ |= __builtin_mul_overflow(denominator_, own_factor, &denominator_);
    overflow_ |= __builtin_mul_overflow(numerator_, static_cast<Int128>(own_factor), &numerator_);
    overflow_ |= __builtin_mul_overflow(product, static_cast<Int128>(other_factor), &product);
  }
  overflow_ |= __builtin_add_overflow(numerator_, product, &numerator_);
}

std::optional<Usd> Cost::rounded_up() const {
  if (overflow_) return std::nullopt;
  const Division nano = floor_divide(numerator_, Int128{denominator_} * atto_per_nano);
  return as_usd(nano.rest == 0 ? nano.quotient : nano.quotient + 1);
}

std::optional<Usd> Cost::half_even() const {
  if (overflow_) return std::nullopt;
  const Int128 divisor = Int128{denominator_} * atto_per_nano;
  const Division nano = floor_divide(numerator_, divisor);
  const Int128 other = divisor - nano.rest;  // not rest * 2: it cannot overflow
  const bool up = nano.rest > other || (nano.rest == other && nano.quotient % 2 != 0);
  return as_usd(up ? nano.quotient + 1 : nano.quotient);
}

}  // namespace farthing
