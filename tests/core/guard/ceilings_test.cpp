// Ceilings that a bill has broken, or could have: what is in them now (R20, R25, R31).
#include <gmock/gmock.h>

#include "tests/core/guard/fixture.h"

namespace farthing::test {
namespace {

using ::testing::HasSubstr;

class Ceilings : public GuardFixture {
 protected:
  void SetUp() override { open("[[cap]]\nid = \"day\"\nlimit = \"50 USD\"\nper = \"day\"\n"); }
  Estimate estimate(std::string_view endpoint, std::string_view body, std::string_view host = "") {
    const auto made = guard->estimate(endpoint, body, Labels{}, nullptr, host, 1);
    EXPECT_TRUE(made) << made.error().message;
    return made ? *made : Estimate{};
  }
  static std::string rate(const std::vector<EstimatePart>& parts, const std::string& what) {
    for (const EstimatePart& part : parts) {
      if (part.what == what) return part.rate_text();
    }
    return "none";
  }
  std::string refusal(const std::string& body, std::string_view host, std::string_view path) {
    Attempt one = attempt();
    EXPECT_EQ(begin(one, body, host, path).kind, Verdict::Kind::answer) << body;
    return one.denial() ? one.denial()->message : std::string();
  }
};

TEST_F(Ceilings, input_that_a_cache_keeps_for_12_hours_is_dearer_where_the_request_asks_for_it) {
  const auto input = [&](const std::string& more) {
    const std::string body =
        R"({"model":"gpt-6-sol","service_tier":"default","max_output_tokens":100,"input":"hi")" + more + "}";
    return rate(estimate("responses", body).ceiling_parts, "input: tokens of the request");
  };
  EXPECT_EQ(input(""), "2.50 USD per million");
  EXPECT_EQ(input(R"(,"prompt_cache_options":{"ttl":"30m"})"), "2.50 USD per million");
  EXPECT_EQ(input(R"(,"prompt_cache_options":{"ttl":null})"), "2.50 USD per million");
  EXPECT_EQ(input(R"(,"prompt_cache_options":{"ttl":"12h"})"), "5.00 USD per million");
  const Estimate sold_on = estimate(
      "chat.completions", R"({"model":"openai/gpt-6-sol","service_tier":"default","max_tokens":9,"messages":[]})",
      "openrouter.ai");
  EXPECT_EQ(sold_on.ceiling_parts.front().rate_text(), "2.50 USD per million");
  EXPECT_EQ(input(R"(,"prompt_cache_options":{"mode":"explicit","ttl":"24h"})"), "5.00 USD per million");
  const Estimate of_part = estimate(
      "responses",
      R"({"model":"gpt-6-sol","service_tier":"default","max_output_tokens":100,"input":[{"role":"user","content":[)"
      R"({"type":"input_text","text":"hi","prompt_cache_breakpoint":{"ttl":"12h"}}]}]})");
  EXPECT_EQ(of_part.ceiling_parts.front().rate_text(), "5.00 USD per million");
}

TEST_F(Ceilings, a_workspace_may_have_a_region_where_the_request_says_none) {
  const auto input = [&](const std::string& more) {
    const Estimate made = estimate(
        "messages",
        R"({"model":"claude-opus-4-6","max_tokens":100,"messages":[{"role":"user","content":"hi"}])" + more + "}");
    return rate(made.ceiling_parts, "input: bytes of the request") + " | " +
           rate(made.likely_parts, "output: usual length");
  };
  EXPECT_EQ(input(""), "5.50 USD per million | 25.00 USD per million");
  EXPECT_EQ(input(R"(,"inference_geo":"us")"), "5.50 USD per million | 27.50 USD per million");
  EXPECT_EQ(input(R"(,"inference_geo":"global")"), "5.00 USD per million | 25.00 USD per million");
}

TEST_F(Ceilings, a_tier_without_a_price_is_not_that_of_another) {
  constexpr const char* asked = R"(","service_tier":"ultrafast","max_output_tokens":100,"input":"hi"})";
  const std::string path = "/v1/responses";
  EXPECT_THAT(refusal(std::string(R"({"model":"gpt-5.6-sol)") + asked, "api.openai.com", path),
              HasSubstr("its price is not known for the service_tier or speed that this request names"));
  const std::string tier = "gpt-5.6-sol";
  EXPECT_THAT(estimate("responses", R"({"model":")" + tier + asked).no_ceiling, HasSubstr("service_tier"));
  EXPECT_TRUE(estimate("responses", std::string(R"({"model":"gpt-6.1-sol)") + asked).ceiling);

  constexpr const char* fast = R"(","speed":"fast","max_tokens":100,"messages":[{"role":"user","content":"hi"}]})";
  EXPECT_THAT(estimate("messages", std::string(R"({"model":"claude-opus-4-6)") + fast).no_ceiling, HasSubstr("speed"));
  EXPECT_EQ(rate(estimate("messages", std::string(R"({"model":"claude-opus-4-8)") + fast).likely_parts,
                 "output: usual length"),
            "50.00 USD per million");
}

TEST_F(Ceilings, likely_is_at_the_step_of_the_likely_input) {
  const Estimate made = estimate(
      "messages", R"({"model":"claude-sonnet-4-5","max_tokens":100,"messages":[{"role":"user","content":"hi"}],)"
                  R"("tools":[{"type":"web_search_20250305","name":"web_search","max_uses":3}]})");
  EXPECT_EQ(rate(made.likely_parts, "output: usual length"), "15.00 USD per million");
  EXPECT_EQ(rate(made.ceiling_parts, "output limit"), "22.50 USD per million");
}

TEST_F(Ceilings, models_that_search_by_themselves_have_a_fee_wherever_they_are_sold) {
  constexpr const char* chat = R"(","max_tokens":100,"messages":[{"role":"user","content":"hi"}]})";
  const auto of = [&](const std::string& model, std::string_view host) {
    return refusal(R"({"model":")" + model + chat, host,
                   host == "openrouter.ai" ? "/api/v1/chat/completions" : "/chat/completions");
  };
  for (const char* model : {"perplexity/sonar", "perplexity/sonar-pro-search", "openai/gpt-4o-search-preview"}) {
    const std::string said = of(model, "openrouter.ai");
    EXPECT_THAT(said, HasSubstr("what the model searches by itself, whose fee is not known")) << model;
    EXPECT_THAT(said, HasSubstr("requests or web_searches")) << model;
  }
  EXPECT_THAT(of("sonar-pro-search", "api.perplexity.ai"), HasSubstr("whose fee is not known"));
  EXPECT_TRUE(estimate("chat.completions", std::string(R"({"model":"sonar-pro)") + chat, "api.perplexity.ai").ceiling);
  // They call tools of their own until they are done.
  EXPECT_THAT(of("openai/o3-deep-research", "openrouter.ai"), HasSubstr("no bound"));
  EXPECT_THAT(of("x-ai/grok-4.20-multi-agent", "openrouter.ai"), HasSubstr("no bound"));
  // The policy may say the fee.
  open(
      "[[cap]]\nid = \"day\"\nlimit = \"50 USD\"\nper = \"day\"\n[[price]]\nprovider = \"openrouter\"\n"
      "model = \"perplexity/sonar\"\nrates = { input_tokens = \"1 USD per million\", output_tokens = \"1 USD per "
      "million\", "
      "requests = \"5 USD per thousand\" }\n");
  const Estimate priced =
      estimate("chat.completions", std::string(R"({"model":"perplexity/sonar)") + chat, "openrouter.ai");
  ASSERT_TRUE(priced.ceiling);
  EXPECT_GT(priced.ceiling->nano, 5'000'000);
}

TEST_F(Ceilings, text_that_a_painter_writes_beside_its_image_is_held) {
  const Estimate made = estimate("images.generations",
                                 R"({"model":"gpt-image-1.5","prompt":"x","quality":"high","size":"1024x1024","n":2})");
  EXPECT_EQ(made.ceiling_meters[Meter::output_tokens], 2 * (4'160 + 878));
  // Where text costs what images do, all of the output is the image.
  const Estimate mini = estimate(
      "images.generations", R"({"model":"gpt-image-1-mini","prompt":"x","quality":"high","size":"1024x1024","n":2})");
  EXPECT_EQ(mini.ceiling_meters[Meter::output_tokens], 2 * 4'500);
}

}  // namespace
}  // namespace farthing::test
