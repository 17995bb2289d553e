// What the tests of batches share: a day's cap beside one of requests and one of slots, and batches asked for and polled in a
// line.
#pragma once

#include <gmock/gmock.h>

#include "tests/core/guard/fixture.h"

namespace farthing::test {

inline constexpr const char* batch_caps = R"(
[[cap]]
id = "day"
limit = "5 USD"
per = "day"
[[cap]]
id = "requests"
limit = "100 requests"
per = "day"
[[cap]]
id = "slots"
limit = "2 concurrent"
)";

inline constexpr const char* anthropic = "api.anthropic.com";
inline constexpr const char* messages_path = "/v1/messages/batches?beta=true";

class BatchFixture : public GuardFixture {
 protected:
  Verdict create(std::string_view body, std::string_view reply, std::string_view host = anthropic,
                 std::string_view path = messages_path, int status = 200) {
    Attempt one = attempt();
    Verdict verdict = begin(one, body, host, path);
    if (verdict.kind == Verdict::Kind::send) {
      EXPECT_FALSE(verdict.body) << "nothing inside of a batch is changed";
      answer(one, reply, status);
    }
    return verdict;
  }
  /// Whether the guard looks at the answer.
  bool ask(std::string_view path, std::string_view reply, std::string_view method = "GET",
           std::string_view host = anthropic, int status = 200) {
    Attempt one = attempt();
    const Verdict verdict = one.begin({.method = method, .host = host, .path = path, .headers = {}, .body = ""});
    if (verdict.kind == Verdict::Kind::pass) return false;
    EXPECT_EQ(verdict.kind, Verdict::Kind::send);
    answer(one, reply, status);
    return true;
  }
  static std::string error_of(const Verdict& verdict) {
    EXPECT_EQ(verdict.kind, Verdict::Kind::answer);
    return verdict.answer.body;
  }
  std::int64_t spent(const char* cap = "day") { return left(cap).spent; }
  std::int64_t reserved(const char* cap = "day") { return left(cap).reserved; }
};

}  // namespace farthing::test
