// Tokens of requests: exact on plain recorded calls, near on tools and schemas, and no recorded call above a ceiling.
#include "farthing/count.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "counting/tools.h"
#include "farthing/prices.h"
#include "tests/core/wire/recorded.h"
#include "wire/wire.h"

namespace farthing {
namespace {

std::int64_t tokens(std::string_view endpoint, std::string_view body, std::string_view overhead = "openai-chat") {
  const auto count = count_input(endpoint, body, "o200k_base", overhead);
  EXPECT_TRUE(count) << body;
  return count ? count->tokens : -1;
}

TEST(CountInput, adds_what_stands_around_messages) {
  constexpr const char* one = R"({"messages":[{"role":"user","content":"Hello, world!"}]})";  // 4 tokens
  EXPECT_EQ(tokens("chat.completions", one), 4 + 4 + 3);
  EXPECT_EQ(tokens("chat.completions", one, "openai-reasoning"), 4 + 4 + 2);
  EXPECT_EQ(tokens("chat.completions",
                   R"({"messages":[{"role":"system","content":"Hello, world!"},)"
                   R"({"role":"user","name":"world","content":[{"type":"text","text":"Hello, world!"}]}]})"),
            (4 + 4) + (4 + 4 + 1 + 1) + 3);
  EXPECT_EQ(tokens("responses", R"({"input":"Hello, world!"})"), 4 + 4 + 3);
  EXPECT_EQ(
      tokens("responses", R"({"instructions":"Hello, world!","input":[{"role":"user","content":"Hello, world!"}]})"),
      (4 + 4) + (4 + 4) + 3);
  EXPECT_EQ(tokens("embeddings", R"({"input":["Hello, world!","Hello, world!"]})", "openai-embedding"), 8);
  EXPECT_EQ(tokens("completions", R"({"prompt":"Hello, world!"})", "openai-completion"), 4);
}

TEST(CountInput, its_parts_add_up) {
  const auto count =
      count_input("chat.completions",
                  R"({"messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":)"
                  R"({"name":"f","parameters":{"type":"object","properties":{"a":{"type":"string"}}}}}],)"
                  R"("response_format":{"type":"json_schema","json_schema":{"schema":{"type":"object"}}}})",
                  "o200k_base", "openai-chat");
  ASSERT_TRUE(count);
  EXPECT_FALSE(count->exact);
  EXPECT_FALSE(count->ceiling);
  std::int64_t sum = 0;
  for (const CountPart& part : count->parts)
    sum += part.tokens;
  EXPECT_EQ(sum, count->tokens);
  EXPECT_EQ(count->parts.size(), 4U);
}

TEST(CountInput, knows_what_it_does_not_know) {
  const auto none = [](std::string_view endpoint, std::string_view body, std::string_view encoding = "o200k_base",
                       std::string_view overhead = "openai-chat") {
    EXPECT_FALSE(count_input(endpoint, body, encoding, overhead)) << body;
  };
  constexpr const char* plain = R"({"messages":[{"role":"user","content":"hi"}]})";
  none("chat.completions", plain, "");
  none("chat.completions", plain, "o200k_base", "claude");
  none("chat.completions", plain, "o200k_base", "openai-search");
  none("videos", plain);
  none("chat.completions", "[");
  none("chat.completions", "{}");
  none("chat.completions", R"({"messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"f"}}]}]})");
  none("responses", R"({"input":"hi","previous_response_id":"resp_1"})");
  none("responses", R"({"input":[{"type":"item_reference","id":"x"}]})");
  none("embeddings", R"({"input":[1,2,3]})", "o200k_base", "openai-embedding");
}

TEST(CountInput, renders_tools_as_declarations) {
  rapidjson::Document tool;
  tool.Parse(R"({"name":"get_weather","description":"Weather of a place","parameters":{"type":"object","properties":{
    "place":{"type":"string","description":"Where"},"unit":{"type":"string","enum":["C","F"]},
    "days":{"type":"array","items":{"type":"integer"}},
    "more":{"type":"object","properties":{"a":{"type":["string","null"],"description":"not shown"}}},
    "any":{}},"required":["place"]}})");
  EXPECT_EQ(counting::rendered_tools({&tool}),
            "namespace functions {\n\n// Weather of a place\ntype get_weather = (_: {\n// Where\nplace: string,\n"
            "unit?: \"C\" | \"F\",\ndays?: number[],\nmore?: {\n  a?: string | null,\n},\nany?: any,\n}) => any;\n\n"
            "} // namespace functions");
}

TEST(CountInput, hostile_schemas_end) {
  std::string deep = R"({"messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":)";
  std::string close;
  for (int i = 0; i < 2'000; ++i) {
    deep += R"({"type":"object","properties":{"a":)";
    close += "}}";
  }
  static_cast<void>(count_input("chat.completions", deep + "{}" + close + "}}]}", "o200k_base", "openai-chat"));
  std::string items = R"({"messages":[],"functions":[{"name":"f","parameters":{"properties":{"a":)";
  close.clear();
  for (int i = 0; i < 2'000; ++i) {
    items += R"({"type":"array","items":)";
    close += "}";
  }
  static_cast<void>(count_input("chat.completions", items + "{}" + close + "}}}]}", "o200k_base", "openai-chat"));
}

struct Measured {
  std::vector<double> errors;  // shares of the actual
  void expect(double median, double p90, std::size_t least) {
    ASSERT_GE(errors.size(), least);
    std::sort(errors.begin(), errors.end());
    EXPECT_LE(errors[errors.size() / 2], median);
    EXPECT_LE(errors[errors.size() * 9 / 10], p90);
  }
};

TEST(CountInput, of_recorded_calls_is_what_the_provider_counted) {
  const auto book = PriceBook::builtin();
  Measured plain, tools, schemas;
  std::vector<double> looseness;
  for (const RecordedCall& call : recorded_calls()) {
    const Dialect* dialect = dialect_of(call.endpoint);
    if (dialect == nullptr || (call.provider != "openai" && call.provider != "azure")) continue;
    AnswerFacts answer;
    if (call.stream) {
      const auto reader = dialect->stream(false);
      reader->feed(call.response);
      reader->finish();
      answer = reader->facts();
    } else {
      answer = dialect->read(call.response);
    }
    if (!answer.quantities) continue;
    const RequestFacts facts = *dialect->scan(call.request);
    const Model* model = book->find(call.provider, answer.model);
    if (model == nullptr) model = book->find(call.provider, facts.model);
    if (model == nullptr || facts.media || facts.remote || facts.server_tools) continue;
    const auto count = count_input(call.endpoint, call.request, model->encoding, model->overhead);
    if (!count) continue;
    const std::int64_t actual = meters_of(*answer.quantities)[Meter::input_tokens];
    const double error = std::abs(static_cast<double>(count->tokens - actual)) / static_cast<double>(actual);
    if (count->exact) {
      EXPECT_EQ(count->tokens, actual) << call.source << " " << model->name;
      ASSERT_TRUE(count->ceiling);
      EXPECT_GE(*count->ceiling, actual) << call.source;
      looseness.push_back(static_cast<double>(*count->ceiling) / static_cast<double>(actual));
    }
    (count->exact ? plain : facts.schema ? schemas : tools).errors.push_back(error);
  }
  plain.expect(0, 0, 300);
  // Of tools the median is near zero; what the responses API adds around several of them is not known yet.
  tools.expect(0.02, 0.12, 80);
  schemas.expect(0.03, 0.10, 40);
  std::sort(looseness.begin(), looseness.end());
  EXPECT_LE(looseness[looseness.size() / 2], 1.6);  // prompts of 15 tokens, and a margin of 8
}

}  // namespace
}  // namespace farthing
