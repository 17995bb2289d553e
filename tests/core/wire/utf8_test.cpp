// is_utf8, against a plain reading of Unicode's table of well-formed bytes, and has_control_bytes, wherever in the fast
// paths the bytes stand.
#include <gtest/gtest.h>

#include "wire/json_walk.h"

namespace farthing::wire {
namespace {

std::string encoded(unsigned point) {
  const auto byte = [](unsigned value) { return static_cast<char>(value); };
  if (point < 0x80U) return {byte(point)};
  if (point < 0x800U) return {byte(0xC0U | point >> 6U), byte(0x80U | (point & 0x3FU))};
  if (point < 0x10000U)
    return {byte(0xE0U | point >> 12U), byte(0x80U | (point >> 6U & 0x3FU)), byte(0x80U | (point & 0x3FU))};
  return {byte(0xF0U | point >> 18U), byte(0x80U | (point >> 12U & 0x3FU)), byte(0x80U | (point >> 6U & 0x3FU)),
          byte(0x80U | (point & 0x3FU))};
}

TEST(Utf8, every_character_and_no_surrogate) {
  for (unsigned point = 0; point < 0x120000U; ++point) {
    const bool good = point < 0x110000U && !(point >= 0xD800U && point <= 0xDFFFU);
    const std::string one = encoded(point);
    ASSERT_EQ(is_utf8(one), good) << point;
    ASSERT_EQ(is_utf8(one + one + one + one + one + one + one), good) << point;
  }
}

TEST(Utf8, broken_bytes_are_found_wherever_they_stand) {
  const std::string three = "\xe6\xbc\xa2";
  for (const std::string bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x9f\xbf", "\xe6\xbc", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf0\x9f\x98", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe6\xbc\xa2\x80"}) {
    for (std::size_t before = 0; before < 40; ++before) {
      for (const std::string& after : {std::string(), std::string("a"), three, std::string(40, 'a')}) {
        std::string runs;
        for (std::size_t i = 0; i < before; ++i)
          runs += three;
        EXPECT_FALSE(is_utf8(std::string(before, 'a') + bad + after)) << before;
        EXPECT_FALSE(is_utf8(runs + bad + after)) << before;
        EXPECT_TRUE(is_utf8(runs + after + std::string(before, 'a'))) << before;
      }
    }
  }
}

TEST(Utf8, one_byte_in_a_long_text_is_found_wherever_it_stands) {
  const std::string plain(200, 'a');
  for (std::size_t at = 0; at < plain.size(); ++at) {
    const auto with = [&](char byte) {
      std::string text = plain;
      text[at] = byte;
      return text;
    };
    EXPECT_FALSE(is_utf8(with('\x80'))) << at;
    EXPECT_EQ(problem_of_bytes(with('\x80')), "is not UTF-8") << at;
    EXPECT_EQ(problem_of_bytes(with('\x1f')), "a control character stands in it") << at;
    EXPECT_TRUE(has_control_bytes(with('\x1f'))) << at;
    EXPECT_TRUE(has_control_bytes(with('\0'))) << at;
    for (const char good : {' ', '\x7f', '\n', '\t', '\r'}) {
      EXPECT_TRUE(is_utf8(with(good))) << at;
      EXPECT_EQ(problem_of_bytes(with(good)), "") << at;
      EXPECT_FALSE(has_control_bytes(with(good))) << at;
    }
    EXPECT_FALSE(has_control_bytes(with('\xff'))) << at;
  }
}

}  // namespace
}  // namespace farthing::wire
