// What a call costs beside its tokens: searches and other tools of the provider, and what the provider says itself.
#include <gmock/gmock.h>

#include "farthing/reprice.h"
#include "tests/core/guard/fixture.h"

namespace farthing::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr const char* day = "[[cap]]\nid = \"day\"\nlimit = \"50 USD\"\nper = \"day\"\n";
const std::string amount = std::string("unbounded = \"1 USD\"\n") + day;

class Fees : public GuardFixture {
 protected:
  /// What a call was charged; -1: refused, -2: not known.
  std::int64_t cost(std::string_view request, std::string_view body, std::string_view path = "/v1/responses",
                    std::string_view host = "api.openai.com", bool stream = false) {
    Attempt one = attempt();
    verdict = begin(one, request, host, path);
    if (verdict.kind != Verdict::Kind::send) {
      denial = one.denial();
      return -1;
    }
    held = left("day").reserved;
    if (stream) {
      static const HeaderView headers[] = {{"content-type", "text/event-stream"}};
      EXPECT_TRUE(one.sent());
      one.head(200, headers);
      one.data(body);
      one.end();
    } else {
      answer(one, body);
    }
    row = rows().front();
    return row.actual ? row.actual->nano : -2;
  }
  std::int64_t chat(const std::string& model, std::string_view usage, const std::string& more = "",
                    std::string_view host = "api.openai.com") {
    return cost(
        "{\"model\":\"" + model + R"(","messages":[{"role":"user","content":"hi"}],"max_tokens":100)" + more + "}",
        R"({"id":"c","model":")" + model + R"(","choices":[{"finish_reason":"stop"}],"usage":)" + std::string(usage) +
            "}",
        "/v1/chat/completions", host);
  }
  Verdict verdict;
  std::optional<Denial> denial;
  std::int64_t held = 0;
  LedgerRow row;
};

std::string response(const std::string& output, const std::string& more = "") {
  return R"({"id":"resp_1","object":"response","status":"completed","model":"gpt-5","output":[)" + output +
         R"(],"usage":{"input_tokens":1000,"output_tokens":100,"total_tokens":1100})" + more + "}";
}
std::string request(const std::string& tools, const std::string& more = "") {
  return R"({"model":"gpt-5","input":"hi","max_output_tokens":1000,"tools":[)" + tools + "]" + more + "}";
}
constexpr const char* search = R"({"type":"web_search"})";
constexpr const char* searched = R"({"type":"web_search_call","action":{"type":"search","query":"x"}})";
constexpr const char* opened = R"({"type":"web_search_call","action":{"type":"open_page","url":"https://a.test"}})";
// gpt-5: 1.25 and 10 USD per million.
constexpr std::int64_t tokens_of_response = 1000 * 1'250 + 100 * 10'000;
constexpr std::int64_t a_search = usd / 100;

TEST_F(Fees, searches_of_a_response_are_counted_in_its_output) {
  open(amount);
  const std::string output = std::string(searched) + "," + opened + "," + searched + R"(,{"type":"message"})";
  EXPECT_EQ(cost(request(search), response(output)), tokens_of_response + 2 * a_search);
  EXPECT_EQ(row.quantities[Quantity::web_searches], 2);
  const std::string event =
      "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":" + response(output) + "}\n\n";
  EXPECT_EQ(cost(request(search, R"(,"stream":true)"), event, "/v1/responses", "api.openai.com", true),
            tokens_of_response + 2 * a_search);
  EXPECT_EQ(cost(request(search), response(R"({"type":"web_search_call"})")), tokens_of_response + a_search)
      << "what it did is not told";
  EXPECT_EQ(cost(request(search), response(output, R"(,"tool_usage":{"web_search":{"num_requests":1}})")),
            tokens_of_response + 2 * a_search)
      << "what the output shows was done";
  EXPECT_EQ(cost(request(search), response(output, R"(,"tool_usage":{"web_search":{"num_requests":3}})")),
            tokens_of_response + 3 * a_search);
  EXPECT_EQ(cost(request(search), response(R"({"type":"function_call"},{"type":"mcp_call"},{"type":"reasoning"})")),
            tokens_of_response);
}

TEST_F(Fees, a_tool_without_a_price_is_charged_the_hold) {
  open(amount);
  EXPECT_EQ(cost(request(R"({"type":"image_generation"})"), response(R"({"type":"image_generation_call"})")), held);
  EXPECT_EQ(row.error_class, "unpriced_usage");
  EXPECT_EQ(row.quantities[Quantity::tool_calls], 1);
  open(amount +
       "[[price]]\nprovider = \"openai\"\nmodel = \"gpt-5\"\nrates = { tool_calls = \"30.00 USD per thousand\" }\n");
  EXPECT_EQ(cost(request(R"({"type":"image_generation"})"), response(R"({"type":"image_generation_call"})")),
            tokens_of_response + 3 * usd / 100);
}

TEST_F(Fees, containers_cost_a_session_each_and_by_their_memory) {
  open(amount);
  constexpr std::int64_t session = 3 * usd / 100;
  const auto ran = [](const std::string& container) {
    return R"({"type":"code_interpreter_call","container_id":")" + container + R"("})";
  };
  const auto tool = [](const std::string& container) {
    return request(R"({"type":"code_interpreter","container":)" + container + "}");
  };
  const std::string usual = R"({"type":"auto"})";
  EXPECT_EQ(cost(tool(usual), response(ran("a") + "," + ran("a"))), tokens_of_response + session);
  EXPECT_EQ(row.quantities[Quantity::code_sessions], 1);
  EXPECT_THAT(row.context->rates_json, HasSubstr("code_sessions"));
  EXPECT_EQ(cost(tool(usual), response(ran("a") + "," + ran("b"))), tokens_of_response + 2 * session);
  EXPECT_EQ(cost(tool(usual), response(R"({"type":"message"})")), tokens_of_response);
  EXPECT_THAT(row.context->rates_json, ::testing::Not(HasSubstr("code_sessions"))) << "the text of what was not used";
  EXPECT_EQ(cost(tool(R"({"type":"auto","memory_limit":"1g"})"), response(ran("a"))), tokens_of_response + session);
  EXPECT_EQ(cost(tool(R"({"type":"auto","memory_limit":"4g"})"), response(ran("a"))), tokens_of_response + 4 * session);
  EXPECT_EQ(cost(tool(R"("cntr_1")"), response(ran("cntr_1"))), tokens_of_response + 64 * session) << "nobody tells";
  const std::string shell = R"({"type":"shell","environment":{"type":"container_auto"}})";
  EXPECT_EQ(cost(request(shell), response(R"({"type":"shell_call","environment":{"type":"container_reference",)"
                                          R"("container_id":"a"}},)" +
                                          ran("a"))),
            tokens_of_response + session);
  EXPECT_EQ(cost(request(shell), response(R"({"type":"shell_call","environment":{"type":"local"}})")),
            tokens_of_response);
}

TEST_F(Fees, tools_are_bounded_by_how_often_they_may_be_called) {
  open(day);
  const std::string code = R"({"type":"code_interpreter","container":{"type":"auto"}})";
  const std::string files = R"({"type":"file_search","vector_store_ids":["vs_1"]})";
  constexpr const char* two = R"(,"max_tool_calls":2)";
  constexpr std::int64_t a_file_search = usd / 400;
  EXPECT_EQ(cost(request(files, two), response(R"({"type":"file_search_call"})")), tokens_of_response + a_file_search);
  EXPECT_EQ(row.quantities[Quantity::file_searches], 1);
  const std::int64_t held_for_files = held;
  // One for each call, and one that may be made before the first.
  EXPECT_EQ(cost(request(code, two), response("")), tokens_of_response);
  const std::int64_t held_for_one = held;
  EXPECT_EQ(held - held_for_files, 3 * 3 * usd / 100 - 2 * a_file_search);
  // Each tool may make a container.
  const std::string shell = R"({"type":"shell","environment":{"type":"container_auto"}})";
  cost(request(code + "," + shell, two), response(""));
  EXPECT_GE(held - held_for_one, 3 * usd / 100);
  EXPECT_EQ(cost(request(code), response("")), -1);
  EXPECT_THAT(denial->message, HasSubstr("max_tool_calls"));
  EXPECT_EQ(cost(request(R"({"type":"code_interpreter","container":{"type":"auto","memory_limit":"2t"}})", two),
                 response("")),
            -1);
  EXPECT_THAT(denial->message, HasSubstr("a tool whose fee is not known"));
}

TEST_F(Fees, a_tool_without_a_price_has_no_bound_R31) {
  open(day);
  EXPECT_EQ(cost(request(R"({"type":"image_generation"})", R"(,"max_tool_calls":2)"), response("")), -1);
  EXPECT_THAT(denial->message, HasSubstr("a tool whose fee is not known"));
  EXPECT_EQ(cost(request(search, R"(,"max_tool_calls":2)"), response(searched)), tokens_of_response + a_search);
  EXPECT_GT(held, 2 * a_search);
}

TEST_F(Fees, a_search_without_a_price_has_no_bound_either_R31) {
  // Azure has prices of its own for gpt-4.1, none for searches.
  constexpr const char* asked =
      R"({"model":"gpt-4.1","input":"hi","max_output_tokens":100,"max_tool_calls":5,"tools":[{"type":"web_search_preview"}]})";
  open(day);
  EXPECT_EQ(cost(asked, response(searched), "/openai/v1/responses", "mine.openai.azure.com"), -1);
  EXPECT_THAT(denial->message, HasSubstr("a tool whose fee is not known"));
  EXPECT_THAT(denial->message, HasSubstr("[[price]]"));
  EXPECT_EQ(cost(R"({"model":"claude-sonnet-4-5","max_tokens":100,"messages":[],)"
                 R"("tools":[{"type":"web_search_20250305","name":"web_search","max_uses":2}]})",
                 "{}", "/anthropic/v1/messages", "mine.services.ai.azure.com"),
            -1);
  const auto estimate = guard->estimate("responses", asked, Labels{}, nullptr, "mine.openai.azure.com", 1);
  ASSERT_TRUE(estimate);
  EXPECT_FALSE(estimate->ceiling);
  EXPECT_EQ(estimate->unbounded_by.back(), "a tool whose fee is not known");
}

TEST_F(Fees, what_a_chat_does_not_tell_is_charged_the_hold) {
  open(amount);
  EXPECT_EQ(
      cost(R"({"model":"openai/gpt-oss-120b","max_tokens":100,"messages":[],"tools":[{"type":"browser_search"}]})",
           R"({"id":"c","model":"openai/gpt-oss-120b","choices":[{"finish_reason":"stop"}],)"
           R"("usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30}})",
           "/openai/v1/chat/completions", "api.groq.com"),
      held);
  EXPECT_GE(held, usd);
  EXPECT_EQ(row.error_class, untold_usage);
  const auto report = reprice(*guard->control(), *PriceBook::builtin(), {});
  EXPECT_THAT(report->left_out, ElementsAre(Pair("what was used is not known in full", 1)));
  EXPECT_TRUE(report->changed.empty());
}

TEST_F(Fees, a_model_that_searches_by_itself_holds_and_costs_its_search) {
  open(day);
  constexpr const char* usage = R"({"prompt_tokens":100,"completion_tokens":50,"total_tokens":150})";
  // gpt-4o-search-preview: 2.50 and 10 USD per million, 25 USD per thousand searches.
  constexpr std::int64_t of_4o = 100 * 2'500 + 50 * 10'000 + usd / 40;
  EXPECT_EQ(chat("gpt-4o-search-preview", usage), of_4o);
  EXPECT_GE(held, of_4o);
  EXPECT_EQ(chat("gpt-4o-search-preview", usage, R"(,"web_search_options":{})"), of_4o);
  open("[[cap]]\nid = \"day\"\nlimit = \"0.02 USD\"\nper = \"day\"\n");
  EXPECT_EQ(chat("gpt-4o-search-preview", usage), -1);
  // What it finds is input of gpt-5-search-api: 1.25 and 10 USD per million, 10 USD per thousand searches.
  open("unbounded = \"refuse\"\n" + std::string(day));
  EXPECT_EQ(chat("gpt-5-search-api", usage), -1);
  EXPECT_THAT(denial->message, HasSubstr("what the model finds by itself"));
  open(day);
  EXPECT_EQ(chat("gpt-5-search-api", usage), 100 * 1'250 + 50 * 10'000 + a_search);
  EXPECT_GT(held, 100'000 * 1'250);
  // Others have no such options: there they are a tool.
  EXPECT_EQ(chat("gpt-5", usage, R"(,"web_search_options":{})"), -1);
}

TEST_F(Fees, perplexity_is_billed_by_request_and_how_much_was_searched) {
  open(day);
  constexpr std::string_view host = "api.perplexity.ai";
  const auto usage = [](const std::string& more) {
    return R"({"prompt_tokens":10,"completion_tokens":20,"total_tokens":30)" + more + "}";
  };
  // sonar: 1 USD per million, 5, 8 or 12 USD per thousand requests.
  constexpr std::int64_t tokens = 30 * 1'000;
  EXPECT_EQ(chat("sonar", usage(R"(,"search_context_size":"low")"), "", host), tokens + 5'000'000);
  EXPECT_GT(held, 12'000'000);
  EXPECT_EQ(chat("sonar", usage(""), R"(,"web_search_options":{"search_context_size":"medium"})", host),
            tokens + 8'000'000);
  EXPECT_EQ(chat("sonar", usage(""), "", host), tokens + 12'000'000);
  EXPECT_EQ(chat("sonar", usage(R"(,"cost":{"request_cost":0.005,"total_cost":0.00504})"), "", host), 5'040'000);
  EXPECT_EQ(row.reported_difference, Usd{5'040'000 - (tokens + 12'000'000)});
  EXPECT_EQ(chat("sonar-pro", usage(""), R"(,"web_search_options":{"search_type":"pro"})", host), -1);
  EXPECT_EQ(chat("sonar-deep-research", usage(""), "", host), -1);
}

TEST_F(Fees, research_is_billed_for_what_it_searched_read_and_thought) {
  open(amount);
  // sonar-deep-research: 2 in, 8 out, 3 thought, 2 read, all per million; 5 USD per thousand searches.
  EXPECT_EQ(chat("sonar-deep-research",
                 R"({"prompt_tokens":33,"completion_tokens":7163,"total_tokens":7196,"citation_tokens":20016,)"
                 R"("num_search_queries":18,"reasoning_tokens":73997})",
                 "", "api.perplexity.ai"),
            33 * 2'000 + 7163 * 8'000 + 73'997 * 3'000 + 20'016 * 2'000 + 18 * 5'000'000);
  EXPECT_GT(held, usd);
}

TEST_F(Fees, maps_are_billed_once_for_a_prompt) {
  open(amount);
  const auto grounded = [&](const std::string& model, const std::string& chunk) {
    return cost(R"({"contents":[{"parts":[{"text":"where?"}]}],"tools":[{"googleMaps":{}}],)"
                R"("generationConfig":{"maxOutputTokens":100}})",
                R"({"responseId":"r","modelVersion":")" + model +
                    R"(","candidates":[{"finishReason":"STOP","groundingMetadata":{"groundingChunks":[)" + chunk + "," +
                    chunk + R"(]}}],"usageMetadata":{"promptTokenCount":1000,"candidatesTokenCount":100,)" +
                    R"("totalTokenCount":1100}})",
                "/v1beta/models/" + model + ":generateContent", "generativelanguage.googleapis.com");
  };
  // gemini-2.5-flash: 0.30 and 2.50 USD per million, 25 USD per thousand prompts with maps.
  constexpr std::int64_t tokens = 1000 * 300 + 100 * 2'500;
  EXPECT_EQ(grounded("gemini-2.5-flash", R"({"maps":{"uri":"https://maps.test"}})"), tokens + usd / 40);
  EXPECT_EQ(grounded("gemini-2.5-flash", R"({"web":{"uri":"https://a.test"}})"), tokens);
  EXPECT_EQ(grounded("gemini-3.5-flash", R"({"maps":{"uri":"https://maps.test"}})"), held)
      << "each query, which nobody tells";
}

TEST_F(Fees, what_the_provider_says_wins_in_every_dialect) {
  open(amount +
       "[[price]]\nprovider = \"openrouter\"\nmodel = \"embedder\"\nrates = { input_tokens = \"1.00 USD per "
       "million\" }\n");
  constexpr std::string_view host = "openrouter.ai";
  EXPECT_EQ(cost(R"({"model":"anthropic/claude-sonnet-4.5","max_tokens":100,"messages":[]})",
                 R"({"id":"m","type":"message","model":"anthropic/claude-sonnet-4.5","stop_reason":"end_turn",)"
                 R"("usage":{"input_tokens":10,"output_tokens":10,"cost":0.5}})",
                 "/api/v1/messages", host),
            usd / 2);
  EXPECT_EQ(cost(R"({"model":"embedder","input":"x"})",
                 R"({"model":"embedder","data":[],"usage":{"prompt_tokens":5,"total_tokens":5,"cost":0.25}})",
                 "/api/v1/embeddings", host),
            usd / 4);
  EXPECT_EQ(cost(R"({"model":"grok-imagine-image","prompt":"x"})",
                 R"({"data":[{"url":"https://a.test"}],"usage":{"cost_in_usd_ticks":300000000}})",
                 "/v1/images/generations", "api.x.ai"),
            30'000'000);
}

TEST_F(Fees, a_free_model_that_another_one_stood_in_for_is_not_free) {
  open(std::string(day) +
       "[[price]]\nprovider = \"openrouter\"\nmodel = \"a/b:free\"\nrates = { input_tokens = \"0 USD per million\", "
       "output_tokens = \"0 USD per million\" }\n");
  const auto served = [&](const std::string& model, const std::string& more = "") {
    return cost(R"({"model":"a/b:free","messages":[]})",
                R"({"id":"c","model":")" + model +
                    R"(","choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":5)" +
                    more + "}}",
                "/api/v1/chat/completions", "openrouter.ai");
  };
  EXPECT_EQ(served("a/b:free"), 0);
  EXPECT_EQ(served("somebody/nobody-knows"), -2);
  PriceOverlay free;
  free.provider = "openrouter";
  free.model = "a/b:free";
  free.rates = {{Quantity::input_tokens, Rate{}}, {Quantity::output_tokens, Rate{}}};
  const auto report = reprice(*guard->control(), **PriceBook::with_overlays({free}), {});
  EXPECT_EQ(report->left_out.at("the model is not in the book"), 1);
  EXPECT_TRUE(report->changed.empty());
  EXPECT_EQ(row.error_class, "unpriced_usage");
  EXPECT_EQ(served("somebody/nobody-knows", R"(,"cost":0.001)"), usd / 1000);
  EXPECT_EQ(row.error_class, "");
  EXPECT_GT(served("openai/gpt-4o"), 0) << "its price is known";
}

TEST_F(Fees, a_prediction_takes_no_limit_of_ours) {
  open(day);
  Attempt one = attempt();
  const Verdict sent = begin(one, R"({"model":"gpt-4o","messages":[],"prediction":{"type":"content","content":"x"}})");
  ASSERT_EQ(sent.kind, Verdict::Kind::send);
  EXPECT_FALSE(sent.body);
  // gpt-4o writes 16,384 tokens at most, at 10 USD per million (17 with priority).
  EXPECT_GE(left("day").reserved, 16'384 * 10'000);
}

TEST_F(Fees, an_image_of_an_unknown_model_is_unpriced) {
  open(day);
  EXPECT_EQ(cost(R"({"model":"nope-image","prompt":"x"})", "{}", "/v1/images/generations"), -1);
  EXPECT_EQ(denial->code, Code::unpriced_model);
}

TEST_F(Fees, videos_of_azure_cost_by_their_size) {
  open(day);
  const auto hold = [&](const std::string& size) {
    Attempt one = attempt();
    EXPECT_EQ(begin(one, R"({"model":"sora-2-pro","prompt":"x","seconds":"8","size":")" + size + "\"}",
                    "mine.openai.azure.com", "/openai/v1/videos")
                  .kind,
              Verdict::Kind::send);
    const std::int64_t reserved = left("day").reserved;
    one.abort(Abort::not_sent);
    return reserved;
  };
  EXPECT_EQ(hold("1280x720"), 8 * 3 * usd / 10);
  EXPECT_EQ(hold("1792x1024"), 8 * usd / 2);
}

// Wrong costs of other tools.
TEST_F(Fees, a_long_context_is_held_at_its_tier) {
  open(std::string(day) + "[[cap]]\nlimit = \"1_000_000 output_tokens\"\nper = \"day\"\n");
  // gpt-5.4: above 272,000 input tokens all of it at 5 and 22.50 USD per million.
  const auto hold = [&](std::size_t bytes) {
    Attempt one = attempt();
    EXPECT_EQ(
        begin(
            one,
            R"({"model":"gpt-5.4","service_tier":"default","max_completion_tokens":1000,"messages":[{"role":"user","content":")" +
                std::string(bytes, 'x') + "\"}]}")
            .kind,
        Verdict::Kind::send);
    const std::int64_t reserved = left("day").reserved;
    one.abort(Abort::not_sent);
    return reserved;
  };
  EXPECT_LT(hold(270'000), 271'000 * 2'500 + 1000 * 15'000);
  EXPECT_GT(hold(273'000), 273'000 * 5'000 + 1000 * 22'500);
}

TEST_F(Fees, an_image_costs_its_output_tokens_at_their_own_rate) {
  open(day);
  // gpt-image-2: 5 USD per million of text, 30 of image output, not 10.
  EXPECT_EQ(cost(R"({"model":"gpt-image-2","prompt":"a mill","size":"1024x1024","quality":"high"})",
                 R"({"data":[{"b64_json":"AAAA"}],"usage":{"input_tokens":50,"output_tokens":7000,"total_tokens":7050,)"
                 R"("input_tokens_details":{"text_tokens":50,"image_tokens":0}}})",
                 "/v1/images/generations"),
            50 * 5'000 + 7000 * 30'000);
}

TEST_F(Fees, a_name_that_only_the_provider_can_resolve_is_unpriced) {
  open(day);
  const std::string arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123";
  EXPECT_EQ(
      cost("{\"model\":\"" + arn + R"(","max_tokens":10,"messages":[]})", "{}", "/v1/messages", "api.anthropic.com"),
      -1);
  EXPECT_EQ(denial->code, Code::unpriced_model);
  EXPECT_EQ(cost(R"({"messages":[]})", "{}", "/model/" + arn + "/converse", "bedrock-runtime.us-east-1.amazonaws.com"),
            -1);
}

}  // namespace
}  // namespace farthing::test
