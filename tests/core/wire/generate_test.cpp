// Google's generateContent: what a request asks, where a limit is written, what an answer says it used, how a stream ends.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "reading.h"

namespace farthing::generate_test {
namespace {

RequestFacts scan(std::string_view body) {
  Result<RequestFacts> facts = dialect_of("generateContent")->scan(body);
  EXPECT_TRUE(facts.ok()) << body << (facts.ok() ? "" : facts.error().message);
  return facts.ok() ? *facts : RequestFacts{};
}
RequestFacts with_part(const std::string& part) {
  return scan(R"({"contents":[{"role":"user","parts":[)" + part + "]}]}");
}
RequestFacts with_tool(const std::string& tool) {
  return scan(R"({"tools":[)" + tool + "]}");
}
AnswerFacts answered(const std::string& usage, const std::string& candidates = R"([{"finishReason":"STOP"}])") {
  return dialect_of("generateContent")
      ->read(R"({"candidates":)" + candidates + R"(,"modelVersion":"gemini-x","responseId":"r1","usageMetadata":)" +
             usage + "}");
}

TEST(GenerateScan, reads_the_members_that_matter_in_both_spellings) {
  for (
      const std::string_view body :
      {R"({"contents":[],"serviceTier":"SERVICE_TIER_FLEX","generationConfig":{"maxOutputTokens": 500 ,"candidateCount":3,"thinkingConfig":{"thinkingBudget":128,"thinkingLevel":"LOW"},"responseSchema":{"type":"OBJECT"}}})",
       R"({"contents":[],"service_tier":"flex","generation_config":{"max_output_tokens": 500 ,"candidate_count":3,"thinking_config":{"thinking_budget":128,"thinking_level":"LOW"},"response_json_schema":{"type":"object"}}})"}) {
    const RequestFacts facts = scan(body);
    EXPECT_EQ(facts.output_limit, 500);
    ASSERT_EQ(facts.output_limit_spans.size(), 1U);
    EXPECT_EQ(body.substr(facts.output_limit_spans[0].at, facts.output_limit_spans[0].length), "500");
    EXPECT_EQ(facts.choices, 3);
    EXPECT_EQ(facts.thinking_budget, 128);
    EXPECT_EQ(facts.reasoning_effort, "LOW");
    EXPECT_EQ(facts.service_tier, "flex");
    EXPECT_TRUE(facts.schema);
    EXPECT_FALSE(facts.stream || facts.media || facts.remote || facts.tools || facts.server_tools);
    EXPECT_EQ(facts.input_bytes, static_cast<std::int64_t>(body.size()));
  }
  EXPECT_TRUE(dialect_of("streamGenerateContent")->scan("{}")->stream);
  EXPECT_EQ(scan(R"({"serviceTier":"standard"})").service_tier, "default");
}

TEST(GenerateScan, thinking_without_a_budget) {
  for (const char* budget : {"0", "-1", "null"}) {
    EXPECT_EQ(scan(R"({"generationConfig":{"thinkingConfig":{"thinkingBudget":)" + std::string(budget) + "}}}")
                  .thinking_budget,
              0);
  }
}

TEST(GenerateScan, only_the_configs_members_count) {
  const RequestFacts facts = scan(
      R"({"maxOutputTokens":7,"contents":[{"parts":[{"text":"x","maxOutputTokens":8}]}],"labels":{"maxOutputTokens":"9"}})");
  EXPECT_FALSE(facts.output_limit);
  EXPECT_FALSE(scan(R"({"generationConfig":{"x":{"maxOutputTokens":8}}})").output_limit);
  EXPECT_FALSE(
      scan(R"({"generationconfig":{"maxOutputTokens":8},"_generationConfig":{"maxOutputTokens":8}})").output_limit);
}

TEST(GenerateScan, media_inline_and_what_we_do_not_see) {
  const std::string data(1000, 'A');
  for (const char* name : {"inlineData", "inline_data"}) {
    const RequestFacts facts =
        with_part("{\"" + std::string(name) + R"(":{"mimeType":"image/png","data":")" + data + "\"}}");
    EXPECT_TRUE(facts.media);
    EXPECT_FALSE(facts.remote);
    EXPECT_LT(facts.input_bytes, 150);
  }
  EXPECT_TRUE(with_part(R"({"fileData":{"fileUri":"gs://a/b","mimeType":"video/mp4"}})").remote);
  EXPECT_TRUE(with_part(R"({"file_data":{"file_uri":"https://a.test/files/b"}})").remote);
  EXPECT_TRUE(scan(R"({"cachedContent":"cachedContents/1"})").remote);
  EXPECT_TRUE(scan(R"({"cached_content":"cachedContents/1"})").remote);
  EXPECT_FALSE(scan(R"({"cachedContent":null})").remote);
  EXPECT_TRUE(scan(R"({"contents":{"parts":{"inlineData":{"data":"AAAA"}}}})").media) << "Google takes one for a list";
  EXPECT_FALSE(with_part(R"({"text":"inlineData fileData gs://a/b"})").media);
  // What a function is called with, and answers, is text whatever it looks like; its parts are media.
  constexpr std::string_view image = R"({"inlineData":{"mimeType":"image/png","data":"AAAA"}})";
  for (const std::string& part : {R"({"functionCall":{"args":)" + std::string(image) + "}}",
                                  R"({"function_response":{"response":)" + std::string(image) + "}}",
                                  R"({"functionResponse":{"response":{"parts":[)" + std::string(image) + "]}}}"}) {
    EXPECT_FALSE(with_part(part).media) << part;
    EXPECT_TRUE(with_part(part).media_inputs.empty()) << part;
  }
  for (const std::string& parts :
       {"[" + std::string(image) + "]", std::string(image), std::string(R"([{"inline_data":{"data":"AAAA"}}])"),
        R"([{"inlineData":{"mimeType":"video/mp4","data":"AAAA"},"videoMetadata":{"fps":24}}])" + std::string()})
    EXPECT_TRUE(with_part(R"({"functionResponse":{"parts":)" + parts + "}}").media) << parts;
  EXPECT_TRUE(with_part(R"({"functionResponse":{"parts":[{"fileData":{"fileUri":"gs://a/b"}}]}})").remote);
  EXPECT_TRUE(with_part(R"({"functionResponse":{"parts":[{"mediaResolution":{"level":"HIGH"}}]}})").media_resolution);
  EXPECT_TRUE(with_part(R"({"functionResponse":{"parts":[{"videoMetadata":{"fps":24}}]}})").media_other);
  EXPECT_TRUE(with_part(R"({"mediaProcessing":"MEDIA_PROCESSING_AGENTIC"})").media_other);
  EXPECT_FALSE(with_part(R"({"mediaProcessing":"MEDIA_PROCESSING_STATIC"})").media_other);
}

TEST(GenerateScan, speech_and_images_of_the_answer_are_no_input) {
  const RequestFacts painted =
      scan(R"({"generationConfig":{"responseModalities":["TEXT","Image"],"imageConfig":{"imageSize":"4K"}}})");
  EXPECT_TRUE(painted.painted_output);
  EXPECT_EQ(painted.pieces.size, "4K");
  EXPECT_FALSE(painted.spoken_output || painted.media);
  const RequestFacts spoken = scan(R"({"generation_config":{"response_modalities":["AUDIO"]}})");
  EXPECT_TRUE(spoken.spoken_output);
  EXPECT_FALSE(spoken.painted_output || spoken.media);
  const RequestFacts text = scan(R"({"generationConfig":{"responseModalities":["TEXT"]}})");
  EXPECT_FALSE(text.spoken_output || text.painted_output || text.media);
  for (const char* other : {R"("SMELL")", "2"})
    EXPECT_TRUE(scan(R"({"generationConfig":{"responseModalities":[)" + std::string(other) + "]}}").media_other);
}

TEST(GenerateScan, tools_of_the_caller_and_of_google) {
  for (const char* tool : {R"({"functionDeclarations":[{"name":"f"}]})", R"({"function_declarations":[{"name":"f"}]})",
                           R"({"functionDeclarations":{"name":"f"}})", R"({"computerUse":{}})"}) {
    EXPECT_TRUE(with_tool(tool).tools) << tool;
    EXPECT_FALSE(with_tool(tool).server_tools) << tool;
  }
  for (const char* tool : {R"({"googleSearch":{}})", R"({"google_search":{}})", R"({"codeExecution":{}})",
                           R"({"urlContext":{}})", R"({"retrieval":{}})", R"({"toolOfTomorrow":true})",
                           R"({"functionDeclarations":[{"name":"f"}],"googleMaps":{}})"}) {
    EXPECT_TRUE(with_tool(tool).server_tools) << tool;
  }
  EXPECT_TRUE(scan(R"({"tools":{"googleSearch":{}}})").server_tools);
  EXPECT_TRUE(scan(R"({"tools":{"functionDeclarations":[{"name":"googleSearch"}]}})").tools);
  EXPECT_FALSE(
      scan(R"({"tools":[{"functionDeclarations":[{"parameters":{"properties":{"inlineData":{"x":1}}}}]}]})").media);
  EXPECT_FALSE(with_tool(R"({"functionDeclarations":[],"googleSearch":null})").tools);
  EXPECT_FALSE(with_tool(R"({"functionDeclarations":[],"googleSearch":null})").server_tools);
}

TEST(GenerateScan, hostile_bodies_are_refused) {
  for (const char* body :
       {R"({"generationConfig":[]})", R"({"generationConfig":7})", R"({"generationConfig":{},"generation_config":{}})",
        R"({"generationConfig":{},"generationConfig":{}})", R"({"generationConfig":{"maxOutputTokens":"5"}})",
        R"({"generationConfig":{"maxOutputTokens":5.5}})", R"({"generationConfig":{"maxOutputTokens":-5}})",
        R"({"generationConfig":{"maxOutputTokens":{}}})",
        R"({"generationConfig":{"maxOutputTokens":5,"max_output_tokens":6}})",
        R"({"generationConfig":{"maxOutputTokens":5,"maxOutputTokens":6}})",
        R"({"generationConfig":{"candidateCount":0}})",
        R"({"generationConfig":{"candidateCount":1,"candidate_count":2}})",
        R"({"generationConfig":{"candidateCount":[]}})",
        R"({"generationConfig":{"thinkingConfig":{"thinkingBudget":-2}}})",
        R"({"generationConfig":{"thinkingConfig":{"thinkingBudget":{}}}})", R"({"serviceTier":1})",
        R"({"serviceTier":"flex","service_tier":"priority"})", R"({"serviceTier":{}})", R"({"cachedContent":{}})"}) {
    EXPECT_FALSE(dialect_of("generateContent")->scan(body).ok()) << body;
    EXPECT_FALSE(dialect_of("streamGenerateContent")->scan(body).ok()) << body;
  }
}

TEST(GenerateRewrite, a_limit_is_replaced_put_in_or_added) {
  Rewrite change;
  change.output_limit = 64;
  change.output_limit_name = dialect_of("generateContent")->output_limit_name;
  const auto rewritten = [&](std::string_view body) { return rewrite(body, scan(body), change); };
  EXPECT_EQ(rewritten(R"({"generationConfig":{"maxOutputTokens" : 8192 }})"),
            R"({"generationConfig":{"maxOutputTokens" : 64 }})");
  EXPECT_EQ(rewritten(R"({"generation_config":{"topK":2.0,"max_output_tokens":8192}})"),
            R"({"generation_config":{"topK":2.0,"max_output_tokens":64}})");
  EXPECT_EQ(rewritten(R"({"generationConfig":{"maxOutputTokens":null}})"),
            R"({"generationConfig":{"maxOutputTokens":64}})");
  EXPECT_EQ(rewritten(R"({"generationConfig": { "topP":1}})"),
            R"({"generationConfig": {"maxOutputTokens":64, "topP":1}})");
  EXPECT_EQ(rewritten(R"({"generation_config":{}})"), R"({"generation_config":{"maxOutputTokens":64}})");
  EXPECT_EQ(rewritten(R"({"generationConfig": null ,"contents":[]})"),
            R"({"generationConfig": {"maxOutputTokens":64} ,"contents":[]})");
  EXPECT_EQ(rewritten(R"({"contents":[]})"), R"({"generationConfig":{"maxOutputTokens":64},"contents":[]})");
  EXPECT_EQ(rewritten("{}"), R"({"generationConfig":{"maxOutputTokens":64}})");
  // Names that are written otherwise are the same names.
  const std::string escaped = R"({"gener\u0061tionConfig":{"max\u004futputTokens":8192}})";
  EXPECT_EQ(nlohmann::json::parse(rewritten(escaped)),
            nlohmann::json::parse(R"({"generationConfig":{"maxOutputTokens":64}})"));
}

TEST(GenerateUsage, cached_inside_the_prompt_thoughts_beside_the_candidates) {
  const AnswerFacts facts = answered(
      R"({"promptTokenCount":100,"cachedContentTokenCount":60,"toolUsePromptTokenCount":20,"candidatesTokenCount":30,)"
      R"("thoughtsTokenCount":50,"totalTokenCount":200,"promptTokensDetails":[{"modality":"TEXT","tokenCount":100}]})");
  EXPECT_EQ(facts.quantities, of({{Quantity::input_tokens, 60},
                                  {Quantity::cache_read_tokens, 60},
                                  {Quantity::output_tokens, 30},
                                  {Quantity::reasoning_tokens, 50}}));
  EXPECT_TRUE(facts.final);
  EXPECT_EQ(facts.id, "r1");
  EXPECT_EQ(facts.model, "gemini-x");
  EXPECT_EQ(facts.finish_reason, "STOP");
}

TEST(GenerateUsage, by_modality) {
  EXPECT_EQ(
      answered(
          R"({"promptTokenCount":400,"cachedContentTokenCount":90,"candidatesTokenCount":60,"totalTokenCount":460,)"
          R"("promptTokensDetails":[{"modality":"AUDIO","tokenCount":100},{"modality":"VIDEO","tokenCount":200},{"modality":"TEXT","tokenCount":100}],)"
          R"("cacheTokensDetails":[{"modality":"AUDIO","tokenCount":40},{"modality":"TEXT","tokenCount":50}],)"
          R"("candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":40},{"modality":"AUDIO","tokenCount":5}]})")
          .quantities,
      of({{Quantity::input_tokens, 250},
          {Quantity::input_audio_tokens, 100},  // also what was cached
          {Quantity::cache_read_tokens, 50},
          {Quantity::output_tokens, 15},
          {Quantity::output_image_tokens, 40},
          {Quantity::output_audio_tokens, 5}}));
  // As gateways over gRPC write it.
  EXPECT_EQ(
      answered(
          R"({"promptTokenCount":30,"trafficType":1,"promptTokensDetails":[{"modality":4,"tokenCount":10},{"modality":2,"tokenCount":9}],"thoughtsTokenCount":4})",
          R"([{"finishReason":2}])")
          .quantities,
      of({{Quantity::input_tokens, 20}, {Quantity::input_audio_tokens, 10}, {Quantity::reasoning_tokens, 4}}));
}

TEST(GenerateUsage, words_of_the_answer) {
  EXPECT_EQ(answered(R"({"promptTokenCount":1,"trafficType":"ON_DEMAND"})").service_tier, "default");
  EXPECT_EQ(answered(R"({"promptTokenCount":1,"trafficType":"ON_DEMAND_FLEX"})").service_tier, "flex");
  EXPECT_EQ(answered(R"({"promptTokenCount":1,"serviceTier":"priority"})").service_tier, "priority");
  EXPECT_EQ(answered(R"({"promptTokenCount":1})", R"([{"finishReason":2}])").finish_reason, "MAX_TOKENS");
  EXPECT_EQ(dialect_of("generateContent")
                ->read(R"({"candidates":[{"finish_reason":"STOP"}],"usage_metadata":{"prompt_token_count":3}})")
                .quantities,
            of({{Quantity::input_tokens, 3}}));
}

TEST(GenerateUsage, what_the_total_does_not_name_is_thought) {
  EXPECT_EQ(answered(R"({"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":35})").quantities,
            of({{Quantity::input_tokens, 10}, {Quantity::output_tokens, 5}, {Quantity::reasoning_tokens, 20}}));
}

TEST(GenerateUsage, a_blocked_prompt_has_no_output) {
  const AnswerFacts facts =
      dialect_of("generateContent")
          ->read(
              R"({"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":12,"totalTokenCount":12}})");
  EXPECT_EQ(facts.quantities, of({{Quantity::input_tokens, 12}}));
  EXPECT_TRUE(facts.final);
  EXPECT_EQ(facts.finish_reason, "SAFETY");
}

TEST(GenerateUsage, searches_are_billed_as_their_generation_says) {
  const auto searches = [](const char* model) {
    const AnswerFacts facts =
        dialect_of("generateContent")
            ->read(
                R"({"candidates":[{"finishReason":"STOP","groundingMetadata":{"webSearchQueries":["a","b"]}}],"modelVersion":")" +
                std::string(model) + R"(","usageMetadata":{"promptTokenCount":1}})");
    return (*facts.quantities)[Quantity::web_searches];
  };
  EXPECT_EQ(searches("gemini-2.5-flash"), 1);
  EXPECT_EQ(searches("gemini-3-pro"), 2);
}

class NoGenerateBill : public ::testing::TestWithParam<const char*> {};
TEST_P(NoGenerateBill, is_no_usage) {
  const AnswerFacts facts = answered(GetParam());
  EXPECT_FALSE(facts.quantities) << GetParam();
  EXPECT_FALSE(facts.final || facts.error);
}
INSTANTIATE_TEST_SUITE_P(
    Usages, NoGenerateBill,
    ::testing::Values(
        "null", "{}", "[]", "7", R"([{"promptTokenCount":1}])", R"({"candidatesTokenCount":10})",
        R"({"promptTokenCount":0,"candidatesTokenCount":1})", R"({"promptTokenCount":null,"candidatesTokenCount":1})",
        R"({"promptTokenCount":-1})", R"({"promptTokenCount":1.0})", R"({"promptTokenCount":"1"})",
        R"({"promptTokenCount":9007199254740993})", R"({"promptTokenCount":1,"candidatesTokenCount":-2})",
        R"({"promptTokenCount":1,"cachedContentTokenCount":2})",
        R"({"promptTokenCount":9,"candidatesTokenCount":5,"totalTokenCount":13})",
        R"({"promptTokenCount":1,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":2}]})",
        R"({"promptTokenCount":1,"candidatesTokenCount":3,"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":4}]})",
        R"({"promptTokenCount":1,"promptTokensDetails":[{"modality":"TEXT","tokenCount":-2}]})"));

TEST(GenerateErrors, are_told_by_their_status) {
  for (const char* body :
       {R"({"error":{"code":429,"message":"x","status":"RESOURCE_EXHAUSTED","details":[{"status":"y"}]}})",
        R"([{"error":{"code":429,"message":"x","status":"RESOURCE_EXHAUSTED"}}])"}) {
    const AnswerFacts facts = dialect_of("streamGenerateContent")->read(body);
    EXPECT_TRUE(facts.error);
    EXPECT_EQ(facts.error_code, "RESOURCE_EXHAUSTED");
    EXPECT_FALSE(facts.quantities);
  }
}

const std::string first_chunk =
    R"({"candidates": [{"content": {"parts": [{"text": "hello"}],"role": "model"}}],"usageMetadata": {"promptTokenCount": 8,"totalTokenCount": 8},"modelVersion": "gemini-x","responseId": "r1"})";
const std::string empty_chunk =
    R"({"candidates": [{"content": {"parts": [{"text": "!"}]}}],"usageMetadata": {"trafficType": "ON_DEMAND"}})";
const std::string last_chunk =
    R"({"candidates": [{"content": {"parts": [{"functionCall": {"name": "f","args": {"k": 1}}}]},"finishReason": "STOP"}],"usageMetadata": {"promptTokenCount": 7,"candidatesTokenCount": 8,"thoughtsTokenCount": 3,"totalTokenCount": 18}})";
const Quantities billed =
    of({{Quantity::input_tokens, 7}, {Quantity::output_tokens, 8}, {Quantity::reasoning_tokens, 3}});
std::string event(const std::string& chunk) {
  return "data: " + chunk + "\r\n\r\n";
}

TEST(GenerateStream, every_cut_gives_the_same) {
  const std::string in = event(first_chunk) + event(empty_chunk) + event(last_chunk);
  for (std::size_t size = 1; size < 60; ++size) {
    const Read got = read("streamGenerateContent", true, in_pieces(in, size));
    ASSERT_EQ(got.delivered, in);
    ASSERT_TRUE(got.facts.final);
    EXPECT_EQ(got.facts.quantities, billed) << "running totals: the last one counts";
    EXPECT_EQ(got.facts.id, "r1");
    EXPECT_EQ(got.facts.model, "gemini-x");
    EXPECT_EQ(got.facts.finish_reason, "STOP");
    EXPECT_EQ(got.facts.service_tier, "default");
    EXPECT_GE(got.output_seen, 5 + 1 + 1 + 1 + 1);
    EXPECT_LT(got.output_seen, 80);
  }
}

TEST(GenerateStream, is_final_when_every_candidate_ended_and_usage_came_R24) {
  EXPECT_FALSE(read("generateContent", false, {event(first_chunk) + event(empty_chunk)}).facts.final);
  const std::string one =
      R"({"candidates":[{"index":0,"finishReason":"STOP"},{"index":1}],"usageMetadata":{"promptTokenCount":7}})";
  const std::string other =
      R"({"candidates":[{"index":1,"finishReason":"MAX_TOKENS"}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":2}})";
  EXPECT_FALSE(read("generateContent", false, {event(one)}).facts.final);
  const Read both = read("generateContent", false, {event(one) + event(other)});
  EXPECT_TRUE(both.facts.final);
  EXPECT_EQ((*both.facts.quantities)[Quantity::output_tokens], 2);
  const std::string bare = R"({"candidates":[{"finishReason":"STOP"}]})";
  EXPECT_FALSE(read("generateContent", false, {event(first_chunk) + event(bare)}).facts.final)
      << "usage was before the end";
  const Read late = read("generateContent", false,
                         {event(bare) + event(R"({"usageMetadata":{"promptTokenCount":7}})") + event("{}")});
  EXPECT_TRUE(late.facts.final);
  EXPECT_FALSE(
      read("generateContent", false,
           {event(R"({"candidates":[{"index":99,"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":7}})")})
          .facts.final);
  EXPECT_FALSE(
      read(
          "generateContent", false,
          {event(
              R"({"candidates":[{"finishReason":"FINISH_REASON_UNSPECIFIED"}],"usageMetadata":{"promptTokenCount":7}})")})
          .facts.final);
}

TEST(GenerateStream, a_broken_last_bill_is_no_bill) {
  const std::string broken = R"({"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":-7}})";
  const Read got = read("generateContent", false, {event(first_chunk) + event(broken)});
  EXPECT_FALSE(got.facts.final);
  EXPECT_FALSE(got.facts.quantities);
}

TEST(GenerateStream, a_blocked_prompt_ends_it) {
  const Read got =
      read("generateContent", false,
           {event(R"({"promptFeedback":{"blockReason":"OTHER"},"usageMetadata":{"promptTokenCount":7}})")});
  EXPECT_TRUE(got.facts.final);
  EXPECT_EQ(got.facts.quantities, of({{Quantity::input_tokens, 7}}));
}

TEST(GenerateStream, errors_inside_a_200) {
  const Read got =
      read("generateContent", false, {event(first_chunk) + event(R"({"error":{"code":503,"status":"UNAVAILABLE"}})")});
  EXPECT_TRUE(got.facts.error);
  EXPECT_EQ(got.facts.error_code, "UNAVAILABLE");
  EXPECT_FALSE(got.facts.final);
}

TEST(GenerateList, of_chunks_without_alt_sse) {
  const Dialect& dialect = *dialect_of("streamGenerateContent");
  const AnswerFacts whole = dialect.read("[" + first_chunk + ",\r\n" + empty_chunk + "\n,\n" + last_chunk + "]");
  EXPECT_EQ(whole.quantities, billed);
  EXPECT_TRUE(whole.final);
  EXPECT_EQ(whole.model, "gemini-x");
  EXPECT_FALSE(dialect.read("[" + first_chunk + "," + empty_chunk + "]").final) << "it never ended";
  EXPECT_FALSE(dialect.read("[" + first_chunk + "," + last_chunk).quantities) << "cut off";
  const AnswerFacts error = dialect.read("[" + first_chunk + R"(,{"error":{"code":503,"status":"UNAVAILABLE"}}])");
  EXPECT_TRUE(error.error);
  EXPECT_FALSE(error.final);
  EXPECT_FALSE(dialect.read("[]").final);
  EXPECT_FALSE(dialect.read("[[" + last_chunk + "]]").quantities);
}

}  // namespace
}  // namespace farthing::generate_test
