// The built-in book: names, prices by time, tier and context, what a ceiling takes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "../money/vectors.h"
#include "books.h"
#include "farthing/maker.h"

namespace farthing::book_test {
namespace {

using testing::day_ms;
using testing::noon;
using testing::rate_text;

const PriceBook& book() {
  return *PriceBook::builtin();
}

const Model& model(std::string_view name, std::string_view provider = "openai") {
  const Model* found = book().find(provider, name);
  EXPECT_NE(nullptr, found) << name;
  return *found;
}

Quantities quantities_of(const std::string& text) {
  Quantities quantities;
  std::istringstream in(text);
  for (std::string item; std::getline(in, item, ',');) {
    const std::size_t equals = item.find('=');
    quantities[*quantity_of(item.substr(0, equals))] = std::stoll(item.substr(equals + 1));
  }
  return quantities;
}

TEST(PriceBook, names_agree_with_the_vectors) {  // R29; every model of the recorded calls among them
  for (const auto& row : testing::vectors("prices/names.txt", 3)) {
    const Model* found = book().find(row[0], row[1] == "-" ? "" : row[1]);
    const std::string canonical = found == nullptr ? "-" : row[2] == "?" ? "?" : std::string(found->name);
    EXPECT_EQ(row[2], canonical) << row[0] << " " << row[1];
    EXPECT_EQ(row[0], found == nullptr ? row[0] : found->provider);
  }
}

TEST(PriceBook, costs_agree_with_the_vectors) {
  for (const auto& row : testing::vectors("prices/costs.txt", 8)) {
    SCOPED_TRACE(row[0] + " " + row[1] + " " + row[3]);
    const auto rates = book().rates(model(row[1], row[0]), {.at_ms = std::stoll(row[2]),
                                                            .service_tier = row[3] == "-" ? "" : row[3],
                                                            .context_tokens = std::stoll(row[4])});
    ASSERT_TRUE(rates);
    const Quantities quantities = quantities_of(row[5]);
    EXPECT_EQ(std::stoll(row[6]), cost_of(*rates, quantities)->nano);
    EXPECT_EQ(std::stoll(row[7]), ceiling_of(*rates, quantities)->nano);
  }
}

/// A time in the middle of a row's validity and hours, and outside the hours of the model's other rows.
std::int64_t time_for(const prices_detail::SourceModel& written, const prices_detail::SourceRow& row) {
  const std::int64_t day = row.until_ms != prices_detail::always_until ? row.until_ms - 1 : std::max(row.from_ms, noon);
  const std::int64_t midnight = day - day % testing::day_ms;
  if (row.minute_from != row.minute_until) return midnight + row.minute_from * 60'000;
  const auto in_hours = [](const prices_detail::SourceRow& other, int minute) {
    if (other.minute_from == other.minute_until) return false;
    if (other.minute_from < other.minute_until) return minute >= other.minute_from && minute < other.minute_until;
    return minute >= other.minute_from || minute < other.minute_until;
  };
  int minute = 12 * 60;
  while (
      std::any_of(written.rows.begin(), written.rows.end(), [&](const auto& other) { return in_hours(other, minute); }))
    minute = (minute + 59) % (24 * 60);
  return midnight + minute * 60'000;
}

TEST(PriceBook, every_entry_equals_its_source_text) {
  prices_detail::Problems problems;
  const auto source = prices_detail::read_source(testing::project_files(), problems);
  EXPECT_THAT(problems, ::testing::IsEmpty());
  int checked = 0;
  for (const auto& written : source.models) {
    const Model& found = model(written.name, written.provider);
    EXPECT_EQ(written.context, found.context_window);
    for (const auto& row : written.rows) {
      // A call with exactly the terms of this row, in the middle of its time.
      const auto rates = book().rates(found, {.at_ms = time_for(written, row),
                                              .service_tier = row.tier.empty() ? "default" : std::string_view(row.tier),
                                              .context_tokens = row.context_above + 1,
                                              .region = row.region,
                                              .size = row.size,
                                              .quality = row.quality,
                                              .resolution = row.resolution,
                                              .search_context = row.search_context});
      ASSERT_TRUE(rates) << written.name;
      for (const auto& price : row.prices) {
        const std::string text = price.amount + " USD " + (row.per_text == "each" ? "each" : "per " + row.per_text);
        EXPECT_EQ(*parse_rate(text), *(*rates)[price.quantity]) << written.name << " " << text;
        ++checked;
      }
    }
  }
  EXPECT_GT(checked, 10'000);
}

TEST(PriceBook, knows_what_the_project_promises) {
  EXPECT_EQ("2026-11-21", book().version());
  int text_and_embedding = 0;
  for (const Model* each : book().models()) {
    if (each->provider == "openai")
      text_and_embedding += each->modality == "text" || each->modality == "embedding" ? 1 : 0;
    EXPECT_GT(each->tokens_per_second_bound, 0) << each->name;  // R24
    if (each->free) {                                           // a written zero
      const auto rates = book().rates(*each, {.at_ms = noon});
      ASSERT_TRUE(rates) << each->name;
      for (const auto& rate : rates->of)
        EXPECT_TRUE(!rate || rate->atto == 0) << each->name;
    }
    EXPECT_THAT(book().source(*each), ::testing::MatchesRegex("https://.* \\(2026-..-..\\)"));
  }
  EXPECT_GE(text_and_embedding, 45);
  EXPECT_FALSE(model("gpt-5").free);
  EXPECT_EQ(400'000, model("gpt-5").context_window);
  EXPECT_EQ(128'000, model("gpt-5").max_output_tokens);
  EXPECT_EQ("gpt-5", model("gpt-5-mini").family);
  EXPECT_EQ("o200k_base", model("gpt-5-mini").encoding);
  EXPECT_EQ("embedding", model("text-embedding-3-small").modality);
  EXPECT_TRUE(model("o3").reasoning);
  EXPECT_FALSE(model("gpt-4o").reasoning);
  EXPECT_TRUE(model("gpt-4-1106-preview").preview);
}

TEST(PriceBook, models_are_sorted_and_know_their_place) {
  const auto all = book().models();
  for (std::size_t i = 1; i < all.size(); ++i) {
    EXPECT_LT(std::pair(all[i - 1]->provider, all[i - 1]->name), std::pair(all[i]->provider, all[i]->name));
  }
  for (const Model* each : all)
    EXPECT_EQ(each, book().find(each->provider, each->name));
}

TEST(PriceBook, the_served_tier_prices_the_call_not_the_asked_one) {  // a known wrong cost elsewhere: 2 times
  const Model& gpt5 = model("gpt-5");
  const auto input = [&](std::string_view tier) {
    return rate_text(book().rates(gpt5, {.at_ms = noon, .service_tier = tier}), Quantity::input_tokens);
  };
  EXPECT_EQ("1.25 USD per million", input("default"));
  EXPECT_EQ("1.25 USD per million", input(""));
  EXPECT_EQ("1.25 USD per million", input("scale"));
  EXPECT_EQ("0.625 USD per million", input("flex"));
  EXPECT_EQ("0.625 USD per million", input("batch"));
  EXPECT_EQ("2.50 USD per million", input("priority"));
  EXPECT_EQ("2.50 USD per million", input("fast"));
}

TEST(PriceBook, the_fast_mode_of_anthropic_costs_twice_and_only_who_asks_for_it_can_get_it) {
  const Model& opus = *book().find("anthropic", "claude-opus-5");
  const auto output = [&](std::string_view tier) {
    return rate_text(book().rates(opus, {.at_ms = noon, .service_tier = tier}), Quantity::output_tokens);
  };
  EXPECT_EQ("25.00 USD per million", output("standard"));
  EXPECT_EQ("25.00 USD per million", output("priority"));  // bought ahead
  EXPECT_EQ("12.50 USD per million", output("batch"));
  EXPECT_EQ("50.00 USD per million", output("fast"));
  const auto ceiling = [&](std::string_view tier, std::string_view region) {
    const auto dearest = book().dearest_rates(opus, {.at_ms = noon, .service_tier = tier, .region = region});
    return rate_text(dearest, Quantity::output_tokens);
  };
  EXPECT_EQ("25.00 USD per million", ceiling("", ""));
  EXPECT_EQ("50.00 USD per million", ceiling("fast", ""));
  EXPECT_EQ("55.00 USD per million", ceiling("fast", "us"));
}

TEST(PriceBook, a_tier_that_nobody_knows_is_priced_at_the_dearest) {
  const auto unknown = book().rates(model("gpt-6-astra"), {.at_ms = noon, .service_tier = "warp"});
  EXPECT_EQ("300.00 USD per million", rate_text(unknown, Quantity::output_tokens));
  const auto auto_tier = book().rates(model("gpt-5"), {.at_ms = noon, .service_tier = "auto"});
  EXPECT_EQ("2.50 USD per million", rate_text(auto_tier, Quantity::input_tokens));
}

TEST(PriceBook, a_ceiling_takes_the_dearest_tier_that_the_request_can_be_served_at) {  // R25
  const Model& astra = model("gpt-6-astra");
  const auto output = [&](std::string_view tier) {
    return rate_text(book().dearest_rates(astra, {.at_ms = noon, .service_tier = tier}), Quantity::output_tokens);
  };
  EXPECT_EQ("50.00 USD per million", output("default"));
  EXPECT_EQ("100.00 USD per million", output(""));  // the project's setting may be priority
  EXPECT_EQ("100.00 USD per million", output("auto"));
  EXPECT_EQ("100.00 USD per million", output("fast"));
  EXPECT_EQ("50.00 USD per million", output("flex"));
  EXPECT_EQ("25.00 USD per million", output("batch"));
  EXPECT_EQ("300.00 USD per million", output("ultrafast"));
  EXPECT_EQ("300.00 USD per million", output("warp"));
}

TEST(PriceBook, a_context_tier_reprices_the_whole_request) {  // a known wrong cost elsewhere: the 272k tier ignored
  const Model& m = model("gpt-5.5");
  const auto input = [&](std::int64_t tokens) {
    return rate_text(book().rates(m, {.at_ms = noon, .service_tier = "default", .context_tokens = tokens}),
                     Quantity::input_tokens);
  };
  EXPECT_EQ("5.00 USD per million", input(272'000));
  EXPECT_EQ("10.00 USD per million", input(272'001));
  const auto ceiling = book().dearest_rates(m, {.at_ms = noon, .service_tier = "default", .context_tokens = 272'001});
  EXPECT_EQ("10.00 USD per million", rate_text(ceiling, Quantity::input_tokens));
  EXPECT_EQ("45.00 USD per million", rate_text(ceiling, Quantity::output_tokens));
  const auto below = book().dearest_rates(m, {.at_ms = noon, .service_tier = "default", .context_tokens = 272'000});
  EXPECT_EQ("5.00 USD per million", rate_text(below, Quantity::input_tokens));
}

TEST(PriceBook, a_ceiling_takes_the_dearest_price_that_comes_into_force_while_the_call_waits) {  // R21, R25
  const auto own = testing::compile(testing::model(
      "{ until = 2026-11-22, per = \"million\", input_tokens = \"1.00\", output_tokens = \"4.00\" },\n"
      "{ from = 2026-11-22, until = 2026-11-23, per = \"million\", input_tokens = \"2.00\", output_tokens = \"8.00\" "
      "},\n"
      "{ from = 2026-11-23, per = \"million\", input_tokens = \"3.00\", output_tokens = \"12.00\" },\n"));
  const Model& m = *own->find("acme", "a-1");
  const auto input = [&](std::int64_t until_ms) {
    return rate_text(own->dearest_rates(m, {.at_ms = noon, .until_ms = until_ms}), Quantity::input_tokens);
  };
  EXPECT_EQ("1.00 USD per million", input(0));
  EXPECT_EQ("1.00 USD per million", input(noon + day_ms / 2 - 1));
  EXPECT_EQ("2.00 USD per million", input(noon + day_ms / 2));
  EXPECT_EQ("3.00 USD per million", input(noon + 2 * day_ms));
}

TEST(PriceBook, a_ceiling_counts_input_at_the_price_of_a_cache_write_where_that_is_dearer) {
  const auto ceiling = book().dearest_rates(model("gpt-6-sol"), {.at_ms = noon, .service_tier = "default"});
  EXPECT_EQ("5.00 USD per million", rate_text(ceiling, Quantity::input_tokens));
  const auto short_only =
      book().dearest_rates(model("gpt-6-sol"), {.at_ms = noon, .service_tier = "default", .writes_cache_1h = false});
  EXPECT_EQ("2.50 USD per million", rate_text(short_only, Quantity::input_tokens));
  const auto settled = book().rates(model("gpt-6-sol"), {.at_ms = noon, .service_tier = "default"});
  EXPECT_EQ("2.00 USD per million", rate_text(settled, Quantity::input_tokens));
}

TEST(PriceBook, a_price_holds_from_its_first_instant_to_the_last_before_the_next) {
  constexpr std::int64_t cut = 1'785'369'600'000;  // 2026-07-30 00:00 UTC
  const auto input = [&](std::int64_t at) {
    return rate_text(book().rates(model("gpt-5.6-luna"), {.at_ms = at}), Quantity::input_tokens);
  };
  EXPECT_EQ("1.00 USD per million", input(cut - 1));
  EXPECT_EQ("0.20 USD per million", input(cut));
}

TEST(PriceBook, prices_of_certain_hours) {
  const Model& flash = model("deepseek-flash", "deepseek");
  const auto input = [&](std::int64_t minute) {
    const std::int64_t midnight = noon - testing::day_ms / 2;
    return rate_text(book().rates(flash, {.at_ms = midnight + minute * 60'000}), Quantity::input_tokens);
  };
  EXPECT_EQ("0.15 USD per million", input(59));
  EXPECT_EQ("0.30 USD per million", input(60));
  EXPECT_EQ("0.30 USD per million", input(239));
  EXPECT_EQ("0.15 USD per million", input(240));
  EXPECT_EQ("0.30 USD per million", input(6 * 60));
  // The provider looks at its own clock, so a ceiling takes the dearest hour.
  EXPECT_EQ("0.30 USD per million", rate_text(book().dearest_rates(flash, {.at_ms = noon}), Quantity::input_tokens));
}

TEST(PriceBook, a_region_multiplies_every_rate) {
  const auto eu = book().rates(model("gpt-5.4"), {.at_ms = noon, .service_tier = "default", .region = "eu"});
  EXPECT_EQ("2.75 USD per million", rate_text(eu, Quantity::input_tokens));
  EXPECT_EQ("0.275 USD per million", rate_text(eu, Quantity::cache_read_tokens));
  const auto none = book().rates(model("gpt-4o"), {.at_ms = noon, .service_tier = "default", .region = "eu"});
  EXPECT_EQ("2.50 USD per million", rate_text(none, Quantity::input_tokens));
  // Vertex AI sells Gemini's models; newer ones cost a tenth more outside of its global endpoint.
  const Terms regional{.at_ms = noon, .service_tier = "default", .region = "regional"};
  const auto flash = book().rates(*book().find("gemini", "gemini-3.5-flash"), regional);
  EXPECT_EQ("1.65 USD per million", rate_text(flash, Quantity::input_tokens));
  const auto older = book().rates(*book().find("gemini", "gemini-2.5-flash"), regional);
  EXPECT_EQ("0.30 USD per million", rate_text(older, Quantity::input_tokens));
}

TEST(PriceBook, azure_has_openai_prices_unless_it_has_its_own) {
  const auto input = [](std::string_view name) {
    return rate_text(book().rates(model(name, "azure"), {.at_ms = noon, .service_tier = "default"}),
                     Quantity::input_tokens);
  };
  EXPECT_EQ("0.05 USD per million", input("gpt-5-nano-2025-08-07"));
  EXPECT_EQ("0.50 USD per million", input("gpt-35-turbo"));
  EXPECT_EQ("0.143 USD per million", input("text-embedding-3-large"));
  EXPECT_EQ("azure", model("gpt-5-nano", "azure").provider);
}

TEST(PriceBook, a_dated_snapshot_with_a_price_of_its_own_keeps_it) {  // a known wrong cost elsewhere
  const auto output = [](std::string_view name) {
    return rate_text(book().rates(model(name), {.at_ms = noon, .service_tier = "default"}), Quantity::output_tokens);
  };
  EXPECT_EQ("15.00 USD per million", output("gpt-4o-2024-05-13"));
  EXPECT_EQ("10.00 USD per million", output("gpt-4o-2024-11-20"));
}

TEST(PriceBook, an_unknown_model_is_unknown_and_has_near_names) {
  for (const char* name : {"gpt-5-mimi", "gtp-5-mini", "gpt5-mini", "gpt-5-mini-latest"}) {
    EXPECT_EQ(nullptr, book().find("openai", name));
    EXPECT_THAT(book().near("openai", name, 3), ::testing::Contains("gpt-5-mini")) << name;
  }
  EXPECT_EQ("gpt-5-mini", book().near("openai", "gpt-5-mimi", 3).front());
  EXPECT_THAT(book().near("azure", "gpt-35-turb", 2), ::testing::Contains("gpt-35-turbo"));
  EXPECT_THAT(book().near("openai", "llama-70b", 3), ::testing::IsEmpty());
  EXPECT_THAT(book().near("nobody", "gpt-5", 3), ::testing::IsEmpty());
  EXPECT_LE(book().near("openai", "gpt-5", 3).size(), 3u);
  EXPECT_THAT(book().near("openai", std::string(1'000'000, 'g'), 3), ::testing::IsEmpty());
}

TEST(PriceBook, a_resold_model_is_its_makers_where_its_name_tells_it) {
  const auto makers = [](std::string_view provider, std::string_view name) {
    const Model* sold = book().find(provider, name);
    EXPECT_NE(nullptr, sold) << name;
    const Model* own = sold == nullptr ? nullptr : maker_model(book(), *sold);
    return own == nullptr ? std::string() : std::string(own->provider) + " " + std::string(own->name);
  };
  EXPECT_EQ("openai gpt-5-mini", makers("openrouter", "openai/gpt-5-mini:batch"));
  EXPECT_EQ("openai gpt-5-mini", makers("oci", "openai.gpt-5-mini"));
  EXPECT_EQ("openai gpt-5-mini", makers("snowflake", "openai-gpt-5-mini"));
  EXPECT_EQ("openai gpt-5-mini", makers("databricks", "databricks-gpt-5-mini"));
  EXPECT_EQ("openai gpt-5-mini", makers("openai", "gpt-5-mini"));
  EXPECT_EQ("", makers("openrouter", "deepseek/deepseek-r1-distill-qwen-14b"));
  EXPECT_EQ(std::optional(true), reasons(book(), *book().find("openrouter", "openai/gpt-5-mini")));
  EXPECT_EQ(std::optional(false), reasons(book(), *book().find("openrouter", "openai/gpt-4.1-nano")));
  EXPECT_EQ(std::nullopt, reasons(book(), *book().find("openrouter", "deepseek/deepseek-r1-distill-qwen-14b")));
}

TEST(PriceBook, images_are_billed_as_the_text_that_they_are_counted_in) {
  const auto rates = book().rates(model("gpt-4o"), {.at_ms = noon, .service_tier = "default"});
  EXPECT_EQ("2.50 USD per million", rate_text(rates, Quantity::input_image_tokens));
  EXPECT_EQ("none", rate_text(book().rates(model("gpt-3.5-turbo"), {.at_ms = noon}), Quantity::input_image_tokens));
}

}  // namespace
}  // namespace farthing::book_test
