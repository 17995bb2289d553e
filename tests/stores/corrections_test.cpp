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

TEST_P(StoreCorrections, R35_a_booking_that_passes_a_threshold_tells_it) {
  apply(alerting);
  const auto booked = book(acme, "y", usd * 9 / 10);
  ASSERT_TRUE(booked);
  ASSERT_EQ(booked->alerts.size(), 2U);
  EXPECT_EQ(booked->alerts.back().threshold, 80);
  EXPECT_EQ(booked->alerts.back().spent, usd * 9 / 10);
  EXPECT_TRUE(book(acme, "y", usd * 9 / 10)->alerts.empty());
  EXPECT_TRUE(book(acme, "z", usd / 100)->alerts.empty());
  EXPECT_EQ(store->alerts(10)->size(), 2U);
}

TEST_P(StoreCorrections, R35_a_threshold_that_an_adjustment_passes_is_told_by_the_next_settlement) {
  apply(alerting);
  AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 2));
  EXPECT_TRUE(settle(id, acme, usd / 10).alerts.empty());
  const auto adjusted = adjust_to(id, "x", usd * 6 / 10);
  ASSERT_TRUE(adjusted);
  EXPECT_TRUE(adjusted->alerts.empty());  // whoever adjusts has nobody to tell it to
  EXPECT_TRUE(store->alerts(10)->empty());
  id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 100));
  const Settled next = settle(id, acme, usd / 100);
  ASSERT_EQ(next.alerts.size(), 1U);
  EXPECT_EQ(next.alerts.front().threshold, 50);
  EXPECT_EQ(store->alerts(10)->size(), 1U);
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

TEST_P(StoreCorrections, R19_an_adjustment_reaches_a_run_whose_counter_is_gone) {
  apply("[[cap]]\nid = \"month\"\nlimit = \"100 USD\"\nper = \"month\"\n");
  const RunHold run{"r", "t", Usd{usd}};
  const auto ask = [&](std::int64_t nano) {
    return std::holds_alternative<Granted>(reserve(store->next_id(), acme, {.fixed = nano, .runs = {run}}));
  };
  const AttemptId id = store->next_id();
  ASSERT_TRUE(std::holds_alternative<Granted>(reserve(id, acme, {.fixed = usd / 2, .runs = {run}})));
  Settlement settlement;
  settlement.row.id = id;
  const auto context = std::make_shared<CallContext>();
  context->labels = acme;
  settlement.row.context = context;
  settlement.row.runs = {{"r", "t"}};
  settlement.row.booked[Meter::usd] = usd / 2;
  ASSERT_TRUE(store->settle(settlement));
  clock->advance(50 * hour_ms);
  ASSERT_TRUE(store->sweep());
  ASSERT_EQ(store->counters(std::nullopt)->size(), 1U);  // the run's is gone
  ASSERT_TRUE(adjust_to(id, "more", usd * 9 / 10));
  EXPECT_FALSE(ask(usd / 5));
  ASSERT_TRUE(adjust_to(id, "less", usd / 10));
  EXPECT_FALSE(ask(usd * 91 / 100));
  EXPECT_TRUE(ask(usd * 9 / 10));
}

TEST_P(StoreCorrections, R19_what_is_booked_on_a_run_before_its_first_call_counts_on_its_limit) {
  apply("");
  ASSERT_TRUE(book(acme, "a", usd * 8 / 10, {{"r", "t"}}));
  ASSERT_TRUE(book(acme, "b", usd / 10, {{"r", "t"}}));
  const RunHold run{"r", "t", Usd{usd}};
  EXPECT_TRUE(std::holds_alternative<Refused>(reserve(store->next_id(), acme, {.fixed = usd / 5, .runs = {run}})));
  EXPECT_TRUE(std::holds_alternative<Granted>(reserve(store->next_id(), acme, {.fixed = usd / 10, .runs = {run}})));
  EXPECT_TRUE(std::holds_alternative<Refused>(reserve(store->next_id(), acme, {.fixed = 1, .runs = {run}})));
}

TEST_P(StoreCorrections, R9_what_a_run_spent_is_kept_for_400_days_after_its_last_use) {
  apply("");
  const RunHold run{"r", "t", Usd{usd}};
  const auto ask = [&](std::int64_t nano) {
    const AttemptId id = store->next_id();
    const auto answer = reserve(id, acme, {.fixed = nano, .runs = {run}});
    if (std::holds_alternative<Granted>(answer)) settle(id, acme, nano);
    return std::holds_alternative<Granted>(answer);
  };
  const auto days_pass = [&](int days) {
    clock->advance(days * 24 * hour_ms);
    ASSERT_TRUE(store->sweep());
  };
  ASSERT_TRUE(ask(usd / 2));
  days_pass(2);
  days_pass(397);
  EXPECT_FALSE(ask(usd));
  EXPECT_TRUE(ask(usd / 4));  // used again: kept from now on
  days_pass(2);
  days_pass(390);
  EXPECT_FALSE(ask(usd));
  days_pass(11);
  EXPECT_TRUE(ask(usd));
}

TEST_P(StoreCorrections, R9_a_counter_that_a_booking_makes_is_counted) {
  apply("[[cap]]\nid = \"u\"\nlimit = \"1 USD\"\nper = \"day\"\neach = [\"user\"]\nmax_counters = 2\n");
  const auto user = [](const char* name) { return Labels{{"user", name}}; };
  ASSERT_TRUE(book(user("a"), "1", usd / 10));
  ASSERT_TRUE(book(user("a"), "2", usd / 10));
  EXPECT_TRUE(granted(store->next_id(), user("b"), 1));
  EXPECT_FALSE(granted(store->next_id(), user("c"), 1));
  EXPECT_EQ(spent("u", "a"), usd / 5);
}

TEST_P(StoreCorrections, R14_an_adjustment_of_a_window_that_is_over_opens_and_makes_none) {
  apply("[[cap]]\nid = \"minute\"\nlimit = \"1 USD\"\nper = \"minute\"\n");
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 2));
  settle(id, acme, usd / 2);
  const CounterView before = counter("minute");
  clock->advance(61'000);
  ASSERT_TRUE(adjust_to(id, "x", usd / 10));
  EXPECT_EQ(counter("minute").window, before.window);
  EXPECT_EQ(counter("minute").committed, usd / 10);  // as the ledger has it for that window
  ASSERT_TRUE(granted(store->next_id(), acme, usd));
  EXPECT_NE(counter("minute").window, before.window);
  ASSERT_TRUE(adjust_to(id, "z", usd / 4));
  EXPECT_EQ(counter("minute").committed, usd);
  clock->advance(48 * hour_ms);
  ASSERT_TRUE(store->sweep());
  ASSERT_TRUE(adjust_to(id, "y", usd / 20));
  EXPECT_TRUE(store->counters(std::nullopt)->empty());
}

TEST_P(StoreCorrections, R18_a_provider_error_after_expiry_gives_the_money_back_and_keeps_the_request) {
  apply(
      "[[cap]]\nid = \"day\"\nlimit = \"1 USD\"\nper = \"day\"\n"
      "[[cap]]\nid = \"r\"\nlimit = \"9 requests\"\nper = \"day\"\n");
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 2));
  clock->advance(121'000);
  ASSERT_EQ(store->sweep()->expired, 1);
  const Settled late = settle(id, acme, 0, How::provider_error);
  EXPECT_TRUE(late.adjusted);
  EXPECT_FALSE(late.first);
  EXPECT_FALSE(settle(id, acme, 0, How::provider_error).adjusted);
  EXPECT_EQ(spent("day"), 0);
  EXPECT_EQ(counter("day").unknown, 0);
  EXPECT_EQ(spent("r"), 1);
  ASSERT_EQ(rows().size(), 2U);
  EXPECT_EQ(rows().front().how, How::provider_error);
}

FARTHING_ON_ANY_STORE(StoreCorrections);

}  // namespace
}  // namespace farthing::test
