// What documents, ids, renamings and limits set at run time do to the counters of a store (R4, R6 to R8).
#include "farthing/time_text.h"
#include "fixture.h"

namespace farthing::test {
namespace {

class StoreRegistry : public AnyStore {};

std::string cap_of(const std::string& id, const std::string& limit, const std::string& more) {
  return "[[cap]]\nid = \"" + id + "\"\nlimit = \"" + limit + "\"\n" + more + "\n";
}

TEST_P(StoreRegistry, R6_one_id_that_means_two_caps_is_an_error_and_forgets_nothing) {
  apply(cap_of("x", "3 requests", "per = \"month\""), "a");
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(granted(store->next_id(), acme, 0));
  const auto revision = store->registry()->revision;

  const auto second = store->apply(policy_of(cap_of("x", "1000 requests", "per = \"minute\""), "b"), true);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::invalid_policy);
  for (const char* part :
       {"\"x\"", "\"a\"", "per is minute here, month there", "another id", "farthing policy remove a"})
    EXPECT_NE(second.error().message.find(part), std::string::npos) << part << " in " << second.error().message;
  EXPECT_EQ(store->registry()->revision, revision);
  EXPECT_EQ(store->registry()->documents.size(), 1U);
  refresh();
  EXPECT_FALSE(granted(store->next_id(), acme, 0));

  // The way out, and a document that replaces itself.
  EXPECT_TRUE(store->apply(policy_of(cap_of("x", "1000 requests", "per = \"minute\""), "a"), false));
  ASSERT_TRUE(store->apply(policy_of(cap_of("x", "9 requests", "per = \"minute\""), "b"), false));
  ASSERT_FALSE(store->apply(policy_of(cap_of("x", "3 requests", "per = \"month\""), "a"), false));
  ASSERT_TRUE(store->remove_document("b"));
  EXPECT_TRUE(store->apply(policy_of(cap_of("x", "3 requests", "per = \"month\""), "a"), false));
  refresh();
  EXPECT_FALSE(granted(store->next_id(), acme, 0));  // R7: counted from the ledger
}

TEST_P(StoreRegistry, R4_all_that_makes_a_cap_is_named_where_it_differs) {
  apply(cap_of("x", "3 requests", "per = \"month\""), "a");
  const auto said = [&](const std::string& toml) {
    const auto answer = store->apply(policy_of(toml, "b"), false);
    return answer ? std::string() : answer.error().message;
  };
  const auto expect = [](const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  };
  expect(said(cap_of("x", "3 USD", "per = \"month\"")), "meter is usd here, requests there");
  expect(said(cap_of("x", "3 requests", "per = \"month\"\neach = [\"user\"]")), "each is [user] here, [] there");
  expect(said(cap_of("x", "3 requests", "per = \"month\"\nmatch = { org = \"acme\" }")),
         "match is {\"org\":[\"acme\"]} here");
  expect(said(cap_of("x", "3 requests", "per = \"month\"\ntimezone = \"Europe/Berlin\"")),
         "timezone is Europe/Berlin here");
  expect(said(cap_of("x", "3 requests", "per = \"month\"\nbilling_day = 15")), "billing_day is 15 here, 1 there");
  EXPECT_EQ(said(cap_of("x", "2 requests", "per = \"month\"\nalert = [50]")), "");
}

TEST_P(StoreRegistry, R4_a_renamed_cap_keeps_its_counter_and_the_limit_set_at_run_time) {
  apply(cap_of("old", "10 USD", "per = \"day\""));
  ASSERT_TRUE(granted(store->next_id(), acme, usd));
  Override stop;
  stop.cap_id = "old";
  stop.limit = 0;
  stop.who = "me";
  ASSERT_TRUE(store->set_override(stop));
  refresh();
  ASSERT_FALSE(granted(store->next_id(), acme, 1));
  apply(cap_of("new", "10 USD", "per = \"day\"\nwas = \"old\""));
  EXPECT_EQ(counter("new").committed, usd);
  EXPECT_FALSE(granted(store->next_id(), acme, 1));
  ASSERT_EQ(store->registry()->overrides.size(), 1U);
  EXPECT_EQ(store->registry()->overrides.front().cap_id, "new");
  EXPECT_EQ(store->registry()->overrides.front().who, "me");
  ASSERT_TRUE(store->clear_override("new", {}, "me", ""));
  refresh();
  EXPECT_TRUE(granted(store->next_id(), acme, 1));
}

TEST_P(StoreRegistry, R8_of_two_limits_that_meet_under_one_id_the_last_one_wins) {
  apply(cap_of("old", "10 USD", "per = \"day\""));
  Override change;
  change.cap_id = "new";
  change.limit = 5 * usd;
  ASSERT_TRUE(store->set_override(change));
  clock->advance(1000);
  change.cap_id = "old";
  change.limit = 0;
  ASSERT_TRUE(store->set_override(change));
  apply(cap_of("new", "10 USD", "per = \"day\"\nwas = \"old\""));
  EXPECT_FALSE(granted(store->next_id(), acme, 1));
  clock->advance(1000);
  change.cap_id = "newest";
  change.limit = 5 * usd;
  ASSERT_TRUE(store->set_override(change));
  apply(cap_of("newest", "10 USD", "per = \"day\"\nwas = \"new\""));
  EXPECT_TRUE(granted(store->next_id(), acme, usd));
}

TEST_P(StoreRegistry, R8_a_limit_is_not_that_of_a_cap_which_counts_something_else_under_its_id) {
  apply(cap_of("x", "5 USD", "per = \"day\""));
  Override change;
  change.cap_id = "x";
  change.limit = 9 * usd;
  ASSERT_TRUE(store->set_override(change));
  const auto of_usd = store->apply(policy_of(cap_of("x", "4 USD", "per = \"day\"")), false, "", "", true);
  ASSERT_EQ(of_usd->set_limits.size(), 1U);
  EXPECT_TRUE(of_usd->set_limits.front().in_force);
  EXPECT_EQ(of_usd->set_limits.front().cap.limit, 4 * usd);
  const auto of_requests = store->apply(policy_of(cap_of("x", "1 requests", "per = \"day\"")), false, "", "", true);
  ASSERT_EQ(of_requests->change.warnings.size(), 1U);
  EXPECT_NE(of_requests->change.warnings.front().find("no longer in force, 9.00 USD"), std::string::npos);
  apply(cap_of("x", "1 requests", "per = \"day\""));  // not nine thousand million of them
  EXPECT_TRUE(store->registry()->overrides.empty());
  EXPECT_TRUE(granted(store->next_id(), acme, 1));
  EXPECT_FALSE(granted(store->next_id(), acme, 1));
  apply(cap_of("x", "1 USD", "per = \"day\"\neach = [\"org\"]"));
  EXPECT_TRUE(store->registry()->overrides.empty());
  apply(cap_of("x", "2 requests", "per = \"day\""));
  const auto renamed = store->apply(policy_of(cap_of("y", "1 USD", "per = \"day\"\nwas = \"x\"")), false, "", "", true);
  EXPECT_TRUE(renamed->set_limits.empty());  // it stays with the id of a cap that is no more
  const auto back = store->apply(policy_of(cap_of("x", "1 USD", "per = \"day\"")), false, "", "", true);
  ASSERT_EQ(back->set_limits.size(), 1U);  // nobody expects it by then, so it is told
  EXPECT_TRUE(back->set_limits.front().in_force);
  apply(cap_of("x", "1 USD", "per = \"day\""));
  EXPECT_EQ(store->registry()->overrides.size(), 1U);
}

TEST_P(StoreRegistry, R8_a_limit_that_a_later_one_replaced_is_not_told_as_in_force) {
  const std::string users = cap_of("users", "1 USD", "per = \"day\"\neach = [\"user\"]");
  apply(users);
  Override change;
  change.cap_id = "users";
  change.each_values = {"u42"};
  change.limit = 9 * usd;
  ASSERT_TRUE(store->set_override(change));
  clock->advance(1'000);
  change.each_values.clear();
  change.limit = 5 * usd;
  ASSERT_TRUE(store->set_override(change));
  const auto told = [&] {
    std::vector<std::int64_t> limits;
    const auto applied = store->apply(policy_of(users), false, "", "", true);
    for (const SetLimit& set : applied->set_limits)
      limits.push_back(set.change.limit);
    return limits;
  };
  EXPECT_EQ(told(), std::vector<std::int64_t>{5 * usd});
  clock->advance(1'000);
  change.each_values = {"u43"};
  change.limit = 7 * usd;
  ASSERT_TRUE(store->set_override(change));
  EXPECT_EQ(told(), (std::vector<std::int64_t>{5 * usd, 7 * usd}));
}

TEST_P(StoreRegistry, R35_a_renamed_cap_does_not_tell_its_alerts_again) {
  const std::string more = "per = \"day\"\nalert = [100]\n";
  apply(cap_of("old", "1 USD", more));
  ASSERT_EQ(std::get<Refused>(reserve(store->next_id(), acme, {.fixed = 2 * usd})).alerts.size(), 1U);
  apply(cap_of("new", "1 USD", more + "was = \"old\""));
  EXPECT_TRUE(std::get<Refused>(reserve(store->next_id(), acme, {.fixed = 2 * usd})).alerts.empty());
}

TEST_P(StoreRegistry, R4_a_cap_that_another_document_goes_on_with_is_not_renamed_away) {
  apply(cap_of("x", "1 USD", "per = \"day\""), "a");
  apply(cap_of("x", "1 USD", "per = \"day\""), "b");
  ASSERT_TRUE(granted(store->next_id(), acme, usd / 2));
  apply(cap_of("y", "9 USD", "per = \"day\"\nwas = \"x\""), "b");
  EXPECT_EQ(counter("x").committed, usd / 2);
  EXPECT_EQ(counter("y").committed, usd / 2);  // R7
  EXPECT_FALSE(granted(store->next_id(), acme, usd));
}

TEST_P(StoreRegistry, R4_a_renamed_cap_of_another_window_is_counted_from_the_ledger) {
  apply(cap_of("old", "9 USD", "per = \"month\""));
  AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd));
  settle(id, acme, usd);
  clock->advance(48 * hour_ms);
  apply(cap_of("new", "1 USD", "per = \"day\"\nwas = \"old\""));
  EXPECT_TRUE(granted(store->next_id(), acme, usd));
  EXPECT_FALSE(granted(store->next_id(), acme, 1));
  clock->advance(24 * hour_ms);
  EXPECT_TRUE(granted(store->next_id(), acme, usd));  // its windows are days
}

TEST_P(StoreRegistry, R6_a_file_that_comes_back_and_loosens_nothing_is_a_warning) {
  Policy tight = policy_of(cap_of("day", "1 USD", "per = \"day\""), "team");
  Policy loose = policy_of(cap_of("day", "2 USD", "per = \"day\""), "team");
  tight.origin = loose.origin = Origin::file;
  const auto warnings = [&](const Policy& policy) {
    clock->advance(1'000);
    const auto said = store->apply(policy, false);
    EXPECT_TRUE(said) << said.error().message;
    return said ? said->change.warnings : std::vector<std::string>{};
  };
  EXPECT_TRUE(warnings(tight).empty());
  EXPECT_TRUE(warnings(tight).empty());  // opened again
  EXPECT_TRUE(warnings(loose).empty());  // never seen before
  const auto back = warnings(tight);
  ASSERT_EQ(back.size(), 1U);
  EXPECT_NE(back.front().find("\"team\" was in force in this store before, replaced since, and is in force again"),
            std::string::npos)
      << back.front();
  EXPECT_EQ(store->registry()->caps.front().cap.limit, usd);
  // Code is current whenever it is opened.
  tight.origin = loose.origin = Origin::code;
  EXPECT_TRUE(warnings(loose).empty());
  EXPECT_TRUE(warnings(tight).empty());
}

TEST_P(StoreRegistry, R8_the_change_log_says_who_set_and_who_cleared_a_limit_and_why) {
  apply(cap_of("day", "1 USD", "per = \"day\""));
  Override change;
  change.cap_id = "day";
  change.limit = 0;
  change.who = "ann";
  change.why = "runaway";
  ASSERT_TRUE(store->set_override(change));
  const auto revision = store->registry()->revision;
  clock->advance(5'000);
  ASSERT_TRUE(store->clear_override("day", {}, "bob", "found it"));
  EXPECT_GT(store->registry()->revision, revision);
  EXPECT_TRUE(store->registry()->overrides.empty());
  const auto log = store->changes(2);
  ASSERT_EQ(log->size(), 2U);
  EXPECT_EQ(log->at(0).what, "limit of day cleared");
  EXPECT_EQ(log->at(0).who, "bob");
  EXPECT_EQ(log->at(0).why, "found it");
  EXPECT_EQ(log->at(0).at_ms, clock->wall);
  EXPECT_EQ(log->at(1).what, "limit of day set to 0.00 USD, it was 1.00 USD");
  EXPECT_EQ(log->at(1).who, "ann");
  EXPECT_EQ(log->at(1).why, "runaway");
}

TEST_P(StoreRegistry, R8_the_change_log_says_for_which_counter_and_until_when) {
  apply("[[cap]]\nlimit = \"1 USD\"\nper = \"day\"\neach = [\"user\"]\n");
  Override change;
  change.cap_id = store->registry()->caps.front().cap.id;
  change.each_values = {"u42"};
  change.limit = 2 * usd;
  change.until_ms = 4'070'908'800'000;
  ASSERT_TRUE(store->set_override(change));
  EXPECT_EQ(store->changes(1)->front().what,
            "limit of 1.00 USD per day for each user for u42 set to 2.00 USD, it was 1.00 USD, until " +
                iso_utc(*change.until_ms));
}

TEST_P(StoreRegistry, R6_a_policy_in_code_that_drops_caps_of_its_former_version_says_so) {
  const std::string day = cap_of("day", "1 USD", "per = \"day\"");
  const std::string hour = cap_of("hour", "1 USD", "per = \"hour\"");
  ASSERT_TRUE(store->apply(policy_of(day, "code:a"), false)->change.warnings.empty());
  EXPECT_TRUE(store->apply(policy_of(day + hour, "code:a"), false)->change.warnings.empty());
  EXPECT_TRUE(store->apply(policy_of(hour, "code:b"), false)->change.warnings.empty());
  // "hour" is held by code:b, so that only "day" is gone.
  const auto said = store->apply(policy_of(cap_of("week", "1 USD", "per = \"week\""), "code:a"), false);
  ASSERT_EQ(said->change.warnings.size(), 1U);
  EXPECT_NE(said->change.warnings.front().find("no longer in force for anybody: \"day\". A guard"), std::string::npos)
      << said->change.warnings.front();
  EXPECT_TRUE(store->apply(policy_of(cap_of("7d", "1 USD", "per = \"week\"\nwas = \"week\""), "code:a"), false)
                  ->change.warnings.empty());
}

FARTHING_ON_ANY_STORE(StoreRegistry);

}  // namespace
}  // namespace farthing::test
