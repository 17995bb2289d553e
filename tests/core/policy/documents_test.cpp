// Several documents in one store (R6), and a document in words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "farthing/describe.h"
#include "policy/documents.h"

namespace farthing {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Policy policy_of(const std::string& toml, const std::string& name = "default") {
  PolicyOrProblems read = policy_from_toml(toml, "p", [](std::string_view) { return std::nullopt; });
  EXPECT_TRUE(read.ok()) << toml << (read.ok() ? "" : read.problems[0].where + read.problems[0].message);
  read.policy->name = name;
  return *read.policy;
}

/// As a store registers them: one cap for each id, the lowest limit.
Registry registry_of(const std::vector<Policy>& policies) {
  Registry registry;
  for (const Policy& policy : policies) {
    registry.documents.push_back({policy.name, policy.origin, policy.to_json(), 0, true});
    for (const Cap& cap : policy.caps) {
      const auto same = std::find_if(registry.caps.begin(), registry.caps.end(),
                                     [&cap](const RegisteredCap& other) { return other.cap.id == cap.id; });
      if (same == registry.caps.end()) {
        RegisteredCap fresh;
        fresh.number = static_cast<std::uint32_t>(registry.caps.size() + 1);
        fresh.cap = cap;
        fresh.documents = {policy.name};
        registry.caps.push_back(fresh);
      } else {
        merge_lowest(same->cap, cap);
        same->documents.push_back(policy.name);
      }
    }
  }
  return registry;
}

/// What would be looser, in words.
std::vector<std::string> looser(const Registry& now, const Policy& next) {
  std::vector<std::string> words;
  for (const CapEffect& effect : effects(now, next)) {
    if (effect.looser) words.push_back(effect.words);
  }
  return words;
}

const std::string five = "[[cap]]\nid = \"a\"\nlimit = \"5 USD\"\nper = \"day\"\neach = [\"user\"]\n";
const std::string ten = "[[cap]]\nid = \"a\"\nlimit = \"10 USD\"\nper = \"day\"\neach = [\"user\"]\n";

TEST(MergeLowest, each_counter_has_the_lower_limit) {
  Cap a = policy_of(five + "limits = { u1 = \"50 USD\", u2 = \"1 USD\" }").caps[0];
  const Cap b =
      policy_of(ten + "limits = { u3 = \"2 USD\", u1 = \"20 USD\" }\nabsent = \"refuse\"\nalert = [50]").caps[0];
  merge_lowest(a, b);
  constexpr std::int64_t usd = 1'000'000'000;
  EXPECT_EQ(5 * usd, a.limit);
  EXPECT_EQ(20 * usd, limit_of(a, {"u1"}));
  EXPECT_EQ(1 * usd, limit_of(a, {"u2"}));
  EXPECT_EQ(2 * usd, limit_of(a, {"u3"}));
  EXPECT_EQ(5 * usd, limit_of(a, {"u4"}));
  EXPECT_TRUE(a.refuse_absent);
  EXPECT_THAT(a.alert, ElementsAre(50));
}

TEST(MergeLowest, a_high_limit_of_one_value_does_not_beat_the_other_document) {
  Cap a = policy_of(five + "limits = { u1 = \"50 USD\" }").caps[0];
  merge_lowest(a, policy_of(ten).caps[0]);
  EXPECT_EQ(10'000'000'000, limit_of(a, {"u1"}));
}

TEST(Effects, nothing_when_limits_stay_or_fall) {
  EXPECT_THAT(looser(registry_of({policy_of(ten)}), policy_of(ten)), IsEmpty());
  EXPECT_THAT(looser(registry_of({policy_of(ten)}), policy_of(five)), IsEmpty());
  EXPECT_THAT(looser(registry_of({policy_of(ten)}), policy_of(ten + "limits = { u1 = \"1 USD\" }")), IsEmpty());
}

TEST(Effects, a_higher_limit) {
  EXPECT_THAT(looser(registry_of({policy_of(five)}), policy_of(ten)),
              ElementsAre("cap \"a\" (5.00 USD per day for each user): becomes 10.00 USD"));
}

TEST(Effects, a_higher_limit_of_one_value) {
  EXPECT_THAT(looser(registry_of({policy_of(five)}), policy_of(five + "limits = { u1 = \"7 USD\" }")),
              ElementsAre(HasSubstr("for u1 5.00 USD becomes 7.00 USD")));
  EXPECT_THAT(looser(registry_of({policy_of(five + "limits = { u1 = \"1 USD\" }")}), policy_of(five)),
              ElementsAre(HasSubstr("for u1 1.00 USD becomes 5.00 USD")));
}

TEST(Effects, a_cap_that_is_gone_or_another) {
  EXPECT_THAT(looser(registry_of({policy_of(five)}), policy_of("")), ElementsAre(HasSubstr("is gone")));
  const std::string weekly = "[[cap]]\nid = \"a\"\nlimit = \"5 USD\"\nper = \"week\"\neach = [\"user\"]\n";
  EXPECT_THAT(looser(registry_of({policy_of(five)}), policy_of(weekly)), ElementsAre(HasSubstr("is replaced")));
}

TEST(Effects, a_renamed_cap_is_the_same) {
  const std::string renamed = "[[cap]]\nid = \"b\"\nwas = \"a\"\nlimit = \"5 USD\"\nper = \"day\"\neach = [\"user\"]\n";
  EXPECT_THAT(looser(registry_of({policy_of(five)}), policy_of(renamed)), IsEmpty());
}

TEST(Effects, a_label_that_is_no_longer_asked_for) {
  EXPECT_THAT(looser(registry_of({policy_of(five + "absent = \"refuse\"")}), policy_of(five)),
              ElementsAre(HasSubstr("no longer refuse")));
}

TEST(Effects, another_document_may_hold_it_back) {
  const Registry both = registry_of({policy_of(five), policy_of(five, "other")});
  EXPECT_THAT(looser(both, policy_of(ten)), IsEmpty());
  EXPECT_THAT(looser(both, policy_of("")), IsEmpty());
  const Registry lower = registry_of({policy_of(five), policy_of(ten, "other")});
  EXPECT_THAT(looser(lower, policy_of("")), ElementsAre(HasSubstr("becomes 10.00 USD")));
}

TEST(Effects, caps_of_other_documents_are_not_its_business) {
  EXPECT_THAT(looser(registry_of({policy_of(five, "other")}), policy_of("")), IsEmpty());
}

TEST(LoweredBy, names_the_document_whose_limit_is_in_force) {
  const Policy own = policy_of(ten);
  const std::string four = "[[cap]]\nid = \"a\"\nlimit = \"4 USD\"\nper = \"day\"\neach = [\"user\"]\n";
  const Registry three = registry_of({policy_of(five, "b"), own, policy_of(four, "c")});
  ASSERT_NE(lowered_by(three, own, "a"), nullptr);
  EXPECT_EQ(*lowered_by(three, own, "a"), "c");
  EXPECT_EQ(lowered_by(three, policy_of(four, "c"), "a"), nullptr);
  EXPECT_EQ(*lowered_by(three, policy_of("", "without"), "a"), "c");
  EXPECT_EQ(lowered_by(registry_of({own, policy_of(ten, "equal")}), own, "a"), nullptr);
  EXPECT_EQ(lowered_by(three, own, "unknown"), nullptr);
}

TEST(Effects, are_told_of_every_change) {
  const auto words = [](const Registry& now, const Policy& next) {
    std::vector<std::string> all;
    for (const CapEffect& effect : effects(now, next))
      all.push_back(effect.words);
    return all;
  };
  const std::string b = "[[cap]]\nid = \"b\"\nlimit = \"1 USD\"\nper = \"day\"\n";
  EXPECT_THAT(words(registry_of({policy_of(ten)}), policy_of(ten)), IsEmpty());
  EXPECT_THAT(words(registry_of({policy_of(ten)}), policy_of(five + b)),
              ElementsAre("cap \"a\" (10.00 USD per day for each user): becomes 5.00 USD",
                          "cap \"b\" (1.00 USD per day): is new"));
  EXPECT_THAT(words(registry_of({policy_of(five)}), policy_of(five + "absent = \"refuse\"")),
              ElementsAre(HasSubstr("refuses calls without the label from now on")));
  EXPECT_THAT(words(registry_of({policy_of(five + "limits = { vip = \"20 USD\" }")}), policy_of(ten)),
              ElementsAre(HasSubstr(": becomes 10.00 USD"), HasSubstr("for vip 20.00 USD becomes 10.00 USD")));
  // Another document's cap of the same id gets the lower limit; one that stays below holds it back.
  EXPECT_THAT(words(registry_of({policy_of(ten, "other")}), policy_of(five)),
              ElementsAre(HasSubstr("becomes 5.00 USD")));
  EXPECT_THAT(words(registry_of({policy_of(five, "other")}), policy_of(ten)), IsEmpty());
}

TEST(Describe, caps_in_words) {
  const Policy policy = policy_of(R"(
[[cap]]
id = "org"
limit = "500 USD"
per = "month"
billing_day = 15
timezone = "Europe/Berlin"
match = { org = "acme", model = ["gpt-5*", "o3"] }
alert = [50, 100]
[[cap]]
limit = "1 USD"
per = "day"
each = ["user", "project"]
limits = { "u42,x" = "50 USD" }
absent = "refuse"
[[cap]]
limit = "0.50 USD"
per = "call"
[[cap]]
limit = "2 concurrent"
)");
  const auto rows = describe(policy);
  const auto row = [&rows](std::size_t i) {
    const CapDescription& r = rows.at(i);
    return std::to_string(r.number) + "|" + r.limit + "|" + r.window + "|" + r.calls + "|" + r.counters + "|" +
           r.alerts + "|" + r.id;
  };
  ASSERT_EQ(4U, rows.size());
  EXPECT_EQ("0|500.00 USD|month from day 15 (Europe/Berlin)|model=gpt-5*|o3, org=acme|together|50, 100 %|org", row(0));
  EXPECT_EQ("1|1.00 USD|day|all|each project and user (x,u42: 50.00 USD; refused without)||", row(1));
  EXPECT_EQ("2|0.50 USD|call|all|by itself||", row(2));
  EXPECT_EQ("3|2 concurrent|at once|all|together||", row(3));
}

}  // namespace
}  // namespace farthing
