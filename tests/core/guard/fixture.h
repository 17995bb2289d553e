// What the guard tests share: a guard over a store and a clock of their own, and calls to OpenAI in one line.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "farthing/guard.h"
#include "store/store.h"
#include "tests/core/guard/watched_store.h"
#include "tests/stores/fixture.h"

namespace farthing::test {

inline constexpr const char* hello =
    R"({"model":"gpt-5-mini","messages":[{"role":"user","content":"hello"}],"max_completion_tokens":1000})";
inline constexpr const char* used = R"({"id":"chatcmpl-1","model":"gpt-5-mini","choices":[{"finish_reason":"stop"}],)"
                                    R"("usage":{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150}})";
inline constexpr std::int64_t cost_of_used = 125'000;
inline constexpr const char* a_dollar_a_day = one_cap;
/// gpt-5-mini with 1,000 output tokens holds about 0.0037 USD (at the dearest tier): one fits, two do not.
inline constexpr const char* room_for_one = "[[cap]]\nid = \"day\"\nlimit = \"0.005 USD\"\nper = \"day\"\n";

/// A guard over `location`, without a thread of its own: what it does beside calls is done by flush().
class GuardFixture : public ::testing::Test {
 protected:
  std::shared_ptr<TestClock> clock = std::make_shared<TestClock>();
  GuardOptions options;
  std::shared_ptr<Guard> guard;
  std::shared_ptr<const Binding> binding;
  std::vector<AlertEvent> alerts;
  std::vector<std::string> warnings;

  void open(const std::string& toml, const std::string& location = "memory:") { open(policy_of(toml), location); }
  void open_json(const std::string& json) {
    PolicyOrProblems read = policy_from_json(json, "test.json", [](std::string_view) { return std::nullopt; });
    ASSERT_TRUE(read.ok()) << json << ": " << read.problems.front().message;
    open(std::move(*read.policy), "memory:");
  }
  void open(Policy policy, const std::string& location) {
    options.clock = clock;
    options.background_thread = false;
    options.on_alert = [this](const AlertEvent& event) { alerts.push_back(event); };
    options.on_warning = [this](const std::string& text) { warnings.push_back(text); };
    options.store = location;
    auto opened = Guard::open(std::move(policy), options);
    ASSERT_TRUE(opened) << opened.error().message;
    guard = *opened;
    binding = *guard->bind(Labels{{"project", "p"}}, {});
  }

  /// The same over a store that the test can interrupt.
  std::shared_ptr<WatchedStore> open_watched(const std::string& toml, const std::string& location = "memory:") {
    StoreOptions beneath;
    beneath.clock = clock;
    auto inner = open_store(location, beneath);
    EXPECT_TRUE(inner) << inner.error().message;
    auto watched = std::make_shared<WatchedStore>(*inner);
    options.opened_store = watched;
    open(toml, location);
    return watched;
  }

  Attempt attempt(const std::shared_ptr<Call>& call = nullptr,
                  const std::shared_ptr<const Scope>& scope = Scope::root()) {
    return guard->attempt(binding, scope, call ? call : guard->call());
  }
  static Verdict begin(Attempt& attempt, std::string_view body = hello, std::string_view host = "api.openai.com",
                       std::string_view path = "/v1/chat/completions") {
    static const HeaderView headers[] = {{"authorization", "Bearer sk-test-0123456789"}};
    return begin_with(attempt, headers, body, host, path);
  }
  static Verdict begin_with(Attempt& attempt, std::span<const HeaderView> headers, std::string_view body = hello,
                            std::string_view host = "api.openai.com", std::string_view path = "/v1/chat/completions") {
    return attempt.begin({.method = "POST", .host = host, .path = path, .headers = headers, .body = body});
  }
  static void answer(Attempt& attempt, std::string_view body = used, int status = 200) {
    static const HeaderView headers[] = {{"content-type", "application/json"}, {"x-request-id", "req_1"}};
    EXPECT_TRUE(attempt.sent());
    attempt.head(status, headers);
    attempt.end(body);
  }
  /// A call from begin to settled.
  Verdict call(std::string_view body = hello) {
    Attempt one = attempt();
    Verdict verdict = begin(one, body);
    if (verdict.kind == Verdict::Kind::send) answer(one);
    return verdict;
  }
  /// What a cap without `each` has left.
  CapLeft left(const std::string& cap_id) {
    const auto status = guard->control()->status();
    for (const auto& counter : status->counters) {
      if (counter.cap.cap_id == cap_id) return counter.cap;
    }
    ADD_FAILURE() << "no counter of " << cap_id;
    return {};
  }
  std::vector<LedgerRow> rows() {
    std::vector<LedgerRow> result;
    EXPECT_TRUE(guard->control()->ledger({}, [&](const LedgerRow& row) {
      result.push_back(row);
      return true;
    }));
    return result;
  }
};

}  // namespace farthing::test
