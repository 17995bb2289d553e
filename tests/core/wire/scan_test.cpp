// What a request asks: every fact of RequestFacts, and what makes a request unreadable.
#include <gtest/gtest.h>

#include "wire/wire.h"

namespace farthing {
namespace {

RequestFacts scan(std::string_view endpoint, std::string_view body) {
  Result<RequestFacts> facts = dialect_of(endpoint)->scan(body);
  EXPECT_TRUE(facts.ok()) << body << (facts.ok() ? "" : facts.error().message);
  return facts.ok() ? *facts : RequestFacts{};
}
RequestFacts chat(std::string_view body) {
  return scan("chat.completions", body);
}
RequestFacts responses(std::string_view body) {
  return scan("responses", body);
}
RequestFacts embeddings(std::string_view body) {
  return scan("embeddings", body);
}

std::string_view at(std::string_view body, const Span& span) {
  return body.substr(span.at, span.length);
}

TEST(ChatScan, reads_the_members_that_matter) {
  const std::string_view body =
      R"( { "model" : "gpt-5", "messages":[{"role":"user","content":"hi \" \u00e9 }"}], "n": 3 , "stream":true,)"
      R"("max_completion_tokens" : 120 ,"stream_options":{ "include_usage": false },"service_tier":"flex","reasoning_effort":"low"})";
  const RequestFacts facts = chat(body);
  EXPECT_EQ(facts.model, "gpt-5");
  EXPECT_EQ(facts.choices, 3);
  EXPECT_TRUE(facts.stream);
  EXPECT_EQ(facts.output_limit, 120);
  EXPECT_EQ(facts.output_limit_name, "max_completion_tokens");
  ASSERT_EQ(facts.output_limit_spans.size(), 1U);
  EXPECT_EQ(at(body, facts.output_limit_spans[0]), "120");
  EXPECT_EQ(facts.usage_asked, false);
  ASSERT_TRUE(facts.include_usage_span);
  EXPECT_EQ(at(body, *facts.include_usage_span), "false");
  EXPECT_EQ(facts.service_tier, "flex");
  EXPECT_EQ(facts.reasoning_effort, "low");
  EXPECT_EQ(facts.input_bytes, static_cast<std::int64_t>(body.size()));
  EXPECT_EQ(facts.object_open, 2U);
  EXPECT_FALSE(facts.media || facts.remote || facts.server_tools || facts.tools || facts.schema);
}

TEST(ChatScan, absent_and_null_are_no_limit) {
  EXPECT_FALSE(chat(R"({"model":"m","messages":[]})").output_limit);
  const std::string_view body = R"({"max_tokens":null,"model":"m","n":null,"stream":null,"stream_options":null})";
  const RequestFacts facts = chat(body);
  EXPECT_FALSE(facts.output_limit);
  EXPECT_EQ(facts.choices, 1);
  EXPECT_FALSE(facts.stream);
  ASSERT_EQ(facts.output_limit_spans.size(), 1U);
  EXPECT_EQ(at(body, facts.output_limit_spans[0]), "null");
  ASSERT_TRUE(facts.stream_options.null);
  EXPECT_EQ(at(body, *facts.stream_options.null), "null");
}

TEST(ChatScan, the_largest_of_two_limits_counts) {
  const RequestFacts facts = chat(R"({"max_completion_tokens":700,"max_tokens":500})");
  EXPECT_EQ(facts.output_limit, 700);
  EXPECT_EQ(facts.output_limit_spans.size(), 2U);
}

TEST(ChatScan, a_null_beside_a_limit_is_left_alone) {
  const std::string_view body = R"({"max_completion_tokens":700,"max_tokens":null})";
  const RequestFacts facts = chat(body);
  ASSERT_EQ(facts.output_limit_spans.size(), 1U);
  EXPECT_EQ(at(body, facts.output_limit_spans[0]), "700");
  EXPECT_EQ(facts.output_limit_name, "max_completion_tokens");
}

TEST(ChatScan, only_top_level_members_count) {
  const RequestFacts facts = chat(R"({"model":"m","metadata":{"model":"x","n":9,"stream":true,"max_tokens":5}})");
  EXPECT_EQ(facts.model, "m");
  EXPECT_EQ(facts.choices, 1);
  EXPECT_FALSE(facts.stream);
  EXPECT_FALSE(facts.output_limit);
}

TEST(ChatScan, escaped_names_are_the_same_names) {
  const RequestFacts facts = chat(R"({"mod\u0065l":"m","\u006e": 2,"max\u005ftokens" :  7})");
  EXPECT_EQ(facts.model, "m");
  EXPECT_EQ(facts.choices, 2);
  EXPECT_EQ(facts.output_limit, 7);
}

TEST(ChatScan, tools_and_schemas) {
  EXPECT_TRUE(chat(R"({"tools":[{"type":"function","function":{"name":"f"}}]})").tools);
  EXPECT_FALSE(chat(R"({"tools":[{"type":"function","function":{"name":"f"}}]})").server_tools);
  EXPECT_FALSE(chat(R"({"tools":[]})").tools);
  EXPECT_TRUE(chat(R"({"response_format":{"type":"json_schema","json_schema":{}}})").schema);
  EXPECT_FALSE(chat(R"({"response_format":{"type":"json_object"}})").schema);
  EXPECT_TRUE(chat(R"({"web_search_options":{}})").search_options);
  EXPECT_FALSE(chat(R"({"web_search_options":null})").search_options);
  EXPECT_EQ(chat(R"({"web_search_options":{"search_context_size":"low"}})").search_context, "low");
  EXPECT_FALSE(chat(R"({"web_search_options":{"search_type":"fast"}})").server_tools);
  EXPECT_TRUE(chat(R"({"web_search_options":{"search_type":"auto"}})").server_tools);
  EXPECT_TRUE(chat(R"({"tools":[{"type":"browser_search"}]})").server_tools);
  EXPECT_TRUE(chat(R"({"plugins":[{"id":"web"}]})").server_tools);
  EXPECT_TRUE(chat(R"({"data_sources":[{"type":"azure_search"}]})").server_tools);
}

TEST(ChatScan, base64_is_not_counted_as_text) {
  const std::string payload(1000, 'A');
  const std::string body =
      R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,)" +
      payload + R"("}}]}]})";
  const RequestFacts facts = chat(body);
  EXPECT_TRUE(facts.media);
  EXPECT_FALSE(facts.remote);
  EXPECT_EQ(facts.input_bytes, static_cast<std::int64_t>(body.size() - payload.size()));
  const std::string audio = R"({"messages":[{"content":[{"type":"input_audio","input_audio":{"data":")" + payload +
                            R"(","format":"wav"}}]}]})";
  EXPECT_TRUE(chat(audio).media);
  EXPECT_EQ(chat(audio).input_bytes, static_cast<std::int64_t>(audio.size() - payload.size()));
}

TEST(ChatScan, what_we_do_not_see_is_remote) {
  EXPECT_TRUE(
      chat(R"({"messages":[{"content":[{"type":"image_url","image_url":{"url":"https://a.test/b.png"}}]}]})").remote);
  EXPECT_TRUE(chat(R"({"messages":[{"content":[{"type":"image_url","image_url":"https://a.test/b.png"}]}]})").remote);
  EXPECT_TRUE(chat(R"({"messages":[{"content":[{"type":"file","file":{"file_id":"file-1"}}]}]})").remote);
  EXPECT_TRUE(chat(R"({"messages":[{"role":"assistant","audio":{"id":"audio_1"}}]})").remote);
  EXPECT_FALSE(chat(R"({"messages":[{"role":"user","content":"see https://a.test and data:x"}]})").remote);
}

TEST(ChatScan, text_that_only_looks_like_media_is_text) {
  const std::string body = R"({"messages":[{"role":"user","content":"data:image/png;base64,AAAAAAAAAAAA"}]})";
  EXPECT_EQ(chat(body).input_bytes, static_cast<std::int64_t>(body.size()));
}

TEST(ChatScan, speech_and_images_of_the_answer_are_no_input) {
  const RequestFacts spoken = chat(R"({"modalities":["text","audio"],"audio":{"voice":"x"}})");
  EXPECT_TRUE(spoken.spoken_output);
  EXPECT_FALSE(spoken.painted_output || spoken.media || spoken.remote);
  EXPECT_TRUE(chat(R"({"modalities":["image","text"]})").painted_output);
  EXPECT_FALSE(chat(R"({"modalities":["text"]})").spoken_output);
  EXPECT_TRUE(chat(R"({"modalities":["smell"]})").media_other) << "at a rate that nobody knows";
}

TEST(Elsewhere, members_of_gateways_mean_the_same_in_every_dialect) {
  for (const char* endpoint : {"chat.completions", "responses", "completions", "messages", "embeddings"}) {
    const auto with = [&](const std::string& member) {
      // No limit on the uses of other tools bounds them.
      return *dialect_of(endpoint)->scan(R"({"model":"m","max_tool_calls":3,)" + member + "}");
    };
    for (const char* member :
         {R"("plugins":[{"id":"web"}])", R"("search_parameters":{"mode":"on"})", R"("data_sources":[{"type":"x"}])",
          R"("preset":"mine")", R"("preset":{"slug":"mine"})"}) {
      const RequestFacts facts = with(member);
      EXPECT_TRUE(facts.server_tools && facts.fees[Quantity::tool_calls] > 0) << endpoint << member;
      EXPECT_FALSE(facts.server_tool_steps) << endpoint << member;
    }
    for (const char* member : {R"("models":["a","b"])", R"("route":"fallback")", R"("preset":"mine")"})
      EXPECT_TRUE(with(member).other_models) << endpoint << member;
    for (const char* member : {R"("plugins":null)", R"("models":null)", R"("preset":null)", R"("route":null)",
                               R"("metadata":{"models":["a"],"plugins":["b"],"preset":"c"})"}) {
      EXPECT_FALSE(with(member).server_tools || with(member).other_models) << endpoint << member;
    }
  }
}

TEST(Elsewhere, a_models_name_can_say_it_too) {
  for (const char* endpoint : {"chat.completions", "responses", "completions", "messages"}) {
    const auto of = [&](const std::string& model) {
      return *dialect_of(endpoint)->scan(R"({"model":")" + model + "\"}");
    };
    EXPECT_TRUE(of("openai/gpt-4o:online").server_tools) << endpoint;
    EXPECT_FALSE(of("openai/gpt-4o:online").other_models) << endpoint;
    for (const char* preset : {"@preset/mine", "openai/gpt-4o@preset/mine"})
      EXPECT_TRUE(of(preset).server_tools && of(preset).other_models) << endpoint;
    for (const char* plain : {"openai/gpt-4o:nitro", "openai/gpt-4o:floor", "online"})
      EXPECT_FALSE(of(plain).server_tools || of(plain).other_models) << endpoint << plain;
  }
}

TEST(ResponsesScan, reads_the_members_that_matter) {
  const std::string_view body =
      R"({"model":"gpt-5","input":"hi","max_output_tokens": 64,"max_tool_calls":4,"background":true,)"
      R"("reasoning":{"effort":"high"},"text":{"format":{"type":"json_schema"}},"stream":true})";
  const RequestFacts facts = responses(body);
  EXPECT_EQ(facts.output_limit, 64);
  EXPECT_EQ(at(body, facts.output_limit_spans.at(0)), "64");
  EXPECT_EQ(facts.server_tool_steps, 4);
  EXPECT_TRUE(facts.background);
  EXPECT_TRUE(facts.stream);
  EXPECT_TRUE(facts.schema);
  EXPECT_EQ(facts.reasoning_effort, "high");
}

TEST(ResponsesScan, tools_that_run_at_the_provider) {
  const auto server = [](std::string_view tool) {
    return responses(R"({"tools":[)" + std::string(tool) + "]}").server_tools;
  };
  for (const char* tool :
       {R"({"type":"function","name":"f"})", R"({"type":"custom","name":"f"})", R"({"type":"local_shell"})",
        R"({"type":"apply_patch"})", R"({"type":"shell","environment":{"type":"local"}})", R"({"type":"computer"})",
        R"({"type":"computer_use_preview"})", R"({"type":"tool_search","execution":"client"})",
        R"({"type":"function","parameters":{"properties":{"type":{"type":"string"}}}})"}) {
    EXPECT_FALSE(server(tool)) << tool;
  }
  for (const char* tool : {R"({"type":"web_search"})", R"({"type":"web_search_preview"})", R"({"type":"file_search"})",
                           R"({"type":"code_interpreter"})", R"({"type":"mcp"})", R"({"type":"image_generation"})",
                           R"({"type":"tool_search"})", R"({"type":"tool_of_tomorrow"})", R"({"name":"no type"})",
                           R"({"type":"shell","environment":{"type":"container_auto"}})"}) {
    EXPECT_TRUE(server(tool)) << tool;
  }
}

TEST(ResponsesScan, what_we_do_not_see_is_remote) {
  for (const char* body :
       {R"({"previous_response_id":"resp_1"})", R"({"conversation":"conv_1"})", R"({"conversation":{"id":"conv_1"}})",
        R"({"prompt":{"id":"pmpt_1"}})", R"({"input":[{"type":"item_reference","id":"x"}]})",
        R"({"input":[{"id":"x"},{"role":"user","content":"and?"}]})", R"({"input":[{"type":null,"id":"x"}]})",
        R"({"input":[{"type":"reasoning","id":"rs_1","summary":[]}]})",
        R"({"input":[{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":null}]})",
        R"({"input":[{"content":[{"type":"input_file","file_id":"f"}]}]})",
        R"({"input":[{"content":[{"type":"input_image","image_url":"https://a.test"}]}]})",
        R"({"input":[{"content":[{"type":"input_file","file_url":"https://a.test"}]}]})"}) {
    EXPECT_TRUE(responses(body).remote) << body;
  }
  EXPECT_FALSE(
      responses(R"({"input":[{"id":"m","role":"user","content":"x"},{"id":"f","type":"function_call"}]})").remote);
  EXPECT_FALSE(responses(R"({"input":[{"type":"reasoning","id":"rs_1","encrypted_content":"gAAA"}]})").remote);
  EXPECT_FALSE(responses(R"({"previous_response_id":null,"conversation":null,"prompt":null,"input":"x"})").remote);
}

TEST(ResponsesScan, media_inline) {
  const std::string body =
      R"({"input":[{"content":[{"type":"input_image","image_url":"data:image/png;base64,AAAA"}]}]})";
  EXPECT_TRUE(responses(body).media);
  EXPECT_FALSE(responses(body).remote);
  EXPECT_EQ(responses(body).input_bytes, static_cast<std::int64_t>(body.size()) - 4);
}

TEST(EmbeddingsScan, counts_its_inputs) {
  EXPECT_EQ(embeddings(R"({"model":"m","input":"one"})").inputs, 1);
  EXPECT_EQ(embeddings(R"({"input":["a","b","c"]})").inputs, 3);
  EXPECT_EQ(embeddings(R"({"input":[1,2,3]})").inputs, 1);
  EXPECT_EQ(embeddings(R"({"input":[[1,2],[3]]})").inputs, 2);
  EXPECT_EQ(embeddings(R"({"input":[]})").inputs, 1);
}

class Unreadable : public ::testing::TestWithParam<const char*> {};

TEST_P(Unreadable, is_refused_with_its_code) {
  for (const Dialect* dialect : dialects()) {
    // Gemini's `stream` is in its path.
    if (dialect->path.front() == ':' && std::string_view(GetParam()).find("stream") != std::string_view::npos) continue;
    const Result<RequestFacts> facts = dialect->scan(GetParam());
    ASSERT_FALSE(facts.ok()) << dialect->endpoint << " " << GetParam();
    EXPECT_EQ(facts.error().code, Code::unreadable_request);
  }
}

INSTANTIATE_TEST_SUITE_P(Bodies, Unreadable,
                         ::testing::Values("", " ", "null", "1", "\"x\"", "[]", "[{\"model\":\"m\"}]", "{", "{}x",
                                           "{}{}", "{\"a\":}", "{\"a\":1,}", "{'a':1}", "{\"a\":\"\xff\"}",
                                           "\xef\xbb\xbf{}", R"({"model":"a","model":"b"})",
                                           R"({"model":"a","mod\u0065l":"b"})", R"({"stream":true,"stream":false})",
                                           R"({"model":1})", R"({"model":{}})", R"({"stream":1})",
                                           R"({"stream":"true"})", R"({"stream":[]})"));

TEST(Unreadable, wrong_types_of_chat) {
  for (const char* body :
       {R"({"n":0})", R"({"n":-1})", R"({"n":1.5})", R"({"n":"2"})", R"({"n":[]})", R"({"n":1,"n":2})",
        R"({"max_tokens":"5"})", R"({"max_tokens":1.5})", R"({"max_tokens":-1})", R"({"max_tokens":{}})",
        R"({"max_tokens":99999999999999999999})", R"({"max_tokens":1,"max_tokens":2})", R"({"stream_options":"x"})",
        R"({"stream_options":[]})", R"({"stream_options":{"include_usage":1}})",
        R"({"stream_options":{"include_usage":false,"include_usage":true}})",
        R"({"stream_options":{},"stream_options":{}})"}) {
    EXPECT_FALSE(dialect_of("chat.completions")->scan(body).ok()) << body;
  }
  EXPECT_FALSE(dialect_of("responses")->scan(R"({"max_output_tokens":"5"})").ok());
  EXPECT_FALSE(dialect_of("responses")->scan(R"({"max_tool_calls":{}})").ok());
  EXPECT_FALSE(dialect_of("responses")->scan(R"({"background":"yes"})").ok());
}

TEST(Unreadable, a_zero_byte_does_not_end_the_body) {
  const std::string body("{\"n\":1}\0{\"n\":2}", 15);
  EXPECT_FALSE(dialect_of("chat.completions")->scan(body).ok());
}

TEST(Unreadable, a_control_character_wherever_it_stands_in_memory) {
  for (char c = 0; c < 0x20; ++c) {
    for (std::size_t before = 0; before < 40; ++before) {
      const std::string text = std::string(before, 'a') + c + std::string(40, 'b');
      EXPECT_FALSE(dialect_of("chat.completions")->scan("{\"messages\":\"" + text + "\"}").ok())
          << int{c} << " " << before;
      EXPECT_FALSE(dialect_of("chat.completions")->scan("{\"n\u0061\":1,\"\u0061" + text + "\":2}").ok()) << int{c};
    }
  }
  EXPECT_TRUE(dialect_of("chat.completions")->scan("{\r\n\t\"model\" : \"m\"\n}\n").ok());
}

TEST(Unreadable, depth_is_bounded_and_costs_no_stack) {
  for (const Dialect* dialect : dialects())
    EXPECT_FALSE(dialect->scan("{\"a\":" + std::string(1'000'000, '[')).ok());
  std::string many = "{\"k\":0";
  for (int i = 0; i < 20'000; ++i)
    many += ",\"k" + std::to_string(i) + "\":1";
  EXPECT_FALSE(dialect_of("chat.completions")->scan(many + "}").ok());
}

TEST(Unreadable, every_cut_of_a_body) {
  const std::string body =
      R"({"model":"m","n":2,"stream_options":{"include_usage":true},"messages":[{"content":"\ud83d\ude00 é"}]})";
  for (std::size_t cut = 0; cut < body.size(); ++cut) {
    EXPECT_FALSE(dialect_of("chat.completions")->scan(std::string_view(body).substr(0, cut)).ok()) << cut;
  }
}

TEST(HiddenTokens, grow_with_every_tool_that_the_provider_writes_out) {
  RequestFacts facts;
  facts.tools = true;
  const std::int64_t without = hidden_tokens_bound("claude", facts);
  facts.tool_tokens = 735 + 700 + 325;
  EXPECT_GE(hidden_tokens_bound("claude", facts), without + 735 + 700 + 325);
}

TEST(HiddenTokens, have_an_allowance_everywhere) {
  EXPECT_GE(hidden_tokens_bound("", {}), 64);
  RequestFacts facts;
  facts.tools = true;
  EXPECT_GT(hidden_tokens_bound("", facts), hidden_tokens_bound("", {}));
}

}  // namespace
}  // namespace farthing
