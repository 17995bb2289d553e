// Answers that bring more than text (speech, images): their input is bounded as ever, their output at its own rate.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "farthing/reprice.h"
#include "tests/core/guard/fixture.h"

namespace farthing::test::outputs_test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr const char* prices =
    "[[cap]]\nid = \"day\"\nlimit = \"1 USD\"\nper = \"day\"\n"
    "[[price]]\nprovider = \"openai\"\nmodel = \"speaks\"\n"
    "rates = { input_tokens = \"2.00 USD per million\", input_audio_tokens = \"40.00 USD per million\", "
    "output_tokens = \"10.00 USD per million\", output_audio_tokens = \"80.00 USD per million\" }\n"
    "[[price]]\nprovider = \"openai\"\nmodel = \"speaks-unpriced\"\n"
    "rates = { input_tokens = \"2.00 USD per million\", output_tokens = \"10.00 USD per million\" }\n";
constexpr std::string_view spoken =
    R"({"model":"speaks","modalities":["text","audio"],"audio":{"voice":"x","format":"wav"},)"
    R"("messages":[{"role":"user","content":"hello"}],"max_completion_tokens":100})";

class Outputs : public GuardFixture {
 protected:
  Verdict paint(Attempt& attempt, const std::string& config, const std::string& model = "gemini-2.5-flash-image") {
    const std::string body = R"({"contents":[{"parts":[{"text":"a mill"}]}],"generationConfig":{)" + config + "}}";
    return begin(attempt, body, "generativelanguage.googleapis.com", "/v1beta/models/" + model + ":generateContent");
  }
  std::int64_t held() { return left("day").reserved; }
};

TEST_F(Outputs, speech_holds_its_own_rate_under_the_limit_and_no_more_input) {
  open(prices);
  Attempt one = attempt();
  ASSERT_EQ(begin(one, spoken).kind, Verdict::Kind::send);
  const std::int64_t input = held() - 100 * 80'000;
  EXPECT_GE(input, 2'000);
  EXPECT_LE(input, static_cast<std::int64_t>(spoken.size() + 128) * 2'000) << "text, at the rate of text";
  answer(one, R"({"id":"c","model":"speaks","choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":20,)"
              R"("completion_tokens":100,"total_tokens":120,"completion_tokens_details":{"audio_tokens":80}}})");
  EXPECT_EQ(one.receipt()->cost, Usd{20 * 2'000 + 20 * 10'000 + 80 * 80'000});
}

TEST_F(Outputs, usage_that_does_not_tell_speech_from_text_is_no_bill) {
  open(prices);
  const auto cost = [&](const std::string& details) {
    Attempt one = attempt();
    EXPECT_EQ(begin(one, spoken).kind, Verdict::Kind::send);
    const std::int64_t reserved = held();
    answer(one, R"({"id":"c","model":"speaks","choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":20,)"
                R"("completion_tokens":100,"total_tokens":120)" +
                    details + "}}");
    return std::pair(one.receipt()->cost, Usd{reserved});
  };
  const auto [untold, all] = cost("");
  EXPECT_EQ(untold, all) << "text is the cheaper of the two";
  EXPECT_EQ(cost(R"(,"completion_tokens_details":{"audio_tokens":0})").first, Usd{20 * 2'000 + 100 * 10'000});
}

TEST_F(Outputs, without_a_price_speech_is_held_at_the_policys_amount) {
  open("unbounded = \"0.25 USD\"\n" + std::string(prices));
  std::string body(spoken);
  body.replace(body.find("speaks"), 6, "speaks-unpriced");
  Attempt one = attempt();
  ASSERT_EQ(begin(one, body).kind, Verdict::Kind::send);
  EXPECT_GE(held(), 250'000'000);
}

TEST_F(Outputs, speech_without_a_price_is_refused_and_told_what_is_missing_R31) {
  open(prices);
  std::string body(spoken);
  body.replace(body.find("speaks"), 6, "speaks-unpriced");
  Attempt one = attempt();
  ASSERT_EQ(begin(one, body).kind, Verdict::Kind::answer);
  EXPECT_EQ(one.denial()->code, Code::unbounded_request);
  EXPECT_THAT(one.denial()->message, HasSubstr("output_audio_tokens"));
  // The text of the same model is priced.
  Attempt text = attempt();
  EXPECT_EQ(begin(text, R"({"model":"speaks-unpriced","messages":[],"max_completion_tokens":9})").kind,
            Verdict::Kind::send);
}

TEST_F(Outputs, a_model_that_paints_needs_the_price_of_images_also_where_none_is_asked_for_R31) {
  open(prices);
  Attempt one = attempt();
  ASSERT_EQ(begin(one, R"({"model":"google/gemini-2.5-flash-image","messages":[],"max_tokens":100})", "openrouter.ai",
                  "/api/v1/chat/completions")
                .kind,
            Verdict::Kind::answer);
  EXPECT_THAT(one.denial()->message, HasSubstr("output_image_tokens"));
}

TEST_F(Outputs, speech_that_goes_in_keeps_the_rate_of_sound) {
  open(prices);
  Attempt one = attempt();
  EXPECT_EQ(begin(one, R"({"model":"speaks","modalities":["text","audio"],"max_completion_tokens":100,"messages":[)"
                       R"({"role":"assistant","audio":{"id":"audio_1"}}]})")
                .kind,
            Verdict::Kind::answer)
      << "an earlier answer there is unseen input";
}

TEST_F(Outputs, an_image_of_gemini_is_held_whole_whatever_the_limit) {
  open(prices);
  Attempt one = attempt();
  ASSERT_EQ(paint(one, R"("responseModalities":["IMAGE"],"maxOutputTokens":100)").kind, Verdict::Kind::send);
  EXPECT_GE(held(), 1'290 * 30'000);
  EXPECT_LE(held(), 1'290 * 30'000 + 300 * 1'000);
  answer(
      one,
      R"({"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":1290,)"
      R"("totalTokenCount":1300,"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":1290}]}})");
  EXPECT_EQ(one.receipt()->cost, Usd{10 * 300 + 1'290 * 30'000});
}

TEST_F(Outputs, a_limit_of_ours_leaves_room_for_an_image_R20) {
  open("[[cap]]\nid = \"day\"\nlimit = \"0.05 USD\"\nper = \"day\"\n");
  Attempt one = attempt();
  const Verdict verdict = paint(one, R"("responseModalities":["TEXT","IMAGE"])");
  ASSERT_EQ(verdict.kind, Verdict::Kind::send);
  ASSERT_TRUE(verdict.body);
  EXPECT_GE(json::parse(*verdict.body)["generationConfig"]["maxOutputTokens"], 1'290);
  one.abort(Abort::not_sent);
  // As for the model that paints unasked.
  Attempt unasked = attempt();
  const Verdict also = paint(unasked, R"("topP":1)");
  ASSERT_TRUE(also.body);
  EXPECT_GE(json::parse(*also.body)["generationConfig"]["maxOutputTokens"], 1'290);
}

TEST_F(Outputs, an_estimate_takes_one_image_of_the_size_that_is_asked_for) {
  open(prices);
  const auto likely = [&](const std::string& config) {
    const std::string body =
        R"({"model":"gemini-3.1-flash-image","contents":[],"generationConfig":{"maxOutputTokens":8192,)"
        R"("responseModalities":["IMAGE"])" +
        config + "}}";
    const auto estimate = guard->estimate("generateContent", body, {}, nullptr, "", 1);
    EXPECT_TRUE(estimate) << (estimate ? "" : estimate.error().message);
    return estimate ? estimate->likely.value_or(Usd{}).nano : 0;
  };
  EXPECT_EQ(likely(R"(,"imageConfig":{"imageSize":"4K"})") - likely(""), (2'520 - 1'120) * 60'000);
}

/// R29: an own model's images by what the request says.
TEST_F(Outputs, images_of_an_own_model_cost_what_their_size_and_quality_cost) {
  const auto price = [](const std::string& terms, const std::string& usd) {
    return "[[price]]\nprovider = \"openai\"\nmodel = \"paints\"\n" + terms + "rates = { images = \"" + usd +
           " USD each\" }\n";
  };
  const std::string small = "size = \"512x512\"\n";
  const std::string large = "size = \"2048x2048\"\n";
  const std::string rough = "quality = \"rough\"\n";
  const std::string fine = "quality = \"fine\"\n";
  const std::string keyed = price(small, "0.02") + price(large + rough, "0.05") + price(large + fine, "0.09");
  const auto paint = [&](Attempt& attempt, const std::string& members) {
    return begin(attempt, R"({"model":"paints","prompt":"a mill","n":2)" + members + "}", "api.openai.com",
                 "/v1/images/generations");
  };
  constexpr std::int64_t cent = 10'000'000;
  const auto check = [&](const std::string& members, std::int64_t cents) {
    Attempt one = attempt();
    ASSERT_EQ(paint(one, members).kind, Verdict::Kind::send) << members;
    EXPECT_EQ(held(), 2 * cents * cent) << members;
    answer(one, R"({"created":1,"data":[{"b64_json":"eA=="},{"b64_json":"eA=="}]})");
    EXPECT_EQ(one.receipt()->cost, Usd{2 * cents * cent}) << members;
  };
  open("[[cap]]\nid = \"day\"\nlimit = \"100 USD\"\nper = \"day\"\n" + keyed);
  check(R"(,"size":"512x512")", 2);
  check(R"(,"size":"512x512","quality":"fine")", 2);
  check(R"(,"size":"2048x2048","quality":"rough")", 5);
  check(R"(,"size":"2048x2048","quality":"fine")", 9);
  for (const char* unknown : {"", R"(,"size":"2048x2048")", R"(,"size":"auto")", R"(,"size":"513x512")"}) {
    Attempt one = attempt();
    ASSERT_EQ(paint(one, unknown).kind, Verdict::Kind::answer) << unknown;
    EXPECT_EQ(one.denial()->code, Code::unpriced_model);
    EXPECT_NE(one.denial()->message.find("it has prices by size, quality"), std::string::npos);
    EXPECT_EQ(one.denial()->paste, "");
  }
  const auto estimate =
      guard->estimate("images.generations", R"({"model":"paints","prompt":"a mill"})", {}, nullptr, "", 1);
  ASSERT_TRUE(estimate) << estimate.error().message;
  EXPECT_NE(estimate->no_ceiling.find("it has prices by size"), std::string::npos) << estimate->no_ceiling;
  open("[[cap]]\nid = \"day\"\nlimit = \"100 USD\"\nper = \"day\"\n" + price(small + "until = 2020-01-01\n", "0.02"));
  Attempt late = attempt();
  ASSERT_EQ(paint(late, R"(,"size":"512x512")").kind, Verdict::Kind::answer);
  EXPECT_EQ(late.denial()->message.find("it has prices by size"), std::string::npos) << late.denial()->message;
  open("[[cap]]\nid = \"day\"\nlimit = \"100 USD\"\nper = \"day\"\n" + keyed + price("", "0.09"));
  check("", 9);
  check(R"(,"size":"512x512")", 2);
}

/// The ledger does not keep what a request said, so a price by it says nothing of an old entry.
TEST_F(Outputs, an_entry_is_not_priced_again_by_what_its_request_may_have_said) {
  open("unbounded = \"0.50 USD\"\n[[cap]]\nid = \"day\"\nlimit = \"100 USD\"\nper = \"day\"\n");
  Attempt one = attempt();
  const char* request =
      R"({"model":"sonar","messages":[],"max_tokens":10,"web_search_options":{"search_context_size":"low"}})";
  ASSERT_EQ(begin(one, request, "api.perplexity.ai", "/chat/completions").kind, Verdict::Kind::send)
      << one.denial()->message;
  answer(one, R"({"id":"c","model":"sonar","choices":[{"finish_reason":"stop"}],)"
              R"("usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"search_context_size":"low"}})");
  EXPECT_EQ(one.receipt()->cost, Usd{5'000'000 + 15 * 1'000});
  const auto report = reprice(*guard->control(), *PriceBook::builtin(), {});
  ASSERT_TRUE(report) << report.error().message;
  const std::map<std::string, std::int64_t> not_kept = {
      {"priced by a size, quality or search context, which is not kept", 1}};
  EXPECT_EQ(report->left_out, not_kept);
}

}  // namespace
}  // namespace farthing::test::outputs_test
