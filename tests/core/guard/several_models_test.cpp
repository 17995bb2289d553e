// What an answer costs that several models made: one declined, or asked an advisor (R25).
#include "tests/core/guard/fixture.h"

namespace farthing::test::several_models_test {
namespace {

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
  EXPECT_EQ(row.error_class, "unpriced_usage");
  EXPECT_EQ(cost("claude-haiku-4-5", entry("advisor_message", "")), -1) << "who advised is not told";
  EXPECT_EQ(cost("claude-haiku-4-5", entry("advisor_message", "claude-of-tomorrow")), -1);
  EXPECT_EQ(cost("claude-opus-4-8", R"({"type":"fallback_message","model":"claude-opus-4-8","input_tokens":1,)"
                                    R"("output_tokens":1})"),
            -1)
      << "turns are missing";
  EXPECT_EQ(cost("claude-haiku-4-5", entry("of_tomorrow", "claude-haiku-4-5")), -1);
}

}  // namespace
}  // namespace farthing::test::several_models_test
