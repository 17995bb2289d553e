// What a refusal says and what it leaves alone (R2, R3, R9).
#include "fixture.h"

namespace farthing::test {
namespace {

class StoreRefusals : public AnyStore {
 protected:
  std::vector<std::string> refusing(const Labels& labels, const Ask& ask) {
    std::vector<std::string> ids;
    const auto answer = reserve(store->next_id(), labels, ask);
    const auto* refused = std::get_if<Refused>(&answer);
    EXPECT_NE(refused, nullptr);
    if (refused == nullptr) return ids;
    for (const RefusedCap& cap : refused->caps)
      ids.push_back(cap.cap_id);
    return ids;
  }
};

TEST_P(StoreRefusals, R3_per_call_caps_first_by_level_then_windows_then_runs_from_the_innermost) {
  apply(R"(
[[cap]]
id = "rest-call"
limit = "0.10 USD"
per = "call"
[[cap]]
id = "org-day"
match = { org = "acme" }
limit = "0.10 USD"
per = "day"
[[cap]]
id = "org-call"
match = { org = "acme" }
limit = "0.10 USD"
per = "call"
[[cap]]
id = "rest-day"
limit = "0.10 USD"
per = "day"
[[cap]]
id = "project-day"
match = { project = "marketing" }
limit = "0.10 USD"
per = "day"
[[cap]]
id = "project-call"
match = { project = "marketing" }
limit = "0.10 USD"
per = "call"
[[cap]]
id = "rest-call-2"
limit = "0.20 USD"
per = "call"
)");
  const std::vector<RunHold> runs = {{"outer", "t", Usd{usd / 10}}, {"inner", "t", Usd{usd / 10}}};
  const std::vector<std::string> expected = {"project-call", "org-call", "rest-call", "rest-call-2", "project-day",
                                             "org-day",      "rest-day", "run:inner", "run:outer"};
  EXPECT_EQ(refusing(marketing, {.fixed = usd, .runs = runs}), expected);
}

TEST_P(StoreRefusals, R9_runs_are_counters_too) {
  std::string toml;
  for (int i = 0; i < 57; ++i)
    toml +=
        "[[cap]]\nid = \"c" + std::to_string(i) + "\"\nlimit = \"" + std::to_string(i + 1) + " USD\"\nper = \"day\"\n";
  apply(toml + "[[cap]]\nid = \"call\"\nlimit = \"1 USD\"\nper = \"call\"\n");  // it has no counter
  std::vector<RunHold> runs;
  for (int i = 0; i < 7; ++i)
    runs.push_back({"r" + std::to_string(i), "t", std::nullopt});
  EXPECT_TRUE(std::holds_alternative<Granted>(reserve(store->next_id(), marketing, {.fixed = 1, .runs = runs})));
  runs.push_back({"r7", "t", std::nullopt});
  const auto answer = reserve(store->next_id(), marketing, {.fixed = 1, .runs = runs});
  ASSERT_TRUE(std::holds_alternative<Refused>(answer));
  EXPECT_EQ(std::get<Refused>(answer).code, Code::too_many_caps);
  EXPECT_EQ(store->holds()->size(), 1U);
  EXPECT_EQ(store->counters(std::nullopt)->size(), 64U);
}

TEST_P(StoreRefusals, R2_a_refusal_opens_no_window) {
  apply(
      "[[cap]]\nid = \"minute\"\nlimit = \"1 USD\"\nper = \"minute\"\nalert = [100]\n"
      "[[cap]]\nid = \"day\"\nlimit = \"9 USD\"\nper = \"day\"\n");
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, marketing, usd / 2));
  settle(id, marketing, usd / 2);
  const CounterView before = counter("minute");
  clock->advance(61'000);
  // Twice: the first one commits its alert (R35), the second changes nothing at all.
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(refusing(marketing, {.fixed = 2 * usd}), std::vector<std::string>{"minute"});
    EXPECT_EQ(counter("minute").window, before.window);
    EXPECT_EQ(counter("minute").committed, usd / 2);
    EXPECT_EQ(counter("day").committed, usd / 2);
  }
  EXPECT_TRUE(std::holds_alternative<HeldBack>([&] {
    EXPECT_TRUE(granted(store->next_id(), marketing, usd * 3 / 4));
    clock->advance(1'000);
    return reserve(store->next_id(), marketing, {.fixed = usd / 2, .take = false});
  }()));
  EXPECT_EQ(counter("minute").committed, usd * 3 / 4);
}

FARTHING_ON_ANY_STORE(StoreRefusals);

}  // namespace
}  // namespace farthing::test
