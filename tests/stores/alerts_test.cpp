// Which thresholds fire, and that each is told once (R35).
#include "fixture.h"

namespace farthing::test {
namespace {

class StoreAlerts : public AnyStore {};
FARTHING_ON_ANY_STORE(StoreAlerts);

TEST_P(StoreAlerts, R35_a_threshold_fires_once_per_window_and_limit) {
  apply("[[cap]]\nid=\"day\"\nlimit=\"1 USD\"\nper=\"day\"\nalert=[50, 100]\n");
  AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 2));
  EXPECT_EQ(settle(id, acme, usd / 2).alerts.size(), 1U);
  id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 10));
  EXPECT_TRUE(settle(id, acme, usd / 10).alerts.empty());
  const auto refused = reserve(store->next_id(), acme, {.fixed = usd});
  EXPECT_EQ(std::get<Refused>(refused).alerts.size(), 1U);  // 100 at the first refusal
  EXPECT_TRUE(std::get<Refused>(reserve(store->next_id(), acme, {.fixed = usd})).alerts.empty());
  EXPECT_EQ(store->alerts(10)->size(), 2U);
  EXPECT_EQ(counter("day").committed, usd * 6 / 10);
}

TEST_P(StoreAlerts, R35_a_tentative_refusal_tells_nothing_but_that_there_is_something_to_tell) {
  apply("[[cap]]\nid=\"day\"\nlimit=\"1 USD\"\nper=\"day\"\nalert=[100]\n");
  const Plan planned = plan(acme);
  ReserveRequest request;
  request.plan = &planned;
  request.demand.fixed[Meter::usd] = 2 * usd;
  request.tentative = true;
  for (int i = 0; i < 2; ++i) {
    request.id = store->next_id();
    const auto refused = std::get<Refused>(store->reserve(request));
    EXPECT_TRUE(refused.alerts.empty());
    EXPECT_TRUE(refused.alerts_due);
    EXPECT_TRUE(store->alerts(10)->empty());
  }
  request.tentative = false;
  request.id = store->next_id();
  EXPECT_EQ(std::get<Refused>(store->reserve(request)).alerts.size(), 1U);
  request.tentative = true;
  request.id = store->next_id();
  EXPECT_FALSE(std::get<Refused>(store->reserve(request)).alerts_due);  // told already
}

TEST_P(StoreAlerts, R35_a_limit_that_comes_back_does_not_tell_again) {
  const auto limited = [](const char* limit) {
    return std::string("[[cap]]\nid=\"day\"\nlimit=\"") + limit + "\"\nper=\"day\"\nalert=[50]\n";
  };
  const auto spend = [&] {
    const AttemptId id = store->next_id();
    EXPECT_TRUE(granted(id, acme, usd / 100));
    return settle(id, acme, usd / 100).alerts.size();
  };
  apply(limited("0.02 USD"));
  EXPECT_EQ(spend(), 1U);
  apply(limited("0.03 USD"));
  EXPECT_EQ(spend(), 1U);  // another limit
  apply(limited("0.04 USD"));
  EXPECT_EQ(spend(), 1U);
  apply(limited("1 USD"));
  apply(limited("0.04 USD"));
  EXPECT_EQ(spend(), 0U);
}

TEST_P(StoreAlerts, R35_a_refusal_by_a_cap_that_nothing_was_spent_of_is_told_once) {
  apply("[[cap]]\nid=\"none\"\nlimit=\"0 USD\"\nper=\"day\"\nalert=[50, 100]\n");
  const auto refused = std::get<Refused>(reserve(store->next_id(), acme, {.fixed = 1}));
  ASSERT_EQ(refused.alerts.size(), 1U);
  EXPECT_EQ(refused.alerts.front().threshold, 100);
  EXPECT_TRUE(std::get<Refused>(reserve(store->next_id(), acme, {.fixed = 1})).alerts.empty());
  EXPECT_TRUE(store->counters("none")->empty());  // R2
}

}  // namespace
}  // namespace farthing::test
