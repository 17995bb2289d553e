// What output a call may make: the limit that is put in or lowered, and where it is left as it is (R20).
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/core/guard/fixture.h"

namespace farthing::test {
namespace {

constexpr const char* a_cent_a_day = "[[cap]]\nid = \"day\"\nlimit = \"0.02 USD\"\nper = \"day\"\n";
constexpr const char* ten_thousand =
    R"({"model":"gpt-5-mini","messages":[{"role":"user","content":"hello"}],"max_completion_tokens":10000})";

class Limits : public GuardFixture {
 protected:
  static nlohmann::json sent_of(const Verdict& verdict) {
    EXPECT_EQ(verdict.kind, Verdict::Kind::send);
    return verdict.body ? nlohmann::json::parse(*verdict.body) : nlohmann::json();
  }
};

TEST_F(Limits, of_the_caller_are_lowered_to_what_fits_and_the_receipt_says_both_R20) {
  open(a_cent_a_day);
  Attempt one = attempt();
  const auto sent = sent_of(begin(one, ten_thousand));
  const auto granted = sent.at("max_completion_tokens").get<std::int64_t>();
  EXPECT_LT(granted, 10'000);
  EXPECT_GE(granted, 2'048);
  answer(one);
  EXPECT_EQ(one.receipt()->output_limit, granted);
  EXPECT_EQ(one.receipt()->output_limit_asked, 10'000);
  // The same call at its granted limit is all that the cap could pay: one token more is too much.
  EXPECT_LE(rows().front().held[Meter::usd], usd / 50);
}

TEST_F(Limits, a_greater_cap_never_leaves_room_for_less_output_R20) {
  std::string text;
  for (int i = 0; i < 3'000; ++i)
    text += "Hello ";
  for (const char* own : {"", R"(,"max_completion_tokens":10000)"}) {
    const std::string body = R"({"model":"gpt-5","messages":[{"role":"user","content":")" + text + "\"}]" + own + "}";
    std::int64_t before = 0;
    // By its bytes it needs 0.0863 USD with the least output, by its count about half of it.
    for (const char* limit : {"0.0500", "0.0600", "0.0862", "0.0863", "0.0865", "0.1000", "0.1500"}) {
      open(std::string("[[cap]]\nlimit = \"") + limit + " USD\"\nper = \"call\"\n");
      Attempt one = attempt();
      ASSERT_EQ(begin(one, body).kind, Verdict::Kind::send) << limit;
      answer(one);
      const Receipt receipt = *one.receipt();
      EXPECT_GT(receipt.output_limit, before) << limit << own;
      before = receipt.output_limit;
      const auto estimate = guard->estimate("chat.completions", body, Labels{}, nullptr, "", 1);
      ASSERT_TRUE(estimate);
      EXPECT_EQ(estimate->fits_output_limit, receipt.output_limit) << limit << own;
    }
  }
}

TEST_F(Limits, what_a_refusal_says_that_is_needed_is_enough_and_no_more_R20) {
  std::string text;
  for (int i = 0; i < 3'000; ++i)
    text += "Hello ";
  const std::string body = R"({"model":"gpt-5","messages":[{"role":"user","content":")" + text + "\"}]}";
  const auto with = [&](std::int64_t nano) {
    open("[[cap]]\nlimit = \"" + to_text(Usd{nano}) + " USD\"\nper = \"call\"\n");
    Attempt one = attempt();
    const bool sent = begin(one, body).kind == Verdict::Kind::send;
    if (sent) answer(one);
    return sent ? 0 : one.denial()->caps.front().requested;
  };
  for (const std::int64_t limit : {1'000'000, 20'000'000, 48'000'000}) {
    const std::int64_t needed = with(limit);
    ASSERT_GT(needed, limit);
    EXPECT_GT(with(needed - 1), 0) << limit;
    EXPECT_EQ(with(needed), 0) << limit;
  }
}

TEST_F(Limits, of_the_caller_stay_where_the_policy_says_so_R20) {
  open("output = \"as_asked\"\n" + std::string(a_cent_a_day));
  Attempt one = attempt();
  ASSERT_EQ(begin(one, ten_thousand).kind, Verdict::Kind::answer);
  EXPECT_EQ(one.denial()->code, Code::cap_exceeded);
  ASSERT_TRUE(one.denial()->fits_output_limit);
  Attempt smaller = attempt();
  EXPECT_FALSE(begin(smaller).body);  // byte for byte
}

TEST_F(Limits, below_the_minimum_refuse_instead_of_a_useless_answer_R20) {
  open("[[cap]]\nid = \"day\"\nlimit = \"0.003 USD\"\nper = \"day\"\n");
  Attempt one = attempt();
  ASSERT_EQ(begin(one, ten_thousand).kind, Verdict::Kind::answer);
  ASSERT_TRUE(one.denial()->fits_output_limit);
  EXPECT_LT(*one.denial()->fits_output_limit, 2'048);
  // Whoever asks for as little himself gets it.
  const std::string asked = R"({"model":"gpt-5-mini","messages":[],"max_completion_tokens":)" +
                            std::to_string(*one.denial()->fits_output_limit) + "}";
  Attempt again = attempt();
  EXPECT_EQ(begin(again, asked).kind, Verdict::Kind::send);
}

TEST_F(Limits, are_not_put_into_a_signed_body_R20) {
  open(a_dollar_a_day);
  const HeaderView headers[] = {
      {"authorization",
       "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/bedrock/aws4_request, Signature=aa"}};
  Attempt signed_call = attempt();
  const Verdict verdict = begin_with(signed_call, headers, ten_thousand);
  ASSERT_EQ(verdict.kind, Verdict::Kind::send);
  EXPECT_FALSE(verdict.body);
}

TEST_F(Limits, of_each_choice_are_held_for_all_of_them_R20) {
  open(a_dollar_a_day);
  std::vector<std::int64_t> held;
  for (const char* n : {"1", "4"}) {
    Attempt one = attempt();
    ASSERT_EQ(
        begin(one, std::string(R"({"model":"gpt-5-mini","messages":[],"max_completion_tokens":1000,"n":)") + n + "}")
            .kind,
        Verdict::Kind::send);
    held.push_back(left("day").reserved);
    one.abort(Abort::not_sent);
  }
  // 3 x 1,000 more output tokens, at 3.60 USD per million: the dearest tier of gpt-5-mini (priority).
  EXPECT_EQ(held[1] - held[0], 3'000 * 3'600);
}

TEST_F(Limits, a_stream_that_is_forgotten_was_closed_by_us_R24) {
  open(a_dollar_a_day);
  std::int64_t held = 0;
  {
    Attempt one = attempt();
    ASSERT_EQ(begin(one, R"({"model":"gpt-5-mini","messages":[],"max_completion_tokens":100000,"stream":true})").kind,
              Verdict::Kind::send);
    held = left("day").reserved;
    ASSERT_TRUE(one.sent());
    const HeaderView headers[] = {{"content-type", "text/event-stream"}};
    one.head(200, headers);
    clock->advance(1'000);
  }
  EXPECT_EQ(rows().front().how, How::counted);
  EXPECT_GT(left("day").spent, 0);
  EXPECT_LT(left("day").spent, held);
  EXPECT_EQ(left("day").reserved, 0);
}

}  // namespace
}  // namespace farthing::test
