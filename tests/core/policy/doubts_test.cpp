// Values of a policy that fit nothing known: warnings, with the names that were meant.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "farthing/policy.h"

namespace farthing {
namespace {

using testing::IsEmpty;

std::vector<std::string> doubts_of(const std::string& toml) {
  const auto read = policy_from_toml(toml, "p", [](std::string_view) { return std::nullopt; });
  EXPECT_TRUE(read.ok()) << toml;
  if (!read.ok()) return {"not a policy"};
  const auto book = PriceBook::with_overlays(read.policy->prices);
  EXPECT_TRUE(book);
  std::vector<std::string> all;
  for (const Problem& doubt : doubts(*read.policy, **book, {"chat.completions", "embeddings", "images.generations"}))
    all.push_back(doubt.where + ": " + doubt.message);
  return all;
}

std::string cap_for(const std::string& match) {
  return "[[cap]]\nlimit = \"5 USD\"\nper = \"day\"\nmatch = { " + match + " }\n";
}

constexpr const char* local_host = "[[host]]\nname = \"localhost:11434\"\nfree = true\n";

TEST(Doubts, are_told_of_a_price_that_covers_tiers_which_the_book_prices_otherwise) {
  const auto price = [](const std::string& more) {
    return "[[price]]\nprovider = \"openai\"\nmodel = \"gpt-5\"\n" + more + "\n";
  };
  const std::string rates = R"(rates = { input_tokens = "1.25 USD per million" })";
  const auto found = doubts_of(price(rates));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found.front(), testing::HasSubstr("price[0]: it has no service_tier"));
  EXPECT_THAT(found.front(), testing::HasSubstr("flex, priority"));
  EXPECT_THAT(doubts_of(price(rates + "\nservice_tier = \"default\"")), IsEmpty());
  EXPECT_THAT(doubts_of(price("rates = { images = \"1 USD each\" }")), IsEmpty());  // no tier prices that
  EXPECT_THAT(doubts_of(price("discount = \"15 %\"")), IsEmpty());
  EXPECT_THAT(doubts_of("[[price]]\nprovider = \"acme\"\nmodel = \"gpt-5\"\n" + rates + "\n"), IsEmpty());
}

TEST(Doubts, are_none_of_what_is_known) {
  for (const char* match : {R"(model = "gpt-5*")", R"(model = ["gpt-5-mini", "claude-*"])",
                            R"(provider = "openai", model = "gpt-5*")", R"(provider = "o*")", R"(project = "gtp-5")",
                            R"(endpoint = "chat.completions")", R"(endpoint = "images.*")", R"(model = "*")"}) {
    EXPECT_THAT(doubts_of(cap_for(match)), IsEmpty()) << match;
  }
}

TEST(Doubts, name_the_endpoints_that_were_meant) {
  const auto part = doubts_of(cap_for(R"(endpoint = "chat")"));
  ASSERT_EQ(part.size(), 1U);
  EXPECT_THAT(part[0], testing::StartsWith("cap[0].match.endpoint: "));
  EXPECT_THAT(part[0], testing::HasSubstr(R"(did you mean "chat.completions"?)"));
  const auto misspelt = doubts_of(cap_for(R"(endpoint = ["embedings", "embeddings"])"));
  ASSERT_EQ(misspelt.size(), 1U);
  EXPECT_THAT(misspelt[0], testing::HasSubstr(R"(did you mean "embeddings"?)"));
  const std::string own =
      "[[endpoint]]\nname = \"acme.songs\"\nhost = \"api.acme.test\"\npath = \"/songs\"\nmodel = \"song-1\"\n"
      "asks = { audio_seconds = \"/duration\" }\n";
  EXPECT_THAT(doubts_of(cap_for(R"(endpoint = "acme.songs")") + own), IsEmpty());
}

TEST(Doubts, name_the_model_that_was_meant) {
  const auto found = doubts_of(cap_for(R"(model = ["gpt-5-mini", "gtp-5*"])"));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0], testing::StartsWith("cap[0].match.model: no model of the price book is \"gtp-5*\""));
  EXPECT_THAT(found[0], testing::HasSubstr("did you mean \"gpt-5"));
}

TEST(Doubts, are_of_families_and_keys_that_nothing_names) {
  const std::string key = "[[api_key]]\nname = \"prod\"\nenv = \"OPENAI_API_KEY\"\n";
  for (const char* match : {R"(model_family = "gpt-5")", R"(model_family = "gpt-*")", R"(api_key = "prod")",
                            R"(api_key = "p*")", R"(api_key = "k3f9a1c2b4d5e6f70-a1b2")"}) {
    EXPECT_THAT(doubts_of(cap_for(match) + key), IsEmpty()) << match;
  }
  const auto found = doubts_of(cap_for(R"(api_key = "prud", model_family = "gpt5")") + key);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_THAT(found[0], testing::HasSubstr(R"(did you mean "gpt-5")"));
  EXPECT_THAT(found[1], testing::HasSubstr(R"(did you mean "prod"?)"));
  const auto capitals =
      doubts_of(cap_for(R"(api_key = "PROD-KEYS")") + "[[api_key]]\nname = \"PROD-KEY\"\nenv = \"X\"\n");
  ASSERT_EQ(capitals.size(), 1U);
  EXPECT_THAT(capitals[0], testing::HasSubstr(R"(did you mean "PROD-KEY"?)"));
}

TEST(Doubts, are_of_counters_with_a_limit_of_their_own) {
  const std::string cap = "[[cap]]\nlimit = \"5 USD\"\nper = \"day\"\n";
  const auto found = doubts_of(cap + "each = \"model\"\nlimits = { gpt-5 = \"1 USD\", gtp-5 = \"1 USD\" }\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0], testing::StartsWith("cap[0].limits.\"gtp-5\": no model"));
  EXPECT_THAT(doubts_of(cap + "each = \"user\"\nlimits = { gtp-5 = \"1 USD\" }\n"), IsEmpty());
}

TEST(Doubts, name_the_provider_that_was_meant) {
  const auto found = doubts_of(cap_for(R"(provider = "opnai")"));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0], testing::HasSubstr("\"openai\""));
}

TEST(Doubts, are_of_models_that_another_provider_has) {
  EXPECT_EQ(doubts_of(cap_for(R"(provider = "anthropic", model = "gpt-5")")).size(), 1U);
}

TEST(Doubts, are_of_names_that_no_call_is_labelled_with_R29) {
  const auto found = doubts_of(cap_for(R"(model = "gpt-5-mini-2025-08-07")"));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0], testing::HasSubstr("have the label model = \"gpt-5-mini\""));
}

TEST(Doubts, are_none_of_what_the_policy_itself_makes_known) {
  const std::string price =
      "[[price]]\nprovider = \"acme\"\nmodel = \"acme-7b\"\nrates = { input_tokens = \"1 USD per million\", "
      "output_tokens = "
      "\"1 USD per million\" }\n";
  EXPECT_THAT(doubts_of(cap_for(R"(provider = "acme", model = "acme-*")") + price), IsEmpty());
  const std::string host = "[[host]]\nname = \"llm.acme.internal\"\nprovider = \"acme\"\n";
  EXPECT_THAT(doubts_of(cap_for(R"(provider = "acme", model = "zeppelin-40b")") + host), IsEmpty());
  EXPECT_THAT(doubts_of(cap_for(R"(model = "zeppelin-40b")") + local_host), IsEmpty());
  EXPECT_EQ(doubts_of(cap_for(R"(model = "gtp-5-mini")") + local_host).size(), 1U);  // near enough to be meant
}

TEST(Doubts, are_of_a_host_s_provider_that_is_nearly_one_of_the_book) {
  const auto host = [](const std::string& provider) {
    return "[[host]]\nname = \"127.0.0.1:8000\"\nprovider = \"" + provider + "\"\n";
  };
  const auto found = doubts_of(host("opnai"));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found.front(), testing::HasSubstr("\"openai\""));
  for (const char* provider : {"openai", "ollama", "vllm", "acme", "our-models"})
    EXPECT_THAT(doubts_of(host(provider)), IsEmpty()) << provider;
}

TEST(Doubts, are_of_deployments_of_no_known_model) {
  const std::string host =
      "[[host]]\nname = \"gw.example\"\nprovider = \"openai\"\ndeployments = { a = \"gpt-5\", b = \"gtp-5\" }\n";
  const auto found = doubts_of(host);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0], testing::StartsWith("host[0].deployments.\"b\": no model of openai"));
}

}  // namespace
}  // namespace farthing
