#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <random>
#include <string>

#include "farthing/cap.h"
#include "tests/core/policy/table.h"

namespace farthing {
namespace {

std::size_t check_table(const std::string& vector) {
  const auto rows = test::rows_of(vector);
  for (const auto& row : rows) {
    EXPECT_EQ(6U, row.size());
    if (row.size() != 6) continue;
    const Window window{per_of(row[0]).value(), row[1], std::stoi(row[2])};
    const WindowBounds bounds = window_around(window, test::ms_of(row[3]));
    const WindowBounds expected{test::ms_of(row[4]), test::ms_of(row[5])};
    EXPECT_EQ(expected.start_ms, bounds.start_ms) << row[0] << " " << row[1] << " " << row[2] << " " << row[3];
    EXPECT_EQ(expected.end_ms, bounds.end_ms) << row[0] << " " << row[1] << " " << row[2] << " " << row[3];
    // Its first and its last millisecond are in it, the neighbours are not.
    EXPECT_EQ(expected, window_around(window, expected.start_ms));
    EXPECT_EQ(expected, window_around(window, expected.end_ms - 1));
    EXPECT_EQ(expected.start_ms, window_around(window, expected.start_ms - 1).end_ms);
    EXPECT_EQ(expected.end_ms, window_around(window, expected.end_ms).start_ms);
  }
  return rows.size();
}

TEST(Window, worked_timelines) {
  EXPECT_GE(check_table("windows/worked.txt"), 30U);
}

// zoneinfo says the same, found by walking minute by minute (make_window_vectors.py).
TEST(Window, agrees_with_an_independent_reading) {
  EXPECT_GE(check_table("windows/around.txt"), 500U);
}

// Its zone, its zone data and its locale (R13).
TEST(Window, never_asks_the_machine) {
  setenv("TZ", "America/New_York", 1);
  setenv("TZDIR", "/nonexistent", 1);
  tzset();
  const std::int64_t noon = test::ms_of("2026-07-01T12:00:00Z");
  EXPECT_EQ(window_around(Window{Per::day}, noon).start_ms, test::ms_of("2026-07-01T00:00:00Z"));
  EXPECT_EQ(window_around({Per::day, "Europe/Berlin", 1}, noon).start_ms, test::ms_of("2026-06-30T22:00:00Z"));
  unsetenv("TZ");
  unsetenv("TZDIR");
  tzset();
}

TEST(Window, total_is_all_time_and_a_call_has_none) {
  EXPECT_EQ((WindowBounds{0, std::numeric_limits<std::int64_t>::max()}), window_around({Per::total, "UTC", 1}, 5));
  EXPECT_EQ(WindowBounds{}, window_around({Per::call, "UTC", 1}, 5));
}

TEST(Window, the_words_of_per_round_trip) {
  for (const Per per : {Per::call, Per::minute, Per::hour, Per::day, Per::week, Per::month, Per::total}) {
    EXPECT_EQ(per, per_of(per_text(per)));
  }
  EXPECT_FALSE(per_of("year"));
  EXPECT_FALSE(per_of(""));
}

TEST(Window, a_far_clock_neither_hangs_nor_overflows) {
  for (const std::int64_t at : {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
    for (const Per per : {Per::minute, Per::hour, Per::day, Per::week, Per::month}) {
      const WindowBounds bounds = window_around({per, "Europe/Berlin", 31}, at);
      EXPECT_LT(bounds.start_ms, bounds.end_ms);
    }
  }
}

// R12: the next window starts no earlier than the last ended, and no instant is in none or in two.
TEST(Window, windows_tile_time) {
  constexpr std::array zones = {"UTC",
                                "Europe/Berlin",
                                "America/Sao_Paulo",
                                "America/St_Johns",
                                "Australia/Lord_Howe",
                                "Pacific/Apia",
                                "Africa/Cairo",
                                "Africa/Casablanca",
                                "Asia/Gaza",
                                "Antarctica/Troll",
                                "Pacific/Kwajalein",
                                "Asia/Manila",
                                "America/Juneau"};
  std::mt19937_64 random(20261121);
  for (int round = 0; round < 4000; ++round) {
    Window window;
    window.per = static_cast<Per>(1 + random() % 5);
    window.zone = zones[random() % zones.size()];
    window.billing_day = static_cast<int>(1 + random() % 31);
    // 1850 to 2200, milliseconds included.
    const std::int64_t at = -3'786'912'000'000 + static_cast<std::int64_t>(random() % 11'045'030'400'000ULL);
    SCOPED_TRACE(window.zone + " per " + std::string(per_text(window.per)) + " at " + std::to_string(at));
    const WindowBounds here = window_around(window, at);
    ASSERT_LE(here.start_ms, at);
    ASSERT_LT(at, here.end_ms);
    const auto length = static_cast<std::uint64_t>(here.end_ms - here.start_ms);
    ASSERT_EQ(here, window_around(window, here.start_ms + static_cast<std::int64_t>(random() % length)));
    const WindowBounds next = window_around(window, here.end_ms);
    ASSERT_EQ(here.end_ms, next.start_ms);
    ASSERT_EQ(here, window_around(window, next.start_ms - 1));
  }
}

}  // namespace
}  // namespace farthing
