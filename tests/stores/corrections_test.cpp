// What is booked beside the usual settlement: expiry, adjustments, spend that no attempt made (R17 to R19, R35).
#include "fixture.h"

namespace farthing::test {
namespace {

class StoreCorrections : public AnyStore {
 protected:
  Result<Settled> adjust_to(AttemptId attempt, const std::string& id, std::int64_t nano) {
    Adjustment change;
    change.attempt = attempt;
    change.id = id;
    change.booked[Meter::usd] = nano;
    change.actual = Usd{nano};
    return store->adjust(change);
  }
  Result<Settled> book(const Labels& labels, const std::string& id, std::int64_t nano,
                       const std::vector<std::pair<std::string, std::string>>& runs = {}) {
    LedgerRow row;
    auto context = std::make_shared<CallContext>();
    context->labels = labels;
    row.context = context;
    row.adjustment = id;
    row.runs = runs;
    row.booked[Meter::usd] = nano;
    row.actual = Usd{nano};
    return store->book(row, plan(labels));
  }
};

const Labels acme{{"org", "acme"}};
constexpr const char* alerting = "[[cap]]\nid = \"day\"\nlimit = \"1 USD\"\nper = \"day\"\nalert = [50, 80]\n";

TEST_P(StoreCorrections, R35_a_sweep_answers_the_alerts_of_what_expired) {
  apply(alerting);
  ASSERT_TRUE(granted(store->next_id(), acme, usd / 2));
  ASSERT_TRUE(granted(store->next_id(), acme, usd / 4));
  clock->advance(121'000);
  const auto swept = store->sweep();
  ASSERT_TRUE(swept);
  EXPECT_EQ(swept->expired, 2);
  ASSERT_EQ(swept->alerts.size(), 1U);
  EXPECT_EQ(swept->alerts.front().threshold, 50);
  EXPECT_EQ(swept->alerts.front().cap_id, "day");
  EXPECT_EQ(store->alerts(10)->size(), 1U);
  clock->advance(6'000);
  EXPECT_TRUE(store->sweep()->alerts.empty());
}

TEST_P(StoreCorrections, R35_a_reserve_hands_on_the_alerts_of_what_it_swept) {
  apply(alerting);
  ASSERT_TRUE(granted(store->next_id(), acme, usd / 2));
  clock->advance(121'000);
  const auto first = reserve(store->next_id(), acme, {.fixed = usd * 3 / 10});
  ASSERT_EQ(std::get<Granted>(first).alerts.size(), 1U);
  EXPECT_EQ(std::get<Granted>(first).alerts.front().threshold, 50);
  clock->advance(121'000);
  const auto second = reserve(store->next_id(), acme, {.fixed = usd});
  ASSERT_EQ(std::get<Refused>(second).alerts.size(), 1U);
  EXPECT_EQ(std::get<Refused>(second).alerts.front().threshold, 80);
  EXPECT_TRUE(std::get<Granted>(reserve(store->next_id(), acme, {.fixed = 1})).alerts.empty());
}

TEST_P(StoreCorrections, R35_an_answer_that_carries_no_alerts_leaves_them_to_the_next) {
  apply(alerting);
  ASSERT_TRUE(granted(store->next_id(), acme, usd / 2));
  clock->advance(100'000);
  ASSERT_TRUE(granted(store->next_id(), acme, usd / 4));
  clock->advance(21'000);
  ASSERT_TRUE(std::holds_alternative<HeldBack>(reserve(store->next_id(), acme, {.fixed = usd * 2 / 5, .take = false})));
  EXPECT_EQ(store->sweep()->alerts.size(), 1U);
}

TEST_P(StoreCorrections, R35_an_adjustment_and_a_booking_that_pass_a_threshold_tell_it) {
  apply(alerting);
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 2));
  EXPECT_TRUE(settle(id, acme, usd / 10).alerts.empty());
  const auto adjusted = adjust_to(id, "x", usd * 6 / 10);
  ASSERT_TRUE(adjusted);
  ASSERT_EQ(adjusted->alerts.size(), 1U);
  EXPECT_EQ(adjusted->alerts.front().threshold, 50);
  EXPECT_EQ(adjusted->alerts.front().spent, usd * 6 / 10);
  EXPECT_TRUE(adjust_to(id, "x", usd * 6 / 10)->alerts.empty());
  const auto booked = book(acme, "y", usd * 3 / 10);
  ASSERT_TRUE(booked);
  ASSERT_EQ(booked->alerts.size(), 1U);
  EXPECT_EQ(booked->alerts.front().threshold, 80);
  EXPECT_TRUE(book(acme, "z", usd / 100)->alerts.empty());
  EXPECT_EQ(store->alerts(10)->size(), 2U);
}

TEST_P(StoreCorrections, R35_an_alert_of_a_correction_names_its_counter_and_the_limit_in_force) {
  apply("[[cap]]\nid = \"u\"\nlimit = \"1 USD\"\nper = \"day\"\neach = [\"user\"]\nalert = [50]\n");
  Override change;
  change.cap_id = "u";
  change.limit = usd / 2;
  ASSERT_TRUE(store->set_override(change));
  refresh();
  const auto booked = book(Labels{{"user", "a"}}, "y", usd * 3 / 10);
  ASSERT_EQ(booked->alerts.size(), 1U);
  EXPECT_EQ(booked->alerts.front().each_values, std::vector<std::string>{"a"});
  EXPECT_EQ(booked->alerts.front().limit, usd / 2);
}

TEST_P(StoreCorrections, R35_a_late_settlement_tells_what_it_passes) {
  apply(alerting);
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 4));
  clock->advance(121'000);
  ASSERT_EQ(store->sweep()->expired, 1);
  const Settled late = settle(id, acme, usd * 6 / 10);
  EXPECT_TRUE(late.adjusted);
  EXPECT_EQ(late.alerts.size(), 1U);
}

FARTHING_ON_ANY_STORE(StoreCorrections);

}  // namespace
}  // namespace farthing::test
