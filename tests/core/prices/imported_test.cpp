// Imported models: how they join the hand-checked ones, and what the book has of every kind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "books.h"

namespace farthing::imported_test {
namespace {

using prices_detail::Problems;
using prices_detail::SourceFile;
using testing::acme;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::model;
using testing::noon;
using testing::plain_row;
using testing::rate_text;

/// A generated file for a provider, with these models.
SourceFile imported(const std::string& provider, const std::string& models, const std::string& keys = "") {
  return {"imported/" + provider + ".toml", "[imported]\nprovider = \"" + provider +
                                                "\"\nsource = \"https://tables.test\"\ndate = 2026-11-21\n" + keys +
                                                models};
}

std::vector<std::string> names_of(const prices_detail::Source& source, const std::string& provider) {
  std::vector<std::string> names;
  for (const auto& each : source.models) {
    if (each.provider == provider) names.push_back(each.name);
  }
  return names;
}

TEST(Imported, models_join_those_of_a_hand_checked_provider) {
  Problems problems;
  const auto source = prices_detail::read_source(
      {acme(model(plain_row)), imported("acme", model(plain_row, "key = \"acme/a-2\"", "a-2"))}, problems);
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_THAT(names_of(source, "acme"), ::testing::ElementsAre("a-1", "a-2"));
  EXPECT_EQ(1'000, source.models[1].tokens_per_second) << "the hand-checked provider's";
  EXPECT_EQ(1u, source.providers.size());
}

TEST(Imported, what_a_person_has_read_wins) {
  const std::string cheap = "{ per = \"million\", input_tokens = \"0.01\", output_tokens = \"0.01\" },\n";
  const SourceFile hand =
      acme(model(plain_row, "aliases = [\"a-one\"]\ndated = [\"-YYYY-MM-DD\"]") + model(plain_row, "", "ft:a-1"));
  const SourceFile reseller = {
      "b.toml",
      "[provider]\nname = \"b\"\nsource = \"https://b.test\"\ndate = 2026-11-20\ntokens_per_second = 1\n"
      "[[provider.prices_of]]\nprovider = \"acme\"\nprefix = \"acme/\"\n[provider.aliases]\na1 = \"acme/a-1\"\n"};
  std::string same;
  for (const char* name : {"a-1", "a-one", "a-1-2026-01-31", "ft:a-1:me::x"})
    same += model(cheap, "", name);
  same += model(cheap, "aliases = [\"a-one\", \"a-3-latest\"]", "a-3");
  Problems problems;
  const auto source = prices_detail::read_source(
      {hand, reseller, imported("acme", same), imported("b", model(cheap, "", "acme/a-1") + model(cheap, "", "a1"))},
      problems);
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_THAT(names_of(source, "acme"), ::testing::ElementsAre("a-1", "ft:a-1", "a-3"));
  EXPECT_THAT(source.models.back().aliases, ::testing::ElementsAre("a-3-latest"));
  EXPECT_THAT(names_of(source, "b"), ::testing::ElementsAre("acme/a-1", "acme/ft:a-1"));
}

TEST(Imported, prices_of_takes_hand_checked_models_only) {
  Problems problems;
  const SourceFile reseller = {
      "b.toml",
      "[provider]\nname = \"b\"\nsource = \"https://b.test\"\ndate = 2026-11-20\ntokens_per_second = 1\n"
      "[[provider.prices_of]]\nprovider = \"acme\"\n"};
  const auto source = prices_detail::read_source(
      {acme(model(plain_row)), imported("acme", model(plain_row, "", "a-2")), reseller}, problems);
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_THAT(names_of(source, "b"), ::testing::ElementsAre("a-1"));
}

TEST(Imported, prices_of_takes_what_is_billed_by_tokens) {
  const std::string images =
      "[[model]]\nname = \"i-1\"\nfamily = \"i\"\nmodality = \"image\"\n"
      "rates = [{ per = \"each\", images = \"0.1\" }]\n";
  const SourceFile reseller = {
      "b.toml",
      "[provider]\nname = \"b\"\nsource = \"https://b.test\"\ndate = 2026-11-20\ntokens_per_second = 1\n"
      "[[provider.prices_of]]\nprovider = \"acme\"\n"};
  Problems problems;
  const auto source =
      prices_detail::read_source({acme(model(plain_row) + images), reseller, imported("b", images)}, problems);
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_THAT(names_of(source, "b"), ::testing::ElementsAre("a-1", "i-1")) << "its own";
}

TEST(Imported, a_provider_without_a_file_of_its_own_is_made_by_the_generated_one) {
  const std::string text = model(
      "{ per = \"million\", input_tokens = \"1\", output_tokens = \"4\" },\n"
      "{ tier = \"batch\", per = \"million\", input_tokens = \"0.5\" },\n");
  Problems problems;
  prices_detail::compile_book({acme(model(plain_row)), imported("new", text)}, problems);
  EXPECT_THAT(problems,
              AllOf(Contains(HasSubstr("tokens_per_second is missing")), Contains(HasSubstr("tier is \"batch\""))));
  problems.clear();
  prices_detail::compile_book(
      {acme(model(plain_row)),
       imported("new", text, "tables = [\"x 1\"]\ntokens_per_second = 7\n[imported.tiers]\nbatch = [\"batch\"]\n")},
      problems);
  EXPECT_THAT(problems, IsEmpty());
}

TEST(Imported, limits_may_be_unknown_and_prices_may_not) {
  Problems problems;
  const std::string head = "[[model]]\nname = \"n\"\nfamily = \"n\"\nmodality = \"text\"\nrates = [\n";
  prices_detail::compile_book({acme(model(plain_row)), imported("acme", head + plain_row + "]\n")}, problems);
  EXPECT_THAT(problems, IsEmpty());
  prices_detail::compile_book(
      {acme(model(plain_row)),
       imported("acme", head + "{ per = \"million\", input_tokens = \"1\", output_tokens = \"2000\" },\n]\n")},
      problems);
  EXPECT_THAT(problems, Contains(HasSubstr("[absurd]")));
}

const Model& built_in(std::string_view provider, std::string_view name) {
  const Model* found = PriceBook::builtin()->find(provider, name);
  EXPECT_NE(nullptr, found) << provider << " " << name;
  return *found;
}

std::string price(std::string_view provider, std::string_view name, Quantity quantity, Terms terms = {}) {
  terms.at_ms = noon;
  return rate_text(PriceBook::builtin()->rates(built_in(provider, name), terms), quantity);
}

TEST(BuiltInBook, has_thousands_of_models_of_every_modality) {
  std::map<std::string_view, int> of;
  for (const Model* each : PriceBook::builtin()->models())
    ++of[each->modality];
  int all = 0;
  for (const auto& [modality, count] : of)
    all += count;
  EXPECT_GE(all, 2'000);
  for (const auto& [modality, least] : std::map<std::string_view, int>{{"text", 1'500},
                                                                       {"embedding", 100},
                                                                       {"image", 100},
                                                                       {"speech", 40},
                                                                       {"transcription", 60},
                                                                       {"video", 50},
                                                                       {"music", 3},
                                                                       {"moderation", 1},
                                                                       {"other", 50}}) {
    EXPECT_GE(of[modality], least) << modality;
  }
}

TEST(BuiltInBook, has_every_provider_that_a_host_names) {
  for (const char* provider : {"openai", "azure", "anthropic", "gemini", "openrouter", "groq", "mistral", "deepseek",
                               "xai", "together", "fireworks", "perplexity", "cohere", "cerebras", "moonshot"}) {
    int models = 0;
    for (const Model* each : PriceBook::builtin()->models())
      models += each->provider == provider ? 1 : 0;
    EXPECT_GE(models, 5) << provider;
  }
}

TEST(BuiltInBook,
     a_rate_that_is_not_known_is_never_zero) {  // known wrong costs elsewhere: dated names, deployments at 0
  for (const auto& [provider, name] : std::vector<std::pair<const char*, const char*>>{
           {"azure", "my-deployment"},
           {"bedrock", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"},
           {"gemini", "gemini-9.9-flash-2031-01-01"},
           {"ollama", "llama3"}}) {
    EXPECT_EQ(nullptr, PriceBook::builtin()->find(provider, name)) << name;
  }
  for (const Model* each : PriceBook::builtin()->models()) {
    const auto rates = PriceBook::builtin()->rates(*each, {.at_ms = noon});
    ASSERT_TRUE(rates) << each->provider << " " << each->name;
    for (const auto& rate : rates->of)
      EXPECT_TRUE(!rate || (rate->atto == 0) == each->free) << each->provider << " " << each->name;
  }
}

TEST(BuiltInBook, image_output_costs_30_not_10) {  // a known wrong cost elsewhere
  EXPECT_EQ("30.00 USD per million", price("openai", "gpt-image-2", Quantity::output_image_tokens));
  EXPECT_EQ("30.00 USD per million", price("openai", "gpt-image-2-2026-04-21", Quantity::output_image_tokens));
  EXPECT_EQ("30.00 USD per million", price("openai", "gpt-image-2", Quantity::output_tokens));
}

TEST(BuiltInBook, a_write_for_an_hour_is_twice_input) {  // elsewhere 24 times, on claude-3-haiku
  EXPECT_EQ("0.25 USD per million", price("anthropic", "claude-3-haiku-20240307", Quantity::input_tokens));
  EXPECT_EQ("0.50 USD per million", price("anthropic", "claude-3-haiku-20240307", Quantity::cache_write_1h_tokens));
}

TEST(BuiltInBook, cached_tokens_are_counted_once) {  // elsewhere twice
  const auto rates = PriceBook::builtin()->rates(built_in("anthropic", "claude-sonnet-4-5"), {.at_ms = noon});
  ASSERT_TRUE(rates);
  Quantities quantities;
  quantities[Quantity::input_tokens] = 1'000;
  quantities[Quantity::cache_read_tokens] = 9'000;
  EXPECT_EQ(1'000 * 3'000 + 9'000 * 300, cost_of(*rates, quantities)->nano);
}

TEST(BuiltInBook, images_by_size_and_quality_and_the_dearest_where_they_are_not_known) {
  const auto image = [](std::string_view size, std::string_view quality) {
    return price("fal_ai", "openai/gpt-image-2", Quantity::images, {.size = size, .quality = quality});
  };
  EXPECT_EQ("0.006 USD each", image("1024x1024", "low"));
  EXPECT_EQ("0.211 USD each", image("1024x1024", "high"));
  EXPECT_EQ("0.401 USD each", image("", ""));
  EXPECT_EQ("0.401 USD each", image("512x512", "low"));
  EXPECT_EQ("0.132 USD each", price("azure", "dall-e-3", Quantity::images)) << "its own price list";
}

TEST(BuiltInBook, video_by_the_second_and_resolution) {  // a thousand ms
  EXPECT_EQ("0.10 USD per thousand", price("openai", "sora-2", Quantity::video_ms));
  EXPECT_EQ("0.2205 USD per thousand",
            price("fal_ai", "bytedance/seedance-2.5/text-to-video", Quantity::video_ms, {.resolution = "480p"}));
  EXPECT_EQ("0.473 USD per thousand", price("fal_ai", "bytedance/seedance-2.5/text-to-video", Quantity::video_ms));
}

TEST(BuiltInBook, sound_as_it_is_published) {
  EXPECT_EQ("0.0043 USD per minute", price("deepgram", "nova-3", Quantity::audio_ms));
  EXPECT_EQ("0.111 USD per hour", price("groq", "whisper-large-v3", Quantity::audio_ms));
  EXPECT_EQ("15.00 USD per million", price("openai", "tts-1", Quantity::characters));
}

TEST(BuiltInBook, requests_by_search_context) {
  const auto request = [](std::string_view context) {
    return price("perplexity", "sonar", Quantity::requests, {.search_context = context});
  };
  EXPECT_EQ("5.00 USD per thousand", request("low"));
  EXPECT_EQ("12.00 USD per thousand", request("high"));
  EXPECT_EQ("12.00 USD per thousand", request(""));
}

TEST(BuiltInBook, an_announced_rise_begins_on_its_day) {
  constexpr std::int64_t rise = 1'798'761'600'000;  // 2027-01-01 00:00 UTC
  const auto output = [](std::int64_t at, std::string_view tier) {
    const Terms terms{.at_ms = at, .service_tier = tier};
    return rate_text(PriceBook::builtin()->rates(built_in("gemini", "gemini-3.8-flash"), terms),
                     Quantity::output_tokens);
  };
  EXPECT_EQ("3.75 USD per million", output(rise - 1, ""));
  EXPECT_EQ("7.50 USD per million", output(rise, ""));
  EXPECT_EQ("1.875 USD per million", output(rise - 1, "batch"));
  EXPECT_EQ("3.75 USD per million", output(rise, "batch"));
}

TEST(BuiltInBook, names_of_the_tables_are_taken_exactly) {
  EXPECT_EQ("claude-haiku-4-5", built_in("anthropic", "claude-haiku-4-5-20251001").name);
  EXPECT_EQ("claude-sonnet-4-0", built_in("anthropic", "claude-sonnet-4-20250514").name);
  EXPECT_EQ(nullptr, PriceBook::builtin()->find("anthropic", "claude-haiku-4-5-preview"));
  EXPECT_EQ(nullptr, PriceBook::builtin()->find("anthropic", "anthropic/claude-haiku-4-5"));
}

TEST(BuiltInBook, hand_checked_prices_stand) {
  EXPECT_EQ("1.25 USD per million", price("openai", "gpt-5-2025-08-07", Quantity::input_tokens));
  EXPECT_THAT(PriceBook::builtin()->source(built_in("openai", "gpt-5")), Not(HasSubstr(" via ")));
  EXPECT_THAT(PriceBook::builtin()->source(built_in("xai", "grok-4.7")), HasSubstr(" via litellm and genai-prices"));
}

}  // namespace
}  // namespace farthing::imported_test
