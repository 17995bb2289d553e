// What calls teach and what it changes: what is likely, never what is held (R44).
#include "guard/learning.h"

#include <algorithm>
#include <deque>
#include <fstream>
#include <random>

#include "fixture.h"

namespace farthing::test {
namespace {

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == by)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

std::vector<std::int64_t> values_of(const std::string& text) {
  std::vector<std::int64_t> values;
  if (text == "-") return values;
  for (const std::string& part : split(text, ',')) {
    const auto times = split(part, '*');
    values.insert(values.end(), times.size() == 1 ? 1 : std::stoul(times[0]), std::stoll(times.back()));
  }
  return values;
}

std::string shown(const std::optional<std::int64_t>& value) {
  return value ? std::to_string(*value) : "-";
}

Learned taught(const std::string& residuals, const std::string& outputs) {
  Learned row;
  for (const std::int64_t value : values_of(residuals))
    row.add({.key = 1, .residual = value, .output = std::nullopt}, 0);
  for (const std::int64_t value : values_of(outputs))
    row.add({.key = 1, .residual = std::nullopt, .output = value}, 0);
  return row;
}

TEST(Learned, vectors) {
  std::ifstream file(FARTHING_SOURCE_DIR "/tests/vectors/learning/rows.txt");
  std::size_t seen = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    ++seen;
    const auto field = split(line, '\t');
    if (field[0] == "residual") {
      EXPECT_EQ(std::to_string(guard::residual_of(std::stoll(field[1]), std::stoll(field[2]), field[3] == "tools")),
                field[4])
          << line;
    } else if (field[0] == "correction") {
      EXPECT_EQ(shown(taught(field[1], "-").correction()), field[2]) << line;
    } else if (field[0] == "corrected") {
      EXPECT_EQ(std::to_string(guard::corrected(std::stoll(field[1]), taught(field[2], "-"), field[3] == "tools")),
                field[4])
          << line;
    } else {
      ASSERT_EQ(field[0], "output");
      const Learned row = taught("-", field[1]);
      EXPECT_EQ(shown(row.output(50)), field[2]) << line;
      EXPECT_EQ(shown(row.output(90)), field[3]) << line;
    }
  }
  EXPECT_GT(seen, 35U);
}

TEST(Learned, quantiles_are_those_of_the_newest_values_sorted) {
  std::mt19937_64 random(20'261'121);
  for (int round = 0; round < 200; ++round) {
    Learned row;
    std::deque<std::int64_t> newest;
    const auto spread = 1 + static_cast<std::int64_t>(random() % 100'000);
    for (auto count = random() % 200; count > 0; --count) {
      const auto value = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(spread));
      row.add({.key = 1, .residual = std::nullopt, .output = value}, 0);
      newest.push_back(value);
      if (newest.size() > 64) newest.pop_front();
      std::vector<std::int64_t> sorted(newest.begin(), newest.end());
      std::sort(sorted.begin(), sorted.end());
      for (const int percent : {1, 50, 75, 90, 100}) {
        const auto said = row.output(percent);
        ASSERT_EQ(said.has_value(), sorted.size() >= 3);
        if (!said) continue;
        // The smallest that so many per cent do not exceed.
        const auto up_to = [&](std::int64_t bound) {
          return static_cast<std::size_t>(std::upper_bound(sorted.begin(), sorted.end(), bound) - sorted.begin());
        };
        EXPECT_GE(up_to(*said) * 100, sorted.size() * static_cast<std::size_t>(percent));
        EXPECT_LT(up_to(*said - 1) * 100, sorted.size() * static_cast<std::size_t>(percent));
        EXPECT_TRUE(std::binary_search(sorted.begin(), sorted.end(), *said));
      }
    }
  }
}

TEST(Lessons, the_first_calls_all_teach_then_one_in_eight) {
  Learned row;
  for (int i = 0; i < 16; ++i) {
    EXPECT_TRUE(guard::lesson_due(row, AttemptId{static_cast<std::uint64_t>(i)}));
    row.add({.key = 1, .residual = 0, .output = 0}, 0);
  }
  // Calls in turn, one every second millisecond: of each place in the turn about as many.
  int due[8] = {};
  for (std::uint64_t i = 0; i < 8'000; ++i)
    due[i % 8] += guard::lesson_due(row, AttemptId{(i * 2) << 22U}) ? 1 : 0;
  for (const int of_place : due) {
    EXPECT_GT(of_place, 80);
    EXPECT_LT(of_place, 170);
  }
}

class LearningTest : public GuardFixture {
 protected:
  static constexpr const char* cap = "[[cap]]\nid = \"day\"\nlimit = \"100 USD\"\nper = \"day\"\n";
  static std::string tool(const std::string& name) {
    return R"({"type":"function","function":{"name":")" + name +
           R"(","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}})";
  }
  static std::string asked(const std::string& tools, const std::string& text = "hello") {
    return R"({"model":"gpt-5-mini","messages":[{"role":"user","content":")" + text +
           R"("}],"max_completion_tokens":1000)" + (tools.empty() ? "" : R"(,"tools":[)" + tools + "]") + "}";
  }
  static std::string used_tokens(std::int64_t input, std::int64_t output) {
    return R"({"id":"chatcmpl-1","model":"gpt-5-mini","choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":)" +
           std::to_string(input) + R"(,"completion_tokens":)" + std::to_string(output) + R"(,"total_tokens":)" +
           std::to_string(input + output) + "}}";
  }
  void call_with(const std::string& body, std::int64_t input, std::int64_t output) {
    Attempt one = attempt();
    ASSERT_EQ(begin(one, body).kind, Verdict::Kind::send);
    answer(one, used_tokens(input, output));
    clock->advance(7);
  }
  Estimate estimate(const std::string& body, const std::string& host = "") {
    auto made = guard->estimate("chat.completions", body, Labels{}, nullptr, host, 1);
    EXPECT_TRUE(made) << made.error().message;
    return made ? std::move(*made) : Estimate{};
  }
  static std::int64_t part(const Estimate& estimate, const std::string& what) {
    for (const EstimatePart& part : estimate.likely_parts) {
      if (part.what == what) return part.count;
    }
    return -1'000'000;
  }
};

TEST_F(LearningTest, what_tools_cost_beside_the_count_is_learned) {
  open(cap);
  const std::string body = asked(tool("weather"));
  const Estimate before = estimate(body);
  EXPECT_EQ(before.learned_calls, 0);
  EXPECT_EQ(before.output_p90, std::nullopt);
  const std::int64_t counted = before.likely_meters[Meter::input_tokens];
  for (int i = 0; i < 3; ++i)
    call_with(body, counted + 9, 40 + i);
  const Estimate after = estimate(body);
  EXPECT_EQ(after.likely_meters[Meter::input_tokens], counted + 9);
  EXPECT_EQ(after.likely_meters[Meter::output_tokens], 41);
  EXPECT_EQ(after.output_p90, 42);
  EXPECT_EQ(after.learned_calls, 3);
  EXPECT_EQ(after.confidence, "calibrated");
  EXPECT_EQ(part(after, "input: learned from 3 calls"), 9);
  EXPECT_EQ(part(after, "output: learned from 3 calls"), 41);
  // Another text, spaced and escaped otherwise: the same tools. Another tool: nothing is known.
  EXPECT_EQ(estimate(asked(tool("w\\u0065ather") + " ", "Good morning")).learned_calls, 3);
  EXPECT_EQ(estimate(asked(tool("news"))).learned_calls, 0);
  EXPECT_EQ(estimate(asked("")).learned_calls, 0);
  EXPECT_EQ(estimate(body, "gateway.example.com").learned_calls, 0);
}

TEST_F(LearningTest, an_exact_count_is_not_corrected) {
  open(cap);
  const std::int64_t counted = estimate(asked("")).likely_meters[Meter::input_tokens];
  for (int i = 0; i < 8; ++i)
    call_with(asked(""), counted * 3, 5);
  const Estimate made = estimate(asked(""));
  EXPECT_EQ(made.confidence, "exact");
  EXPECT_EQ(made.likely_meters[Meter::input_tokens], counted);
  EXPECT_EQ(made.learned_calls, 8);  // of the answers
}

TEST_F(LearningTest, the_ledger_and_the_receipt_have_what_is_likely_then) {
  open(cap);
  for (int i = 0; i < 4; ++i)
    call_with(asked(""), 8, 200);
  const auto booked = rows();
  ASSERT_EQ(booked.size(), 4U);
  EXPECT_LT(booked.front().likely->nano, booked.back().likely->nano);  // 200 tokens, where 1,000 were taken at first
  EXPECT_EQ(booked.front().ceiling, booked.back().ceiling);
  EXPECT_EQ(booked.front().held, booked.back().held);
}

TEST_F(LearningTest, what_is_not_billed_by_usage_teaches_nothing) {
  open(cap);
  for (int i = 0; i < 5; ++i) {
    Attempt broken = attempt();
    ASSERT_EQ(begin(broken, asked("")).kind, Verdict::Kind::send);
    answer(broken, "{}", 500);
    Attempt gone = attempt();
    ASSERT_EQ(begin(gone, asked("")).kind, Verdict::Kind::send);
    ASSERT_TRUE(gone.sent());
    gone.abort(Abort::sent);
  }
  EXPECT_EQ(estimate(asked("")).learned_calls, 0);
}

TEST_F(LearningTest, choices_are_learned_one_by_one) {
  open(cap);
  const std::string two = R"({"model":"gpt-5-mini","messages":[],"max_completion_tokens":1000,"n":2})";
  for (int i = 0; i < 3; ++i)
    call_with(two, 3, 21);
  EXPECT_EQ(estimate(two).output_p90, 11);
  EXPECT_EQ(estimate(two).likely_meters[Meter::output_tokens], 22);
}

TEST_F(LearningTest, an_answer_is_likely_no_longer_than_its_limit) {
  open(cap);
  for (int i = 0; i < 3; ++i)
    call_with(asked(""), 8, 900);
  std::string body = asked("");
  body.replace(body.find("1000"), 4, "50");
  const Estimate short_one = estimate(body);
  EXPECT_EQ(short_one.likely_meters[Meter::output_tokens], 50);
  EXPECT_EQ(short_one.output_p90, 50);
}

TEST_F(LearningTest, images_teach_nothing_of_texts) {
  open("unbounded = \"context_window\"\n" + std::string(cap));
  const std::string body =
      R"({"model":"gpt-4o","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x.example/a.png"}}]}]})";
  for (int i = 0; i < 4; ++i)
    call_with(body, 5'000, 10);
  const Estimate made = estimate(body);
  EXPECT_EQ(part(made, "output: learned from 4 calls"), 10);
  for (const EstimatePart& each : made.likely_parts)
    EXPECT_EQ(each.what.find("input: learned"), std::string::npos);
}

TEST_F(LearningTest, a_store_that_cannot_be_read_for_it_stops_no_call) {
  const auto watched = open_watched(cap);
  watched->before = [](const char* step) -> std::optional<Error> {
    if (step == std::string("learned")) return Error{Code::store_busy, "another process has it"};
    return std::nullopt;
  };
  call_with(asked(""), 8, 5);
  EXPECT_EQ(rows().size(), 1U);
  EXPECT_EQ(estimate(asked("")).learned_calls, 0);
}

TEST_F(LearningTest, another_guard_on_the_store_knows_it_too) {
  const Folder folder;
  open(cap, "file:" + folder.path + "/x.db");
  for (int i = 0; i < 3; ++i)
    call_with(asked(tool("weather")), 70, 33);
  guard->close();
  open(cap, "file:" + folder.path + "/x.db");
  EXPECT_EQ(estimate(asked(tool("weather"))).learned_calls, 3);
}

/// Seeded programs of honest and of lying providers: what is likely never passes the ceiling, and neither the ceiling nor what is
/// held is another than that of a guard that never learned.
TEST_F(LearningTest, nothing_learned_touches_a_ceiling) {
  open(cap);
  const std::shared_ptr<Guard> fresh = [&] {
    GuardOptions own = options;
    own.store = "memory:";
    return *Guard::open(policy_of(cap, "fresh"), own);
  }();
  std::mt19937_64 random(31);
  const auto below = [&](std::uint64_t bound) { return static_cast<std::int64_t>(random() % bound); };
  int learned = 0;
  for (int i = 0; i < 600; ++i) {
    const std::string kind = below(3) == 0 ? "" : tool(below(2) == 0 ? "weather" : "news");
    const std::string body = asked(kind, std::string(static_cast<std::size_t>(below(400)), 'x'));
    const Estimate made = estimate(body);
    const auto unlearned = fresh->estimate("chat.completions", body, Labels{}, nullptr, "", 1);
    ASSERT_TRUE(unlearned);
    ASSERT_EQ(made.ceiling, unlearned->ceiling);
    ASSERT_EQ(made.ceiling_meters, unlearned->ceiling_meters);
    ASSERT_LE(*made.likely, *made.ceiling);
    for (std::size_t meter = 0; meter < meter_count; ++meter)
      ASSERT_LE(made.likely_meters.of[meter], made.ceiling_meters.of[meter]);
    learned += made.learned_calls > 0 ? 1 : 0;
    const std::int64_t lie = below(4);
    call_with(body,
              lie == 0   ? 0
              : lie == 1 ? below(1'000'000'000)
                         : 20 + below(100),
              lie == 0   ? 0
              : lie == 1 ? below(1'000'000)
                         : below(900));
    clock->advance(hour_ms * 24);  // the lies use the cap up
  }
  EXPECT_GT(learned, 500);
  for (const LedgerRow& row : rows())
    ASSERT_LE(row.likely->nano, row.ceiling->nano);
}

}  // namespace
}  // namespace farthing::test
