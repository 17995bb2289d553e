// Usd: an amount of money, exact, in nano-USD (10^-9 USD). No float touches money anywhere.
//
//   Usd limit = *parse_usd("0.50 USD");      // 500,000,000 nano
//   to_text(limit)                           // "0.50"
//
//   Cost cost;                               // one call, summed exactly, rounded once
//   cost.add(*parse_rate("0.25 USD per million"), 1'234);
//   Usd ceiling = *cost.rounded_up(), actual = *cost.half_even();
//
// Thread-safety: values.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "farthing/result.h"

namespace farthing {

__extension__ typedef __int128 Int128;

struct Usd {
  std::int64_t nano = 0;
  auto operator<=>(const Usd&) const = default;
};

/// The largest limit a cap may have: 9 * 10^9 USD (R11).
inline constexpr Usd max_limit{9'000'000'000LL * 1'000'000'000LL};

/// Accepts "0.50 USD", "$0.50", "USD 0.50", digits with at most nine decimals, "_" or "," as group separators
/// between digits; no sign, no exponent, no bare number, no other currency; at most `most`.
/// The error gives the position, what was found, and an example.
Result<Usd> parse_usd(std::string_view text, Usd most = {std::numeric_limits<std::int64_t>::max()});

/// Plain decimal text without currency: at least two decimals, no trailing zeros beyond them ("5.00", "0.0132",
/// "-1.25"). What has no sign round-trips through `parse_usd(text + " USD")`.
std::string to_text(Usd amount);

/// a + b, or nothing when it does not fit.
std::optional<std::int64_t> checked_add(std::int64_t a, std::int64_t b);
std::optional<std::int64_t> checked_mul(std::int64_t a, std::int64_t b);

inline constexpr Int128 atto_per_usd = 1'000'000'000'000'000'000;
inline constexpr std::int64_t atto_per_nano = 1'000'000'000;

/// A price: `atto` (10^-18 USD) for `per` units of a quantity. Never kept as a rounded quotient.
struct Rate {
  Int128 atto = 0;
  std::int64_t per = 1;
  bool operator==(const Rate&) const = default;
};

/// "0.25 USD per million", "$2 per 1000000", "0.04 USD each", "0.006 USD per minute" (of a quantity in ms),
/// "1.20 USD per hour", "0.10 USD per second", "5 USD per thousand".
Result<Rate> parse_rate(std::string_view text);
std::string to_text(const Rate& rate);

/// The exact cost of one call: a sum of rate x quantity in 128 bits over one common denominator, divided and
/// rounded once. After an overflow every reading is empty.
class Cost {
 public:
  void add(const Rate& rate, std::int64_t quantity);
  /// For a ceiling.
  std::optional<Usd> rounded_up() const;
  /// For a settlement.
  std::optional<Usd> half_even() const;

 private:
  Int128 numerator_ = 0;
  std::int64_t denominator_ = 1;
  bool overflow_ = false;
};

}  // namespace farthing
