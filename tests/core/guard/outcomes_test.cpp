// One call from its request to its entry in the ledger: the vectors of tests/vectors/calls.
#include <nlohmann/json.hpp>

#include <set>

#include "tests/core/guard/fixture.h"
#include "tests/core/policy/blocks.h"
#include "wire/wire.h"

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

  /// The form that brings the requests of a batch, and what the host answers to it.
  void upload(const std::string& form, const std::string& reply) {
    const std::string length = std::to_string(form.size());
    const HeaderView headers[] = {{"content-type", "multipart/form-data; boundary=b"}, {"content-length", length}};
    Attempt one = attempt();
    const RequestView asking{.method = "POST", .host = host, .path = "/v1/files", .headers = headers, .body = form};
    ASSERT_EQ(one.begin(asking).kind, Verdict::Kind::send);
    answer(one, reply);
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

std::string line_of(const std::string& part, const char* usual) {
  const std::string line = part.substr(0, part.find('\n'));
  return line.empty() ? usual : line;
}
std::string host_of(const Block& block) {
  return line_of(block.part("host"), "api.openai.com");
}
std::string path_of(const Block& block) {
  return line_of(block.part("endpoint"), "/v1/chat/completions");
}

TEST_P(Outcomes, of_the_vectors) {
  auto document = nlohmann::json::parse(R"({"cap":[{"id":"day","limit":"1 USD","per":"day"}]})");
  if (const std::string more = GetParam().part("policy"); !more.empty()) document.update(nlohmann::json::parse(more));
  open_json(document.dump());
  std::string request = GetParam().part("request");
  if (!GetParam().part("stream").empty()) request.replace(request.rfind('}'), 1, ",\"stream\":true}");
  host = host_of(GetParam());
  const std::string path = path_of(GetParam());
  if (const std::string file = GetParam().part("file"); !file.empty()) {
    const std::size_t line = file.find('\n');
    upload(text_of(file.substr(0, line)), text_of(file.substr(line + 1)));
  }
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

TEST(Vectors, every_dialect_has_some) {
  const HostTable hosts({});
  std::set<std::string_view> told;
  for (const Block& block : outcomes()) {
    const Route route = recognise("POST", host_of(block), path_of(block), hosts);
    if (route.dialect != nullptr) told.insert(route.dialect->endpoint);
  }
  for (const Dialect* dialect : dialects())
    EXPECT_TRUE(told.contains(dialect->endpoint)) << dialect->endpoint << ": tests/vectors/calls/dialects.txt";
}

INSTANTIATE_TEST_SUITE_P(Vectors, Outcomes, ::testing::ValuesIn(outcomes()), [](const auto& given) {
  std::string name;
  for (const char letter : given.param.name)
    name += std::isalnum(static_cast<unsigned char>(letter)) != 0 ? letter : '_';
  return name;
});

}  // namespace
}  // namespace farthing::test
