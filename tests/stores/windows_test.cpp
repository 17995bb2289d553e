// Where windows begin and end in a store (R13).
#include <cstdlib>

#include "fixture.h"

namespace farthing::test {
namespace {

class StoreWindows : public AnyStore {
 protected:
  void go_to(std::int64_t at_ms) { clock->advance(at_ms - clock->wall); }
  void apply_window(const std::string& window) { apply("[[cap]]\nid = \"c\"\nlimit = \"1 USD\"\n" + window); }
  /// Uses the cap up, and is refused until the window's end, then not.
  void expect_window_ends(std::int64_t at_ms) {
    const auto spend = [&] {
      const AttemptId id = store->next_id();
      const bool taken = granted(id, acme, usd);
      if (taken) settle(id, acme, usd);
      return taken;
    };
    ASSERT_TRUE(spend());
    EXPECT_EQ(counter("c").window.end_ms, at_ms);
    go_to(at_ms - 1);
    EXPECT_FALSE(spend());
    go_to(at_ms);
    EXPECT_TRUE(spend());
  }
};
FARTHING_ON_ANY_STORE(StoreWindows);

// Instants in UTC, from a calendar.
constexpr std::int64_t wednesday_2026_11_18 = 1'794'960'000'000;
constexpr std::int64_t monday_2026_11_23 = wednesday_2026_11_18 + 5 * 24 * hour_ms;
constexpr std::int64_t january_31_2027 = 1'801'353'600'000;
constexpr std::int64_t february_28_2027 = january_31_2027 + 28 * 24 * hour_ms;
constexpr std::int64_t march_31_2027 = february_28_2027 + 31 * 24 * hour_ms;
constexpr std::int64_t april_29_2027_22h = 1'809'036'000'000;

TEST_P(StoreWindows, R13_weeks_start_on_monday_in_utc_whatever_the_machine_says) {
  ASSERT_EQ(setenv("TZ", "Asia/Tokyo", 1), 0);
  tzset();
  go_to(wednesday_2026_11_18 + 20 * hour_ms);
  apply_window("per = \"week\"\n");
  expect_window_ends(monday_2026_11_23);
  unsetenv("TZ");
  tzset();
}

TEST_P(StoreWindows, R13_billing_day_31_is_the_months_last_day) {
  go_to(january_31_2027);
  apply_window("per = \"month\"\nbilling_day = 31\n");
  expect_window_ends(february_28_2027);
  EXPECT_EQ(counter("c").window.end_ms, march_31_2027);
}

TEST_P(StoreWindows, R13_a_missing_midnight_is_the_first_instant_after_it) {
  // In Cairo the clocks go from 00:00 to 01:00 on the last Friday of April: that day begins at 01:00, which is 22:00 UTC.
  go_to(april_29_2027_22h - 3 * hour_ms);
  apply_window("per = \"day\"\ntimezone = \"Africa/Cairo\"\n");
  expect_window_ends(april_29_2027_22h);
}

}  // namespace
}  // namespace farthing::test
