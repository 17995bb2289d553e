// MoneyReader: a cursor over the text of an amount or a rate, with errors that say where and what (docs/money.md).
// Thread-safety: a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "farthing/money.h"
#include "farthing/result.h"

namespace farthing::money_detail {

class MoneyReader {
 public:
  /// `what` and `example` are for messages: "amount", "\"0.50 USD\"".
  MoneyReader(std::string_view text, std::string_view what, std::string_view example);

  void skip_spaces();
  /// True, and past it, if the rest begins with `token`.
  bool take(std::string_view token);
  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }

  /// "1,234.50" times 10^decimals. More decimals than that, or an integer part above `most`, are errors.
  Result<Int128> number(int decimals, std::int64_t most);
  /// A number with "USD" behind or in front, or "$" in front.
  Result<Int128> amount(int decimals, std::int64_t most);
  /// "1000000" or "1,000,000": a whole number from 1 to `most`.
  Result<std::int64_t> whole(std::int64_t most);
  /// Nothing but spaces may be left.
  Status finish();

  /// `invalid_money` at the present place: what is accepted there, what was found.
  Error expected(std::string_view accepted) const;
  Error wrong(std::string_view problem, std::size_t at) const;
  std::size_t at() const { return at_; }

 private:
  std::optional<Error> integer_part(std::int64_t most, Int128& value);
  std::optional<Error> fraction_part(int decimals, Int128& value);
  std::size_t character(std::size_t byte) const;
  std::string quoted() const;

  std::string_view text_;
  std::string_view what_;
  std::string_view example_;
  std::size_t at_ = 0;
};

/// Decimal text of value / 10^decimals, at least two decimals and no trailing zeros beyond them.
std::string decimal_text(Int128 value, int decimals);

}  // namespace farthing::money_detail
