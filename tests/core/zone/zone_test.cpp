#include "zone/zone.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace farthing {
namespace {

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream in(line);
  for (std::string field; std::getline(in, field, '\t');)
    fields.push_back(field);
  return fields;
}

Civil parse(const std::string& text) {
  Civil civil;
  EXPECT_EQ(6, std::sscanf(text.c_str(), "%d-%d-%d %d:%d:%d", &civil.year, &civil.month, &civil.day, &civil.hour,
                           &civil.minute, &civil.second))
      << text;
  return civil;
}

std::int64_t to_unix(const Zone& zone, const std::string& text) {
  const Civil civil = parse(text);
  return zone.to_unix(civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second);
}

Zone zone(std::string_view name) {
  const auto found = Zone::find(name);
  EXPECT_TRUE(found) << name;
  return found.value_or(Zone::utc());
}

// Python's zoneinfo says the same, line by line.
TEST(Zone, agrees_with_the_vectors) {
  std::ifstream in(FARTHING_SOURCE_DIR "/tests/vectors/zones.txt");
  int checked = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    SCOPED_TRACE(line);
    const auto fields = split(line);
    ASSERT_EQ(4u, fields.size());
    if (fields[0] == "offset") {
      EXPECT_EQ(std::stoll(fields[3]), zone(fields[1]).utc_offset_at(std::stoll(fields[2])));
    } else if (fields[0] == "local") {
      EXPECT_EQ(std::stoll(fields[3]), to_unix(zone(fields[1]), fields[2]));
    } else {
      ASSERT_EQ("civil", fields[0]);
      Civil expected = parse(fields[2]);
      expected.weekday = std::stoi(fields[3]);
      EXPECT_EQ(expected, civil_of(std::stoll(fields[1])));
      EXPECT_EQ(std::stoll(fields[1]), to_unix(Zone::utc(), fields[2]));
    }
    ++checked;
  }
  EXPECT_GT(checked, 2000);
}

// R13: a missing local midnight is the first instant after it.
TEST(Zone, missing_midnight_is_the_first_instant_after_the_gap) {
  const Zone sao_paulo = zone("America/Sao_Paulo");
  const std::int64_t start = sao_paulo.to_unix(2018, 11, 4);  // clocks went from 00:00 to 01:00
  EXPECT_EQ((Civil{2018, 11, 4, 1, 0, 0, 6}), sao_paulo.civil_at(start));
  EXPECT_EQ((Civil{2018, 11, 3, 23, 59, 59, 5}), sao_paulo.civil_at(start - 1));
  EXPECT_EQ(start, sao_paulo.to_unix(2018, 11, 4, 0, 30));
}

TEST(Zone, repeated_midnight_is_the_earlier_one) {
  const Zone havana = zone("America/Havana");
  const std::int64_t start = havana.to_unix(2018, 11, 4);  // 00:00 to 01:00 happened twice
  EXPECT_EQ((Civil{2018, 11, 4, 0, 0, 0, 6}), havana.civil_at(start));
  EXPECT_EQ((Civil{2018, 11, 4, 0, 0, 0, 6}), havana.civil_at(start + 3600));
}

TEST(Zone, a_whole_day_can_be_missing) {
  const Zone apia = zone("Pacific/Apia");
  EXPECT_EQ(apia.to_unix(2011, 12, 31), apia.to_unix(2011, 12, 30));
  EXPECT_EQ(apia.to_unix(2011, 12, 31), apia.to_unix(2011, 12, 29) + 86400);
}

TEST(Zone, days_and_months_may_lie_outside) {
  EXPECT_EQ(days_from_civil(2027, 1, 1), days_from_civil(2026, 13, 1));
  EXPECT_EQ(days_from_civil(2025, 12, 31), days_from_civil(2026, 1, 0));
  EXPECT_EQ(days_from_civil(2028, 2, 29), days_from_civil(2028, 1, 60));
  EXPECT_EQ(zone("Europe/Berlin").to_unix(2027, 1, 1), zone("Europe/Berlin").to_unix(2026, 12, 32));
  EXPECT_EQ(29, days_in_month(2028, 2));
  EXPECT_EQ(28, days_in_month(2100, 2));
  EXPECT_EQ(31, days_in_month(2026, 12));
}

TEST(Zone, every_day_of_four_centuries_survives_the_round_trip) {
  for (std::int64_t day = days_from_civil(1799, 12, 31); day <= days_from_civil(2200, 1, 1); ++day) {
    const Civil civil = civil_of(day * 86400 + 1);
    ASSERT_EQ(day, days_from_civil(civil.year, civil.month, civil.day));
  }
}

TEST(Zone, links_are_names_of_the_same_zone) {
  EXPECT_EQ("US/Eastern", zone("US/Eastern").name());
  for (const std::int64_t at : {0, 1'700'000'000, 1'720'000'000}) {
    EXPECT_EQ(zone("America/New_York").utc_offset_at(at), zone("US/Eastern").utc_offset_at(at));
  }
}

TEST(Zone, unknown_names_are_not_found_and_near_ones_are_suggested) {
  for (const auto* name : {"", "Europe/Berlim", "europe/berlin", "Mars/Base", "Europe/Berlin "}) {
    EXPECT_FALSE(Zone::find(name)) << name;
  }
  EXPECT_EQ("Europe/Berlin", Zone::suggest("Europe/Berlim"));
  EXPECT_EQ("Europe/Berlin", Zone::suggest("europe/berlin"));
  EXPECT_EQ("Europe/Berlin", Zone::suggest("Berlin"));
  EXPECT_EQ("America/New_York", Zone::suggest("America/NewYork"));
  EXPECT_EQ("UTC", Zone::suggest("utc"));
  EXPECT_EQ("", Zone::suggest("the office"));
}

TEST(Zone, data_is_dated) {
  EXPECT_EQ("20", Zone::data_version().substr(0, 2));
}

}  // namespace
}  // namespace farthing
