// Numbers of JSON as money: exact, rounded once.
#include "money/json_number.h"

#include <gtest/gtest.h>

#include <string>

namespace farthing {
namespace {

std::int64_t nano(std::string_view number, int power = 0) {
  const auto usd = usd_of_number(number, power);
  EXPECT_TRUE(usd) << number;
  return usd ? usd->nano : -1;
}

TEST(JsonNumber, is_read_in_decimals) {
  EXPECT_EQ(nano("0"), 0);
  EXPECT_EQ(nano("0.95"), 950'000'000);
  EXPECT_EQ(nano("0.0000036"), 3'600);
  EXPECT_EQ(nano("6e-7"), 600);
  EXPECT_EQ(nano("1.25E+2"), 125'000'000'000);
  EXPECT_EQ(nano("0.1"), 100'000'000) << "no float is between";
  EXPECT_EQ(nano("9223372036.854775807"), INT64_MAX);
  EXPECT_EQ(nano("0e999999999999999999"), 0);
  EXPECT_EQ(nano("1e-999999999999999999"), 0);
  EXPECT_EQ(nano("0." + std::string(900, '0') + "1"), 0);
}

TEST(JsonNumber, may_be_in_another_unit) {
  EXPECT_EQ(nano("37756000", -10), 3'775'600) << "ticks";
  EXPECT_EQ(nano("1", -10), 0);
  EXPECT_EQ(nano("6", -10), 1);
}

TEST(JsonNumber, is_rounded_once_half_to_even) {
  EXPECT_EQ(nano("0.0000000005"), 0);
  EXPECT_EQ(nano("0.0000000015"), 2);
  EXPECT_EQ(nano("0.0000000025"), 2);
  EXPECT_EQ(nano("0.00000000250000000000000000000000000000000000000000001"), 3);
  EXPECT_EQ(nano("0.00000000249999999999999999999999999999999999999999999"), 2);
  EXPECT_EQ(nano("5", -10), 0);
  EXPECT_EQ(nano("15", -10), 2);
  EXPECT_EQ(nano("5", -11), 0);
  EXPECT_EQ(nano("51", -11), 1);
}

TEST(JsonNumber, that_is_none_or_no_cost_is_nothing) {
  for (const char* text :
       {"", "-1", "-0", "+1", "01", ".5", "1.", "1e", "1e+", "1x", " 1", "1 ", "NaN", "null", "0x1",
        "9223372036.854775808", "1e10", "1e999999999999999999", "99999999999999999999999999999999999999999999999999"}) {
    EXPECT_FALSE(usd_of_number(text, 0)) << text;
  }
}

}  // namespace
}  // namespace farthing
