// What an answer costs that several models made: one declined, or asked an advisor (R25).
#include <gmock/gmock.h>

#include "farthing/reprice.h"
#include "tests/core/guard/fixture.h"

namespace farthing::test::several_models_test {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

class SeveralModels : public GuardFixture {
 protected:
  // Haiku 4.5: 1 and 5 USD per million. Opus 4.8: 5 and 25.
  static constexpr std::int64_t haiku = 100 * 1'000 + 10 * 5'000;
  static constexpr std::int64_t opus = 100 * 5'000 + 10 * 25'000;

  static std::string entry(const std::string& type, const std::string& model) {
    return R"({"type":")" + type + R"(","input_tokens":100,"output_tokens":10)" +
           (model.empty() ? "" : R"(,"model":")" + model + "\"") + "}";
  }
  /// What the call cost whose answer has these iterations; -1: its hold.
  std::int64_t cost(const std::string& model, const std::string& iterations, bool stream = false) {
    open("unbounded = \"0.50 USD\"\n" + std::string(a_dollar_a_day));
    const std::string asked = R"({"model":"claude-haiku-4-5","messages":[],"max_tokens":100,"fallbacks":"default")" +
                              std::string(stream ? R"(,"stream":true})" : "}");
    const std::string usage = R"("usage":{"input_tokens":100,"output_tokens":10,"iterations":[)" + iterations + "]}";
    Attempt one = attempt();
    EXPECT_EQ(begin(one, asked, "api.anthropic.com", "/v1/messages").kind, Verdict::Kind::send);
    const std::int64_t held = left("day").reserved;
    if (stream) {
      static const HeaderView headers[] = {{"content-type", "text/event-stream"}};
      EXPECT_TRUE(one.sent());
      one.head(200, headers);
      one.data(R"(data: {"type":"message_start","message":{"id":"m","model":")" + model +
               R"(","usage":{"input_tokens":100,"output_tokens":1}}})" + "\n\n");
      one.data(R"(data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},)" + usage + "}\n\n");
      one.data("data: {\"type\":\"message_stop\"}\n\n");
      one.end();
    } else {
      answer(one, R"({"id":"m","type":"message","model":")" + model + R"(","stop_reason":"end_turn",)" + usage + "}");
    }
    row = rows().front();
    EXPECT_TRUE(row.actual);
    return !row.actual ? -2 : row.actual->nano == held ? -1 : row.actual->nano;
  }
  LedgerRow row;
};

TEST_F(SeveralModels, each_is_charged_by_its_own_rates_R25) {
  const std::string declined = entry("message", "claude-haiku-4-5") + ",";
  for (const bool stream : {false, true}) {
    EXPECT_EQ(cost("claude-opus-4-8", entry("fallback_message", "claude-opus-4-8"), stream), opus) << stream;
    EXPECT_EQ(cost("claude-opus-4-8", declined + entry("fallback_message", "claude-opus-4-8"), stream), haiku + opus);
    EXPECT_EQ(row.quantities[Quantity::input_tokens], 200);
    EXPECT_EQ(
        cost("claude-haiku-4-5", entry("message", "") + "," + entry("advisor_message", "claude-opus-4-8"), stream),
        haiku + opus);
    EXPECT_EQ(row.quantities[Quantity::output_tokens], 20);
    EXPECT_EQ(cost("claude-haiku-4-5", entry("message", ""), stream), haiku);
    EXPECT_EQ(cost("claude-haiku-4-5", entry("compaction", "") + "," + entry("message", ""), stream), 2 * haiku);
  }
}

TEST_F(SeveralModels, what_cannot_be_priced_is_charged_its_hold) {
  const std::string served = "," + entry("fallback_message", "claude-opus-4-8");
  EXPECT_EQ(cost("claude-opus-4-8", entry("message", "") + served), -1) << "who declined is not told";
  EXPECT_EQ(cost("claude-opus-4-8", entry("message", "claude-of-tomorrow") + served), -1);
  EXPECT_EQ(row.error_class, unpriced_usage);
  EXPECT_EQ(cost("claude-haiku-4-5", entry("advisor_message", "")), -1) << "who advised is not told";
  EXPECT_EQ(cost("claude-haiku-4-5", entry("advisor_message", "claude-of-tomorrow")), -1);
  EXPECT_EQ(cost("claude-opus-4-8", R"({"type":"fallback_message","model":"claude-opus-4-8","input_tokens":1,)"
                                    R"("output_tokens":1})"),
            -1)
      << "turns are missing";
  EXPECT_EQ(cost("claude-haiku-4-5", entry("of_tomorrow", "claude-haiku-4-5")), -1);
}

TEST_F(SeveralModels, an_entry_is_priced_again_part_by_part_R25) {
  const auto book_of = [](const std::string& model, const std::string& input) {
    PriceOverlay overlay;
    overlay.provider = "anthropic";
    overlay.model = model;
    overlay.rates = {{Quantity::input_tokens, *parse_rate(input + " USD per million")}};
    return *PriceBook::with_overlays({overlay});
  };
  const auto repriced = [&](const PriceBook& book) {
    const auto report = reprice(*guard->control(), book, {});
    EXPECT_TRUE(report) << report.error().message;
    return *report;
  };
  ASSERT_EQ(cost("claude-opus-4-8",
                 entry("message", "claude-haiku-4-5") + "," + entry("fallback_message", "claude-opus-4-8")),
            haiku + opus);
  ASSERT_EQ(row.others.size(), 1U);
  EXPECT_EQ(row.others.front().model, "claude-haiku-4-5");
  EXPECT_EQ(row.others.front().quantities[Quantity::output_tokens], 10);
  EXPECT_NE(to_json(row).find(R"("others":[{"model":"claude-haiku-4-5","quantities":{)"), std::string::npos);

  RepriceReport same = repriced(*PriceBook::builtin());
  EXPECT_TRUE(same.left_out.empty()) << same.left_out.begin()->first;
  EXPECT_TRUE(same.changed.empty());
  for (const auto& [model, more] : {std::pair("claude-haiku-4-5", 100 * 1'000), std::pair("claude-opus-4-8", 0)}) {
    const RepriceReport report = repriced(*book_of(model, model == std::string("claude-haiku-4-5") ? "2" : "5"));
    EXPECT_TRUE(report.left_out.empty()) << report.left_out.begin()->first;
    EXPECT_EQ(report.models.front().after, Usd{haiku + opus + more}) << model;
  }

  // Booked as the hold, for the book did not know a model: one that does has a price for all of it.
  ASSERT_EQ(cost("claude-opus-4-8",
                 entry("message", "claude-of-tomorrow") + "," + entry("fallback_message", "claude-opus-4-8")),
            -1);
  EXPECT_THAT(repriced(*PriceBook::builtin()).left_out, ElementsAre(Pair("the model is not in the book", 1)));
  EXPECT_EQ(repriced(*book_of("claude-of-tomorrow", "3")).left_out.begin()->first,
            "the book has no price for what was used");
  PriceOverlay known;
  known.provider = "anthropic";
  known.model = "claude-of-tomorrow";
  known.rates = {{Quantity::input_tokens, *parse_rate("3 USD per million")},
                 {Quantity::output_tokens, *parse_rate("15 USD per million")}};
  const RepriceReport report = repriced(**PriceBook::with_overlays({known}));
  EXPECT_THAT(report.left_out, ElementsAre());
  ASSERT_EQ(report.changed.size(), 1U);
  EXPECT_EQ(report.changed.front().after, Usd{100 * 3'000 + 10 * 15'000 + opus});
}

TEST_F(SeveralModels, many_turns_are_all_charged_and_of_more_models_than_any_answer_has_the_hold) {
  const auto answered = [&](int turns, const std::function<std::string(int)>& model) {
    std::string iterations = entry("message", "claude-haiku-4-5");
    for (int i = 0; i < turns; ++i)
      iterations += "," + entry("advisor_message", model(i));
    return cost("claude-haiku-4-5", iterations);
  };
  for (const int turns : {64, 200}) {
    EXPECT_EQ(answered(turns, [](int) { return "claude-opus-4-8"; }), haiku + turns * opus);
    EXPECT_EQ(row.others.size(), 64U);
    EXPECT_EQ(row.quantities[Quantity::output_tokens], 10 * (turns + 1));
  }
  const auto no_bill = [&] {
    EXPECT_EQ(row.how, How::hold);
    EXPECT_TRUE(row.others.empty());
  };
  EXPECT_EQ(answered(65, [](int i) { return "claude-" + std::to_string(i); }), -1);
  no_bill();
  EXPECT_EQ(answered(1, [](int) { return "claude-opus-4-8" + std::string(114, '-'); }), -1);
  no_bill();
}

}  // namespace
}  // namespace farthing::test::several_models_test
