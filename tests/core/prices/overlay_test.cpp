// A policy's prices over a book.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "books.h"

namespace farthing::overlay_test {
namespace {

using testing::compile;
using ::testing::HasSubstr;
using testing::noon;
using testing::rate_text;

using Rates = std::vector<std::pair<Quantity, Rate>>;

Rates both(const std::string& input, const std::string& output) {
  return {{Quantity::input_tokens, *parse_rate(input)}, {Quantity::output_tokens, *parse_rate(output)}};
}

PriceOverlay own(Rates rates) {
  PriceOverlay overlay;
  overlay.provider = "acme";
  overlay.model = "acme-7b";
  overlay.rates = std::move(rates);
  return overlay;
}

PriceOverlay over(const std::string& model, Rates rates) {
  PriceOverlay overlay = own(std::move(rates));
  overlay.model = model;
  return overlay;
}

std::string message_of(const std::vector<PriceOverlay>& overlays) {
  const auto book = PriceBook::with_overlays(overlays);
  EXPECT_FALSE(book);
  return book ? "" : std::string(code_text(book.error().code)) + ": " + book.error().message;
}

std::string input(const PriceBook& book, const std::string& model, const Terms& terms) {
  const Model* found = book.find("acme", model);
  return found == nullptr ? "unknown" : rate_text(book.rates(*found, terms), Quantity::input_tokens);
}

const std::string a_tiered = testing::model(
    std::string(testing::plain_row) +
        "{ tier = \"flex\", per = \"million\", input_tokens = \"0.50\", output_tokens = \"2.00\" },\n"
        "{ tier = \"priority\", per = \"million\", input_tokens = \"2.00\", output_tokens = \"8.00\" },\n",
    "dated = [\"-YYYY-MM-DD\"]\naliases = [\"a-latest\"]");

TEST(Overlay, an_own_model_is_found_under_all_its_names) {
  PriceOverlay overlay = own(both("0.20 USD per million", "0.60 USD per million"));
  overlay.aliases = {"acme-latest"};
  overlay.context_window = 32'768;
  overlay.max_output_tokens = 4'096;
  const auto book = *PriceBook::with_overlays({overlay});
  const Model* model = book->find("acme", "acme-7b");
  ASSERT_NE(nullptr, model);
  EXPECT_EQ(model, book->find("acme", "acme-latest"));
  EXPECT_EQ(nullptr, book->find("acme", "acme-7b-2026-01-01"));
  EXPECT_EQ(32'768, model->context_window);
  EXPECT_EQ(4'096, model->max_output_tokens);
  EXPECT_EQ("acme-7b", model->family);
  EXPECT_FALSE(model->free);
  EXPECT_EQ("policy", book->source(*model));
  EXPECT_EQ("0.20 USD per million", input(*book, "acme-7b", {.at_ms = noon, .service_tier = "whatever"}));
  EXPECT_THAT(book->near("acme", "acme-8b", 3), ::testing::Contains("acme-7b"));
  EXPECT_EQ(PriceBook::builtin()->models().size() + 1, book->models().size());
}

TEST(Overlay, the_version_names_both) {
  const auto one = *PriceBook::with_overlays({own(both("1 USD per million", "1 USD per million"))});
  const auto two = *PriceBook::with_overlays({own(both("1 USD per million", "2 USD per million"))});
  EXPECT_THAT(std::string(one->version()), ::testing::MatchesRegex("2026-11-21\\+[0-9a-f]{6}"));
  EXPECT_NE(one->version(), two->version());
  EXPECT_EQ(PriceBook::builtin()->version(), (*PriceBook::with_overlays({}))->version());
}

TEST(Overlay, a_discount_takes_the_place_of_every_tier_and_leaves_what_it_does_not_name) {
  const auto book = compile(a_tiered, {over("a-1", both("0.90 USD per million", "3.60 USD per million"))});
  for (const char* tier : {"default", "flex", "priority"}) {
    EXPECT_EQ("0.90 USD per million", input(*book.book, "a-1", {.at_ms = noon, .service_tier = tier}));
  }
  const auto rates = book->rates(*book->find("acme", "a-1"), {.at_ms = noon});
  EXPECT_EQ("0.10 USD per million", rate_text(rates, Quantity::cache_read_tokens));
  EXPECT_EQ("policy, over https://acme.test (2026-11-20)", book->source(*book->find("acme", "a-1")));
  const auto ceiling = book->dearest_rates(*book->find("acme", "a-1"), {.at_ms = noon});
  EXPECT_EQ("3.60 USD per million", rate_text(ceiling, Quantity::output_tokens));
}

TEST(Overlay, a_price_for_a_tier_is_for_that_tier) {
  PriceOverlay overlay = over("a-1", both("1.50 USD per million", "6 USD per million"));
  overlay.service_tier = "fast";  // another word for priority
  const auto book = compile(a_tiered, {overlay});
  EXPECT_EQ("1.50 USD per million", input(*book.book, "a-1", {.at_ms = noon, .service_tier = "priority"}));
  EXPECT_EQ("1.00 USD per million", input(*book.book, "a-1", {.at_ms = noon, .service_tier = "default"}));
}

TEST(Overlay, a_price_for_long_requests_is_for_those) {
  PriceOverlay overlay = over("a-1", both("3 USD per million", "9 USD per million"));
  overlay.context_above = 100'000;
  const auto book = compile(a_tiered, {overlay});
  EXPECT_EQ("1.00 USD per million", input(*book.book, "a-1", {.at_ms = noon, .context_tokens = 100'000}));
  EXPECT_EQ("3.00 USD per million", input(*book.book, "a-1", {.at_ms = noon, .context_tokens = 100'001}));
  const auto ceiling = book->dearest_rates(*book->find("acme", "a-1"),
                                           {.at_ms = noon, .service_tier = "default", .context_tokens = 200'000});
  EXPECT_EQ("9.00 USD per million", rate_text(ceiling, Quantity::output_tokens));
}

TEST(Overlay, a_future_price_begins_at_its_instant_and_a_locked_one_ends) {
  PriceOverlay now = over("a-1", both("0.80 USD per million", "3 USD per million"));
  now.until_ms = noon;
  PriceOverlay later = over("a-1", both("1.20 USD per million", "5 USD per million"));
  later.from_ms = noon;
  later.until_ms = noon + 1'000;
  const auto book = compile(a_tiered, {now, later});
  EXPECT_EQ("0.80 USD per million", input(*book.book, "a-1", {.at_ms = noon - 1}));
  EXPECT_EQ("1.20 USD per million", input(*book.book, "a-1", {.at_ms = noon}));
  EXPECT_EQ("1.20 USD per million", input(*book.book, "a-1", {.at_ms = noon + 999}));
  EXPECT_EQ("1.00 USD per million", input(*book.book, "a-1", {.at_ms = noon + 1'000}));
}

TEST(Overlay, an_own_model_without_a_price_in_force_has_no_rates) {
  PriceOverlay later = own(both("1 USD per million", "1 USD per million"));
  later.from_ms = noon;
  const auto book = *PriceBook::with_overlays({later});
  const Model* model = book->find("acme", "acme-7b");
  EXPECT_EQ(std::nullopt, book->rates(*model, {.at_ms = noon - 1}));
  EXPECT_EQ(std::nullopt, book->dearest_rates(*model, {.at_ms = noon - 1}));
  EXPECT_TRUE(book->rates(*model, {.at_ms = noon}));
}

TEST(Overlay, a_dated_name_of_a_known_model_becomes_an_entry_of_its_own) {
  const auto book = compile(a_tiered, {over("a-1-2026-05-01", both("0.70 USD per million", "3 USD per million"))});
  const Model* dated = book->find("acme", "a-1-2026-05-01");
  EXPECT_EQ("a-1-2026-05-01", dated->name);
  EXPECT_EQ(1'000'000, dated->context_window);
  EXPECT_EQ("0.70 USD per million", input(*book.book, "a-1-2026-05-01", {.at_ms = noon}));
  EXPECT_EQ("0.10 USD per million", rate_text(book->rates(*dated, {.at_ms = noon}), Quantity::cache_read_tokens));
  EXPECT_EQ("1.00 USD per million", input(*book.book, "a-1", {.at_ms = noon}));
  EXPECT_EQ("a-1", book->find("acme", "a-1-2026-06-01")->name);
}

PriceOverlay discount(const std::string& model, std::int64_t ppm) {
  PriceOverlay overlay = over(model, {});
  overlay.discount_ppm = ppm;
  return overlay;
}

TEST(Overlay, a_discount_of_percents_is_of_every_price_of_the_book_and_exact) {
  const auto book = compile(a_tiered, {discount("", 150'000)});
  const Model& model = *book->find("acme", "a-1");
  EXPECT_EQ("0.85 USD per million", input(*book.book, "a-1", {.at_ms = noon}));
  EXPECT_EQ("0.425 USD per million", input(*book.book, "a-1", {.at_ms = noon, .service_tier = "flex"}));
  EXPECT_EQ("0.085 USD per million", rate_text(book->rates(model, {.at_ms = noon}), Quantity::cache_read_tokens));
  // The ceiling is at the dearest that is left.
  EXPECT_EQ("6.80 USD per million", rate_text(book->dearest_rates(model, {.at_ms = noon}), Quantity::output_tokens));
  Quantities one;
  one[Quantity::cache_read_tokens] = 1;
  EXPECT_EQ(Usd{85}, *cost_of(*book->rates(model, {.at_ms = noon}), one));  // 85 nano
}

TEST(Overlay, a_discount_leaves_a_written_price_as_it_is_and_multiplies_a_region) {
  const auto book = compile(testing::model(testing::plain_row, "regions = { eu = \"1.1\" }"),
                            {discount("a-*", 500'000), over("a-1", {{Quantity::output_tokens, Rate{7, 1}}})});
  const auto rates = book->rates(*book->find("acme", "a-1"), {.at_ms = noon, .region = "eu"});
  EXPECT_EQ("0.55 USD per million", rate_text(rates, Quantity::input_tokens));
  EXPECT_EQ((Rate{7, 1}), *(*rates)[Quantity::output_tokens]);
}

TEST(Overlay, a_discount_holds_from_and_until_and_a_ceiling_reaches_beyond_its_end) {
  PriceOverlay locked = discount("a-1", 500'000);
  locked.until_ms = noon;
  const auto book = compile(a_tiered, {locked});
  EXPECT_EQ("0.50 USD per million", input(*book.book, "a-1", {.at_ms = noon - 1}));
  EXPECT_EQ("1.00 USD per million", input(*book.book, "a-1", {.at_ms = noon}));
  const Model& model = *book->find("acme", "a-1");
  const auto output = [&](std::int64_t until) {
    return rate_text(book->dearest_rates(model, {.at_ms = noon - 1, .until_ms = until, .service_tier = "default"}),
                     Quantity::output_tokens);
  };
  EXPECT_EQ("2.00 USD per million", output(noon - 1));
  EXPECT_EQ("4.00 USD per million", output(noon));
}

TEST(Overlay, two_discounts_for_one_instant_are_an_error_that_names_both) {
  const auto refused = [](const std::vector<PriceOverlay>& overlays) {
    prices_detail::Problems problems;
    const std::string bytes = prices_detail::compile_book({testing::acme(a_tiered)}, problems);
    const auto table = prices_detail::Table::open(bytes);
    const auto book = prices_detail::Book::make(*table, overlays);
    return book ? std::string("taken") : book.error().message;
  };
  PriceOverlay a = discount("a-*", 100'000);
  PriceOverlay b = discount("a-1", 200'000);
  EXPECT_THAT(refused({a, b}), HasSubstr("price[1] (acme a-1): it and price[0] (acme a-*) both discount a-1"));
  a.until_ms = noon;
  b.from_ms = noon - 1;
  EXPECT_THAT(refused({a, b}), HasSubstr("both discount a-1"));
  b.from_ms = noon;
  EXPECT_EQ("taken", refused({a, b}));
  EXPECT_THAT(refused({discount("a-2", 100'000)}), HasSubstr("fits no model of acme"));
  // A dated name is no entry of its own: the whole model would be discounted.
  EXPECT_THAT(refused({discount("a-1-2026-05-01", 100'000)}), HasSubstr("fits no model of acme"));
  EXPECT_EQ("taken", refused({discount("a-latest", 100'000)}));
  EXPECT_THAT(refused({discount("a-1", 1'000'000)}), HasSubstr("less than 100 %"));
}

PriceOverlay step(std::int64_t from, Rates rates) {
  PriceOverlay overlay = own(std::move(rates));
  overlay.volume_cap = from == 0 ? "" : "month";
  overlay.volume_from = from;
  return overlay;
}

TEST(Overlay, a_step_of_the_volume_holds_from_there_and_a_ceiling_takes_the_dearest_R25) {
  // Written out of order, and one of them dearer than the one before.
  const auto book =
      *PriceBook::with_overlays({step(1'000, both("0.50 USD per million", "2 USD per million")),
                                 step(0, both("1 USD per million", "4 USD per million")),
                                 step(5'000, {{Quantity::input_tokens, *parse_rate("0.70 USD per million")}})});
  const Model* model = book->find("acme", "acme-7b");
  ASSERT_NE(nullptr, model);
  EXPECT_EQ("month", book->volume_cap(*model));
  const auto at = [&](std::optional<std::int64_t> volume) {
    const auto rates = book->rates(*model, {.at_ms = noon, .volume = volume});
    return rate_text(rates, Quantity::input_tokens) + ", " + rate_text(rates, Quantity::output_tokens);
  };
  EXPECT_EQ("1.00 USD per million, 4.00 USD per million", at(0));
  EXPECT_EQ("1.00 USD per million, 4.00 USD per million", at(999));
  EXPECT_EQ("0.50 USD per million, 2.00 USD per million", at(1'000));
  EXPECT_EQ("0.70 USD per million, 2.00 USD per million", at(5'000));
  EXPECT_EQ("1.00 USD per million, 4.00 USD per million", at(std::nullopt)) << "not known: the dearest";
  for (const std::int64_t volume : {0, 1'000, 5'000}) {
    const auto dearest = book->dearest_rates(*model, {.at_ms = noon, .volume = volume});
    EXPECT_EQ("1.00 USD per million", rate_text(dearest, Quantity::input_tokens)) << "the period may begin anew";
  }
  EXPECT_EQ("", book->volume_cap(*book->find("openai", "gpt-5")));
  EXPECT_EQ("volume from 1000 of cap month", book->rows(*model).front().conditions);
}

TEST(Overlay, a_step_of_the_volume_beats_a_tier_and_a_context_of_a_lower_one) {
  PriceOverlay large = over("a-1", {{Quantity::input_tokens, *parse_rate("3 USD per million")}});
  large.context_above = 100;
  PriceOverlay many = over("a-1", {{Quantity::input_tokens, *parse_rate("0.10 USD per million")}});
  many.volume_cap = "month";
  many.volume_from = 10;
  const auto book = compile(a_tiered, {large, many});
  const auto at = [&](std::int64_t volume) {
    const Terms terms{.at_ms = noon, .service_tier = "priority", .context_tokens = 200, .volume = volume};
    return rate_text(book->rates(*book->find("acme", "a-1"), terms), Quantity::input_tokens);
  };
  EXPECT_EQ("3.00 USD per million", at(9));
  EXPECT_EQ("0.10 USD per million", at(10));
}

TEST(Overlay, a_ceiling_looks_at_every_context_tier_however_many_there_are) {
  std::vector<PriceOverlay> tiers;
  for (int i = 1; i <= 20; ++i) {
    tiers.push_back(
        over("a-1", {{Quantity::input_tokens, *parse_rate(i == 13 ? "9 USD per million" : "1 USD per million")}}));
    tiers.back().context_above = i * 1'000;
  }
  const auto book = compile(a_tiered, tiers);
  const auto dearest = book->dearest_rates(*book->find("acme", "a-1"), {.at_ms = noon, .context_tokens = 50'000});
  EXPECT_EQ("9.00 USD per million", rate_text(dearest, Quantity::input_tokens));
}

TEST(Overlay, steps_of_a_volume_that_are_not_right_are_an_error) {
  const Rates some = both("1 USD per million", "1 USD per million");
  PriceOverlay other = step(20, some);
  other.volume_cap = "day";
  EXPECT_THAT(message_of({step(10, some), other}), HasSubstr("one cap counts the volume of a model"));
  EXPECT_THAT(message_of({step(10, some), step(10, some)}), HasSubstr("hold at one instant"));
  EXPECT_THAT(message_of({step(-1, some)}), HasSubstr("volume_from is above 0"));
  std::vector<PriceOverlay> many;
  for (int i = 0; i < 9; ++i)
    many.push_back(step(i, some));
  EXPECT_THAT(message_of(many), HasSubstr("more than 7 steps of its volume"));
  many.pop_back();
  EXPECT_TRUE(PriceBook::with_overlays(many));
  const auto free_at_first = *PriceBook::with_overlays({step(5, both("0 USD each", "0 USD each")), step(0, some)});
  EXPECT_FALSE(free_at_first->find("acme", "acme-7b")->free);
}

TEST(Overlay, rows_say_their_conditions) {
  PriceOverlay later = over("a-1", {{Quantity::input_tokens, *parse_rate("9 USD per million")}});
  later.from_ms = noon;
  const auto book = compile(a_tiered, {later});
  std::string said;
  for (const PriceRow& row : book->rows(*book->find("acme", "a-1")))
    said += row.conditions + ": " + to_text(*row.rates[Quantity::input_tokens]) + "\n";
  EXPECT_EQ(
      ": 1.00 USD per million\ntier flex: 0.50 USD per million\ntier priority: 2.00 USD per million\n"
      "from 2026-11-21T12:00:00Z: 9.00 USD per million\n",
      said);
}

TEST(Overlay, a_book_of_a_file_names_its_checksum_and_one_that_is_missing_or_damaged_is_refused) {
  const std::string path = ::testing::TempDir() + "farthing-prices-test.book";
  prices_detail::Problems problems;
  std::string bytes = prices_detail::compile_book({testing::acme(a_tiered)}, problems);
  const auto write = [&] { std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes; };
  write();
  const auto book = PriceBook::open(path, {discount("", 100'000)});
  ASSERT_TRUE(book) << book.error().message;
  EXPECT_THAT(std::string((*book)->version()), ::testing::MatchesRegex("2026-11-21/[0-9a-f]{6}\\+[0-9a-f]{6}"));
  EXPECT_EQ("0.90 USD per million", input(**book, "a-1", {.at_ms = noon}));
  EXPECT_EQ(nullptr, (*book)->find("openai", "gpt-5"));  // no other book fills the gaps
  bytes[bytes.size() / 2] ^= 1;
  write();
  const auto damaged = PriceBook::open(path, {});
  ASSERT_FALSE(damaged);
  EXPECT_EQ(Code::invalid_policy, damaged.error().code);
  EXPECT_THAT(damaged.error().message, HasSubstr("farthing prices update"));
  std::filesystem::remove(path);
  EXPECT_THAT(PriceBook::open(path, {}).error().message, HasSubstr("cannot be read"));
}

TEST(Overlay, an_alias_of_a_known_model_is_that_model) {
  const auto book = compile(a_tiered, {over("a-latest", both("0.70 USD per million", "3 USD per million"))});
  EXPECT_EQ("0.70 USD per million", input(*book.book, "a-1", {.at_ms = noon}));
}

TEST(Overlay, nothing_but_zeros_is_free) {
  const auto free_book = *PriceBook::with_overlays({own(both("0 USD each", "0 USD each"))});
  const Model* free_model = free_book->find("acme", "acme-7b");
  EXPECT_TRUE(free_model->free);
  Quantities quantities;
  quantities[Quantity::cache_read_tokens] = 5;
  quantities[Quantity::tool_calls] = 5;
  EXPECT_EQ(Usd{0}, *cost_of(*free_book->rates(*free_model, {.at_ms = noon}), quantities));
  // Also over a model that the book sells: its cached input must not keep a price.
  const auto over_paid = compile(a_tiered, {over("a-1", both("0 USD each", "0 USD each"))});
  EXPECT_EQ(Usd{0}, *cost_of(*over_paid->rates(*over_paid->find("acme", "a-1"), {.at_ms = noon}), quantities));
  // A zero for a while is a price for a while.
  PriceOverlay trial = own(both("0 USD each", "0 USD each"));
  trial.until_ms = noon;
  EXPECT_FALSE((*PriceBook::with_overlays({trial}))->find("acme", "acme-7b")->free);
}

TEST(Overlay, a_zero_must_be_written) {
  EXPECT_THAT(
      message_of({own({})}),
      HasSubstr("invalid_policy: price[0] (acme acme-7b): there are no rates. A model that costs nothing says so"));
}

TEST(Overlay, two_prices_for_one_instant_are_an_error) {
  PriceOverlay a = own(both("1 USD per million", "2 USD per million"));
  PriceOverlay b = own(both("3 USD per million", "4 USD per million"));
  EXPECT_THAT(message_of({a, b}), HasSubstr("two prices of input_tokens hold at one instant"));
  a.until_ms = noon + 1;
  b.from_ms = noon;
  EXPECT_THAT(message_of({a, b}), HasSubstr("two prices of input_tokens hold at one instant"));
  b.from_ms = noon + 1;
  EXPECT_TRUE(PriceBook::with_overlays({a, b}));
  b.from_ms.reset();
  b.service_tier = "flex";
  EXPECT_TRUE(PriceBook::with_overlays({a, b}));
}

PriceOverlay painted(const std::string& usd, const std::string& size = "", const std::string& quality = "") {
  PriceOverlay overlay = own({{Quantity::images, *parse_rate(usd + " USD each")}});
  overlay.size = size;
  overlay.quality = quality;
  return overlay;
}

TEST(Overlay, a_price_by_words_that_the_book_has_not_is_that_of_calls_that_say_them) {
  PriceOverlay searched = own({{Quantity::web_searches, *parse_rate("0.03 USD each")}});
  searched.search_context = "acme-deep";
  const auto book = *PriceBook::with_overlays(
      {painted("0.09", "of acme"), painted("0.02", "1024x1024"), painted("0.05", "of acme", "acme-draft"), searched});
  const Model& model = *book->find("acme", "acme-7b");
  const auto of = [&](const Terms& terms, Quantity quantity = Quantity::images) {
    return rate_text(book->rates(model, terms), quantity);
  };
  EXPECT_EQ(of({.at_ms = noon, .size = "1024x1024"}), "0.02 USD each");
  EXPECT_EQ(of({.at_ms = noon, .size = "of acme"}), "0.09 USD each");
  EXPECT_EQ(of({.at_ms = noon, .size = "of acme", .quality = "acme-draft"}), "0.05 USD each");
  EXPECT_FALSE(book->rates(model, {.at_ms = noon, .size = "of nobody"}));
  EXPECT_EQ(of({.at_ms = noon, .search_context = "acme-deep"}, Quantity::web_searches), "0.03 USD each");
  EXPECT_EQ(book->rows(model)[2].conditions, "size of acme, quality acme-draft");
  const auto other = *PriceBook::with_overlays({painted("0.05", "of acme"), painted("0.02", "512x512")});
  EXPECT_NE(book->version(), other->version());
}

TEST(Overlay, one_price_wins_and_what_says_no_word_is_never_cheaper) {
  EXPECT_THAT(message_of({painted("0.05", "large"), painted("0.04", "", "fine")}),
              HasSubstr("a call can be of price[0] and of price[1], and neither price of images is for fewer calls"));
  EXPECT_THAT(message_of({painted("0.05", "large"), painted("0.06", "", "fine"), painted("0.06", "large", "fine")}),
              HasSubstr("costs 0.05 USD each of images, less than the 0.06 USD each of price[2]"));
  EXPECT_TRUE(PriceBook::with_overlays(
      {painted("0.06", "large"), painted("0.06", "", "fine"), painted("0.06", "large", "fine")}));
  EXPECT_THAT(message_of({painted("0.05", "large"), painted("0.05", "large")}), HasSubstr("hold at one instant"));
  PriceOverlay flex = painted("0.03", "", "");
  flex.service_tier = "flex";
  EXPECT_THAT(message_of({flex, painted("0.02", "large")}), HasSubstr("neither price"));

  EXPECT_THAT(message_of({painted("0.04"), painted("0.08", "large")}),
              HasSubstr("costs 0.04 USD each of images, less than the 0.08 USD each of price[1]"));
  PriceOverlay waived = painted("0.08", "large");
  waived.waive["unsaid"] = "the provider makes a small one";
  EXPECT_TRUE(PriceBook::with_overlays({painted("0.04"), waived}));
  EXPECT_TRUE(PriceBook::with_overlays({painted("0.08"), painted("0.04", "small")}));
  // Also where it gets cheaper later.
  PriceOverlay now = painted("0.08");
  PriceOverlay later = painted("0.03");
  now.until_ms = later.from_ms = noon;
  EXPECT_THAT(message_of({now, later, painted("0.04", "small")}), HasSubstr("costs 0.03 USD each"));
  // And where it is cheap only until then.
  PriceOverlay cheap = painted("0.01");
  PriceOverlay dear = painted("0.12");
  cheap.until_ms = dear.from_ms = noon;
  EXPECT_THAT(message_of({cheap, dear, painted("0.04", "small")}), HasSubstr("costs 0.01 USD each"));
}

TEST(Overlay, what_is_not_right_is_an_error_that_names_the_model) {
  PriceOverlay bad = own(both("1 USD per million", "1 USD per million"));
  bad.from_ms = noon;
  bad.until_ms = noon;
  EXPECT_THAT(message_of({bad}), HasSubstr("price[0] (acme acme-7b): it ends (until) before it begins (from)"));

  bad = own({{Quantity::input_tokens, Rate{-1, 1}}});
  EXPECT_THAT(message_of({bad}), HasSubstr("the rate of input_tokens is negative"));
  bad = own({{Quantity::input_tokens, Rate{1, 0}}});
  EXPECT_THAT(message_of({bad}), HasSubstr("for no unit"));
  bad = own({{Quantity::input_tokens, Rate{1, 1}}, {Quantity::input_tokens, Rate{2, 1}}});
  EXPECT_THAT(message_of({bad}), HasSubstr("input_tokens has two rates"));

  bad = own(both("1 USD per million", "1 USD per million"));
  bad.provider = "openai";
  bad.aliases = {"gpt-5"};
  EXPECT_THAT(message_of({bad}), HasSubstr("the alias \"gpt-5\" is already a name of gpt-5"));
  bad.aliases.clear();
  bad.service_tier = "auto";
  EXPECT_THAT(message_of({bad}), HasSubstr("no call is served as it"));
  bad.provider.clear();
  EXPECT_THAT(message_of({bad}), HasSubstr("a price needs a provider and a model"));
}

}  // namespace
}  // namespace farthing::overlay_test
