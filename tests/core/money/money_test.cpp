#include "farthing/money.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "vectors.h"

namespace farthing {
namespace {

constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t int64_min = std::numeric_limits<std::int64_t>::min();

Error error_of(const std::string& kind, const std::string& text) {
  if (kind == "rate") {
    const Result<Rate> rate = parse_rate(text);
    return rate ? Error{Code::closed, "accepted as " + to_text(*rate)} : rate.error();
  }
  const Result<Usd> amount = parse_usd(text);
  return amount ? Error{Code::closed, "accepted as " + to_text(*amount)} : amount.error();
}

TEST(Money, amounts_agree_with_the_vectors) {
  for (const auto& row : testing::vectors("money/amounts.txt", 4)) {
    SCOPED_TRACE(row[1]);
    EXPECT_EQ(row[3], to_text(Usd{std::stoll(row[2])}));
    if (row[0] != "usd") continue;
    const Result<Usd> amount = parse_usd(row[1]);
    ASSERT_TRUE(amount) << amount.error().message;
    EXPECT_EQ(std::stoll(row[2]), amount->nano);
  }
}

TEST(Money, refused_texts_agree_with_the_vectors) {
  for (const auto& row : testing::vectors("money/refused.txt", 4)) {
    const Error error = error_of(row[0], row[1]);
    EXPECT_EQ(row[2], code_text(error.code)) << row[1] << ": " << error.message;
    EXPECT_THAT(error.message, ::testing::HasSubstr(", at character " + row[3] + ". Write it like \"0."));
  }
}

TEST(Money, a_refusal_names_what_was_found_and_an_example) {
  EXPECT_EQ(
      "amount \"5 EUR\": expected \"USD\" (the only currency) but found \"EUR\", at character 3. "
      "Write it like \"0.50 USD\" or \"$0.50\".",
      parse_usd("5 EUR").error().message);
}

TEST(Money, a_refusal_shows_hostile_text_short_and_without_control_characters) {
  const std::string message = parse_usd("\x1b[31m" + std::string(100'000, 'x')).error().message;
  EXPECT_LT(message.size(), 250u);
  EXPECT_EQ(std::string::npos, message.find('\x1b'));
  // Cut between characters, not inside one.
  std::string wide;
  for (int i = 0; i < 50; ++i)
    wide += "é";
  EXPECT_THAT(parse_usd(wide).error().message, ::testing::HasSubstr("é...\""));
  EXPECT_THAT(parse_usd("x" + wide).error().message, ::testing::HasSubstr("é...\""));
}

TEST(Money, every_amount_round_trips_through_its_text) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const Usd amount{static_cast<std::int64_t>(random() >> (1 + random() % 63))};
    const Result<Usd> back = parse_usd(to_text(amount) + " USD");
    ASSERT_TRUE(back) << to_text(amount);
    ASSERT_EQ(amount, *back);
  }
}

TEST(Money, no_text_of_any_bytes_breaks_the_parsers) {
  std::mt19937_64 random(11);
  const std::string alphabet = "0123456789.,_$USD -+per million each\xC3\xA9";
  for (int i = 0; i < 50'000; ++i) {
    std::string text(random() % 24, ' ');
    for (char& c : text)
      c = alphabet[random() % alphabet.size()];
    if (const Result<Usd> amount = parse_usd(text)) {
      ASSERT_EQ(*amount, *parse_usd(to_text(*amount) + " USD")) << text;
    }
    if (const Result<Rate> rate = parse_rate(text)) {
      const Result<Rate> back = parse_rate(to_text(*rate));
      ASSERT_TRUE(back) << text;
      ASSERT_EQ(*rate, *back) << text;
    }
  }
}

TEST(Money, sums_and_products_that_do_not_fit_are_nothing) {
  EXPECT_EQ(3, checked_add(1, 2));
  EXPECT_EQ(std::nullopt, checked_add(int64_max, 1));
  EXPECT_EQ(std::nullopt, checked_add(int64_min, -1));
  EXPECT_EQ(-6, checked_mul(2, -3));
  EXPECT_EQ(std::nullopt, checked_mul(int64_max, 2));
  EXPECT_EQ(std::nullopt, checked_mul(int64_min, -1));
}

TEST(Money, the_largest_limit_is_nine_billion) {
  EXPECT_EQ(max_limit, *parse_usd("9_000_000_000 USD", max_limit));
  for (const char* text : {"9_000_000_000.000000001 USD", "99999999999 USD"})
    EXPECT_THAT(parse_usd(text, max_limit).error().message, ::testing::HasSubstr("too large (at most 9000000000"));
}

}  // namespace
}  // namespace farthing
