#include <gtest/gtest.h>

#include <algorithm>

#include "farthing/money.h"
#include "vectors.h"

namespace farthing {
namespace {

std::string digits_of(Int128 value) {
  std::string digits;
  do {
    digits += static_cast<char>('0' + static_cast<int>(value % 10));
    value /= 10;
  } while (value != 0);
  std::reverse(digits.begin(), digits.end());
  return digits;
}

std::string nano_or_overflow(const std::optional<Usd>& amount) {
  return amount ? std::to_string(amount->nano) : "overflow";
}

/// Adds up "1234 x 0.25 USD per 1000000 + 5 x ...".
Cost sum_of(const std::string& items) {
  Cost cost;
  for (std::size_t at = 0; at < items.size();) {
    const std::size_t end = std::min(items.find(" + ", at), items.size());
    const std::string item = items.substr(at, end - at);
    const std::size_t times = item.find(" x ");
    const Result<Rate> rate = parse_rate(item.substr(times + 3));
    EXPECT_TRUE(rate) << item;
    cost.add(*rate, std::stoll(item.substr(0, times)));
    at = end + 3;
  }
  return cost;
}

TEST(Rate, texts_agree_with_the_vectors) {
  for (const auto& row : testing::vectors("money/rates.txt", 4)) {
    SCOPED_TRACE(row[0]);
    const Result<Rate> rate = parse_rate(row[0]);
    ASSERT_TRUE(rate) << rate.error().message;
    EXPECT_EQ(row[1], digits_of(rate->atto));
    EXPECT_EQ(std::stoll(row[2]), rate->per);
    EXPECT_EQ(row[3], to_text(*rate));
    EXPECT_EQ(*rate, *parse_rate(to_text(*rate)));
  }
}

TEST(Cost, sums_agree_with_the_vectors) {
  for (const auto& row : testing::vectors("money/costs.txt", 3)) {
    SCOPED_TRACE(row[0]);
    const Cost cost = sum_of(row[0]);
    EXPECT_EQ(row[1], nano_or_overflow(cost.rounded_up()));
    EXPECT_EQ(row[2], nano_or_overflow(cost.half_even()));
  }
}

TEST(Cost, is_rounded_once_for_the_whole_call) {
  // A million times half a nano: rounding each would make it 0 or a million nano.
  Cost cost;
  for (int i = 0; i < 1'000'000; ++i)
    cost.add(*parse_rate("0.0000000005 USD each"), 1);
  EXPECT_EQ(Usd{500'000}, cost.half_even());
}

TEST(Cost, of_less_than_nothing_rounds_the_same_ways) {
  const Rate half{-500'000'000, 1};
  Cost cost;
  cost.add(half, 1);
  EXPECT_EQ(Usd{0}, cost.rounded_up());
  EXPECT_EQ(Usd{0}, cost.half_even());
  cost.add(half, 2);
  EXPECT_EQ(Usd{-1}, cost.rounded_up());
  EXPECT_EQ(Usd{-2}, cost.half_even());
}

TEST(Cost, has_no_reading_after_an_overflow) {
  Cost cost;
  cost.add(Rate{Int128{1} << 100, 1}, std::int64_t{1} << 62);
  cost.add(Rate{0, 1}, 0);
  EXPECT_EQ(std::nullopt, cost.rounded_up());
  EXPECT_EQ(std::nullopt, cost.half_even());
}

TEST(Cost, a_rate_per_nothing_is_no_division_by_zero) {
  Cost cost;
  cost.add(Rate{1, 0}, 1);
  EXPECT_EQ(std::nullopt, cost.rounded_up());
}

}  // namespace
}  // namespace farthing
