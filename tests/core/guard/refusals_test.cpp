// Why a call is not sent, and what it is told; what passes unguarded; how a request is rewritten (R20, R22, R31, R34).
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/core/guard/fixture.h"

namespace farthing::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Refusals : public GuardFixture {
 protected:
  /// The error object of our own answer.
  static nlohmann::json error_of(const Verdict& verdict) {
    EXPECT_EQ(verdict.kind, Verdict::Kind::answer);
    EXPECT_EQ(verdict.answer.status, 402);
    return nlohmann::json::parse(verdict.answer.body).at("error");
  }
  std::int64_t reserved() { return guard->control()->status()->counters.front().cap.reserved; }
};

TEST_F(Refusals, a_cap_that_is_too_small_names_itself_and_what_is_left) {
  open("[[cap]]\nid = \"day\"\nlimit = \"0.0001 USD\"\nper = \"day\"\n");
  Attempt one = attempt();
  const auto error = error_of(begin(one));
  EXPECT_EQ(error.at("code"), "cap_exceeded");
  EXPECT_THAT(error.at("message").get<std::string>(), HasSubstr("0.0001"));
  ASSERT_TRUE(one.denial());
  EXPECT_EQ(one.denial()->caps.front().cap_id, "day");
  EXPECT_EQ(one.denial()->attempt, one.id());
  EXPECT_EQ(reserved(), 0);
  EXPECT_TRUE(rows().empty());
  ASSERT_TRUE(guard->flush(1000));
  EXPECT_EQ(guard->control()->denials({})->size(), 1U);
}

TEST_F(Refusals, after_a_clock_that_was_ahead_they_name_the_way_back_R12) {
  open("[[cap]]\nid = \"day\"\nlimit = \"0.0001 USD\"\nper = \"day\"\n");
  Attempt before = attempt();
  const auto calm = error_of(begin(before));
  EXPECT_THAT(calm.at("message").get<std::string>(), Not(HasSubstr("reset-clock")));
  EXPECT_FALSE(calm.at("farthing").contains("clock_ahead_ms"));
  clock->wall -= 3 * hour_ms;  // it was ahead, and was set right
  Attempt after = attempt();
  const auto error = error_of(begin(after));
  EXPECT_THAT(error.at("message").get<std::string>(),
              HasSubstr("This store's time is 3 h ahead of this machine's clock, which was once set forward: "
                        "farthing store reset-clock."));
  EXPECT_EQ(error.at("farthing").at("clock_ahead_ms"), 3 * hour_ms);
}

TEST_F(Refusals, a_cap_without_an_id_is_told_by_its_words) {
  open(
      "[[cap]]\nlimit = \"0.0001 USD\"\nper = \"day\"\nmatch = { project = \"p\" }\n"
      "[[cap]]\nlimit = \"0 requests\"\nper = \"hour\"\n[[cap]]\nid = \"named\"\nlimit = \"0 runs\"\nper = \"hour\"\n");
  Attempt one = attempt();
  const std::string message = error_of(begin(one)).at("message");
  EXPECT_THAT(message,
              ::testing::StartsWith("the cap (0.0001 USD per day, project=p) has 0.0001 USD left; this call "));
  EXPECT_THAT(message, HasSubstr("Also refused by: the cap (0 requests per hour)."));
  EXPECT_THAT(message, Not(HasSubstr(";match=")));
}

TEST_F(Refusals, amounts_of_seconds_are_seconds) {
  open(
      "[[cap]]\nid = \"sound\"\nlimit = \"12.5 audio_seconds\"\nper = \"day\"\n"
      "[[endpoint]]\nname = \"music\"\nhost = \"music.test\"\npath = \"/v1/songs\"\nmodality = \"music\"\n"
      "asks = { audio_seconds = \"/duration\" }\n");
  Attempt one = attempt();
  const std::string message = error_of(begin(one, R"({"duration":20})", "music.test", "/v1/songs")).at("message");
  EXPECT_THAT(message, HasSubstr("has 12.5 audio_seconds left; this call can cost up to 20 audio_seconds (spent 0,"));
}

TEST_F(Refusals, a_cap_with_all_its_counters_says_so_R9) {
  open("[[cap]]\nid = \"users\"\nlimit = \"1 USD\"\nper = \"day\"\neach = [\"project\"]\nmax_counters = 1\n");
  Attempt first = attempt();
  ASSERT_EQ(begin(first).kind, Verdict::Kind::send);
  binding = *guard->bind(Labels{{"project", "q"}}, {});
  Attempt second = attempt();
  const std::string message = error_of(begin(second)).at("message");
  EXPECT_THAT(message, HasSubstr("cap \"users\" (1.00 USD per day, project=q)"));
  EXPECT_THAT(message, HasSubstr("max_counters = 1"));
  EXPECT_THAT(message, Not(HasSubstr("left")));
}

TEST_F(Refusals, what_a_call_needs_at_least_is_not_told_as_its_most_R20) {
  open("[[cap]]\nid = \"day\"\nlimit = \"0.0001 USD\"\nper = \"day\"\n");
  Attempt lowered = attempt();  // without a limit of its own
  const std::string least = error_of(begin(lowered, R"({"model":"gpt-5-mini","messages":[]})")).at("message");
  const RefusedCap cap = lowered.denial()->caps.front();
  ASSERT_LT(cap.requested, cap.wanted);
  EXPECT_THAT(least, HasSubstr("; this call needs at least " + to_text(Usd{cap.requested}) + " USD (spent"));
  Attempt fixed = attempt();
  const std::string most =
      error_of(begin(fixed, R"({"model":"gpt-4.1-nano","messages":[],"max_completion_tokens":256,"n":4})"))
          .at("message");
  ASSERT_EQ(fixed.denial()->caps.front().requested, fixed.denial()->caps.front().wanted);
  EXPECT_THAT(most, HasSubstr("; this call can cost up to "));
}

TEST_F(Refusals, a_retry_that_an_sdk_makes_by_itself_is_told_not_to) {
  open("[[cap]]\nid = \"day\"\nlimit = \"0 USD\"\nper = \"day\"\n");
  Attempt one = attempt();
  const Verdict verdict = begin(one);
  const auto& headers = verdict.answer.headers;
  EXPECT_NE(std::find(headers.begin(), headers.end(), std::pair<std::string, std::string>("x-should-retry", "false")),
            headers.end());
}

TEST_F(Refusals, a_model_without_a_price_is_refused_with_near_names_and_the_lines_to_add_R31) {
  open(a_dollar_a_day);
  Attempt one = attempt();
  const auto error = error_of(begin(one, R"({"model":"gpt-5-mimi","messages":[]})"));
  EXPECT_EQ(error.at("code"), "unpriced_model");
  EXPECT_THAT(error.at("message").get<std::string>(), HasSubstr("gpt-5-mini"));
  std::string paste = one.denial()->paste;
  for (std::size_t at = 0; (at = paste.find("...")) != std::string::npos;)
    paste.replace(at, 3, "1.50");
  EXPECT_EQ(policy_of(paste).prices.front().model, "gpt-5-mimi");
}

TEST_F(Refusals, an_unknown_deployment_is_refused_with_the_lines_that_say_its_model_R31) {
  open(a_dollar_a_day);
  constexpr const char* azure = "acme.openai.azure.com";
  constexpr const char* path = "/openai/deployments/prod-chat/chat/completions?api-version=2024-10-21";
  Attempt one = attempt();
  const std::string message = error_of(begin(one, hello, azure, path)).at("message");
  EXPECT_THAT(message, HasSubstr(R"(wrap(client, deployments={"prod-chat": "gpt-5-mini"}))"));
  EXPECT_THAT(message, HasSubstr("\n    deployments = { \"prod-chat\" = \"gpt-5-mini\" }"));
  EXPECT_THAT(message, Not(HasSubstr("[[price]]")));
  open(a_dollar_a_day + one.denial()->paste);  // as it stands there
  Attempt again = attempt();
  EXPECT_EQ(begin(again, hello, azure, path).kind, Verdict::Kind::send);
  answer(again);
  EXPECT_EQ(rows().front().context->model, "gpt-5-mini");
}

TEST_F(Refusals, a_deployment_of_a_misspelt_model_is_refused_by_that_models_name_R31) {
  open(std::string(a_dollar_a_day) +
       "[[host]]\nname = \"gw.example\"\nprovider = \"openai\"\ndeployments = { prod = \"gtp-5-mini\" }\n");
  Attempt one = attempt();
  const std::string message = error_of(begin(one, R"({"model":"prod","messages":[]})", "gw.example")).at("message");
  EXPECT_THAT(message, HasSubstr("model \"gtp-5-mini\" of openai has no price"));
  EXPECT_THAT(message, HasSubstr("Near names: gpt-5-mini"));
}

TEST_F(Refusals, the_lines_to_add_can_be_pasted_whatever_the_models_name_is) {
  open(a_dollar_a_day);
  for (const char* name : {R"(a\"]\n[[cap]]\nlimit=\"9)", R"(back\\slash)", R"(del\u007f)", R"(${HOME})"}) {
    Attempt one = attempt();
    const auto body = std::string(R"({"messages":[],"model":")") + name + "\"}";
    ASSERT_EQ(begin(one, body).kind, Verdict::Kind::answer);
    std::string paste = one.denial()->paste;
    for (std::size_t at = 0; (at = paste.find("\"... ")) != std::string::npos;)
      paste.replace(at, 4, "\"1.50");
    const Policy policy = policy_of(paste);
    EXPECT_TRUE(policy.caps.empty());
    EXPECT_EQ(policy.prices.front().model, nlohmann::json::parse(body).at("model").get<std::string>());
  }
}

TEST_F(Refusals, a_models_name_of_any_length_makes_no_long_message) {
  open(a_dollar_a_day);
  Attempt one = attempt();
  const std::string message =
      error_of(begin(one, R"({"messages":[],"model":")" + std::string(5'000, 'a') + "\"}")).at("message");
  EXPECT_LT(message.size(), 500U);
  EXPECT_THAT(message, HasSubstr("(5000 bytes)"));
  EXPECT_EQ(one.denial()->paste, "");
}

TEST_F(Refusals, a_model_without_a_price_passes_where_no_cap_counts_money_R31) {
  open("[[cap]]\nid = \"calls\"\nlimit = \"5 requests\"\nper = \"day\"\n");
  Attempt one = attempt();
  ASSERT_EQ(begin(one, R"({"model":"acme-7b","messages":[]})").kind, Verdict::Kind::send);
  answer(one, R"({"id":"x","model":"acme-7b","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":5}})");
  ASSERT_EQ(rows().size(), 1U);
  EXPECT_FALSE(rows().front().actual);  // unknown, not 0
}

TEST_F(Refusals, an_unknown_host_is_refused_with_the_line_to_add_and_a_free_one_counts_nothing_R31) {
  open(std::string(a_dollar_a_day) + "[[host]]\nname = \"localhost:11434\"\nfree = true\n");
  Attempt one = attempt();
  const auto error = error_of(begin(one, hello, "gateway.example"));
  EXPECT_THAT(error.at("message").get<std::string>(), HasSubstr("\n    [[host]]\n    name = \"gateway.example\"\n"));
  EXPECT_EQ(policy_of(one.denial()->paste).hosts.front().provider, "openai");  // as it stands there
  Attempt local = attempt();
  ASSERT_NE(begin(local, hello, "localhost:11434").kind, Verdict::Kind::answer);
  answer(local);
  EXPECT_EQ(guard->control()->status()->counters.front().cap.spent, 0);
}

TEST_F(Refusals, an_endpoint_that_cannot_be_priced_is_not_sent_and_looking_is_free_R31) {
  open(a_dollar_a_day);
  Attempt one = attempt();
  EXPECT_EQ(error_of(begin(one, "{}", "api.openai.com", "/v1/fine_tuning/jobs")).at("code"), "unknown_endpoint");
  Attempt listing = attempt();
  EXPECT_EQ(
      listing.begin({.method = "GET", .host = "api.openai.com", .path = "/v1/models", .headers = {}, .body = ""}).kind,
      Verdict::Kind::pass);
}

TEST_F(Refusals, the_body_is_asked_for) {
  open(a_dollar_a_day);
  Attempt one = attempt();
  EXPECT_EQ(one.begin({.method = "POST",
                       .host = "api.openai.com",
                       .path = "/v1/chat/completions",
                       .headers = {},
                       .body = std::nullopt})
                .kind,
            Verdict::Kind::need_body);
  EXPECT_EQ(begin(one).kind, Verdict::Kind::send);
  answer(one);
}

TEST_F(Refusals, a_halt_stops_new_calls_and_lets_granted_ones_finish_R34) {
  open(a_dollar_a_day);
  Attempt before = attempt();
  ASSERT_EQ(begin(before).kind, Verdict::Kind::send);
  const auto number = guard->control()->halt({}, {"ann", "incident 12"});
  ASSERT_TRUE(number);
  Attempt during = attempt();
  const auto error = error_of(begin(during));
  EXPECT_EQ(error.at("code"), "halted");
  EXPECT_THAT(error.at("message").get<std::string>(), HasSubstr("incident 12"));
  answer(before);
  EXPECT_EQ(rows().front().how, How::usage);
  ASSERT_TRUE(guard->control()->resume(*number, {"ann", "over"}));
  EXPECT_EQ(call().kind, Verdict::Kind::send);
}

TEST_F(Refusals, a_label_that_a_cap_wants_is_asked_for_R5) {
  open("[[cap]]\nid = \"users\"\nlimit = \"1 USD\"\nper = \"day\"\neach = \"user\"\nabsent = \"refuse\"\n");
  Attempt one = attempt();
  const auto error = error_of(begin(one));
  EXPECT_EQ(error.at("code"), "label_required");
  EXPECT_THAT(error.at("message").get<std::string>(), HasSubstr("user"));
  Attempt named = attempt(nullptr, *Scope::root()->with(Labels{{"user", "u1"}}));
  EXPECT_EQ(begin(named).kind, Verdict::Kind::send);
  answer(named);
}

TEST_F(Refusals, an_output_limit_is_put_in_where_the_caller_gave_none_R20) {
  open(a_dollar_a_day);
  Attempt one = attempt();
  const Verdict verdict = begin(one, R"({"model":"gpt-5-mini","messages":[{"role":"user","content":"hello"}]})");
  ASSERT_EQ(verdict.kind, Verdict::Kind::send);
  ASSERT_TRUE(verdict.body);
  const auto sent = nlohmann::json::parse(*verdict.body);
  EXPECT_GE(sent.at("max_completion_tokens").get<int>(), 2048);
  EXPECT_EQ(sent.at("messages").at(0).at("content"), "hello");
  EXPECT_LE(reserved(), usd / 16 + usd / 100);
  answer(one);
  EXPECT_EQ(one.receipt()->output_limit, sent.at("max_completion_tokens").get<std::int64_t>());
}

TEST_F(Refusals, a_request_stays_byte_for_byte_where_nothing_needs_a_limit) {
  open("[[cap]]\nid = \"calls\"\nlimit = \"5 requests\"\nper = \"day\"\n");
  Attempt one = attempt();
  EXPECT_FALSE(begin(one, R"({"model":"gpt-5-mini","messages":[]})").body);
  answer(one);
  Attempt limited = attempt();
  EXPECT_FALSE(begin(limited).body);
}

TEST_F(Refusals, usage_is_asked_for_in_a_stream_and_its_chunk_is_not_shown_R24) {
  open(a_dollar_a_day);
  Attempt one = attempt();
  const Verdict verdict =
      begin(one, R"({"model":"gpt-5-mini","messages":[],"max_completion_tokens":100,"stream":true})");
  ASSERT_TRUE(verdict.body);
  EXPECT_THAT(*verdict.body, HasSubstr("\"include_usage\""));
  EXPECT_TRUE(one.sent());
  const HeaderView headers[] = {{"content-type", "text/event-stream"}};
  one.head(200, headers);
  std::string delivered;
  for (const char* chunk : {"data: "
                            "{\"id\":\"c\",\"model\":\"gpt-5-mini\",\"choices\":[{\"index\":0,\"delta\":{\"content\":"
                            "\"hi\"}}],\"usage\":null}\n\n",
                            "data: "
                            "{\"id\":\"c\",\"model\":\"gpt-5-mini\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,"
                            "\"completion_tokens\":1}}\n\n",
                            "data: [DONE]\n\n"}) {
    const Delivered part = one.data(chunk);
    delivered += part.same ? std::string(chunk) : std::string(part.bytes);
  }
  delivered += one.end().bytes;
  EXPECT_THAT(delivered, HasSubstr("hi"));
  EXPECT_THAT(delivered, HasSubstr("[DONE]"));
  EXPECT_THAT(delivered, Not(HasSubstr("prompt_tokens")));
  EXPECT_EQ(rows().front().how, How::usage);
}

TEST_F(Refusals, an_answer_cut_by_our_limit_is_told_once) {
  open(a_dollar_a_day);
  for (int i = 0; i < 2; ++i) {
    Attempt one = attempt();
    ASSERT_TRUE(begin(one, R"({"model":"gpt-5-mini","messages":[]})").body);
    answer(one, R"({"id":"c","model":"gpt-5-mini","choices":[{"finish_reason":"length"}],)"
                R"("usage":{"prompt_tokens":9,"completion_tokens":9}})");
  }
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings.front(), HasSubstr("output tokens"));
}

TEST_F(Refusals, an_azure_deployment_is_the_model_that_the_client_says) {
  open(a_dollar_a_day);
  binding = *guard->bind({}, {{"fast", "gpt-5-mini"}});
  Attempt one = attempt();
  ASSERT_EQ(begin(one, R"({"messages":[],"max_completion_tokens":100})", "acme.openai.azure.com",
                  "/openai/deployments/fast/chat/completions?api-version=2025-01-01-preview")
                .kind,
            Verdict::Kind::send);
  answer(one);
  EXPECT_EQ(rows().front().context->model, "gpt-5-mini");
  EXPECT_EQ(rows().front().context->model_asked, "fast");
}

TEST_F(Refusals, a_regional_host_costs_what_its_region_does) {
  open(a_dollar_a_day);
  constexpr const char* body = R"({"model":"gpt-5.4","messages":[],"max_completion_tokens":100})";
  std::vector<std::int64_t> held;
  std::vector<std::int64_t> paid;
  for (const char* host : {"api.openai.com", "eu.api.openai.com", "us.api.openai.com"}) {
    Attempt one = attempt();
    ASSERT_EQ(begin(one, body, host).kind, Verdict::Kind::send);
    held.push_back(reserved());
    answer(one, R"({"id":"c","model":"gpt-5.4","choices":[{"finish_reason":"stop"}],)"
                R"("usage":{"prompt_tokens":1000,"completion_tokens":1000}})");
    paid.push_back(one.receipt()->cost->nano);
  }
  EXPECT_EQ(paid[1], paid[0] * 11 / 10);
  EXPECT_EQ(paid[2], paid[0] * 11 / 10);
  EXPECT_GE(held[1], held[0] * 11 / 10);
}

TEST_F(Refusals, an_estimate_holds_nothing) {
  open(a_dollar_a_day);
  const auto estimate = guard->estimate("chat.completions", hello, {}, Scope::root(), "", 10);
  ASSERT_TRUE(estimate) << estimate.error().message;
  EXPECT_GT(estimate->ceiling->nano, estimate->likely->nano);
  EXPECT_EQ(estimate->left.front().reserved, estimate->ceiling->nano * 10);
  EXPECT_EQ(reserved(), 0);
  EXPECT_FALSE(guard->estimate("nonsense", hello, {}, Scope::root(), "", 1));
  EXPECT_FALSE(guard->estimate("chat.completions", "[", {}, Scope::root(), "", 1));
}

TEST_F(Refusals, an_estimates_labels_are_over_those_around_it) {
  open("[[cap]]\nlimit = \"1 USD\"\nper = \"day\"\neach = \"team\"\n");
  const auto around = *Scope::root()->with(Labels{{"team", "around"}});
  const auto team = [&](const Labels& labels) {
    const auto estimate = guard->estimate("chat.completions", hello, labels, around, "", 1);
    return estimate ? estimate->left.front().counter.front().second : estimate.error().message;
  };
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(team({}), "around");
    EXPECT_EQ(team(Labels{{"team", "own"}}), "own");
    EXPECT_EQ(team(Labels{{"user", "u"}}), "around");
  }
  EXPECT_FALSE(guard->estimate("chat.completions", hello, Labels{{"team", ""}}, around, "", 1));
}

TEST_F(Refusals, images_are_bounded_by_their_size) {  // R31
  open(a_dollar_a_day);
  const auto estimate = [&](const std::string& model, const std::string& url) {
    const auto made =
        guard->estimate("chat.completions",
                        R"({"model":")" + model + R"(","max_tokens":10,"messages":[{"role":"user","content":[)" +
                            R"({"type":"image_url","image_url":{"url":")" + url + R"("}}]}]})",
                        {}, Scope::root(), "", 1);
    EXPECT_TRUE(made) << made.error().message;
    return *made;
  };
  // A PNG of 640 x 480: 85 + 2 x 170 tokens, and 7 around the message.
  const std::string png = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAoAAAAHgCAIAAAAAAAAA";
  const Estimate inside = estimate("gpt-4o", png);
  EXPECT_EQ(inside.confidence, "calibrated");
  EXPECT_TRUE(inside.unbounded_by.empty());
  EXPECT_EQ(inside.likely_meters[Meter::input_tokens], 425 + 7);
  EXPECT_GE(inside.ceiling_meters[Meter::input_tokens], 425 + 7);
  EXPECT_LE(inside.ceiling_meters[Meter::input_tokens], 425 + 400);
  // Elsewhere: the most that an image can be.
  const Estimate elsewhere = estimate("gpt-4o", "https://a.test/b.png");
  EXPECT_TRUE(elsewhere.unbounded_by.empty());
  EXPECT_GE(elsewhere.ceiling_meters[Meter::input_tokens], 1'445);
  EXPECT_LE(elsewhere.ceiling_meters[Meter::input_tokens], 1'445 + 400);
  // A model that takes any image whole.
  EXPECT_TRUE(estimate("gpt-5.6-sol", png).unbounded_by.empty());
  EXPECT_FALSE(estimate("gpt-5.6-sol", "https://a.test/b.png").unbounded_by.empty());
}

}  // namespace
}  // namespace farthing::test
