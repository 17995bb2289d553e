// Moments as people write them: tests/vectors/moments.
#include "farthing/moment.h"

#include <gtest/gtest.h>

#include "../money/vectors.h"
#include "farthing/time_text.h"

namespace farthing {
namespace {

TEST(Moments, are_read_against_now_and_a_zone) {
  for (const auto& row : testing::vectors("moments/moments.txt", 5)) {
    const auto now = parse_moment(row[1], {});
    ASSERT_TRUE(now) << row[1];
    const auto moment = parse_moment(row[0], {.now_ms = *now, .zone = row[2], .past = row[3] == "past"});
    EXPECT_EQ(moment ? iso_utc(*moment) : "-", row[4]) << row[0] << " in " << row[2] << ", " << row[3];
  }
}

TEST(Moments, what_is_none_says_what_is_accepted) {
  const auto moment = parse_moment("next-week", {});
  ASSERT_FALSE(moment);
  EXPECT_EQ(moment.error().code, Code::invalid_argument);
  EXPECT_NE(moment.error().message.find("\"next-week\" is no moment; accepted are"), std::string::npos);
  EXPECT_FALSE(parse_moment("today", {.zone = "Europe/Berln"}));
}

}  // namespace
}  // namespace farthing
