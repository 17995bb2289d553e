// Splices (R20, R24): what the provider gets is the caller's body with our numbers in it, all other bytes as they were.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "wire/wire.h"

namespace farthing {
namespace {

std::string rewritten(std::string_view body, const Rewrite& change, std::string_view endpoint = "chat.completions") {
  const Result<RequestFacts> facts = dialect_of(endpoint)->scan(body);
  EXPECT_TRUE(facts.ok()) << body;
  return facts.ok() ? rewrite(body, *facts, change) : std::string();
}

Rewrite limit(std::int64_t tokens) {
  Rewrite change;
  change.output_limit = tokens;
  change.output_limit_name = "max_completion_tokens";
  return change;
}
Rewrite usage() {
  Rewrite change;
  change.ask_for_usage = true;
  return change;
}

TEST(Rewrite, nothing_asked_changes_nothing) {
  const std::string body = "  {\"model\" : \"m\",\r\n\t\"n\":1}\n";
  EXPECT_EQ(rewritten(body, {}), body);
}

TEST(Rewrite, replaces_the_number_in_place) {
  EXPECT_EQ(rewritten(R"({"a":[1,{}],  "max_tokens" : 4096 , "model":"m"})", limit(256)),
            R"({"a":[1,{}],  "max_tokens" : 256 , "model":"m"})");
  EXPECT_EQ(rewritten(R"({"max_tokens":9})", limit(256)), R"({"max_tokens":256})");
  EXPECT_EQ(rewritten(R"({"max_tokens":null})", limit(256)), R"({"max_tokens":256})");
  EXPECT_EQ(rewritten(R"({"max_tokens":1,"max_completion_tokens":22})", limit(7)),
            R"({"max_tokens":7,"max_completion_tokens":7})");
  EXPECT_EQ(rewritten(R"({"max_tokens":null,"max_completion_tokens":22})", limit(7)),
            R"({"max_tokens":null,"max_completion_tokens":7})");
}

TEST(Rewrite, inserts_where_there_was_none) {
  EXPECT_EQ(rewritten(R"( {"model":"m"})", limit(256)), R"( {"max_completion_tokens":256,"model":"m"})");
  EXPECT_EQ(rewritten(R"({})", limit(256)), R"({"max_completion_tokens":256})");
  EXPECT_EQ(rewritten("{ \n}", limit(256)), "{\"max_completion_tokens\":256 \n}");
}

TEST(Rewrite, asks_for_usage) {
  EXPECT_EQ(rewritten(R"({"stream":true})", usage()), R"({"stream_options":{"include_usage":true},"stream":true})");
  EXPECT_EQ(rewritten(R"({"stream_options":null})", usage()), R"({"stream_options":{"include_usage":true}})");
  EXPECT_EQ(rewritten(R"({"stream_options":{}})", usage()), R"({"stream_options":{"include_usage":true}})");
  EXPECT_EQ(rewritten(R"({"stream_options": { "x":1}})", usage()),
            R"({"stream_options": {"include_usage":true, "x":1}})");
  EXPECT_EQ(rewritten(R"({"stream_options":{"include_usage": false}})", usage()),
            R"({"stream_options":{"include_usage": true}})");
  EXPECT_EQ(rewritten(R"({"stream_options":{"include_usage":null }})", usage()),
            R"({"stream_options":{"include_usage":true }})");
}

TEST(Rewrite, both_at_once_stay_readable) {
  for (const char* body :
       {"{}", R"({"model":"m"})", R"({"max_tokens":5,"stream_options":{"include_usage":false}})",
        R"({"stream_options":{},"messages":[{"content":"\u00e9{\"max_tokens\":1}"}],"max_tokens":12345678})",
        R"({"stream_options":null,"max_completion_tokens":null})"}) {
    Rewrite change = limit(300);
    change.ask_for_usage = true;
    const std::string sent = rewritten(body, change);
    nlohmann::json expected = nlohmann::json::parse(body);
    bool had = false;
    for (const char* name : {"max_tokens", "max_completion_tokens"}) {
      if (expected.contains(name)) {
        expected[name] = 300;
        had = true;
      }
    }
    if (!had) expected["max_completion_tokens"] = 300;
    if (!expected["stream_options"].is_object()) expected["stream_options"] = nlohmann::json::object();
    expected["stream_options"]["include_usage"] = true;
    EXPECT_EQ(nlohmann::json::parse(sent), expected) << body << "\n" << sent;
    const RequestFacts again = *dialect_of("chat.completions")->scan(sent);
    EXPECT_EQ(again.output_limit, 300);
    EXPECT_EQ(again.usage_asked, true);
  }
}

TEST(Rewrite, responses) {
  Rewrite change;
  change.output_limit = 64;
  change.output_limit_name = "max_output_tokens";
  EXPECT_EQ(rewritten(R"({"input":"x","max_output_tokens":100000})", change, "responses"),
            R"({"input":"x","max_output_tokens":64})");
  EXPECT_EQ(rewritten(R"({"input":"x"})", change, "responses"), R"({"max_output_tokens":64,"input":"x"})");
}

}  // namespace
}  // namespace farthing
