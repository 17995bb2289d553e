// Tokens of requests: exact on plain recorded calls, near on tools and schemas, and no recorded call above a ceiling.
#include "farthing/count.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "counting/factors.h"
#include "counting/tools.h"
#include "farthing/prices.h"
#include "tests/core/wire/recorded.h"
#include "wire/wire.h"

namespace farthing {
namespace {

std::int64_t tokens(std::string_view endpoint, std::string_view body, std::string_view overhead = "openai-chat") {
  const auto count = count_input(endpoint, body, {.encoding = "o200k_base", .overhead = overhead});
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
                  {.encoding = "o200k_base", .overhead = "openai-chat"});
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
    EXPECT_FALSE(count_input(endpoint, body, {.encoding = encoding, .overhead = overhead})) << body;
  };
  constexpr const char* plain = R"({"messages":[{"role":"user","content":"hi"}]})";
  none("chat.completions", plain, "");
  none("responses", R"({"input":"hi"})", "o200k_base", "grok");
  none("chat.completions", plain, "o200k_base", "openai-search");
  none("videos", plain);
  none("chat.completions", "[");
  none("chat.completions", "{}");
  none("chat.completions", R"({"messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"f"}}]}]})");
  none("responses", R"({"input":"hi","previous_response_id":"resp_1"})");
  none("responses", R"({"input":[{"type":"item_reference","id":"x"}]})");
  none("embeddings", R"({"input":[1,2,3]})", "o200k_base", "openai-embedding");
  // What another endpoint takes may be read by a host that serves both: its bytes are the bound then.
  none("responses", R"({"messages":[{"role":"user","content":"hi"}]})");
  none("responses", R"({"input":"hi","messages":[{"role":"user","content":"hi"}]})");
  none("chat.completions", R"({"messages":[{"role":"user","content":"hi"}],"input":"hi"})");
  none("embeddings", R"({"input":"hi","prompt":"hi"})", "o200k_base", "openai-embedding");
  none("completions", R"({"prompt":"hi","messages":[]})", "o200k_base", "openai-completion");
}

TEST(CountInput, what_it_does_not_read_leaves_no_ceiling) {
  const auto counted = [](std::string_view endpoint, std::string_view body, std::string_view overhead = "openai-chat") {
    const auto count = count_input(endpoint, body, {.encoding = "o200k_base", .overhead = overhead});
    EXPECT_TRUE(count) << body;
    return count.value_or(InputCount{});
  };
  const auto refused =
      counted("chat.completions", R"({"messages":[{"role":"assistant","content":null,"refusal":"Hello, world!"}]})");
  EXPECT_EQ(refused.tokens, 4 + 4 + 3);
  EXPECT_TRUE(refused.ceiling);
  EXPECT_TRUE(counted("chat.completions", R"({"messages":[{"role":"user","content":"x","annotations":[]}]})").ceiling);
  EXPECT_FALSE(counted("chat.completions", R"({"messages":[{"role":"user","content":"x","thoughts":"y"}]})").ceiling);
  EXPECT_FALSE(counted("completions", R"({"prompt":"hi","suffix":"Hello, world!"})", "openai-completion").ceiling);
  EXPECT_FALSE(
      count_input("responses", R"({"input":[{"id":"msg_1"}]})", {.encoding = "o200k_base", .overhead = "openai-chat"}));
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
  static_cast<void>(count_input("chat.completions", deep + "{}" + close + "}}]}",
                                {.encoding = "o200k_base", .overhead = "openai-chat"}));
  std::string items = R"({"messages":[],"functions":[{"name":"f","parameters":{"properties":{"a":)";
  close.clear();
  for (int i = 0; i < 2'000; ++i) {
    items += R"({"type":"array","items":)";
    close += "}";
  }
  static_cast<void>(count_input("chat.completions", items + "{}" + close + "}}}]}",
                                {.encoding = "o200k_base", .overhead = "openai-chat"}));
}

TEST(CountInput, renders_titles_and_definitions) {
  rapidjson::Document tool;
  tool.Parse(R"({"name":"cook","parameters":{"title":"cook_args","type":"object","required":["recipe"],"properties":{
    "recipe":{"$ref":"#/$defs/Recipe"},"unknown":{"$ref":"#/$defs/None"}},
    "$defs":{"Recipe":{"type":"object","properties":{"name":{"title":"Name","type":"string"}}}}}})");
  EXPECT_EQ(counting::rendered_tools({&tool}),
            "namespace functions {\n\ntype cook = (_: // cook_args\n {\nrecipe: {\n  // Name\n  name?: string,\n},\n"
            "unknown?: any,\n}) => any;\n\n} // namespace functions");
}

TEST(CountInput, definitions_that_refer_to_each_other_end) {
  const auto count = count_input("chat.completions",
                                 R"({"messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":)"
                                 R"({"$ref":"#/$defs/A","properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{)"
                                 R"("type":"object","properties":{"a":{"$ref":"#/$defs/A"},"b":{"$ref":"#/$defs/A"},)"
                                 R"("c":{"$ref":"#/$defs/A"},"d":{"$ref":"#/$defs/A"}}}}}}}]})",
                                 {.encoding = "o200k_base", .overhead = "openai-chat"});
  ASSERT_TRUE(count);
  EXPECT_LT(count->tokens, 1'000'000);
}

std::optional<InputCount> of_claude(std::string_view body, std::string_view name = "claude-3-haiku") {
  return count_input("messages", body, {.overhead = "claude", .name = name});
}
std::int64_t claude(std::string_view body, std::string_view name = "claude-3-haiku") {
  const auto count = of_claude(body, name);
  EXPECT_TRUE(count) << body;
  return count ? count->tokens : -1;
}

TEST(CountInput, of_claude) {
  constexpr const char* plain = R"({"messages":[{"role":"user","content":"Hello, world!"}]})";
  EXPECT_EQ(claude(plain), 4 + 4 + 3);
  EXPECT_EQ(claude(R"({"system":"Hello, world!","messages":[{"role":"user","content":"Hello, world!"},)"
                   R"({"role":"assistant","content":[{"type":"text","text":"Hello, world!"}]}]})"),
            4 + (4 + 4) + (4 + 4) + 3);
  EXPECT_EQ(claude(plain, "claude-opus-4-8"), 6 + 4 + 3);  // another vocabulary
  EXPECT_EQ(claude(R"({"thinking":{"type":"enabled"},"messages":[]})"), 3 + 28);
  const auto count = of_claude(plain);
  EXPECT_FALSE(count->exact);
  EXPECT_FALSE(count->rough);
  EXPECT_FALSE(count->ceiling);  // the bytes stay the bound
  EXPECT_FALSE(can_bound({.overhead = "claude"}));
}

TEST(CountInput, of_claude_adds_the_prompt_of_its_tools) {
  const auto with = [](std::string_view asked, std::string_view choice = "auto") {
    return claude(R"({"model":")" + std::string(asked) + R"(","messages":[],"tool_choice":{"type":")" +
                      std::string(choice) + R"("},"tools":[{"name":"f","input_schema":{"type":"object"}}]})",
                  "claude-opus-4.7");
  };
  const std::int64_t of_haiku = with("claude-3-haiku-20240307");
  EXPECT_EQ(with("claude-3-opus-20240229") - of_haiku, 530 - 264);
  EXPECT_EQ(with("claude-3-haiku-20240307", "any") - of_haiku, 340 - 264);
  EXPECT_EQ(with("anthropic.claude-3-5-sonnet-20240620-v1:0") - of_haiku, 294 - 264);
  EXPECT_EQ(with("claude-sonnet-4-20250514") - of_haiku, 313 - 264);
  EXPECT_EQ(with("claude-sonnet-4.5") - of_haiku, 496 - 264);
  // A name that the body does not have is the book's; one that nobody knows yet is like the newest.
  EXPECT_EQ(with(""), with("claude-opus-4-7"));
  EXPECT_EQ(with("claude-opus-9"), with("claude-opus-5"));
  EXPECT_FALSE(of_claude(R"({"messages":[],"tools":[{"type":"web_search_20250305","name":"web_search"}]})"));
  EXPECT_FALSE(of_claude(R"({"messages":[{"role":"user","content":[{"type":"document"}]}]})"));
}

TEST(CountInput, of_gemini_is_names_and_values_alone) {
  const auto gemini = [](std::string_view body) {
    const auto count = count_input("generateContent", body, {.overhead = "gemini"});
    EXPECT_TRUE(count) << body;
    return count ? count->tokens : -1;
  };
  EXPECT_EQ(gemini(R"({"contents":[{"parts":[{"text":"Hello, world!"}]}]})"), 4);
  EXPECT_EQ(gemini(R"({"contents":[{"parts":[{"text":"Hello, world!"}]},{"parts":[{"text":"Hello, world!"}]}],)"
                   R"("system_instruction":{"parts":[{"text":"Hello, world!"}]}})"),
            12);
  const std::int64_t tool = gemini(R"({"contents":[],"tools":[{"functionDeclarations":[{"name":"f","parameters":)"
                                   R"({"type":"OBJECT","properties":{"place":{"type":"STRING"}}}}]}]})");
  EXPECT_EQ(tool, 5);  // f, OBJECT, place, STRING at 1.25
  // A schema that is only enforced costs nothing; one that is shown does.
  const auto schema = [&](const char* name) {
    return gemini(R"({"contents":[],"generationConfig":{")" + std::string(name) +
                  R"(":{"type":"OBJECT","properties":{"place":{"type":"STRING"}}}}})");
  };
  EXPECT_EQ(schema("responseJsonSchema"), 0);
  EXPECT_EQ(schema("responseSchema"), 4);
  EXPECT_FALSE(count_input("generateContent", R"({"contents":[{"parts":[{"fileData":{}}]}]})", {.overhead = "gemini"}));
}

/// A conversation with a tool, as OpenAI has it.
constexpr const char* in_openais_form =
    R"({"model":"claude-sonnet-4-5","messages":[{"role":"system","content":"Be brief."},)"
    R"({"role":"user","content":[{"type":"text","text":"What is the weather in Paris?"}]},)"
    R"({"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":)"
    R"({"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}}]},)"
    R"({"role":"tool","tool_call_id":"c1","content":"18 degrees, sunny"}],)"
    R"("tool_choice":"required","tools":[{"type":"function","function":{"name":"get_weather","description":"The weather now",)"
    R"("parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}]})";

TEST(CountInput, of_claude_is_the_same_in_openais_form) {
  const std::int64_t tokens = claude(
      R"({"model":"claude-sonnet-4-5","system":"Be brief.","messages":[)"
      R"({"role":"user","content":[{"type":"text","text":"What is the weather in Paris?"}]},)"
      R"({"role":"assistant","content":[{"type":"tool_use","id":"c1","name":"get_weather","input":{"city":"Paris"}}]},)"
      R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"18 degrees, sunny"}]}],)"
      R"("tool_choice":{"type":"any"},"tools":[{"name":"get_weather","description":"The weather now",)"
      R"("input_schema":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}]})");
  const auto count =
      count_input("chat.completions", in_openais_form, {.overhead = "claude", .name = "claude-sonnet-4-5"});
  ASSERT_TRUE(count);
  EXPECT_EQ(count->tokens, tokens);
  EXPECT_EQ(confidence_of(*count), "calibrated");
  EXPECT_FALSE(count->ceiling);
  const auto none = [](const char* body) {
    EXPECT_FALSE(count_input("chat.completions", body, {.overhead = "claude", .name = "claude-sonnet-4-5"})) << body;
  };
  none(R"({"messages":[],"tools":[{"type":"openrouter:web_search"}]})");
  none(R"({"messages":[],"tools":[{"type":"function"}]})");
  none(R"({"messages":[{"role":"assistant","tool_calls":[{"type":"custom","custom":{}}]}]})");
}

TEST(CountInput, of_claudes_own_tools_is_what_is_published) {
  const auto count = [](const std::string& tools, std::string_view model) {
    const auto found =
        count_input("messages", R"({"messages":[],"tools":[)" + tools + "]}", {.overhead = "claude", .name = model});
    return found ? found->tokens : -1;
  };
  const std::string bash = R"({"type":"bash_20250124","name":"bash"})";
  const std::string editor = R"({"type":"text_editor_20250429","name":"e"})";
  const std::string computer = R"({"type":"computer_20250124","name":"c","display_width_px":1024})";
  EXPECT_EQ(count(bash, "claude-sonnet-4-5"), 3 + 496 + 244);
  EXPECT_EQ(count(bash, "claude-opus-4-8"), 3 + 290 + 325);
  EXPECT_EQ(count(bash + "," + editor + "," + computer, "claude-sonnet-4-5"), 3 + 496 + 244 + 700 + 735);
  EXPECT_EQ(count(R"({"type":"computer_toolset_20260801"})", "claude-opus-4-8"), 3 + 4'520);
  EXPECT_EQ(count(R"({"type":"web_search_20250305","name":"s"})", "claude-sonnet-4-5"), -1) << "run by the provider";
}

TEST(CountInput, of_a_model_with_a_prompt_of_its_own_has_that_too) {
  const auto count = [](std::string_view overhead) {
    const auto found =
        count_input("chat.completions", R"({"messages":[{"role":"user","content":"hi"}]})", {.overhead = overhead});
    return found ? found->tokens : 0;
  };
  EXPECT_EQ(count(""), 1 + 4 + 3);
  EXPECT_EQ(count("harmony"), 1 + 4 + 70);
  EXPECT_EQ(count("grok-4"), 1 + 4 + 683);
  EXPECT_EQ(count("grok"), count("")) << "others have none that is known";
}

TEST(CountInput, of_gemini_is_the_same_in_openais_form) {
  const auto native =
      count_input("generateContent",
                  R"({"systemInstruction":{"parts":[{"text":"Be brief."}]},"contents":[)"
                  R"({"role":"user","parts":[{"text":"What is the weather in Paris?"}]},)"
                  R"({"role":"model","parts":[{"functionCall":{"name":"get_weather","args":{"city":"Paris"}}}]},)"
                  R"({"role":"user","parts":[{"functionResponse":{"response":{"":"18 degrees, sunny"}}}]}],)"
                  R"("tools":[{"functionDeclarations":[{"name":"get_weather","description":"The weather now",)"
                  R"("parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}]}]})",
                  {.overhead = "gemini"});
  const auto count = count_input("chat.completions", in_openais_form, {.overhead = "gemini"});
  ASSERT_TRUE(native);
  ASSERT_TRUE(count);
  EXPECT_EQ(count->tokens, native->tokens);
  EXPECT_EQ(confidence_of(*count), "calibrated");
  const auto none = [](const char* body) {
    EXPECT_FALSE(count_input("chat.completions", body, {.overhead = "gemini"})) << body;
  };
  none(R"({"messages":[],"tools":[{"type":"google_search"}]})");
  none(R"({"messages":[{"role":"assistant","tool_calls":[{"type":"custom","custom":{}}]}]})");
  // Arguments that are no JSON are a text.
  EXPECT_TRUE(
      count_input("chat.completions",
                  R"({"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{"}}]}]})",
                  {.overhead = "gemini"}));
}

TEST(CountInput, of_other_models_is_rough) {
  const auto count = count_input("chat.completions", R"({"messages":[{"role":"user","content":"Hello, world!"}]})",
                                 {.encoding = "llama3", .overhead = "llama-3"});
  ASSERT_TRUE(count);
  EXPECT_TRUE(count->rough);
  EXPECT_EQ(count->tokens, 4 + 5 + 5);
  const auto of_unknown =
      count_input("chat.completions", R"({"messages":[{"role":"user","content":"Hello, world!"}]})", {});
  ASSERT_TRUE(of_unknown);
  EXPECT_TRUE(of_unknown->rough);
  EXPECT_EQ(of_unknown->tokens, 4 + 4 + 3);
  const auto texts =
      count_input("embeddings", R"({"input":["Hello, world!","Hello, world!"]})", {.overhead = "mistral"});
  ASSERT_TRUE(texts);
  EXPECT_TRUE(texts->rough);
  EXPECT_FALSE(texts->exact);
  EXPECT_FALSE(texts->ceiling);
  EXPECT_EQ(texts->tokens, 8);
}

/// Every byte is a token.
EncodingPtr bytes_alone() {
  std::string lines;
  constexpr const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (unsigned byte = 0; byte < 256; ++byte)
    lines += std::string{digits[byte >> 2U], digits[(byte & 3U) << 4U]} + "== " + std::to_string(byte) + "\n";
  const auto read = Encoding::from_text(lines, "own");
  EXPECT_TRUE(read);
  return *read;
}

TEST(CountInput, of_a_policys_vocabulary_goes_by_it_and_is_no_bound) {
  const EncodingPtr own = bytes_alone();
  constexpr const char* body = R"({"messages":[{"role":"user","content":"Hello, world!"}]})";
  const auto unknown = count_input("chat.completions", body, {.name = "acme-7b", .vocabulary = own});
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->tokens, 13 + 4 + 3);
  EXPECT_EQ(confidence_of(*unknown), "heuristic");
  const auto llama = count_input("chat.completions", body, {.overhead = "llama-3", .vocabulary = own});
  EXPECT_EQ(llama->tokens, 13 + 5 + 5);
  // OpenAI's own models: its rule of what stands around, but no ceiling for a file that may be another model's.
  const auto openai =
      count_input("chat.completions", body, {.encoding = "o200k_base", .overhead = "openai-chat", .vocabulary = own});
  EXPECT_EQ(openai->tokens, 13 + 4 + 3);
  EXPECT_FALSE(openai->exact);
  EXPECT_FALSE(openai->ceiling);
  const auto claude_count =
      count_input("messages", body, {.overhead = "claude", .name = "claude-3-haiku", .vocabulary = own});
  EXPECT_EQ(claude_count->tokens, 4 + 4 + 3);  // measured against o200k_base
}

TEST(TextKind, is_told_by_script_and_operators) {
  using counting::kind_of;
  using counting::TextKind;
  EXPECT_EQ(kind_of("What is the weather (today) in Paris?"), TextKind::prose);
  EXPECT_EQ(kind_of(" \n"), TextKind::prose);
  EXPECT_EQ(kind_of("for (int i = 0; i < n; ++i) { sum += a[i]; }"), TextKind::code);
  EXPECT_EQ(kind_of(R"( {"city": "Paris", "days": [1, 2]} )"), TextKind::json);
  EXPECT_EQ(kind_of("今日の天気はどうですか"), TextKind::cjk);
  EXPECT_EQ(kind_of("Какая сегодня погода?"), TextKind::cyrillic);
  EXPECT_EQ(kind_of("Quelle est la météo à Orléans en été ?"), TextKind::prose);
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
    const auto count = count_input(call.endpoint, call.request,
                                   {.encoding = model->encoding, .overhead = model->overhead, .name = model->name});
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
  tools.expect(0.02, 0.06, 80);
  schemas.expect(0.03, 0.06, 40);
  std::sort(looseness.begin(), looseness.end());
  EXPECT_LE(looseness[looseness.size() / 2], 1.6);  // prompts of 15 tokens, and a margin of 8
}

}  // namespace
}  // namespace farthing
