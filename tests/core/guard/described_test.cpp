// Calls to endpoints that the policy describes, from begin to the ledger (R31).
#include <gmock/gmock.h>

#include "tests/core/guard/fixture.h"

namespace farthing::test {
namespace {

using ::testing::HasSubstr;

constexpr const char* studio = R"(
[[cap]]
id = "day"
limit = "10 USD"
per = "day"

[[cap]]
id = "seconds"
match = { modality = "music" }
limit = "300 audio_seconds"
per = "day"

[[endpoint]]
name = "songs"
host = "api.acme.example"
path = "/v1/songs"
provider = "acme"
modality = "music"
operation = "compose"
model = "/model"
asks = { audio_seconds = "/duration" }
default = { audio_seconds = 240 }
usage = { audio_seconds = "/usage/seconds" }

[[price]]
provider = "acme"
model = "song-1"
rates = { audio_seconds = "0.12 USD per minute", requests = "0.01 USD each" }
)";

class DescribedCalls : public GuardFixture {
 protected:
  Verdict song(Attempt& attempt, std::string_view body) {
    return begin(attempt, body, "api.acme.example", "/v1/songs");
  }
};

TEST_F(DescribedCalls, are_held_and_settled_like_all_others) {
  open(studio);
  Attempt one = attempt();
  const Verdict verdict = song(one, R"({"model":"song-1","duration":60})");
  ASSERT_EQ(verdict.kind, Verdict::Kind::send);
  EXPECT_FALSE(verdict.body) << "nothing is rewritten";
  EXPECT_EQ(left("day").reserved, 130'000'000);
  EXPECT_EQ(left("seconds").reserved, 60'000);
  answer(one, R"({"id":"s1","usage":{"seconds":30.5}})");
  EXPECT_EQ(left("day").spent, 71'000'000);
  EXPECT_EQ(left("seconds").spent, 30'500);
  const LedgerRow row = rows().front();
  EXPECT_EQ(row.how, How::usage);
  EXPECT_EQ(row.context->endpoint, "songs");
  EXPECT_EQ(row.context->modality, "music");
  EXPECT_EQ(*row.context->labels.get("operation"), "compose");
  EXPECT_EQ(row.context->model, "song-1");
  EXPECT_EQ(row.response_id, "s1");
}

TEST_F(DescribedCalls, without_a_length_are_held_at_the_providers_own_and_refused_where_it_does_not_fit) {
  open(studio);
  Attempt one = attempt();
  ASSERT_EQ(song(one, R"({"model":"song-1"})").kind, Verdict::Kind::send);
  EXPECT_EQ(left("seconds").reserved, 240'000);
  Attempt two = attempt();
  ASSERT_EQ(song(two, R"({"model":"song-1","duration":301})").kind, Verdict::Kind::answer);
  EXPECT_EQ(two.denial()->code, Code::cap_exceeded);
  EXPECT_EQ(two.denial()->caps.front().cap_id, "seconds");
}

TEST_F(DescribedCalls, that_do_not_tell_their_usage_are_charged_what_was_held) {
  open(studio);
  Attempt one = attempt();
  ASSERT_EQ(song(one, R"({"model":"song-1","duration":60})").kind, Verdict::Kind::send);
  answer(one, R"({"id":"s1","usage":{}})");
  EXPECT_EQ(left("day").spent, 130'000'000);
  EXPECT_EQ(rows().front().how, How::hold);
  Attempt failed = attempt();
  ASSERT_EQ(song(failed, R"({"model":"song-1","duration":60})").kind, Verdict::Kind::send);
  answer(failed, R"({"error":{"code":"too_loud"}})", 422);
  EXPECT_EQ(left("day").spent, 130'000'000) << "the provider's own error (R23)";
}

TEST_F(DescribedCalls, have_a_price_or_are_refused) {
  open(studio);
  Attempt unknown = attempt();
  ASSERT_EQ(song(unknown, R"({"model":"song-2","duration":60})").kind, Verdict::Kind::answer);
  EXPECT_EQ(unknown.denial()->code, Code::unpriced_model);
  const std::string text = studio;
  // The price is by what the endpoint does not ask for: it would be for free.
  open(text + "[[price]]\nprovider = \"acme\"\nmodel = \"song-3\"\nrates = { images = \"0.04 USD each\" }\n");
  Attempt beside = attempt();
  ASSERT_EQ(song(beside, R"({"model":"song-3","duration":60})").kind, Verdict::Kind::answer);
  EXPECT_EQ(beside.denial()->code, Code::unbounded_request);
  EXPECT_THAT(beside.denial()->message, HasSubstr("images"));
}

TEST_F(DescribedCalls, may_tell_what_they_cost) {
  std::string text = studio;
  text.replace(text.find("usage = {"), 0, "cost = \"/cost\"\n");
  open(text);
  Attempt one = attempt();
  ASSERT_EQ(song(one, R"({"model":"song-1","duration":60})").kind, Verdict::Kind::send);
  answer(one, R"({"cost":0.0987,"usage":{"seconds":60}})");
  EXPECT_EQ(left("day").spent, 98'700'000);
  Attempt silent = attempt();
  ASSERT_EQ(song(silent, R"({"model":"song-1","duration":60})").kind, Verdict::Kind::send);
  answer(silent, R"({"usage":{"seconds":60}})");
  EXPECT_EQ(left("day").spent, 98'700'000 + 130'000'000) << "missing is not zero";
}

TEST_F(DescribedCalls, are_estimated_by_their_name) {
  open(studio);
  const auto estimate = guard->estimate("songs", R"({"model":"song-1","duration":60})", {}, nullptr, "", 1);
  ASSERT_TRUE(estimate) << estimate.error().message;
  EXPECT_EQ(estimate->ceiling, Usd{130'000'000});
  EXPECT_EQ(estimate->provider, "acme");
  EXPECT_EQ(estimate->ceiling_meters[Meter::audio_seconds], 60'000);
  const auto unknown = guard->estimate("song", "{}", {}, nullptr, "", 1);
  EXPECT_THAT(unknown.error().message, HasSubstr("songs"));
}

TEST_F(DescribedCalls, are_guarded_by_install_too) {
  open(studio);
  binding = *guard->bind({}, {}, true);
  Attempt one = attempt();
  ASSERT_EQ(song(one, R"({"model":"song-1","duration":301})").kind, Verdict::Kind::answer);
}

}  // namespace
}  // namespace farthing::test
