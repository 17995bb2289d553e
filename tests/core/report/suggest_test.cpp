// Caps from the ledger: the arithmetic as a table of vectors, and what is read out of a store.
#include "report/suggest.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "farthing/control.h"
#include "tests/core/policy/table.h"
#include "tests/stores/fixture.h"

namespace farthing::test {
namespace {

constexpr std::int64_t day_ms = 24 * hour_ms;

Usd amount(const std::string& text) {
  return parse_usd(text + " USD").value();
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  std::istringstream in(list);
  for (std::string part; std::getline(in, part, ',');)
    parts.push_back(part);
  return parts;
}

/// "3*1.5,2"
std::vector<std::int64_t> amounts(const std::string& list) {
  std::vector<std::int64_t> result;
  for (const std::string& part : split(list)) {
    const std::size_t times = part.find('*');
    const bool several = times != std::string::npos;
    result.insert(result.end(), several ? std::stoul(part) : 1, amount(several ? part.substr(times + 1) : part).nano);
  }
  return result;
}

void check_day(const std::vector<std::string>& row) {
  std::vector<DaySpent> days;
  for (const std::int64_t nano : amounts(row[1]))
    days.push_back({static_cast<std::int64_t>(days.size()), Usd{nano}});
  const report::NormalDays normal = report::normal_days(days);
  EXPECT_EQ(row[2], to_text(normal.median)) << row[1];
  EXPECT_EQ(row[3], to_text(normal.busiest.spent)) << row[1];
  std::string outliers;
  for (const DaySpent& day : normal.outliers)
    outliers += (outliers.empty() ? "" : ",") + to_text(day.spent);
  EXPECT_EQ(row[4], outliers.empty() ? "-" : outliers) << row[1];
  EXPECT_EQ(row[5], to_text(report::limit_per_day(normal.busiest.spent))) << row[1];
}

void check_run(const std::vector<std::string>& row) {
  const report::RunLimit run = report::limit_per_run(amounts(row[1]));
  EXPECT_EQ(row[2], to_text(run.median)) << row[1];
  EXPECT_EQ(row[3], to_text(run.usual)) << row[1];
  EXPECT_EQ(row[4], std::to_string(report::runs_above(amounts(row[1]), run.limit))) << row[1];
  EXPECT_EQ(row[5], to_text(run.limit)) << row[1];
}

void check_month(const std::vector<std::string>& row) {
  std::vector<DaySpent> days;
  for (const std::string& part : split(row[1])) {
    const std::size_t colon = part.find(':');
    days.push_back({std::stoll(part), amount(part.substr(colon + 1))});
  }
  const DaySpent busiest = report::busiest_weeks(days, report::normal_days(days));
  EXPECT_EQ(row[2], to_text(busiest.spent)) << row[1];
  EXPECT_EQ(row[3], std::to_string(busiest.day)) << row[1];
  EXPECT_EQ(row[4], to_text(report::limit_per_month(busiest.spent))) << row[1];
}

TEST(Suggest, vectors) {
  const auto rows = rows_of("suggest/limits.txt");
  ASSERT_GE(rows.size(), 35U);
  for (const auto& row : rows) {
    if (row[0] == "round")
      EXPECT_EQ(row[2], to_text(report::rounded_limit(amount(row[1]).nano))) << row[1];
    else if (row[0] == "day")
      check_day(row);
    else if (row[0] == "run")
      check_run(row);
    else if (row[0] == "month")
      check_month(row);
    else
      ADD_FAILURE() << row[0];
  }
}

TEST(Suggest, sums_near_the_largest_amount_stay_a_limit) {
  const std::vector<DaySpent> days(40, {0, max_limit});
  const report::NormalDays normal = report::normal_days(days);
  EXPECT_EQ(max_limit, normal.busiest.spent);
  EXPECT_EQ(max_limit, report::limit_per_day(normal.busiest.spent));
  EXPECT_EQ(max_limit, report::limit_per_month(report::busiest_weeks(days, normal).spent));
  EXPECT_EQ(max_limit, report::limit_per_run(std::vector<std::int64_t>(20, max_limit.nano)).limit);
}

class SuggestFrom : public AnyStore {
 protected:
  /// A call that is settled at once; it held what it costs, or `held`.
  void spend(const Labels& labels, const std::string& cost, const std::vector<RunHold>& runs = {},
             const std::string& held = "") {
    const AttemptId id = store->next_id();
    const Usd hold = cost == "unknown" ? Usd{usd} : amount(held.empty() ? cost : held);
    ASSERT_TRUE(std::holds_alternative<Granted>(reserve(id, labels, {.fixed = hold.nano, .runs = runs})));
    Settlement settlement;
    auto context = std::make_shared<CallContext>();
    context->labels = labels;
    settlement.row.id = id;
    settlement.row.context = context;
    settlement.row.how = How::usage;
    settlement.row.booked[Meter::requests] = 1;
    for (const RunHold& run : runs)
      settlement.row.runs.emplace_back(run.id, run.task);
    if (cost != "unknown") {
      settlement.row.actual = amount(cost);
      settlement.row.booked[Meter::usd] = settlement.row.actual->nano;
    }
    ASSERT_TRUE(store->settle(settlement));
    last = id;
  }
  void SetUp() override {
    AnyStore::SetUp();
    clock->wall = ms_of("2026-09-01T09:00:00Z");
    refresh();
  }
  CapSuggestions suggest(const SuggestOptions& asked = {}) {
    const auto found = Control::over(store)->suggest_caps(asked);
    EXPECT_TRUE(found) << found.error().message;
    return found ? *found : CapSuggestions{};
  }
  AttemptId last;
};
FARTHING_ON_ANY_STORE(SuggestFrom);

const Labels bot{{"api_key", "bot"}};

TEST_P(SuggestFrom, a_key_needs_seven_whole_days) {
  for (int day = 0; day < 7; ++day) {
    spend(bot, "1");
    spend(bot, "0.5");
    if (day == 0) {
      ASSERT_EQ(1U, suggest().too_little.size());  // the first day says what is missing too
      EXPECT_EQ(0, suggest().too_little[0].have);
    }
    if (day == 6) {  // today is not over
      const CapSuggestions found = suggest();
      EXPECT_TRUE(found.caps.empty());
      ASSERT_EQ(1U, found.too_little.size());
      EXPECT_EQ(6, found.too_little[0].have);
      EXPECT_EQ(7, found.too_little[0].need);
      EXPECT_NE(found.to_toml().find(R"(API key "bot" per day: 7 days with spending are needed, there are 6)"),
                std::string::npos)
          << found.to_toml();
    }
    clock->advance(day_ms);
  }
  const CapSuggestions found = suggest();
  EXPECT_TRUE(found.too_little.empty());
  ASSERT_EQ(1U, found.caps.size());
  EXPECT_EQ("bot", found.caps[0].value);
  EXPECT_EQ(SuggestedFor::day, found.caps[0].per);
  EXPECT_EQ("2.30", to_text(found.caps[0].limit));  // 1.5 * 1.5 = 2.25
  EXPECT_EQ(7, found.caps[0].samples);
}

TEST_P(SuggestFrom, days_are_those_of_the_zone) {
  clock->wall = ms_of("2026-09-01T22:30:00Z");  // 2 September in Berlin
  for (int day = 0; day < 9; ++day) {
    spend(bot, day == 3 ? "1.5" : "1");
    clock->advance(day_ms);
  }
  EXPECT_EQ(days_from_civil(2026, 9, 4), suggest().caps.at(0).busiest_day);
  EXPECT_EQ(days_from_civil(2026, 9, 5), suggest({.zone = "Europe/Berlin"}).caps.at(0).busiest_day);
}

TEST_P(SuggestFrom, a_day_that_since_cuts_is_not_counted) {
  for (int day = 0; day < 8; ++day) {
    spend(bot, day == 0 ? "0.1" : "1");
    clock->advance(hour_ms);
    spend(bot, day == 0 ? "0.1" : "1");
    clock->advance(day_ms - hour_ms);
  }
  EXPECT_EQ(8, suggest().caps.at(0).samples);
  EXPECT_EQ(8, suggest({.since_ms = ms_of("2026-09-01T00:00:00Z")}).caps.at(0).samples);
  EXPECT_EQ(7, suggest({.since_ms = ms_of("2026-09-01T09:30:00Z")}).caps.at(0).samples);
  EXPECT_EQ(6, suggest({.since_ms = ms_of("2026-09-02T09:30:00Z")}).too_little.at(0).have);
}

TEST_P(SuggestFrom, a_month_needs_four_weeks) {
  const Labels labels{{"org", "acme"}, {"project", "web"}};
  for (int day = 0; day < 27; ++day) {
    if (day % 2 == 0) spend(labels, "2");
    clock->advance(day_ms);
  }
  CapSuggestions found = suggest();
  EXPECT_TRUE(found.caps.empty());
  ASSERT_EQ(2U, found.too_little.size());
  EXPECT_EQ(27, found.too_little[0].have);
  EXPECT_EQ(28, found.too_little[0].need);
  clock->advance(day_ms);
  found = suggest();
  EXPECT_TRUE(found.too_little.empty());
  ASSERT_EQ(2U, found.caps.size());
  EXPECT_EQ("org", found.caps[0].kind);
  EXPECT_EQ("project", found.caps[1].kind);
  EXPECT_EQ("28.00", to_text(found.caps[0].busiest));  // 14 days of 2
  EXPECT_EQ("47.00", to_text(found.caps[0].limit));
  // Four weeks, but hardly used.
  Labels rare{{"org", "rare"}};
  spend(rare, "1");
  clock->advance(30 * day_ms);
  found = suggest();
  ASSERT_EQ(1U, found.too_little.size());
  EXPECT_EQ("days with spending", found.too_little[0].unit);
  EXPECT_EQ(1, found.too_little[0].have);
}

TEST_P(SuggestFrom, a_task_needs_ten_runs_and_a_run_is_the_sum_of_its_calls) {
  for (int run = 0; run < 10; ++run) {
    const std::vector<RunHold> inner{{"outer" + std::to_string(run), "outer", std::nullopt},
                                     {"run" + std::to_string(run), "triage", std::nullopt}};
    spend({{"task", "triage"}}, "0.1", inner);
    spend({{"task", "triage"}}, "0.2", inner);
    spend({{"task", "outer"}}, "0.3", {inner[0]});
    if (run < 9) {
      EXPECT_EQ(2U, suggest().too_little.size());
    }
  }
  const CapSuggestions found = suggest();
  ASSERT_EQ(2U, found.caps.size());  // today's runs count: a run ends
  EXPECT_EQ("outer", found.caps[0].value);
  EXPECT_EQ("0.60", to_text(found.caps[0].median));
  EXPECT_EQ("1.20", to_text(found.caps[0].limit));
  EXPECT_EQ("triage", found.caps[1].value);
  EXPECT_EQ("0.30", to_text(found.caps[1].median));
  EXPECT_EQ("0.60", to_text(found.caps[1].limit));
  EXPECT_NE(found.to_toml().find(R"(#   guard.task("triage", limit="0.60 USD"))"), std::string::npos);
}

TEST_P(SuggestFrom, a_limit_admits_the_calls_with_what_they_hold) {
  for (int run = 0; run < 10; ++run) {
    const std::vector<RunHold> runs{{"run" + std::to_string(run), "triage", std::nullopt}};
    spend({{"task", "triage"}}, "0.01", runs, "0.35");
    spend({{"task", "triage"}}, "0.02", runs, "0.35");
    spend({{"task", "triage"}}, "0.01", runs, "0.03");
  }
  const CapSuggestions found = suggest();
  ASSERT_EQ(1U, found.caps.size());
  EXPECT_EQ("0.36", to_text(found.caps[0].limit));  // 0.01 was spent when the second held 0.35
  EXPECT_EQ("0.08", to_text(*found.caps[0].of_spending));
  EXPECT_NE(found.to_toml().find("# spending speaks for 0.08 USD"), std::string::npos) << found.to_toml();
  // With the suggested limit each call of such a run is admitted, with a cent less it is not.
  const auto admitted = [&](const std::string& limit, const std::string& id) {
    const std::vector<RunHold> runs{{id, "triage", amount(limit)}};
    spend({{"task", "triage"}}, "0.01", runs, "0.35");
    const Usd second = amount("0.35");
    return std::holds_alternative<Granted>(
        reserve(store->next_id(), {{"task", "triage"}}, {.fixed = second.nano, .runs = runs}));
  };
  EXPECT_TRUE(admitted("0.36", "enough"));
  EXPECT_FALSE(admitted("0.35", "too little"));
}

TEST_P(SuggestFrom, a_runaway_run_does_not_make_room_for_itself) {
  for (int run = 0; run < 21; ++run) {
    const std::vector<RunHold> runs{{"run" + std::to_string(run), "triage", std::nullopt}};
    for (int i = 0; i < (run < 2 ? 40 : 1); ++i)
      spend({{"task", "triage"}}, "0.01", runs, "0.04");
  }
  const CapSuggestions found = suggest();
  ASSERT_EQ(1U, found.caps.size());
  EXPECT_EQ("0.04", to_text(found.caps[0].limit));  // three times the median is 0.03, a call holds 0.04
  EXPECT_EQ("0.03", to_text(*found.caps[0].of_spending));
  EXPECT_EQ(2, found.caps[0].above);
}

TEST_P(SuggestFrom, a_day_admits_the_calls_of_a_busy_one) {
  for (int day = 0; day < 8; ++day) {
    spend(bot, "0.01");
    spend(bot, "0.02", {}, day == 3 ? "0.50" : "0.02");
    clock->advance(day_ms);
  }
  const CapSuggestions found = suggest();
  ASSERT_EQ(1U, found.caps.size());
  EXPECT_EQ("0.51", to_text(found.caps[0].limit));  // 0.03 a day, and 0.48 more than was spent then
  EXPECT_EQ("0.045", to_text(*found.caps[0].of_spending));
}

TEST_P(SuggestFrom, unknown_cost_is_left_out_and_not_zero) {
  for (int day = 0; day < 9; ++day) {
    spend(bot, "1");
    if (day < 2) spend(bot, "unknown");
    clock->advance(day_ms);
  }
  CapSuggestions found = suggest();
  EXPECT_EQ(2, found.unknown_cost);
  ASSERT_EQ(1U, found.caps.size());
  EXPECT_EQ(7, found.caps[0].samples);
  EXPECT_EQ(2, found.caps[0].left_out);
  EXPECT_NE(found.to_toml().find("2 calls are of unknown cost"), std::string::npos);
  // A correction makes it known.
  spend(bot, "unknown");
  ASSERT_TRUE(Control::over(store)->adjust(last, amount("3"), {"ann", "the invoice"}));
  clock->advance(day_ms);
  found = suggest();
  EXPECT_EQ(2, found.unknown_cost);
  EXPECT_EQ(8, found.caps.at(0).samples);
}

TEST_P(SuggestFrom, a_correction_belongs_to_the_day_of_its_attempt) {
  for (int day = 0; day < 8; ++day) {
    spend(bot, "1");
    clock->advance(day_ms);
  }
  ASSERT_TRUE(Control::over(store)->adjust(last, amount("1.9"), {"ann", "the invoice"}));
  const CapSuggestions found = suggest();
  EXPECT_EQ("1.90", to_text(found.caps.at(0).busiest));
  EXPECT_EQ(days_from_civil(2026, 9, 8), found.caps.at(0).busiest_day);
}

TEST_P(SuggestFrom, what_is_free_or_unlabelled_asks_for_nothing) {
  for (int day = 0; day < 30; ++day) {
    spend({{"api_key", "local"}, {"org", "acme"}}, "0");
    spend({}, "1");
    clock->advance(day_ms);
  }
  const CapSuggestions found = suggest();
  EXPECT_TRUE(found.caps.empty());
  EXPECT_TRUE(found.too_little.empty());
  EXPECT_NE(found.to_toml().find("no caps to suggest"), std::string::npos);
}

TEST_P(SuggestFrom, an_empty_ledger_says_so) {
  const CapSuggestions found = suggest();
  EXPECT_EQ(0, found.entries);
  EXPECT_TRUE(policy_of(found.to_toml()).caps.empty());
  EXPECT_EQ(0, nlohmann::json::parse(found.to_json()).at("entries"));
}

TEST_P(SuggestFrom, the_policy_is_accepted_and_means_those_calls) {
  const std::vector<std::string> names = {"bot", R"(a "quoted\ name")", "${HOME}", "kunde-ü", "a*b"};
  for (int day = 0; day < 30; ++day) {
    for (const std::string& name : names)
      spend({{"api_key", name}, {"project", name}}, "1");
    clock->advance(day_ms);
  }
  const CapSuggestions found = suggest({.zone = "Europe/Berlin"});
  EXPECT_EQ(2 * names.size(), found.caps.size());
  const Policy policy = policy_of(found.to_toml());
  ASSERT_EQ(2 * names.size() - 2, policy.caps.size()) << found.to_toml();  // a pattern is only told
  for (const Cap& cap : policy.caps) {
    EXPECT_EQ("Europe/Berlin", cap.window.zone);
    EXPECT_EQ((std::vector<int>{50, 80}), cap.alert);
    const auto& [kind, globs] = cap.match.of.at(0);
    EXPECT_EQ(kind == "project" ? Per::month : Per::day, cap.window.per);
    EXPECT_NE(std::find(names.begin(), names.end(), globs.at(0)), names.end()) << globs.at(0);
  }
  // Put in force, the next report names what it would replace.
  apply(found.to_toml());
  const CapSuggestions again = suggest({.zone = "Europe/Berlin"});
  EXPECT_EQ(again.caps.at(0).limit, again.caps.at(0).in_force);
  EXPECT_NE(again.to_toml().find("which is in force"), std::string::npos);
  const auto control = Control::over(store);
  ASSERT_TRUE(control->set_limit(policy.caps[0].id, {}, "7 USD", std::nullopt, {}));
  EXPECT_EQ("7.00", to_text(suggest({.zone = "Europe/Berlin"}).caps.at(0).in_force.value()));
  EXPECT_FALSE(suggest().caps.at(0).in_force);  // days of UTC make another cap
}

TEST_P(SuggestFrom, an_unknown_zone_is_an_error) {
  const auto found = Control::over(store)->suggest_caps({.zone = "Mars/Olympus"});
  ASSERT_FALSE(found);
  EXPECT_EQ(Code::invalid_argument, found.error().code);
}

}  // namespace
}  // namespace farthing::test
