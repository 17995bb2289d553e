// A call of every dialect from its request to its cost: what is held, what is written into the body, what is settled.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/core/guard/fixture.h"

namespace farthing::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr const char* prices =
    "[[cap]]\nid = \"day\"\nlimit = \"1 USD\"\nper = \"day\"\n"
    "[[price]]\nprovider = \"anthropic\"\nmodel = \"claude-x\"\n"
    "rates = { input_tokens = \"1.00 USD per million\", output_tokens = \"5.00 USD per million\", "
    "cache_read_tokens = \"0.10 USD per million\", cache_write_tokens = \"1.25 USD per million\", "
    "cache_write_1h_tokens = \"2.00 USD per million\", web_searches = \"10.00 USD per thousand\" }\n"
    "[[price]]\nprovider = \"gemini\"\nmodel = \"gemini-x\"\n"
    "rates = { input_tokens = \"1.00 USD per million\", output_tokens = \"5.00 USD per million\", "
    "cache_read_tokens = \"0.10 USD per million\", input_audio_tokens = \"3.00 USD per million\" }\n"
    "[[price]]\nprovider = \"openai\"\nmodel = \"davinci-x\"\n"
    "rates = { input_tokens = \"2.00 USD per million\", output_tokens = \"2.00 USD per million\" }\n";

class Dialects : public GuardFixture {
 protected:
  static Verdict begin_messages(Attempt& attempt, std::string_view body) {
    return begin(attempt, body, "api.anthropic.com", "/v1/messages");
  }
  static Verdict begin_gemini(Attempt& attempt, std::string_view body, std::string_view method = "generateContent",
                              std::string_view host = "generativelanguage.googleapis.com") {
    return begin(attempt, body, host, "/v1beta/models/gemini-x:" + std::string(method));
  }
  static Verdict begin_completions(Attempt& attempt, std::string_view body) {
    return begin(attempt, body, "api.openai.com", "/v1/completions");
  }
  /// A stream in one piece.
  static void answer_stream(Attempt& attempt, std::string_view stream) {
    static const HeaderView headers[] = {{"content-type", "text/event-stream"}, {"request-id", "req_9"}};
    EXPECT_TRUE(attempt.sent());
    attempt.head(200, headers);
    attempt.data(stream);
    attempt.end();
  }
  std::int64_t held() { return left("day").reserved; }
};

TEST_F(Dialects, messages_are_settled_with_their_caches_and_searches) {
  open(prices);
  Attempt one = attempt();
  ASSERT_EQ(
      begin_messages(
          one,
          R"({"model":"claude-x","max_tokens":1000,"cache_control":{"type":"ephemeral","ttl":"1h"},"messages":[]})")
          .kind,
      Verdict::Kind::send);
  answer(
      one,
      R"({"id":"msg_1","type":"message","model":"claude-x","stop_reason":"end_turn","usage":{"input_tokens":1000,)"
      R"("cache_creation_input_tokens":3000,"cache_read_input_tokens":4000,"cache_creation":{"ephemeral_5m_input_tokens":2000,)"
      R"("ephemeral_1h_input_tokens":1000},"output_tokens":100,"server_tool_use":{"web_search_requests":1},"service_tier":"standard"}})");
  // 1000 + 2000 x 1.25 + 1000 x 2 + 4000 x 0.10 + 100 x 5, and a search
  EXPECT_EQ(one.receipt()->cost, Usd{6'400'000 + 10'000'000});
  EXPECT_EQ(rows().front().how, How::usage);
  EXPECT_EQ(rows().front().context->endpoint, "messages");
  EXPECT_EQ(rows().front().context->provider, "anthropic");
  EXPECT_EQ(rows().front().tier_served, "default");
  EXPECT_EQ(rows().front().booked[Meter::input_tokens], 8'000);
}

TEST_F(Dialects, messages_hold_the_price_of_a_cache_only_where_one_is_written) {
  open(prices);
  const auto ceiling = [&](const std::string& more) {
    Attempt one = attempt();
    // Bodies of one length: only what they ask for differs.
    std::string body = R"({"model":"claude-x","max_tokens":1,"messages":[)" + more + "]";
    body += std::string(400 - body.size(), ' ') + "}";
    EXPECT_EQ(begin_messages(one, body).kind, Verdict::Kind::send);
    const std::int64_t now = held();
    one.abort(Abort::not_sent);
    return now - 5'000;  // without the one token of output
  };
  const std::int64_t plain = ceiling("");
  const std::int64_t usual = ceiling(R"({"cache_control":{"type":"ephemeral"}})");
  const std::int64_t hour = ceiling(R"({"cache_control":{"type":"ephemeral","ttl":"1h"}})");
  EXPECT_EQ(usual * 4, plain * 5);
  EXPECT_EQ(hour, plain * 2);
  EXPECT_GE(plain, (401 + 1'700) * 1'000) << "with what the provider writes in front of it by itself";
}

TEST_F(Dialects, a_stream_of_messages_is_settled_at_its_marker) {
  open(prices);
  Attempt one = attempt();
  ASSERT_EQ(begin_messages(one, R"({"model":"claude-x","max_tokens":1000,"stream":true,"messages":[]})").kind,
            Verdict::Kind::send);
  answer_stream(
      one,
      "data: "
      "{\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"claude-x\",\"usage\":{\"input_tokens\":"
      "100,\"output_tokens\":1}}}\n\n"
      "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":50}}\n\n"
      "data: {\"type\":\"message_stop\"}\n\n");
  EXPECT_EQ(one.receipt()->cost, Usd{350'000});
  EXPECT_EQ(rows().front().request_id, "req_9");
  Attempt cut = attempt();
  ASSERT_EQ(begin_messages(cut, R"({"model":"claude-x","max_tokens":1000,"stream":true,"messages":[]})").kind,
            Verdict::Kind::send);
  const std::int64_t hold = held();
  answer_stream(
      cut, "data: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":100,\"output_tokens\":1}}}\n\n");
  EXPECT_EQ(cut.receipt()->cost, Usd{hold}) << "without its marker: the hold (R24)";
}

TEST_F(Dialects, messages_without_a_limit_get_one_above_their_thinking_R20) {
  open(prices);
  Attempt one = attempt();
  const Verdict verdict =
      begin_messages(one, R"({"model":"claude-x","thinking":{"type":"enabled","budget_tokens":4000},"messages":[]})");
  ASSERT_EQ(verdict.kind, Verdict::Kind::send);
  ASSERT_TRUE(verdict.body);
  EXPECT_GT(json::parse(*verdict.body)["max_tokens"].get<std::int64_t>(), 4'000);
}

TEST_F(Dialects, tools_of_the_provider_need_a_limit_of_their_uses_R31) {
  open(prices);
  Attempt one = attempt();
  ASSERT_EQ(
      begin_messages(
          one,
          R"({"model":"claude-x","max_tokens":9,"tools":[{"type":"web_search_20250305","name":"web_search"}],"messages":[]})")
          .kind,
      Verdict::Kind::answer);
  EXPECT_EQ(one.denial()->code, Code::unbounded_request);
  EXPECT_THAT(one.denial()->message, HasSubstr("max_uses"));
  Attempt gemini = attempt();
  ASSERT_EQ(begin_gemini(gemini, R"({"contents":[],"tools":[{"googleSearch":{}}]})").kind, Verdict::Kind::answer);
  EXPECT_EQ(gemini.denial()->code, Code::unbounded_request);
}

TEST_F(Dialects, errors_of_a_provider_cost_nothing_R23) {
  open(prices);
  Attempt one = attempt();
  ASSERT_EQ(begin_messages(one, R"({"model":"claude-x","max_tokens":9,"messages":[]})").kind, Verdict::Kind::send);
  answer(one, R"({"type":"error","error":{"type":"overloaded_error","message":"x"}})", 529);
  ASSERT_EQ(rows().size(), 1U);
  EXPECT_EQ(one.receipt()->how, How::provider_error);
  EXPECT_EQ(rows().front().error_class, "overloaded_error");
  Attempt gemini = attempt();
  ASSERT_EQ(begin_gemini(gemini, R"({"contents":[]})").kind, Verdict::Kind::send);
  answer(gemini, R"({"error":{"code":429,"message":"x","status":"RESOURCE_EXHAUSTED"}})", 429);
  EXPECT_EQ(gemini.receipt()->cost, Usd{});
  EXPECT_EQ(left("day").spent, 0);
}

TEST_F(Dialects, gemini_is_priced_by_the_model_of_its_path) {
  open(prices);
  Attempt one = attempt();
  const Verdict verdict = begin_gemini(one, R"({"contents":[],"generationConfig":{"topP":1}})");
  ASSERT_EQ(verdict.kind, Verdict::Kind::send);
  ASSERT_TRUE(verdict.body) << "a limit of ours, where Google looks for it (R20)";
  const std::int64_t limit = json::parse(*verdict.body)["generationConfig"]["maxOutputTokens"].get<std::int64_t>();
  EXPECT_GT(limit, 256);
  EXPECT_EQ(json::parse(*verdict.body)["generationConfig"]["topP"], 1);
  answer(
      one,
      R"({"candidates":[{"finishReason":"STOP"}],"modelVersion":"gemini-x","responseId":"r1","usageMetadata":{"promptTokenCount":1000,)"
      R"("cachedContentTokenCount":400,"candidatesTokenCount":100,"thoughtsTokenCount":200,"totalTokenCount":1300,)"
      R"("promptTokensDetails":[{"modality":"AUDIO","tokenCount":100}]}})");
  // 500 + 100 x 3 + 400 x 0.10 + 300 x 5
  EXPECT_EQ(one.receipt()->cost, Usd{2'340'000});
  EXPECT_EQ(rows().front().context->model, "gemini-x");
  EXPECT_EQ(rows().front().context->endpoint, "generateContent");
  EXPECT_EQ(rows().front().response_id, "r1");
  EXPECT_EQ(rows().front().output_limit, limit);
}

TEST_F(Dialects, gemini_on_vertex_has_the_same_prices) {
  open(prices);
  Attempt one = attempt();
  ASSERT_EQ(begin(one, R"({"contents":[]})", "us-central1-aiplatform.googleapis.com",
                  "/v1/projects/p/locations/us-central1/publishers/google/models/gemini-x:generateContent")
                .kind,
            Verdict::Kind::send);
  answer(
      one,
      R"({"candidates":[{"finishReason":1}],"usageMetadata":{"promptTokenCount":100,"candidatesTokenCount":10,"trafficType":1}})");
  EXPECT_EQ(one.receipt()->cost, Usd{150'000});
  for (const char* path : {"/v1/projects/p/locations/l/endpoints/gemini-x:generateContent",
                           "/v1/projects/p/locations/l/publishers/acme/models/gemini-x:generateContent",
                           "/v1beta/tunedModels/gemini-x:generateContent"}) {
    Attempt other = attempt();
    ASSERT_EQ(begin(other, R"({"contents":[]})", "us-central1-aiplatform.googleapis.com", path).kind,
              Verdict::Kind::answer)
        << path;
    EXPECT_EQ(other.denial()->code, Code::unpriced_model) << path;
  }
}

TEST_F(Dialects, gemini_streams_as_events_and_as_a_list) {
  open(prices);
  const std::string chunks[] = {
      R"({"candidates":[{"content":{"parts":[{"text":"a"}]}}],"usageMetadata":{"promptTokenCount":100}})",
      R"({"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":100,"candidatesTokenCount":10}})"};
  Attempt events = attempt();
  ASSERT_EQ(begin_gemini(events, R"({"contents":[]})", "streamGenerateContent?alt=sse").kind, Verdict::Kind::send);
  answer_stream(events, "data: " + chunks[0] + "\n\ndata: " + chunks[1] + "\n\n");
  EXPECT_EQ(events.receipt()->cost, Usd{150'000});
  Attempt list = attempt();
  ASSERT_EQ(begin_gemini(list, R"({"contents":[]})", "streamGenerateContent").kind, Verdict::Kind::send);
  answer(list, "[" + chunks[0] + ",\n" + chunks[1] + "]");
  EXPECT_EQ(list.receipt()->cost, Usd{150'000});
  EXPECT_EQ(list.receipt()->how, How::usage);
  Attempt cut = attempt();
  ASSERT_EQ(begin_gemini(cut, R"({"contents":[]})", "streamGenerateContent").kind, Verdict::Kind::send);
  answer(cut, "[" + chunks[0]);
  EXPECT_EQ(cut.receipt()->how, How::hold);
}

TEST_F(Dialects, the_last_totals_of_a_gemini_stream_count_whatever_finished_before) {
  open(prices);
  const auto chunk = [](int output) {
    return R"(data: {"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":100,"candidatesTokenCount":)" +
           std::to_string(output) + "}}\n\n";
  };
  Attempt whole = attempt();
  ASSERT_EQ(begin_gemini(whole, R"({"contents":[]})", "streamGenerateContent?alt=sse").kind, Verdict::Kind::send);
  answer_stream(whole, chunk(1) + chunk(5) + chunk(10));
  EXPECT_EQ(whole.receipt()->cost, Usd{150'000});
  Attempt cut = attempt();
  ASSERT_EQ(begin_gemini(cut, R"({"contents":[]})", "streamGenerateContent?alt=sse").kind, Verdict::Kind::send);
  EXPECT_TRUE(cut.sent());
  static const HeaderView headers[] = {{"content-type", "text/event-stream"}};
  cut.head(200, headers);
  cut.data(chunk(1));
  cut.abort(Abort::sent);
  EXPECT_EQ(cut.receipt()->how, How::hold);
}

TEST_F(Dialects, a_blocked_prompt_costs_its_input) {
  open(prices);
  Attempt one = attempt();
  ASSERT_EQ(begin_gemini(one, R"({"contents":[]})").kind, Verdict::Kind::send);
  answer(
      one,
      R"({"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":100,"totalTokenCount":100}})");
  EXPECT_EQ(one.receipt()->cost, Usd{100'000});
}

TEST_F(Dialects, an_answer_cut_by_a_limit_of_ours_is_told_once_in_every_dialects_word_R20) {
  open(prices);
  Attempt one = attempt();
  ASSERT_EQ(begin_gemini(one, R"({"contents":[]})").kind, Verdict::Kind::send);
  answer(
      one,
      R"({"candidates":[{"finishReason":"MAX_TOKENS"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":10}})");
  EXPECT_EQ(warnings.size(), 1U);
}

TEST_F(Dialects, completions_hold_every_prompts_answers) {
  open(prices);
  Attempt one = attempt();
  const Verdict verdict =
      begin_completions(one, R"({"model":"davinci-x","prompt":["a","b"],"best_of":3,"max_tokens":1000,"stream":true})");
  ASSERT_EQ(verdict.kind, Verdict::Kind::send);
  EXPECT_GE(held(), 6 * 1'000 * 2'000);
  ASSERT_TRUE(verdict.body);
  EXPECT_EQ(json::parse(*verdict.body)["stream_options"]["include_usage"], true);
  answer_stream(
      one,
      "data: {\"id\":\"cmpl-1\",\"model\":\"davinci-x\",\"choices\":[{\"text\":\"x\",\"finish_reason\":\"stop\"}]}\n\n"
      "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":50,\"total_tokens\":150}}\n\n"
      "data: [DONE]\n\n");
  EXPECT_EQ(one.receipt()->cost, Usd{300'000});
}

TEST_F(Dialects, a_completion_without_a_limit_is_left_at_its_providers_sixteen_tokens) {
  open(prices);
  Attempt one = attempt();
  const Verdict verdict = begin_completions(one, R"({"model":"davinci-x","prompt":"a"})");
  ASSERT_EQ(verdict.kind, Verdict::Kind::send);
  EXPECT_FALSE(verdict.body) << "a limit of ours would make it longer than it is";
  EXPECT_LT(held(), (16 + 200) * 2'000);
  answer(one, R"({"id":"cmpl-1","model":"davinci-x","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":16}})");
  EXPECT_EQ(one.receipt()->cost, Usd{34'000});
}

}  // namespace
}  // namespace farthing::test
