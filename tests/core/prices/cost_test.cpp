// What a call costs under a set of rates; wrong costs that were seen elsewhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "farthing/prices.h"

namespace farthing::cost_test {
namespace {

RateSet plain_rates() {
  RateSet rates;
  rates[Quantity::input_tokens] = *parse_rate("2 USD per million");
  rates[Quantity::cache_read_tokens] = *parse_rate("0.20 USD per million");
  rates[Quantity::output_tokens] = *parse_rate("10 USD per million");
  return rates;
}

Quantities used(std::initializer_list<std::pair<Quantity, std::int64_t>> counts) {
  Quantities quantities;
  for (const auto& [quantity, count] : counts)
    quantities[quantity] = count;
  return quantities;
}

TEST(CostOf, cached_tokens_are_counted_once) {  // elsewhere counted twice: 10.9 times over
  EXPECT_EQ(Usd{2'000 * 100 + 200 * 900},
            *cost_of(plain_rates(), used({{Quantity::input_tokens, 100}, {Quantity::cache_read_tokens, 900}})));
}

TEST(CostOf, reasoning_is_output_neither_dropped_nor_doubled) {
  const Quantities quantities = used({{Quantity::output_tokens, 10}, {Quantity::reasoning_tokens, 90}});
  EXPECT_EQ(Usd{10'000 * 100}, *cost_of(plain_rates(), quantities));
  RateSet own = plain_rates();
  own[Quantity::reasoning_tokens] = *parse_rate("3 USD per million");
  EXPECT_EQ(Usd{10'000 * 10 + 3'000 * 90}, *cost_of(own, quantities));
}

TEST(CostOf, a_cache_without_a_rate_costs_as_input) {
  RateSet rates = plain_rates();
  EXPECT_EQ(Usd{2'000 * 7}, *cost_of(rates, used({{Quantity::cache_write_tokens, 7}})));
  EXPECT_EQ(Usd{2'000 * 7}, *cost_of(rates, used({{Quantity::cache_write_1h_tokens, 7}})));
  rates[Quantity::cache_write_tokens] = *parse_rate("2.50 USD per million");
  EXPECT_EQ(Usd{2'500 * 7}, *cost_of(rates, used({{Quantity::cache_write_1h_tokens, 7}})));
  rates[Quantity::cache_read_tokens].reset();
  EXPECT_EQ(Usd{2'000 * 7}, *cost_of(rates, used({{Quantity::cache_read_tokens, 7}})));
}

TEST(CostOf, a_quantity_without_a_rate_is_an_error_that_names_it) {  // unknown is never zero
  for (const Quantity quantity : {Quantity::input_audio_tokens, Quantity::output_audio_tokens,
                                  Quantity::input_image_tokens, Quantity::output_image_tokens, Quantity::web_searches,
                                  Quantity::tool_calls, Quantity::images, Quantity::video_ms, Quantity::audio_ms}) {
    const auto cost = cost_of(plain_rates(), used({{quantity, 1}}));
    ASSERT_FALSE(cost) << quantity_text(quantity);
    EXPECT_EQ(Code::unpriced_model, cost.error().code);
    EXPECT_THAT(cost.error().message, ::testing::HasSubstr(std::string(quantity_text(quantity))));
  }
  EXPECT_FALSE(cost_of(RateSet(), used({{Quantity::output_tokens, 1}})));
  EXPECT_FALSE(ceiling_of(RateSet(), used({{Quantity::input_tokens, 1}})));
}

TEST(CostOf, what_is_only_counted_needs_no_rate) {
  EXPECT_EQ(Usd{0}, *cost_of(plain_rates(), used({{Quantity::requests, 1}})));
  RateSet image = plain_rates();
  image[Quantity::output_image_tokens] = *parse_rate("30 USD per million");
  EXPECT_EQ(Usd{30'000 * 1'000},
            *cost_of(image, used({{Quantity::images, 1}, {Quantity::output_image_tokens, 1'000}})));
  EXPECT_EQ(Usd{0}, *cost_of(RateSet(), Quantities()));
}

TEST(CostOf, a_price_per_call_is_added) {
  RateSet rates = plain_rates();
  rates[Quantity::requests] = *parse_rate("5 USD per thousand");
  EXPECT_EQ(Usd{5'000'000 + 2'000}, *cost_of(rates, used({{Quantity::requests, 1}, {Quantity::input_tokens, 1}})));
}

TEST(CostOf, settlements_round_half_to_even_and_ceilings_up) {
  RateSet rates;
  rates[Quantity::input_tokens] = *parse_rate("0.0005 USD per million");  // half a nano each
  for (const auto& [count, even, up] : {std::tuple{1, 0, 1}, {2, 1, 1}, {3, 2, 2}, {5, 2, 3}, {7, 4, 4}}) {
    EXPECT_EQ(Usd{even}, *cost_of(rates, used({{Quantity::input_tokens, count}})));
    EXPECT_EQ(Usd{up}, *ceiling_of(rates, used({{Quantity::input_tokens, count}})));
  }
}

TEST(CostOf, what_does_not_fit_is_an_error) {
  RateSet rates;
  rates[Quantity::input_tokens] = *parse_rate("1000 USD each");
  const auto cost = cost_of(rates, used({{Quantity::input_tokens, std::numeric_limits<std::int64_t>::max()}}));
  ASSERT_FALSE(cost);
  EXPECT_EQ(Code::overflow, cost.error().code);
  EXPECT_FALSE(ceiling_of(rates, used({{Quantity::input_tokens, 9'223'373}})));
  EXPECT_TRUE(ceiling_of(rates, used({{Quantity::input_tokens, 9'223'372}})));
}

TEST(CostOf, a_negative_quantity_is_an_error) {
  const auto cost = cost_of(plain_rates(), used({{Quantity::output_tokens, -1}}));
  ASSERT_FALSE(cost);
  EXPECT_EQ(Code::invalid_argument, cost.error().code);
}

TEST(RateSet, is_written_as_compact_json) {
  EXPECT_EQ("{}", RateSet().to_json());
  RateSet rates = plain_rates();
  rates[Quantity::audio_ms] = *parse_rate("0.10 USD per second");
  rates[Quantity::video_ms] = *parse_rate("6 USD per minute");
  rates[Quantity::web_searches] = *parse_rate("10 USD per thousand");
  EXPECT_EQ(
      R"({"input_tokens":"2.00 USD per million","cache_read_tokens":"0.20 USD per million",)"
      R"("output_tokens":"10.00 USD per million","video_ms":"6.00 USD per minute","audio_ms":"0.10 USD per second",)"
      R"("web_searches":"10.00 USD per thousand"})",
      rates.to_json());
}

}  // namespace
}  // namespace farthing::cost_test
