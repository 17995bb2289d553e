// What every store must do, named by rule; run over memory and file.
#include <atomic>
#include <random>
#include <thread>

#include "fixture.h"

namespace farthing::test {
namespace {

class StoreContract : public ::testing::TestWithParam<const char*>, public Bench {
 protected:
  Folder folder;
  void SetUp() override { open(GetParam() == std::string("memory") ? "memory:" : "file:" + folder.path + "/x.db"); }
};

constexpr const char* two_caps = R"(
[[cap]]
id = "org"
match = { org = "acme" }
limit = "10 USD"
per = "month"
[[cap]]
id = "project"
match = { project = "marketing" }
limit = "1 USD"
per = "day"
)";

TEST_P(StoreContract, R1_spent_and_reserved_never_pass_the_limit) {
  apply(one_cap);
  EXPECT_TRUE(granted(store->next_id(), acme, usd / 2));
  EXPECT_TRUE(granted(store->next_id(), acme, usd / 2));
  EXPECT_FALSE(granted(store->next_id(), acme, 1));
  EXPECT_EQ(counter("day").committed, usd);
}

TEST_P(StoreContract, R2_a_refusal_leaves_every_counter_untouched) {
  apply(two_caps);
  ASSERT_TRUE(granted(store->next_id(), marketing, usd * 9 / 10));
  const auto before = store->counters(std::nullopt);
  EXPECT_FALSE(granted(store->next_id(), marketing, usd / 2));  // fits org, not project
  const auto after = store->counters(std::nullopt);
  ASSERT_EQ(before->size(), after->size());
  for (std::size_t i = 0; i < before->size(); ++i) {
    EXPECT_EQ((*before)[i].committed, (*after)[i].committed);
    EXPECT_EQ((*before)[i].reserved, (*after)[i].reserved);
  }
  EXPECT_EQ(store->holds()->size(), 1U);
  EXPECT_TRUE(rows().empty());
}

TEST_P(StoreContract, R2_a_refusal_makes_no_counter) {
  apply(one_cap);
  EXPECT_FALSE(granted(store->next_id(), acme, 2 * usd));
  EXPECT_TRUE(store->counters(std::nullopt)->empty());
}

TEST_P(StoreContract, R3_the_headline_is_project_before_org) {
  apply(two_caps);
  const auto answer = reserve(store->next_id(), marketing, {.fixed = 20 * usd});
  const auto& refused = std::get<Refused>(answer);
  ASSERT_EQ(refused.caps.size(), 2U);
  EXPECT_EQ(refused.caps[0].cap_id, "project");
  EXPECT_EQ(refused.caps[1].cap_id, "org");
  EXPECT_EQ(refused.caps[0].limit, usd);
  EXPECT_EQ(refused.caps[0].requested, 20 * usd);
  EXPECT_FALSE(refused.held);
  EXPECT_TRUE(refused.caps[0].resets_at_ms.has_value());
}

TEST_P(StoreContract, R3_per_call_before_window) {
  apply("[[cap]]\nid=\"call\"\nlimit=\"0.10 USD\"\nper=\"call\"\n[[cap]]\nid=\"day\"\nlimit=\"1 USD\"\nper=\"day\"\n");
  const auto answer = reserve(store->next_id(), acme, {.fixed = 2 * usd});
  const auto& refused = std::get<Refused>(answer);
  EXPECT_EQ(refused.code, Code::per_call_cap_exceeded);
  EXPECT_EQ(refused.caps[0].cap_id, "call");
  EXPECT_EQ(refused.caps.size(), 2U);
  EXPECT_TRUE(granted(store->next_id(), acme, usd / 10));
}

TEST_P(StoreContract, R5_each_gives_every_value_its_own_counter) {
  apply("[[cap]]\nid=\"u\"\neach=[\"user\"]\nlimit=\"1 USD\"\nlimits={ big = \"3 USD\" }\nper=\"day\"\n");
  EXPECT_TRUE(granted(store->next_id(), Labels{{"user", "a"}}, usd));
  EXPECT_FALSE(granted(store->next_id(), Labels{{"user", "a"}}, 1));
  EXPECT_TRUE(granted(store->next_id(), Labels{{"user", "b"}}, usd));
  EXPECT_TRUE(granted(store->next_id(), Labels{{"user", "big"}}, 3 * usd));
  EXPECT_TRUE(granted(store->next_id(), acme, usd));  // (none) is capped too
  EXPECT_FALSE(granted(store->next_id(), acme, 1));
}

TEST_P(StoreContract, R6_a_stale_plan_changes_nothing_and_is_told) {
  apply(one_cap);
  const Plan old = plan(acme);
  ASSERT_TRUE(store->halt(Halt{}));
  ReserveRequest request;
  request.id = store->next_id();
  request.plan = &old;
  EXPECT_TRUE(std::holds_alternative<PolicyChanged>(store->reserve(request)));
  EXPECT_TRUE(store->holds()->empty());
}

TEST_P(StoreContract, R6_opening_the_same_document_again_changes_nothing) {
  apply(one_cap);
  const auto revision = store->registry()->revision;
  apply(one_cap);
  EXPECT_EQ(store->registry()->revision, revision);
}

TEST_P(StoreContract, R6_one_id_in_two_documents_has_the_lowest_limit) {
  apply(one_cap, "a");
  apply("[[cap]]\nid = \"day\"\nlimit = \"0.25 USD\"\nper = \"day\"\n", "b");
  EXPECT_FALSE(granted(store->next_id(), acme, usd / 2));
  ASSERT_TRUE(store->remove_document("b"));
  refresh();
  EXPECT_TRUE(granted(store->next_id(), acme, usd / 2));
}

TEST_P(StoreContract, R6_a_replaced_file_does_not_come_back_to_loosen) {
  Policy loose = policy_of(one_cap);
  loose.origin = Origin::file;
  Policy tight = policy_of("[[cap]]\nid = \"day\"\nlimit = \"0.25 USD\"\nper = \"day\"\n");
  tight.origin = Origin::file;
  ASSERT_TRUE(store->apply(loose, false));
  clock->advance(1000);
  ASSERT_TRUE(store->apply(tight, false));
  clock->advance(1000);
  const auto again = store->apply(loose, false);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::policy_superseded);
  EXPECT_TRUE(store->apply(loose, true));
}

TEST_P(StoreContract, R7_a_new_cap_counts_from_the_ledger_and_from_open_holds) {
  apply("[[cap]]\nid=\"org\"\nlimit=\"10 USD\"\nper=\"month\"\n");
  const AttemptId done = store->next_id();
  ASSERT_TRUE(granted(done, marketing, usd));
  settle(done, marketing, usd / 4);
  const AttemptId open = store->next_id();
  ASSERT_TRUE(granted(open, marketing, usd / 2));
  apply(
      "[[cap]]\nid=\"org\"\nlimit=\"10 "
      "USD\"\nper=\"month\"\n[[cap]]\nid=\"p\"\nmatch={project=\"marketing\"}\nlimit=\"1 USD\"\nper=\"day\"\n");
  EXPECT_EQ(counter("p").committed, usd * 3 / 4);
  EXPECT_EQ(counter("p").reserved, usd / 2);
  settle(open, marketing, usd / 8);
  EXPECT_EQ(counter("p").committed, usd / 4 + usd / 8);
  EXPECT_EQ(counter("p").reserved, 0);
}

TEST_P(StoreContract, R8_an_override_is_in_force_on_the_next_call_and_resets_nothing) {
  apply(one_cap);
  ASSERT_TRUE(granted(store->next_id(), acme, usd));
  Override raise;
  raise.cap_id = "day";
  raise.limit = 2 * usd;
  raise.until_ms = clock->wall + hour_ms;
  ASSERT_TRUE(store->set_override(raise));
  refresh();
  EXPECT_TRUE(granted(store->next_id(), acme, usd / 2));
  EXPECT_EQ(counter("day").committed, usd * 3 / 2);
  clock->advance(hour_ms);  // the raise ended: its plans are stale
  EXPECT_TRUE(std::holds_alternative<PolicyChanged>(reserve(store->next_id(), acme, {.fixed = 1})));
  refresh();
  EXPECT_FALSE(granted(store->next_id(), acme, 1));
}

TEST_P(StoreContract, R8_zero_refuses_all_that_costs_and_nothing_else) {
  apply("[[cap]]\nid = \"day\"\nlimit = \"0 USD\"\nper = \"day\"\n");
  EXPECT_FALSE(granted(store->next_id(), acme, 1));
  EXPECT_TRUE(granted(store->next_id(), acme, 0));
}

TEST_P(StoreContract, R10_requests_are_given_back_only_when_unsent_and_concurrency_always) {
  apply("[[cap]]\nid=\"r\"\nlimit=\"2 requests\"\nper=\"day\"\n[[cap]]\nid=\"c\"\nlimit=\"1 concurrent\"\n");
  AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, 0));
  EXPECT_FALSE(granted(store->next_id(), acme, 0));  // one at a time
  settle(id, acme, 0, How::released);
  EXPECT_EQ(counter("r").committed, 0);
  for (int i = 0; i < 2; ++i) {
    id = store->next_id();
    ASSERT_TRUE(granted(id, acme, 0));
    settle(id, acme, 0, How::provider_error);
  }
  EXPECT_EQ(counter("c").committed, 0);
  EXPECT_FALSE(granted(store->next_id(), acme, 0));
}

TEST_P(StoreContract, R12_a_clock_set_back_neither_reopens_nor_resets_a_window) {
  apply(one_cap);
  ASSERT_TRUE(granted(store->next_id(), acme, usd));
  clock->wall -= 48 * hour_ms;
  EXPECT_FALSE(granted(store->next_id(), acme, 1));
  clock->wall += 24 * hour_ms;
  EXPECT_FALSE(granted(store->next_id(), acme, 1));
}

TEST_P(StoreContract, R12_time_runs_on_with_the_boot_clock_when_the_wall_clock_was_set_back) {
  apply(one_cap);
  const auto before = store->now_ms();
  ASSERT_TRUE(granted(store->next_id(), acme, 1));
  clock->wall -= 10 * hour_ms;
  clock->boot += 5000;
  EXPECT_EQ(*store->now_ms(), *before + 5000);
}

TEST_P(StoreContract, R12_the_next_window_opens_when_the_stored_one_ends) {
  apply(one_cap);
  ASSERT_TRUE(granted(store->next_id(), acme, usd));
  clock->advance(9 * hour_ms);
  EXPECT_FALSE(granted(store->next_id(), acme, 1));
  clock->advance(hour_ms);
  EXPECT_TRUE(granted(store->next_id(), acme, usd));
}

TEST_P(StoreContract, R14_a_settlement_touches_only_the_window_of_its_reserve) {
  apply("[[cap]]\nid = \"minute\"\nlimit = \"1 USD\"\nper = \"minute\"\n");
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd));
  clock->advance(61'000);  // the hold lives, its window is over
  ASSERT_TRUE(granted(store->next_id(), acme, usd / 2));
  settle(id, acme, usd / 4);
  EXPECT_EQ(counter("minute").committed, usd / 2);
  EXPECT_EQ(rows().at(0).booked[Meter::usd], usd / 4);
}

TEST_P(StoreContract, R9_a_counter_that_another_process_deleted_is_found_by_its_key) {
  apply("[[cap]]\nid=\"u\"\neach=[\"user\"]\nlimit=\"1 USD\"\nper=\"minute\"\n");
  const Labels u1{{"user", "u1"}};
  const Labels u2{{"user", "u2"}};
  const Plan kept = plan(u1);  // remembers the row
  const auto reserve_kept = [&](std::int64_t nano) {
    ReserveRequest request;
    request.id = store->next_id();
    request.plan = &kept;
    request.demand.fixed[Meter::usd] = nano;
    LedgerRow draft;
    request.draft = &draft;
    return std::holds_alternative<Granted>(store->reserve(request));
  };
  ASSERT_TRUE(reserve_kept(usd / 2));
  clock->advance(121'000);
  ASSERT_TRUE(store->sweep());
  clock->advance(25 * hour_ms);
  ASSERT_TRUE(store->sweep());
  ASSERT_TRUE(granted(store->next_id(), u2, usd));
  int granted_count = 0;
  for (int i = 0; i < 10; ++i)
    granted_count += reserve_kept(usd / 4) ? 1 : 0;
  EXPECT_EQ(granted_count, 4);
}

TEST_P(StoreContract, R18_an_id_that_holds_is_not_held_twice) {
  apply(one_cap);
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 10));
  EXPECT_TRUE(std::holds_alternative<Error>(reserve(id, acme, {.fixed = usd / 10})));
  EXPECT_EQ(counter("day").committed, usd / 10);
}

TEST_P(StoreContract, R7_a_cap_that_was_away_is_counted_again) {
  apply("[[cap]]\nid=\"a\"\nlimit=\"1 USD\"\nper=\"day\"\n");
  AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 10));
  settle(id, acme, usd / 10);
  apply("[[cap]]\nid=\"b\"\nlimit=\"5 USD\"\nper=\"month\"\n");
  id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 2));
  settle(id, acme, usd / 2);
  apply("[[cap]]\nid=\"a\"\nlimit=\"1 USD\"\nper=\"day\"\n");
  EXPECT_EQ(spent("a"), usd / 10 + usd / 2);
}

TEST_P(StoreContract, R4_an_old_id_that_means_another_thing_is_a_new_cap) {
  apply("[[cap]]\nid=\"a\"\nlimit=\"1 USD\"\nper=\"total\"\n");
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd));
  settle(id, acme, usd);
  clock->advance(48 * hour_ms);
  apply("[[cap]]\nid=\"a\"\nlimit=\"1 USD\"\nper=\"day\"\n");
  EXPECT_TRUE(granted(store->next_id(), acme, usd / 2));
}

TEST_P(StoreContract, R17_an_expired_hold_is_charged_and_a_renewed_one_lives) {
  apply(one_cap);
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 2));
  clock->advance(100'000);
  ASSERT_TRUE(store->renew());
  clock->advance(100'000);
  EXPECT_EQ(store->sweep()->expired, 0);
  clock->advance(121'000);
  EXPECT_EQ(store->sweep()->expired, 1);
  EXPECT_EQ(counter("day").committed, usd / 2);
  EXPECT_EQ(counter("day").reserved, 0);
  EXPECT_EQ(counter("day").unknown, usd / 2);
  EXPECT_EQ(rows().at(0).how, How::expired);
}

TEST_P(StoreContract, R17_no_hold_lives_longer_than_hold_max) {
  apply(one_cap);
  ASSERT_TRUE(granted(store->next_id(), acme, usd / 2));
  for (int i = 0; i < 40; ++i) {
    clock->advance(100'000);
    ASSERT_TRUE(store->renew());
    ASSERT_TRUE(store->sweep());
  }
  EXPECT_TRUE(store->holds()->empty());
}

TEST_P(StoreContract, R18_a_repeat_gets_the_first_answer) {
  apply(one_cap);
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 2));
  EXPECT_TRUE(settle(id, acme, usd / 4).first);
  const Settled again = settle(id, acme, usd / 3);
  EXPECT_FALSE(again.first);
  EXPECT_EQ(again.actual->nano, usd / 4);
  EXPECT_EQ(spent("day"), usd / 4);
}

TEST_P(StoreContract, R18_a_settlement_after_expiry_is_exactly_one_adjustment) {
  apply(one_cap);
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 2));
  clock->advance(121'000);
  ASSERT_EQ(store->sweep()->expired, 1);
  EXPECT_TRUE(settle(id, acme, usd / 8).adjusted);
  EXPECT_FALSE(settle(id, acme, usd / 8).adjusted);
  EXPECT_EQ(spent("day"), usd / 8);
  EXPECT_EQ(counter("day").unknown, 0);
  EXPECT_EQ(rows().size(), 2U);
}

TEST_P(StoreContract, R18_a_release_after_expiry_gives_back_what_was_never_sent) {
  apply(one_cap);
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 2));
  clock->advance(121'000);
  ASSERT_EQ(store->sweep()->expired, 1);
  EXPECT_EQ(spent("day"), usd / 2);
  EXPECT_TRUE(settle(id, acme, 0, How::released).adjusted);
  EXPECT_EQ(spent("day"), 0);
}

TEST_P(StoreContract, R17_what_a_reserve_swept_stays_swept_where_it_is_refused) {
  apply(one_cap);
  ASSERT_TRUE(granted(store->next_id(), acme, usd));
  clock->advance(121'000);
  EXPECT_FALSE(granted(store->next_id(), acme, 1));
  EXPECT_EQ(rows().size(), 1U);
  EXPECT_EQ(counter("day").reserved, 0);
}

TEST_P(StoreContract, R18_a_release_before_its_reserve_voids_it) {
  apply(one_cap);
  const AttemptId id = store->next_id();
  EXPECT_EQ(settle(id, acme, 0, How::released).how, How::voided);
  EXPECT_TRUE(std::holds_alternative<Error>(reserve(id, acme, {.fixed = 1})));
  EXPECT_TRUE(store->holds()->empty());
}

TEST_P(StoreContract, R19_an_adjustment_is_absolute_idempotent_and_may_lower) {
  apply(one_cap);
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, marketing, usd));
  settle(id, marketing, usd, How::hold);
  EXPECT_EQ(counter("day").unknown, usd);
  Adjustment change;
  change.attempt = id;
  change.id = "x";
  change.booked[Meter::usd] = usd / 10;
  change.actual = Usd{usd / 10};
  ASSERT_TRUE(store->adjust(change));
  ASSERT_TRUE(store->adjust(change));
  EXPECT_EQ(spent("day"), usd / 10);
  EXPECT_EQ(counter("day").unknown, 0);
  EXPECT_EQ(rows().size(), 2U);
}

TEST_P(StoreContract, R20_the_largest_output_limit_that_every_cap_can_pay_is_granted) {
  apply(two_caps);
  const auto answer =
      reserve(store->next_id(), marketing, {.fixed = usd / 10, .per_output = usd / 1000, .want = 5000, .least = 100});
  ASSERT_TRUE(std::holds_alternative<Granted>(answer));
  EXPECT_EQ(std::get<Granted>(answer).output_limit, 900);
  EXPECT_EQ(counter("project").committed, usd);
}

TEST_P(StoreContract, R20_an_output_without_a_limit_takes_a_sixteenth_of_what_is_unspent) {
  apply("[[cap]]\nid=\"day\"\nlimit=\"16 USD\"\nper=\"day\"\n");
  const auto answer = reserve(store->next_id(), acme,
                              {.per_output = usd / 1000, .want = 16384, .least = 256, .share = 16, .take = false});
  ASSERT_TRUE(std::holds_alternative<Granted>(answer));
  EXPECT_EQ(std::get<Granted>(answer).output_limit, 1000);
}

TEST_P(StoreContract, R21_only_holds_in_the_way_is_held_back_not_refused) {
  apply(one_cap);
  const AttemptId first = store->next_id();
  ASSERT_TRUE(granted(first, acme, usd * 3 / 4));
  const auto waits = reserve(store->next_id(), acme, {.fixed = usd / 2, .take = false});
  ASSERT_TRUE(std::holds_alternative<HeldBack>(waits));
  EXPECT_TRUE(std::get<HeldBack>(waits).refusal.held);
  const auto refused = reserve(store->next_id(), acme, {.fixed = usd / 2, .take = true});
  ASSERT_TRUE(std::holds_alternative<Refused>(refused));
  EXPECT_TRUE(std::get<Refused>(refused).held);
  settle(first, acme, usd / 4);
  EXPECT_TRUE(std::holds_alternative<Granted>(reserve(store->next_id(), acme, {.fixed = usd / 2, .take = false})));
}

TEST_P(StoreContract, R28_runs_have_their_own_counter_and_nest) {
  apply(one_cap);
  const RunHold outer{"run-1", "nightly", Usd{usd / 2}};
  const RunHold inner{"run-2", "step", Usd{usd / 4}};
  EXPECT_TRUE(
      std::holds_alternative<Granted>(reserve(store->next_id(), acme, {.fixed = usd / 4, .runs = {outer, inner}})));
  const auto refused = reserve(store->next_id(), acme, {.fixed = 1, .runs = {outer, inner}});
  ASSERT_TRUE(std::holds_alternative<Refused>(refused));
  EXPECT_EQ(std::get<Refused>(refused).caps[0].cap_id, "run:run-2");
  EXPECT_TRUE(std::holds_alternative<Granted>(reserve(store->next_id(), acme, {.fixed = usd / 4, .runs = {outer}})));
  EXPECT_FALSE(std::holds_alternative<Granted>(reserve(store->next_id(), acme, {.fixed = 1, .runs = {outer}})));
}

TEST_P(StoreContract, R34_halts_are_in_the_registry_and_settlements_pass) {
  apply(one_cap);
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 2));
  const auto halt = store->halt(Halt{});
  ASSERT_TRUE(halt);
  refresh();
  EXPECT_EQ(plan(acme).halts.size(), 1U);
  EXPECT_TRUE(settle(id, acme, usd / 4).first);
  ASSERT_TRUE(store->resume(halt->id, "me", "over"));
  refresh();
  EXPECT_TRUE(plan(acme).halts.empty());
  EXPECT_GE(store->changes(10)->size(), 3U);
}

TEST_P(StoreContract, R9_a_cap_takes_max_counters_and_no_more) {
  apply("[[cap]]\nid=\"user\"\nlimit=\"1 USD\"\nper=\"day\"\neach=\"user\"\nmax_counters=2\n");
  const auto user = [](const char* name) { return Labels{{"org", "acme"}, {"user", name}}; };
  EXPECT_TRUE(granted(store->next_id(), user("a"), 1));
  EXPECT_TRUE(granted(store->next_id(), user("b"), 1));
  const auto refused = std::get<Refused>(reserve(store->next_id(), user("c"), {.fixed = 1}));
  EXPECT_EQ(refused.code, Code::too_many_counters);
  EXPECT_EQ(refused.caps.front().cap_id, "user");
  EXPECT_TRUE(granted(store->next_id(), user("a"), 1));
  clock->advance(48 * hour_ms);
  ASSERT_TRUE(store->sweep());  // the old ones go, with their number
  refresh();
  EXPECT_TRUE(granted(store->next_id(), user("c"), 1));
}

TEST_P(StoreContract, R12_after_a_wrong_clock_windows_are_counted_again) {
  apply(one_cap);
  AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 4));
  settle(id, acme, usd / 4);
  const std::int64_t right = clock->wall;
  clock->wall += 40 * 24 * hour_ms;
  id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 2));
  settle(id, acme, usd / 8);
  ASSERT_TRUE(granted(store->next_id(), acme, usd / 16));
  clock->wall = right + 1000;
  ASSERT_TRUE(store->reset_clock());
  EXPECT_EQ(*store->now_ms(), right + 1000);
  EXPECT_EQ(counter("day").committed, usd / 4 + usd / 8 + usd / 16);
  EXPECT_EQ(counter("day").reserved, usd / 16);
}

TEST_P(StoreContract, R12_what_a_wrong_clock_took_for_old_is_counted_again) {
  apply("[[cap]]\nid=\"a\"\nlimit=\"1 USD\"\nper=\"day\"\nmatch={org=\"acme\"}\n");
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 4));
  settle(id, acme, usd / 4);
  const std::int64_t right = clock->wall;
  clock->wall += 3 * 24 * hour_ms;
  ASSERT_TRUE(store->sweep());
  ASSERT_TRUE(store->counters(std::nullopt)->empty());
  clock->wall = right + 1000;
  ASSERT_TRUE(store->reset_clock());
  EXPECT_EQ(counter("a").committed, usd / 4);
}

TEST_P(StoreContract, R9_what_a_run_spent_outlives_a_clock_that_was_wrong_once) {
  apply("");
  const Ask ask{.fixed = usd * 6 / 10, .runs = {{"r", "t", Usd{usd}}}};
  const AttemptId id = store->next_id();
  ASSERT_EQ(reserve(id, acme, ask).index(), 0U);
  settle(id, acme, usd / 2);
  const std::int64_t right = clock->wall;
  clock->wall += 402 * 24 * hour_ms;
  ASSERT_TRUE(store->sweep());
  clock->wall = right + 1000;
  ASSERT_TRUE(store->reset_clock());
  refresh();
  EXPECT_TRUE(std::holds_alternative<Refused>(reserve(store->next_id(), acme, ask)));
}

TEST_P(StoreContract, R9_a_run_that_goes_on_days_later_has_what_it_spent) {
  apply(one_cap);
  const Ask ask{.fixed = usd * 6 / 10, .runs = {{"r", "t", Usd{usd}}}};
  const AttemptId id = store->next_id();
  ASSERT_EQ(reserve(id, acme, ask).index(), 0U);
  settle(id, acme, usd / 2);
  EXPECT_EQ((*store->run("r"))->committed, usd / 2);
  clock->advance(50 * hour_ms);
  ASSERT_TRUE(store->sweep());
  EXPECT_TRUE(std::holds_alternative<Refused>(reserve(store->next_id(), acme, ask)));
  EXPECT_EQ((*store->run("r"))->committed, usd / 2);
  EXPECT_EQ((*store->run("r"))->limit, usd);
  EXPECT_FALSE(*store->run("another"));
}

TEST_P(StoreContract, R34_a_plan_with_a_halt_is_not_granted) {
  apply(one_cap);
  ASSERT_TRUE(store->halt(Halt{}));
  refresh();
  EXPECT_EQ(std::get<Refused>(reserve(store->next_id(), acme, {.fixed = 1})).code, Code::halted);
}

TEST_P(StoreContract, R2_refusals_are_logged_and_coalesced) {
  DenialEntry entry;
  entry.id = store->next_id();
  entry.first_ms = entry.last_ms = clock->wall;
  entry.cap_id = "day";
  entry.message = "no";
  ASSERT_TRUE(store->add_denials({entry, entry}));
  const auto log = store->denials(10);
  ASSERT_TRUE(log);
  ASSERT_EQ(log->size(), 1U);
  EXPECT_EQ(log->front().count, 2);
}

TEST_P(StoreContract, R1_on_random_schedules_of_many_threads) {
  apply(
      "[[cap]]\nid=\"u\"\neach=[\"user\"]\nlimit=\"1 USD\"\nper=\"day\"\n[[cap]]\nid=\"all\"\nlimit=\"3 "
      "USD\"\nper=\"day\"\n");
  std::atomic<std::int64_t> booked{0};
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 8; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937 random(seed);
      const Labels labels{{"user", "u" + std::to_string(seed % 4)}};
      for (int i = 0; i < 60; ++i) {
        const AttemptId id = store->next_id();
        const std::int64_t hold = usd / 50 + static_cast<std::int64_t>(random() % (usd / 50));
        if (!granted(id, labels, hold)) continue;
        const std::int64_t actual = static_cast<std::int64_t>(random()) % (hold + 1);
        booked += actual;
        settle(id, labels, actual);
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(spent("all"), booked.load());
  EXPECT_LE(counter("all").committed, 3 * usd);
  EXPECT_EQ(counter("all").reserved, 0);
  for (int u = 0; u < 4; ++u)
    EXPECT_LE(counter("u", "u" + std::to_string(u)).committed, usd);
}

TEST_P(StoreContract, R9_counters_go_a_day_after_their_window_when_no_hold_names_them) {
  apply(one_cap);
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 2));
  settle(id, acme, usd / 2);
  clock->advance(20 * hour_ms);
  ASSERT_TRUE(store->sweep());
  EXPECT_EQ(store->counters(std::nullopt)->size(), 1U);
  clock->advance(20 * hour_ms);
  ASSERT_TRUE(store->sweep());
  EXPECT_TRUE(store->counters(std::nullopt)->empty());
  EXPECT_TRUE(granted(store->next_id(), acme, usd));  // the cached row is not trusted
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract, ::testing::Values("memory", "file"),
                         [](const auto& store) { return store.param; });

}  // namespace
}  // namespace farthing::test
