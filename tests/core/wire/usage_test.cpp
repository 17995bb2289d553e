// What an answer says it used, as disjoint quantities; what cannot be a bill is no usage (promise 5: missing is not zero).
#include <gtest/gtest.h>

#include "reading.h"

namespace farthing {
namespace {

AnswerFacts chat(std::string_view usage) {
  return dialect_of("chat.completions")
      ->read(R"({"id":"chatcmpl-1","model":"gpt-5-2025","choices":[{"finish_reason":"stop"}],"usage":)" +
             std::string(usage) + "}");
}

TEST(ChatUsage, parts_are_disjoint) {
  const AnswerFacts facts = chat(R"({"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,
    "prompt_tokens_details":{"cached_tokens":60,"audio_tokens":10},"completion_tokens_details":{"reasoning_tokens":30,"audio_tokens":5}})");
  EXPECT_EQ(facts.quantities, of({{Quantity::input_tokens, 30},
                                  {Quantity::cache_read_tokens, 60},
                                  {Quantity::input_audio_tokens, 10},
                                  {Quantity::output_tokens, 15},
                                  {Quantity::reasoning_tokens, 30},
                                  {Quantity::output_audio_tokens, 5}}));
  EXPECT_TRUE(facts.final);
  EXPECT_EQ(facts.id, "chatcmpl-1");
  EXPECT_EQ(facts.model, "gpt-5-2025");
  EXPECT_EQ(facts.finish_reason, "stop");
}

TEST(ChatUsage, reasoning_beside_the_completion) {  // xAI; Gemini tells it in the total only
  EXPECT_EQ(
      chat(
          R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":35,"completion_tokens_details":{"reasoning_tokens":20}})")
          .quantities,
      of({{Quantity::input_tokens, 10}, {Quantity::output_tokens, 5}, {Quantity::reasoning_tokens, 20}}));
  EXPECT_EQ(chat(R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":35})").quantities,
            of({{Quantity::input_tokens, 10}, {Quantity::output_tokens, 5}, {Quantity::reasoning_tokens, 20}}));
}

TEST(ChatUsage, details_may_be_null_or_missing) {
  const Quantities plain = of({{Quantity::input_tokens, 10}, {Quantity::output_tokens, 5}});
  EXPECT_EQ(chat(R"({"prompt_tokens":10,"completion_tokens":5})").quantities, plain);
  EXPECT_EQ(
      chat(
          R"({"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":null,"completion_tokens_details":{"reasoning_tokens":null}})")
          .quantities,
      plain);
  EXPECT_EQ(chat(R"({"prompt_tokens":10,"completion_tokens":5,"x":{"y":{"prompt_tokens":99}},"cost":0.1})").quantities,
            plain);
}

TEST(ChatUsage, written_into_a_cache) {  // OpenRouter
  EXPECT_EQ(
      chat(
          R"({"prompt_tokens":194,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":10,"cache_write_tokens":100}})")
          .quantities,
      of({{Quantity::input_tokens, 84},
          {Quantity::cache_read_tokens, 10},
          {Quantity::cache_write_tokens, 100},
          {Quantity::output_tokens, 2}}));
  EXPECT_FALSE(
      chat(
          R"({"prompt_tokens":109,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":10,"cache_write_tokens":100}})")
          .quantities);
}

TEST(ChatUsage, what_the_provider_says_that_it_cost) {
  const auto cost = [](const std::string& more) {
    const std::string usage = R"({"prompt_tokens":10,"completion_tokens":5,)" + more + "}";
    const AnswerFacts facts = chat(usage);
    EXPECT_TRUE(facts.quantities) << "a cost that cannot be read spoils no usage: " << more;
    const AnswerFacts response =
        dialect_of("responses")->read(R"({"id":"r","status":"completed","usage":)" + usage + "}");
    EXPECT_EQ(response.reported_cost.has_value(), facts.reported_cost.has_value()) << more;
    return facts.reported_cost ? facts.reported_cost->nano : -1;
  };
  EXPECT_EQ(cost(R"("cost_in_usd_ticks":37756000)"), 3'775'600);                                 // xAI
  EXPECT_EQ(cost(R"("cost":0.95,"cost_details":{"upstream_inference_cost":19})"), 950'000'000);  // OpenRouter
  EXPECT_EQ(cost(R"("cost":0.95,"cost_details":{"upstream_inference_cost":null},"is_byok":false)"), 950'000'000);
  EXPECT_EQ(cost(R"("cost":0,"is_byok":true,"cost_details":{"upstream_inference_cost":0.0000036})"), 3'600);
  EXPECT_EQ(cost(R"("cost":6e-7,"is_byok":true,"cost_details":{"upstream_inference_cost":1})"), 1'000'000'600);
  EXPECT_EQ(cost(R"("cost":0,"is_byok":true)"), -1) << "what the other one bills is not told";
  EXPECT_EQ(cost(R"("cost":0)"), 0);
  EXPECT_EQ(cost(R"("cost":{"request_cost":0.005,"total_cost":0.00513})"), 5'130'000);  // Perplexity
  for (const char* broken : {R"("cost":"0.95")", R"("cost":-1)", R"("cost":true)", R"("cost_in_usd_ticks":-5)",
                             R"("cost":1e300)", R"("cost":0.1,"cost_details":{"upstream_inference_cost":"x"})",
                             R"("cost":{"total_cost":"1"})", R"("cost":{"request_cost":1})", R"("cost":null)"})
    EXPECT_EQ(cost(broken), -1) << broken;
}

TEST(ChatUsage, deepseek_names) {
  EXPECT_EQ(
      chat(R"({"prompt_tokens":10,"completion_tokens":5,"prompt_cache_hit_tokens":8,"prompt_cache_miss_tokens":2})")
          .quantities,
      of({{Quantity::input_tokens, 2}, {Quantity::cache_read_tokens, 8}, {Quantity::output_tokens, 5}}));
}

class NoBill : public ::testing::TestWithParam<const char*> {};
TEST_P(NoBill, is_no_usage) {
  const AnswerFacts facts = chat(GetParam());
  EXPECT_FALSE(facts.quantities) << GetParam();
  EXPECT_FALSE(facts.error);
}
INSTANTIATE_TEST_SUITE_P(
    Usages, NoBill,
    ::testing::Values(
        "null", "{}", "[]", "7", "\"x\"", R"([{"prompt_tokens":1,"completion_tokens":1}])", R"({"prompt_tokens":10})",
        R"({"completion_tokens":10})", R"({"prompt_tokens":null,"completion_tokens":5})",
        R"({"prompt_tokens":10,"completion_tokens":null})", R"({"prompt_tokens":-1,"completion_tokens":5})",
        R"({"prompt_tokens":10,"completion_tokens":-5})", R"({"prompt_tokens":10.0,"completion_tokens":5})",
        R"({"prompt_tokens":"10","completion_tokens":5})",
        R"({"prompt_tokens":9007199254740993,"completion_tokens":5})",
        R"({"prompt_tokens":99999999999999999999999,"completion_tokens":5})",
        R"({"prompt_tokens":1e3,"completion_tokens":5})", R"({"prompt_tokens":true,"completion_tokens":5})",
        R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":14})",
        R"({"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":11}})",
        R"({"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":-1}})",
        R"({"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"audio_tokens":11}})",
        R"({"prompt_tokens":10,"completion_tokens":5,"completion_tokens_details":{"reasoning_tokens":6}})",
        R"({"prompt_tokens":10,"completion_tokens":5,"completion_tokens_details":{"reasoning_tokens":3,"audio_tokens":3}})"));

TEST(Bodies, that_are_not_the_dialects) {
  for (const Dialect* dialect : dialects()) {
    for (const char* body : {"", "null", "[]", "{", "<html>", "{}", "7", "\xff",
                             "{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}"}) {
      const AnswerFacts facts = dialect->read(body);
      EXPECT_FALSE(facts.quantities || facts.error || facts.final) << dialect->endpoint << " " << body;
    }
  }
}

TEST(Bodies, errors_of_the_dialect) {
  for (const Dialect* dialect : dialects()) {
    const AnswerFacts facts = dialect->read(
        R"({"error":{"message":"no","type":"invalid_request_error","code":"model_not_found","param":null}})");
    EXPECT_TRUE(facts.error) << dialect->endpoint;
    EXPECT_EQ(facts.error_code, "model_not_found");
    EXPECT_FALSE(facts.quantities);
    EXPECT_EQ(dialect->read(R"({"error":{"type":"server_error","code":null}})").error_code, "server_error");
    EXPECT_FALSE(dialect->read(R"({"error":null})").error);
  }
}

TEST(ResponsesUsage, whole_bodies) {
  const Dialect& dialect = *dialect_of("responses");
  const AnswerFacts done =
      dialect.read(R"({"id":"resp_1","model":"m","status":"completed","error":null,"service_tier":"default",
    "usage":{"input_tokens":36,"input_tokens_details":{"cached_tokens":6},"output_tokens":87,"output_tokens_details":{"reasoning_tokens":80},"total_tokens":123}})");
  EXPECT_EQ(done.quantities, of({{Quantity::input_tokens, 30},
                                 {Quantity::cache_read_tokens, 6},
                                 {Quantity::output_tokens, 7},
                                 {Quantity::reasoning_tokens, 80}}));
  EXPECT_EQ(done.finish_reason, "completed");
  EXPECT_EQ(done.service_tier, "default");
  const AnswerFacts cut = dialect.read(
      R"({"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"usage":{"input_tokens":1,"output_tokens":16}})");
  EXPECT_EQ(cut.finish_reason, "max_output_tokens");
  EXPECT_FALSE(dialect.read(R"({"id":"resp_1","status":"in_progress","usage":null})").final) << "background";
}

TEST(EmbeddingsUsage, has_no_output) {
  const Dialect& dialect = *dialect_of("embeddings");
  const AnswerFacts facts = dialect.read(
      R"({"object":"list","model":"m","data":[{"embedding":[0.1]}],"usage":{"prompt_tokens":8,"total_tokens":8}})");
  EXPECT_EQ(facts.quantities, of({{Quantity::input_tokens, 8}}));
  EXPECT_TRUE(facts.final);
}

}  // namespace
}  // namespace farthing
