// One call from its request to its entry in the ledger: the vectors of tests/vectors/calls.
#include <nlohmann/json.hpp>

#include "tests/core/guard/fixture.h"
#include "tests/core/policy/blocks.h"

namespace farthing::test {
namespace {

/// TEXT of a step: an object stands for itself, a string for what it says.
std::string text_of(const std::string& json) {
  return json.starts_with('"') ? nlohmann::json::parse(json).get<std::string>() : json;
}

class Outcomes : public GuardFixture, public ::testing::WithParamInterface<Block> {
 protected:
  std::string host;

  /// `poll PATH TEXT`: somebody asks for the job, and is answered.
  void poll(const std::string& rest) {
    const std::size_t space = rest.find(' ');
    const std::string path = rest.substr(0, space);
    Attempt one = attempt();
    const RequestView asking{.method = "GET", .host = host, .path = path, .headers = {}, .body = ""};
    ASSERT_EQ(one.begin(asking).kind, Verdict::Kind::send);
    answer(one, text_of(rest.substr(space + 1)));
  }

  void run(Attempt& attempt, const std::string& step) {
    const auto [word, rest] = [&] {
      const std::size_t space = step.find(' ');
      return std::pair(step.substr(0, space), space == std::string::npos ? "" : step.substr(space + 1));
    }();
    if (word == "sent") {
      EXPECT_TRUE(attempt.sent());
    } else if (word == "head") {
      const std::string type = rest.substr(rest.find(' ') + 1);
      const HeaderView headers[] = {{"content-type", type}};
      attempt.head(std::stoi(rest), headers);
    } else if (word == "whole") {
      attempt.end(text_of(rest));
    } else if (word == "data") {
      static_cast<void>(attempt.data(text_of(rest)));
    } else if (word == "poll") {
      poll(rest);
    } else if (word == "end") {
      static_cast<void>(attempt.end());
    } else if (word == "abort") {
      attempt.abort(rest == "closed" ? Abort::closed : rest == "sent" ? Abort::sent : Abort::not_sent);
    } else {
      FAIL() << "no such step: " << step;
    }
  }
};

std::vector<Block> outcomes() {
  std::vector<Block> blocks = blocks_of("calls/outcomes.txt");
  const std::string usual = blocks.front().part("request");
  for (Block& block : blocks_of("calls/dialects.txt"))
    blocks.push_back(std::move(block));
  for (Block& block : blocks) {
    if (block.parts.count("request") == 0) block.parts["request"] = usual;
  }
  return blocks;
}

TEST_P(Outcomes, of_the_vectors) {
  auto document = nlohmann::json::parse(R"({"cap":[{"id":"day","limit":"1 USD","per":"day"}]})");
  if (const std::string more = GetParam().part("policy"); !more.empty()) document.update(nlohmann::json::parse(more));
  open_json(document.dump());
  std::string request = GetParam().part("request");
  if (!GetParam().part("stream").empty()) request.replace(request.rfind('}'), 1, ",\"stream\":true}");
  const auto line_of = [](const std::string& part, const char* usual) {
    const std::string line = part.substr(0, part.find('\n'));
    return line.empty() ? usual : line;
  };
  host = line_of(GetParam().part("host"), "api.openai.com");
  const std::string path = line_of(GetParam().part("endpoint"), "/v1/chat/completions");
  Attempt one = attempt();
  ASSERT_EQ(begin(one, text_of(request), host, path).kind, Verdict::Kind::send);
  const auto held = guard->control()->status()->counters.front().cap.reserved;
  ASSERT_GT(held, 0);
  for (const auto& step : lines_of(GetParam().part("steps")))
    run(one, step.front());

  ASSERT_EQ(rows().size(), 1U);
  const LedgerRow row = rows().front();
  const auto expected = lines_of(GetParam().part("settled")).front();
  EXPECT_EQ(how_text(row.how), expected.at(0));
  ASSERT_TRUE(row.actual);
  if (expected.at(1) == "below") {
    EXPECT_GT(row.actual->nano, 0);
    EXPECT_LT(row.actual->nano, held);
  } else {
    EXPECT_EQ(row.actual->nano, expected.at(1) == "held" ? held : std::stoll(expected.at(1)));
  }
  EXPECT_EQ(row.booked[Meter::requests], std::stoll(expected.at(2)));
  EXPECT_EQ(row.error_class, expected.size() > 3 ? expected.at(3) : "");
  const auto left = guard->control()->status()->counters.front().cap;
  EXPECT_EQ(left.spent, row.actual->nano);
  EXPECT_EQ(left.reserved, 0);
  EXPECT_FALSE(one.open());
  ASSERT_TRUE(one.receipt());
  // A job is settled by the poll: its own call knew no cost yet.
  if (one.receipt()->how != How::open) {
    EXPECT_EQ(one.receipt()->cost, row.actual);
  }
}

INSTANTIATE_TEST_SUITE_P(Vectors, Outcomes, ::testing::ValuesIn(outcomes()), [](const auto& given) {
  std::string name;
  for (const char letter : given.param.name)
    name += std::isalnum(static_cast<unsigned char>(letter)) != 0 ? letter : '_';
  return name;
});

}  // namespace
}  // namespace farthing::test
