// What bounds the cost of a request: tests/vectors/calls/bounds.txt.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>

#include "farthing/count.h"
#include "tests/core/guard/fixture.h"

namespace farthing::test::bounds_test {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;

struct Case {
  std::string host, path, expected, body;
};
std::vector<Case> cases() {
  std::vector<Case> found;
  std::ifstream file(FARTHING_SOURCE_DIR "/tests/vectors/calls/bounds.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    const std::size_t first = line.find('\t');
    const std::size_t second = line.find('\t', first + 1);
    const std::string where = line.substr(0, first);
    const std::string path = where.substr(where.find('/'));
    const std::string tail = line.substr(second + 1);
    if (path.ends_with("generateContent")) {
      found.push_back({where.substr(0, where.find('/')), path, line.substr(first + 1, second - first - 1),
                       R"({"model":"gemini-2.5-flash-lite",)" + tail + "}"});
      continue;
    }
    const std::string model = where.starts_with("api.anthropic") ? "claude-haiku-4-5" : "gpt-5-mini";
    const std::string limit = path == "/v1/responses" ? "max_output_tokens" : "max_tokens";
    found.push_back({where.substr(0, where.find('/')), path, line.substr(first + 1, second - first - 1),
                     R"({"model":")" + model + "\",\"" + limit + "\":100," + tail + "}"});
  }
  return found;
}

std::string endpoint_of(const std::string& path) {
  if (path.ends_with("generateContent")) return "generateContent";
  return path == "/v1/messages" ? "messages" : path == "/v1/responses" ? "responses" : "chat.completions";
}

class Bounds : public GuardFixture {};

TEST_F(Bounds, of_the_vectors) {
  open(a_dollar_a_day);
  ASSERT_GT(cases().size(), 50U);
  for (const Case& each : cases()) {
    const std::string endpoint = endpoint_of(each.path);
    const auto estimate = guard->estimate(endpoint, each.body, Labels{}, nullptr, each.host, 1);
    ASSERT_TRUE(estimate) << each.body << estimate.error().message;
    const bool refused = each.expected.starts_with("refused");
    if (each.expected == "bytes") {
      EXPECT_THAT(estimate->unbounded_by, IsEmpty()) << each.body;
    } else {
      EXPECT_THAT(estimate->unbounded_by, Contains(each.expected.substr(each.expected.find("| ") + 2))) << each.body;
      EXPECT_EQ(estimate->confidence, "unbounded") << each.body;
    }
    EXPECT_EQ(estimate->ceiling.has_value(), !refused) << each.body;
    Attempt one = attempt();
    EXPECT_EQ(begin(one, each.body, each.host, each.path).kind, refused ? Verdict::Kind::answer : Verdict::Kind::send)
        << each.body;
    if (refused) {
      ASSERT_TRUE(one.denial()) << each.body;
      EXPECT_EQ(one.denial()->code, Code::unbounded_request) << each.body;
    }
    one.abort(Abort::not_sent);
  }
}

TEST_F(Bounds, a_member_that_nobody_looked_at_is_never_counted_exactly) {
  open(a_dollar_a_day);
  const auto confidence = [&](const std::string& endpoint, const std::string& more) {
    const auto made = guard->estimate(endpoint, R"({"model":"gpt-5-mini",)" + more + "}", Labels{}, nullptr, "", 1);
    EXPECT_TRUE(made);
    return made ? made->confidence : std::string();
  };
  const std::string chat = R"("messages":[{"role":"user","content":"hi"}],"max_completion_tokens":100)";
  const std::string response = R"("input":"hi","max_output_tokens":100)";
  EXPECT_EQ(confidence("chat.completions", chat + R"(,"top_p":1,"of_tomorrow":null)"), "exact");
  EXPECT_NE(confidence("chat.completions", chat + R"(,"of_tomorrow":1)"), "exact");
  EXPECT_EQ(confidence("responses", response + R"(,"store":false)"), "exact");
  EXPECT_NE(confidence("responses", response + R"(,"of_tomorrow":1)"), "exact");
  // What is calibrated has no list to be exact by.
  const CountedModel gemini{.encoding = "o200k_base", .overhead = "gemini"};
  const auto count = count_input("generateContent", R"({"contents":[],"ofTomorrow":1})", gemini);
  EXPECT_TRUE(count && !count->exact && !count->ceiling);
}

TEST_F(Bounds, what_is_read_more_often_than_once_is_never_counted_exactly) {
  const CountedModel model{.encoding = "o200k_base", .overhead = "openai-reasoning"};
  EXPECT_TRUE(count_input("responses", R"({"input":"hi","reasoning":{"effort":"low"}})", model)->exact);
  for (const char* body : {R"({"input":"hi","multi_agent":{"enabled":true}})",
                           R"({"input":"hi","context_management":[{"type":"compaction"}]})",
                           R"({"input":"hi","reasoning":{"mode":"pro"}})"}) {
    const auto count = count_input("responses", body, model);
    ASSERT_TRUE(count) << body;
    EXPECT_FALSE(count->exact || count->ceiling) << body;
  }
}

}  // namespace
}  // namespace farthing::test::bounds_test
