// What applying a policy does is told of the caps that it found, whoever applies beside it.
#include <gmock/gmock.h>

#include "tests/core/guard/fixture.h"

namespace farthing::test::applied_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Policy team(const std::string& limit) {
  Policy policy = policy_of("[[cap]]\nid = \"day\"\nlimit = \"" + limit + "\"\nper = \"day\"\n");
  policy.name = "team";
  return policy;
}

class Applied : public GuardFixture {};

TEST_F(Applied, effects_are_of_the_step_that_applied_R6) {
  const auto watched = open_watched("[[cap]]\nid = \"other\"\nlimit = \"1 USD\"\nper = \"day\"\n");
  const auto control = Control::over(watched);
  ASSERT_TRUE(control->apply_policy(team("5 USD"), false));
  // Another one is quicker by a step.
  watched->before = [&](const char* step) {
    if (std::string_view(step) != "apply") return std::optional<Error>();
    watched->before = nullptr;
    EXPECT_TRUE(watched->apply(team("7 USD"), false, "", "", false));
    return std::optional<Error>();
  };
  const auto change = control->apply_policy(team("9 USD"), false);
  ASSERT_TRUE(change);
  EXPECT_THAT(change->effects, ElementsAre(HasSubstr("(7.00 USD per day): becomes 9.00 USD")));
  const auto again = control->apply_policy(team("9 USD"), false);
  ASSERT_TRUE(again);
  EXPECT_THAT(again->effects, ElementsAre());
  const auto looked = control->apply_policy(team("8 USD"), false, {}, true);
  ASSERT_TRUE(looked);
  EXPECT_THAT(looked->effects, ElementsAre(HasSubstr("becomes 8.00 USD")));
  const auto removed = control->remove_policy("team");
  ASSERT_TRUE(removed);
  EXPECT_THAT(removed->effects, ElementsAre(HasSubstr("(9.00 USD per day): is gone")));
}

}  // namespace
}  // namespace farthing::test::applied_test
