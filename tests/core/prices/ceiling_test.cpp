// Property: a ceiling is never below what any call that the request can become costs (R25).
#include <gtest/gtest.h>

#include <random>

#include "books.h"

namespace farthing::ceiling_test {
namespace {

using testing::noon;

/// What a request that asks for each tier can be served as, from the source.
std::map<std::string, std::vector<std::string>> tiers_of(const prices_detail::Source& source,
                                                         std::string_view provider) {
  for (const auto& each : source.providers) {
    if (each.name == provider && !each.tiers.empty()) return each.tiers;
  }
  return {{"", {"default"}}, {"default", {"default"}}};
}

Quantities some(std::mt19937_64& random, std::int64_t input, std::int64_t output) {
  Quantities quantities;
  const auto part = [&random](std::int64_t& rest) {
    const std::int64_t taken = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(rest + 1));
    rest -= taken;
    return taken;
  };
  quantities[Quantity::cache_read_tokens] = part(input);
  quantities[Quantity::cache_write_tokens] = part(input);
  quantities[Quantity::cache_write_1h_tokens] = part(input);
  quantities[Quantity::input_tokens] = input;
  quantities[Quantity::reasoning_tokens] = part(output);
  quantities[Quantity::output_tokens] = output;
  quantities[Quantity::requests] = 1;
  return quantities;
}

TEST(Ceiling, is_never_below_any_settlement_that_can_follow) {
  prices_detail::Problems problems;
  const auto source = prices_detail::read_source(testing::project_files(), problems);
  const auto book = PriceBook::builtin();
  std::mt19937_64 random(25);
  int checked = 0;
  for (const Model* model : book->models()) {
    if (model->modality != "text") continue;
    for (const auto& [asked, reachable] : tiers_of(source, model->provider)) {
      for (int i = 0; i < 8; ++i) {
        const std::int64_t bound = static_cast<std::int64_t>(random() % 1'000'000);
        const std::int64_t limit = static_cast<std::int64_t>(random() % 100'000);
        const std::int64_t at = noon + static_cast<std::int64_t>(random() % 86'400'000);
        const auto dearest = book->dearest_rates(*model, {.at_ms = at, .service_tier = asked, .context_tokens = bound});
        ASSERT_TRUE(dearest) << model->name;
        Quantities most;
        most[Quantity::input_tokens] = bound;
        most[Quantity::output_tokens] = limit;
        most[Quantity::requests] = 1;
        const Usd ceiling = *ceiling_of(*dearest, most);

        const std::int64_t input = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(bound + 1));
        const std::int64_t output = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(limit + 1));
        const std::string& served = reachable[random() % reachable.size()];
        const auto rates = book->rates(*model, {.at_ms = at, .service_tier = served, .context_tokens = input});
        ASSERT_TRUE(rates) << model->name;
        const Usd actual = *cost_of(*rates, some(random, input, output));
        ASSERT_LE(actual, ceiling) << model->provider << " " << model->name << " asked " << asked << " served "
                                   << served << " input " << input << " of " << bound;
        ++checked;
      }
    }
  }
  EXPECT_GT(checked, 5'000);
}

}  // namespace
}  // namespace farthing::ceiling_test
