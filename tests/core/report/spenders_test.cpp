// Who spent most of a counter (R35).
#include "report/spenders.h"

#include <gtest/gtest.h>

#include "tests/stores/fixture.h"

namespace farthing::test {
namespace {

class SpendersOf : public AnyStore {
 protected:
  void SetUp() override {
    AnyStore::SetUp();
    refresh();
  }
  void spend(const Labels& labels, std::int64_t nano, How how = How::usage) {
    const AttemptId id = store->next_id();
    ASSERT_TRUE(granted(id, labels, nano));
    settle(id, labels, how == How::released ? 0 : nano, how);
  }
  static Cap cap(const std::string& toml) { return policy_of("[[cap]]\n" + toml).caps.at(0); }
  std::string spenders(const Cap& cap, const std::vector<std::string>& each_values = {}, std::int64_t since_ms = 0) {
    std::string text;
    for (const Spender& spender : report::top_spenders(*store, cap, each_values, since_ms)) {
      if (!text.empty()) text += ' ';
      text += spender.kind + ':' + spender.value + '=' + std::to_string(spender.spent);
    }
    return text;
  }
};
FARTHING_ON_ANY_STORE(SpendersOf);

TEST_P(SpendersOf, the_three_largest_of_each_kind_that_the_cap_does_not_fix) {
  const Cap of_acme = cap("limit = \"5 USD\"\nper = \"day\"\nmatch = { org = \"acme\" }");
  spend({{"org", "acme"}, {"user", "ada"}, {"model", "small"}}, 5);
  spend({{"org", "acme"}, {"user", "bob"}, {"model", "large"}}, 70);
  spend({{"org", "acme"}, {"user", "ada"}, {"model", "large"}}, 20);
  spend({{"org", "acme"}, {"user", "cy"}, {"tag", "free"}}, 30);
  spend({{"org", "acme"}, {"user", "dan"}}, 1);
  spend({{"org", "acme"}, {"user", "eve"}}, 9, How::released);
  spend({{"org", "other"}, {"user", "zoe"}}, 1'000);
  EXPECT_EQ("user:bob=70 user:cy=30 user:ada=25 model:large=90 model:small=5", spenders(of_acme));
  const Cap of_any = cap("limit = \"5 USD\"\nper = \"day\"\nmatch = { org = [\"ac*\", \"oth?r\"], user = \"a*\" }");
  EXPECT_EQ("org:acme=25 user:ada=25 model:large=20 model:small=5", spenders(of_any));
}

TEST_P(SpendersOf, of_one_counter_of_each_in_its_meter) {
  const Cap each = cap("limit = \"9 requests\"\nper = \"day\"\neach = \"project\"");
  spend({{"project", "web"}, {"task", "b"}}, 5);
  spend({{"project", "web"}, {"task", "a"}}, 500);
  spend({{"project", "bot"}, {"task", "c"}}, 5);
  spend({{"task", "d"}}, 5);
  EXPECT_EQ("task:a=1 task:b=1", spenders(each, {"web"}));  // equal ones by name
  EXPECT_EQ("task:d=1", spenders(each, {"(none)"}));
}

TEST_P(SpendersOf, since_its_window_began_and_with_what_was_corrected) {
  const Cap all = cap("limit = \"5 USD\"\nper = \"day\"");
  spend({{"user", "ada"}}, 50);
  clock->advance(hour_ms);
  const std::int64_t since = clock->wall;
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, {{"user", "bob"}}, 10));
  settle(id, {{"user", "bob"}}, 10);
  Adjustment adjustment;
  adjustment.attempt = id;
  adjustment.id = "refund";
  adjustment.booked[Meter::usd] = 4;
  adjustment.booked[Meter::requests] = 1;
  ASSERT_TRUE(store->adjust(adjustment));
  EXPECT_EQ("user:bob=4", spenders(all, {}, since));
  EXPECT_EQ("user:ada=50 user:bob=4", spenders(all));
}

TEST_P(SpendersOf, nobody_spends_slots_and_a_closed_store_has_no_names) {
  spend({{"user", "ada"}}, 50);
  EXPECT_EQ("", spenders(cap("limit = \"5 concurrent\"")));
  store->close();
  EXPECT_EQ("", spenders(cap("limit = \"5 USD\"\nper = \"day\"")));
}

}  // namespace
}  // namespace farthing::test
