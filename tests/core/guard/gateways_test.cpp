// Hosts that speak a dialect and are not its maker: gateways that choose and search by themselves, servers of one's own.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/core/guard/fixture.h"

namespace farthing::test::gateways_test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class Gateways : public GuardFixture {
 protected:
  std::string refusal(std::string_view body, std::string_view path) {
    Attempt one = attempt();
    const Verdict verdict = begin(one, body, "openrouter.ai", path);
    EXPECT_EQ(verdict.kind, Verdict::Kind::answer) << body;
    return one.denial() ? one.denial()->message : std::string();
  }
};

TEST_F(Gateways, what_a_gateway_may_choose_or_search_has_no_bound_in_any_dialect_R31) {
  open(a_dollar_a_day);
  for (const auto& [path, rest] : std::vector<std::pair<const char*, std::string>>{
           {"/api/v1/chat/completions", R"("messages":[],"max_tokens":100)"},
           {"/api/v1/responses", R"("input":"hi","max_output_tokens":100)"},
           {"/api/v1/completions", R"("prompt":"hi","max_tokens":100)"},
           {"/api/v1/messages", R"("messages":[],"max_tokens":100)"}}) {
    const auto body = [&, &rest = rest](const std::string& more, const std::string& model = "openai/gpt-4o-mini") {
      return R"({"model":")" + model + "\"," + rest + more + "}";
    };
    Attempt plain = attempt();
    EXPECT_EQ(begin(plain, body(""), "openrouter.ai", path).kind, Verdict::Kind::send) << path;
    plain.abort(Abort::not_sent);
    EXPECT_THAT(refusal(body(R"(,"models":["openai/gpt-4o-mini","openai/gpt-5"])"), path), HasSubstr("other models"));
    EXPECT_THAT(refusal(body(R"(,"fallbacks":[{"model":"openai/gpt-5"}])"), path), HasSubstr("other models"));
    EXPECT_THAT(refusal(body(R"(,"fallbacks":"default")"), path), HasSubstr("other models"));
    EXPECT_THAT(refusal(body(R"(,"plugins":[{"id":"web"}])"), path), HasSubstr("server tools"));
    EXPECT_THAT(refusal(body(R"(,"provider":{"sort":"throughput"})"), path), HasSubstr("hosts with other prices"));
    EXPECT_THAT(refusal(body(R"(,"provider":{"sort":{"by":"latency","partition":"none"}})"), path),
                HasSubstr("hosts with other prices"));
    for (const char* cheapest : {R"(,"provider":{"sort":"price"})", R"(,"provider":{"sort":{"by":"price"}})"}) {
      Attempt sorted = attempt();
      EXPECT_EQ(begin(sorted, body(cheapest), "openrouter.ai", path).kind, Verdict::Kind::send) << path;
      sorted.abort(Abort::not_sent);
    }
    const std::string preset = refusal(body(R"(,"preset":"mine")"), path);
    EXPECT_THAT(preset, HasSubstr("other models"));
    EXPECT_THAT(preset, HasSubstr("server tools"));
    EXPECT_THAT(refusal(body("", "@preset/mine"), path), HasSubstr("other models"));
    EXPECT_THAT(refusal(body("", "openai/gpt-4o-mini:online"), path), HasSubstr("server tools"));
    // The book has the price of a model's list, not that of the dearest host that such a variant may take.
    for (const char* variant : {"openai/gpt-4o-mini:nitro", "openai/gpt-4o-mini:floor"})
      EXPECT_THAT(refusal(body("", variant), path), HasSubstr("has no price")) << variant;
  }
}

TEST_F(Gateways, what_has_no_bound_needs_none_where_nothing_costs) {
  constexpr const char* body =
      R"({"model":"own","messages":[],"max_tokens":9,"draft_model":"small","fallbacks":["b"],"plugins":[{"id":"web"}]})";
  const std::string host = "[[host]]\nname = \"localhost:1234\"\nfree = true\n";
  for (const auto& [cap, sent] : std::vector<std::pair<std::string, bool>>{
           {a_dollar_a_day, true}, {"[[cap]]\nlimit = \"9000 input_tokens\"\nper = \"day\"\n", false}}) {
    open(host + cap);
    Attempt one = attempt();
    EXPECT_EQ(begin(one, body, "localhost:1234", "/v1/chat/completions").kind == Verdict::Kind::send, sent) << cap;
    one.abort(Abort::not_sent);
  }
}

TEST_F(Gateways, what_ran_there_without_being_told_is_charged_as_held) {
  open("unbounded = \"0.25 USD\"\n[[host]]\nname = \"gw.example\"\nprovider = \"openrouter\"\n" +
       std::string(a_dollar_a_day));
  Attempt one = attempt();
  ASSERT_EQ(
      begin(one, R"({"model":"openai/gpt-4o-mini","input":"hi","max_output_tokens":100,"plugins":[{"id":"web"}]})",
            "gw.example", "/api/v1/responses")
          .kind,
      Verdict::Kind::send);
  const std::int64_t held = left("day").reserved;
  EXPECT_GE(held, 250'000'000);
  answer(one, R"({"id":"r","object":"response","status":"completed","model":"openai/gpt-4o-mini","output":[],)"
              R"("usage":{"input_tokens":10,"output_tokens":5,"total_tokens":15}})");
  EXPECT_EQ(left("day").spent, held);
}

TEST_F(Gateways, a_variant_that_searches_has_no_bound_where_the_policy_prices_it_R31) {
  const std::string price =
      "[[price]]\nprovider = \"openrouter\"\nmodel = \"openai/gpt-4o-mini:VARIANT\"\n"
      "rates = { input_tokens = \"1.00 USD per million\", output_tokens = \"5.00 USD per million\" }\n";
  const auto with = [&](const std::string& variant) {
    return std::string(price).replace(price.find("VARIANT"), 7, variant);
  };
  open(a_dollar_a_day + with("online") + with("nitro"));
  constexpr std::string_view path = "/api/v1/chat/completions";
  EXPECT_THAT(refusal(R"({"model":"openai/gpt-4o-mini:online","messages":[],"max_tokens":9})", path),
              HasSubstr("server tools"));
  Attempt one = attempt();
  EXPECT_EQ(
      begin(one, R"({"model":"openai/gpt-4o-mini:nitro","messages":[],"max_tokens":9})", "openrouter.ai", path).kind,
      Verdict::Kind::send);
}

TEST_F(Gateways, ollama_and_vllm_are_limited_by_the_name_that_they_read_and_asked_for_usage_R20) {
  for (const char* provider : {"ollama", "vllm"}) {
    open(
        "[[cap]]\nid = \"out\"\nlimit = \"2000 output_tokens\"\nper = \"day\"\n"
        "[[host]]\nname = \"localhost:11434\"\nfree = true\nprovider = \"" +
        std::string(provider) + "\"\n");
    Attempt one = attempt();
    const Verdict verdict = begin(one, R"({"model":"llama3","messages":[],"stream":true})", "localhost:11434");
    ASSERT_EQ(verdict.kind, Verdict::Kind::send);
    ASSERT_TRUE(verdict.body);
    const json sent = json::parse(*verdict.body);
    EXPECT_LE(sent.at("max_tokens"), 2'000);
    EXPECT_FALSE(sent.contains("max_completion_tokens"));
    EXPECT_EQ(sent.at("stream_options").at("include_usage"), true);
    EXPECT_EQ(left("out").reserved, sent.at("max_tokens"));
  }
}

TEST_F(Gateways, a_limit_whose_name_the_host_ignores_is_written_under_the_one_that_it_reads_R20) {
  open("[[cap]]\nid = \"out\"\nlimit = \"2000 output_tokens\"\nper = \"day\"\n");
  const auto sent = [&](const std::string& limits) {
    Attempt one = attempt();
    const Verdict verdict = begin(one, R"({"model":"deepseek-chat","messages":[])" + limits + "}", "api.deepseek.com");
    EXPECT_EQ(verdict.kind, Verdict::Kind::send) << limits;
    const std::int64_t held = left("out").reserved;
    one.abort(Abort::not_sent);
    const json body = verdict.body ? json::parse(*verdict.body) : json::parse("{\"max_tokens\":-1}");
    if (verdict.body) {
      EXPECT_EQ(body.at("max_tokens"), held) << *verdict.body;
    }
    return body.at("max_tokens").get<std::int64_t>();
  };
  EXPECT_EQ(sent(R"(,"max_completion_tokens":100)"), 100);
  EXPECT_EQ(sent(R"(,"max_completion_tokens":5000)"), 2'000);
  EXPECT_EQ(sent(R"(,"max_tokens":null,"max_completion_tokens":100)"), 100);
  EXPECT_LE(sent(R"(,"max_completion_tokens":null)"), 2'000);
  EXPECT_EQ(sent(R"(,"max_tokens":100)"), -1);  // byte for byte
  EXPECT_EQ(sent(R"(,"max_tokens":100,"max_completion_tokens":50)"), -1);
  // Where it cannot be written, it is none.
  Attempt one = attempt();
  constexpr HeaderView signed_by_aws[] = {{"authorization", "AWS4-HMAC-SHA256 Credential=AKIA/20261123/x"}};
  EXPECT_EQ(begin_with(one, signed_by_aws, R"({"model":"deepseek-chat","messages":[],"max_completion_tokens":100})",
                       "api.deepseek.com")
                .kind,
            Verdict::Kind::answer);
}

}  // namespace
}  // namespace farthing::test::gateways_test
