#include "farthing/cap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "policy/text.h"
#include "tests/core/policy/table.h"

namespace farthing {
namespace {

using testing::HasSubstr;

Match match_of(const std::string& json) {
  Match match;
  const auto parsed = nlohmann::json::parse(json);
  for (const auto& [kind, globs] : parsed.items()) {
    match.of.emplace_back(kind, globs.get<std::vector<std::string>>());
  }
  return match;
}

TEST(Match, agrees_with_the_vectors) {
  const auto rows = test::rows_of("match/match.txt");
  ASSERT_GE(rows.size(), 40U);
  for (const auto& row : rows) {
    ASSERT_EQ(3U, row.size());
    EXPECT_EQ(row[2] == "yes", match_of(row[0]).matches(*Labels::from_json(row[1]))) << row[0] << " " << row[1];
    EXPECT_EQ(row[0], match_of(row[0]).to_json());
  }
}

TEST(Match, a_glob_of_many_stars_is_still_fast) {
  const std::string text(2000, 'a');
  EXPECT_FALSE(glob_matches("*a*a*a*a*a*a*a*b", text));
}

TEST(Cap, identity_is_what_r4_says) {
  Cap cap;
  cap.limit = 5'000'000'000;
  cap.each = {"api_key"};
  cap.match.of = {{"project", {"marketing"}}};
  cap.window = {Per::day, "Europe/Berlin", 1};
  const std::string identity =
      R"(usd;match={"project":["marketing"]};each=["api_key"];per=day;zone=Europe/Berlin;billing_day=1)";
  cap.normalise();
  EXPECT_EQ(identity, cap.identity());
  EXPECT_EQ(identity, cap.id);

  Cap other = cap;  // what is not part of it
  other.limit = 1;
  other.limits[{"k1"}] = 2;
  other.alert = {50};
  other.message = "ask Ann";
  other.owner = "ann";
  other.refuse_absent = true;
  EXPECT_EQ(identity, other.identity());

  const auto differs = [&identity](const Cap& changed) { return changed.identity() != identity; };
  (other = cap).meter = Meter::requests;
  EXPECT_TRUE(differs(other));
  (other = cap).match = {};
  EXPECT_TRUE(differs(other));
  (other = cap).each = {"user"};
  EXPECT_TRUE(differs(other));
  (other = cap).window.per = Per::week;
  EXPECT_TRUE(differs(other));
  (other = cap).window.zone = "UTC";
  EXPECT_TRUE(differs(other));
  (other = cap).window.billing_day = 2;
  EXPECT_TRUE(differs(other));
}

TEST(Cap, identity_does_not_depend_on_how_it_was_written) {
  std::mt19937 random(4);
  Cap cap;
  cap.match.of = {{"env", {"prod"}}, {"model", {"gpt-5*", "o3"}}, {"org", {"acme"}}};
  cap.each = {"api_key", "project", "user"};
  cap.limits = {{{"k", "p", "u"}, 7}, {{"k2", "p2", "u2"}, 8}};
  cap.window.per = Per::day;
  cap.normalise();
  for (int round = 0; round < 100; ++round) {
    Cap shuffled = cap;
    std::vector<std::size_t> order = {0, 1, 2};
    std::shuffle(order.begin(), order.end(), random);
    std::shuffle(shuffled.match.of.begin(), shuffled.match.of.end(), random);
    for (auto& entry : shuffled.match.of) {
      entry.second.push_back(entry.second.front());
      std::shuffle(entry.second.begin(), entry.second.end(), random);
    }
    shuffled.limits.clear();
    for (std::size_t i = 0; i < 3; ++i)
      shuffled.each[i] = cap.each[order[i]];
    for (const auto& [values, limit] : cap.limits) {
      std::vector<std::string> moved(3);
      for (std::size_t i = 0; i < 3; ++i)
        moved[i] = values[order[i]];
      shuffled.limits[moved] = limit;
    }
    shuffled.normalise();
    ASSERT_EQ(cap, shuffled);
  }
}

TEST(Cap, what_a_window_does_not_have_is_not_in_its_identity) {
  Cap cap;
  cap.window = {Per::total, "Europe/Berlin", 15};
  cap.normalise();
  EXPECT_EQ((Window{Per::total, "UTC", 1}), cap.window);
  cap.window = {Per::week, "Europe/Berlin", 15};
  cap.normalise();
  EXPECT_EQ((Window{Per::week, "Europe/Berlin", 1}), cap.window);
  cap.meter = Meter::concurrent;
  cap.normalise();
  EXPECT_EQ((Window{Per::total, "UTC", 1}), cap.window);
}

TEST(Cap, a_given_id_stays) {
  Cap cap;
  cap.id = "daily";
  cap.id_given = true;
  cap.normalise();
  EXPECT_EQ("daily", cap.id);
}

TEST(Cap, words) {
  Cap cap;
  cap.limit = 5'000'000'000;
  cap.window.per = Per::day;
  EXPECT_EQ("5.00 USD per day", cap.words());
  cap.each = {"api_key"};
  cap.match.of = {{"project", {"marketing"}}};
  EXPECT_EQ("5.00 USD per day for each api_key, project=marketing", cap.words());
  cap.each = {"api_key", "project", "user"};
  cap.match.of = {{"env", {"prod"}}, {"model", {"gpt-5*", "o3"}}};
  EXPECT_EQ("5.00 USD per day for each api_key, project and user, env=prod, model=gpt-5*|o3", cap.words());
  cap = {};
  cap.meter = Meter::concurrent;
  cap.limit = 2;
  EXPECT_EQ("2 concurrent", cap.words());
  cap = {};
  cap.limit = 500'000'000;
  EXPECT_EQ("0.50 USD in total", cap.words());
  cap.window = {Per::month, "Europe/Berlin", 15};
  EXPECT_EQ("0.50 USD per month from day 15 (Europe/Berlin)", cap.words());
  cap.window = {Per::month, "UTC", 31};
  EXPECT_EQ("0.50 USD per month from its last day", cap.words());
  cap.window = {Per::call, "UTC", 1};
  EXPECT_EQ("0.50 USD per call", cap.words());
}

struct Accepted {
  std::string text;
  Meter meter;
  std::int64_t value;
  std::string written;
};

TEST(Limit, accepted) {
  const Units units = {{"credit", Usd{10'000'000}}};
  const std::vector<Accepted> cases = {
      {"5 USD", Meter::usd, 5'000'000'000, "5.00 USD"},
      {"$0.50", Meter::usd, 500'000'000, "0.50 USD"},
      {" 5 USD ", Meter::usd, 5'000'000'000, "5.00 USD"},
      {"0 USD", Meter::usd, 0, "0.00 USD"},
      {"9000000000 USD", Meter::usd, max_limit.nano, "9000000000.00 USD"},
      {"2 concurrent", Meter::concurrent, 2, "2 concurrent"},
      {"1000 requests", Meter::requests, 1000, "1000 requests"},
      {"1 request", Meter::requests, 1, "1 request"},
      {"1_000_000 input_tokens", Meter::input_tokens, 1'000'000, "1000000 input_tokens"},
      {"20,000 output_tokens", Meter::output_tokens, 20'000, "20000 output_tokens"},
      {"7 tokens", Meter::tokens, 7, "7 tokens"},
      {"3 images", Meter::images, 3, "3 images"},
      {"90 video_seconds", Meter::video_seconds, 90'000, "90 video_seconds"},
      {"1.5 audio_seconds", Meter::audio_seconds, 1'500, "1.5 audio_seconds"},
      {"0.001 audio_seconds", Meter::audio_seconds, 1, "0.001 audio_seconds"},
      {"10 characters", Meter::characters, 10, "10 characters"},
      {"4 actions", Meter::actions, 4, "4 actions"},
      {"4 runs", Meter::runs, 4, "4 runs"},
      {"500 credits", Meter::usd, 5'000'000'000, "5.00 USD"},
      {"1 credit", Meter::usd, 10'000'000, "0.01 USD"},
      {"0.5 credit", Meter::usd, 5'000'000, "0.005 USD"},
  };
  for (const Accepted& one : cases) {
    const Result<Limit> limit = parse_limit(one.text, units);
    ASSERT_TRUE(limit) << one.text << ": " << limit.error().message;
    EXPECT_EQ(one.meter, limit->meter) << one.text;
    EXPECT_EQ(one.value, limit->value) << one.text;
    EXPECT_EQ(one.written, limit_text(limit->meter, limit->value));
    EXPECT_EQ(one.written.substr(0, one.written.find(' ')), amount_text(limit->meter, limit->value));
    const Result<Limit> again = parse_limit(one.written);
    ASSERT_TRUE(again) << one.written;
    EXPECT_EQ(one.value, again->value) << one.written;
  }
}

TEST(Limit, refused) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "what is counted"},
      {"5", "what is counted"},
      {"5.00", "what is counted"},
      {"5 EUR", "USD"},
      {"-5 USD", ""},
      {"-5 requests", "expected a digit"},
      {"1.5 requests", "more decimals"},
      {"0.0001 video_seconds", "more decimals"},
      {"5 reqests", "did you mean \"requests\"?"},
      {"5 token", ""},
      {"5 dogs", "\"dogs\" is no meter"},
      {"5 USD per day", "limit = \"5 USD\", per = \"day\""},
      {"20_000 tokens per month", "limit = \"20_000 tokens\", per = \"month\""},
      {"5 dogs per day", "\"day\" is no meter"},
      {"requests", "expected a digit"},
      {"1e3 requests", "exponent"},
      {"1__0 requests", "only between digits"},
      {"_10 requests", "expected a digit"},
      {"9000000000.000000001 USD", "at most 9000000000.00 USD"},
      {"9100000000000000000 requests", "more than a limit can be"},
      {"9999999999999999999999999999999999 requests", "more than a limit can be"},
      {"1,5 audio_seconds", "three"},
      {"5 6 requests", "expected \"requests\""},
      {"5  requests x", "is no meter"},
      {"100000000000000000 credits", "more than a limit can be"},
      {"0.0000001 credits", ""},
  };
  const Units units = {{"credit", Usd{10'000'000}}};
  for (const auto& [text, fragment] : cases) {
    const Result<Limit> limit = parse_limit(text, units);
    if (text == "5 token" || text == "0.0000001 credits") {
      EXPECT_TRUE(limit) << text;  // singular; one nano
      continue;
    }
    ASSERT_FALSE(limit) << text;
    EXPECT_THAT(limit.error().message, HasSubstr(fragment)) << text;
  }
}

TEST(Words, near_words_are_suggested_and_far_ones_not) {
  constexpr std::array<std::string_view, 4> words = {"limit", "limits", "match", "on_exceed"};
  EXPECT_EQ("limit", policy::nearest("limt", words));
  EXPECT_EQ("match", policy::nearest("mathc", words));
  EXPECT_EQ("on_exceed", policy::nearest("on-exceed", words));
  EXPECT_EQ("on_exceed", policy::nearest("onExceed", words));
  EXPECT_EQ("", policy::nearest("colour", words));
  EXPECT_EQ("", policy::nearest("x", words));
  EXPECT_EQ("limit, limits, match or on_exceed", policy::one_of(words));
}

}  // namespace
}  // namespace farthing
