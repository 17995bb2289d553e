// Gemini's batches (R17): the requests are inline, the answers come with a poll.
#include "tests/core/guard/batch_fixture.h"

namespace farthing::test {
namespace {

using ::testing::HasSubstr;

class GenerateBatches : public BatchFixture {
 protected:
  static constexpr const char* gemini = "generativelanguage.googleapis.com";
  static constexpr const char* path = "/v1beta/models/gemini-2.5-flash:batchGenerateContent";
  static constexpr const char* request =
      R"({"contents":[{"parts":[{"text":"hello"}]}],"generationConfig":{"maxOutputTokens":1000}})";

  static std::string batch(const std::vector<std::string>& requests) {
    std::string body = R"({"batch":{"displayName":"b","inputConfig":{"requests":{"requests":[)";
    for (std::size_t i = 0; i < requests.size(); ++i)
      body += std::string(i == 0 ? "" : ",") + R"({"metadata":{"key":"r"},"request":)" + requests[i] + "}";
    return body + "]}}}}";
  }
  static std::string operation(const std::string& state, const std::string& more = "") {
    return R"({"name":"batches/b1","metadata":{"model":"models/gemini-2.5-flash","state":"BATCH_STATE_)" + state +
           "\"" + more + "}}";
  }
  static std::string answers(const std::vector<std::string>& entries) {
    std::string text = R"(,"output":{"inlinedResponses":{"inlinedResponses":[)";
    for (std::size_t i = 0; i < entries.size(); ++i)
      text += (i == 0 ? "" : ",") + entries[i];
    return text + "]}}";
  }
  static constexpr const char* answer_of_some =
      R"({"metadata":{"key":"r"},"response":{"candidates":[{"content":{"parts":[{"text":"hi"}]},"finishReason":"STOP"}],)"
      R"("usageMetadata":{"promptTokenCount":100,"candidatesTokenCount":30,"thoughtsTokenCount":20,"totalTokenCount":150},)"
      R"("modelVersion":"gemini-2.5-flash"}})";
  static constexpr const char* error_of_one = R"({"error":{"code":13,"message":"internal"}})";
  /// 100 and 50 tokens at 0.15 and 1.25 USD per million.
  static constexpr std::int64_t cost_of_answer = 100 * 150 + 50 * 1'250;

  Verdict begin_batch(const std::string& body) { return create(body, operation("PENDING"), gemini, path); }
  bool poll(const std::string& reply) { return ask("/v1beta/batches/b1", reply, "GET", gemini); }
};

TEST_F(GenerateBatches, R17_are_held_as_their_sum_and_settled_by_the_poll_that_brings_the_answers) {
  open(batch_caps);
  Attempt alone = attempt();
  begin(alone, request, gemini, "/v1beta/models/gemini-2.5-flash:generateContent");
  const std::int64_t of_one = reserved();
  ASSERT_GT(of_one, 1000 * 2'500);
  alone.abort(Abort::not_sent);

  begin_batch(batch({request, request, request}));
  EXPECT_EQ(reserved(), 3 * of_one / 2);
  const auto jobs = guard->control()->jobs();
  ASSERT_EQ(jobs->size(), 1U);
  EXPECT_EQ(jobs->front().job.lives_ms, 50 * hour_ms);
  EXPECT_EQ(jobs->front().row.context->model, "gemini-2.5-flash");

  EXPECT_TRUE(poll(operation("RUNNING")));
  EXPECT_TRUE(poll(operation("SUCCEEDED")));  // its answers are not told
  EXPECT_EQ(spent(), 0);
  EXPECT_TRUE(poll(operation("SUCCEEDED", answers({answer_of_some, error_of_one, answer_of_some}))));
  EXPECT_EQ(spent(), 2 * cost_of_answer);
  EXPECT_EQ(reserved(), 0);
  EXPECT_EQ(reserved("slots"), 0);
  const auto ledger = rows();
  ASSERT_EQ(ledger.size(), 2U);  // and the one that was not sent
  EXPECT_EQ(ledger.front().how, How::usage);
  EXPECT_EQ(ledger.front().quantities[Quantity::requests], 2);
  EXPECT_EQ(ledger.front().response_id, "b1");
  poll(operation("SUCCEEDED", answers({answer_of_some})));
  EXPECT_EQ(spent(), 2 * cost_of_answer) << "once";
}

TEST_F(GenerateBatches, R17_answers_in_the_operations_response_count_and_only_once) {
  open(batch_caps);
  begin_batch(batch({request}));
  const std::string both =
      R"({"name":"batches/b1","metadata":{"state":"BATCH_STATE_SUCCEEDED")" + answers({answer_of_some}) +
      R"(},"done":true,"response":{"inlinedResponses":{"inlinedResponses":[)" + answer_of_some + "]}}}";
  EXPECT_TRUE(poll(both));
  EXPECT_EQ(spent(), cost_of_answer);
}

TEST_F(GenerateBatches, R23_answers_that_are_not_all_or_tell_no_usage_leave_the_hold) {
  open(batch_caps);
  begin_batch(batch({request, request}));
  const std::int64_t held = reserved();
  EXPECT_TRUE(poll(operation("SUCCEEDED", answers({answer_of_some, R"({"response":{"candidates":[]}})"}))));
  EXPECT_TRUE(poll(operation("SUCCEEDED", answers({answer_of_some, R"({"metadata":{"key":"r"}})"}))));
  // Some of the answers are not the bill, whatever the state.
  EXPECT_TRUE(poll(operation("RUNNING", answers({answer_of_some, answer_of_some}))));
  EXPECT_TRUE(poll(operation("RUNNING", answers({error_of_one, error_of_one}))));
  EXPECT_TRUE(poll(operation("SUCCEEDED", answers({answer_of_some}))));
  EXPECT_TRUE(poll(operation("SUCCEEDED", answers({error_of_one}))));
  EXPECT_EQ(reserved(), held);
  EXPECT_TRUE(poll(operation("SUCCEEDED", answers({answer_of_some, answer_of_some}))));
  EXPECT_EQ(spent(), 2 * cost_of_answer);
}

TEST_F(GenerateBatches, nothing_is_charged_where_none_succeeded) {
  open(batch_caps);
  begin_batch(batch({request}));
  EXPECT_TRUE(poll(operation("FAILED")));  // nobody says how many ran
  EXPECT_GT(reserved(), 0);
  EXPECT_TRUE(poll(operation("FAILED", R"(,"batchStats":{"requestCount":"2","successfulRequestCount":"1"})")));
  EXPECT_GT(reserved(), 0);
  EXPECT_TRUE(poll(operation("EXPIRED", R"(,"batchStats":{"requestCount":"1","pendingRequestCount":"1"})")));
  EXPECT_EQ(reserved(), 0);
  EXPECT_EQ(spent(), 0);

  begin_batch(batch({request}));
  EXPECT_TRUE(poll(operation("SUCCEEDED", answers({error_of_one}))));
  EXPECT_EQ(reserved() + spent(), 0);
}

TEST_F(GenerateBatches, R31_what_cannot_be_read_is_refused) {
  open(batch_caps);
  const auto problem = [&](const std::string& body) { return error_of(begin_batch(body)); };
  EXPECT_THAT(problem(R"({"batch":{"inputConfig":{"fileName":"files/x"}}})"), HasSubstr("are in a file"));
  EXPECT_THAT(problem(R"({"batch":{"input_config":{"file_name":"files/x"}}})"), HasSubstr("are in a file"));
  EXPECT_THAT(problem(batch({})), HasSubstr("the batch has no requests"));
  EXPECT_THAT(problem(batch({request, "7"})), HasSubstr("\\\"request\\\" is not an object"));
  EXPECT_THAT(problem(batch({R"({"model":"models/gemini-2.5-pro","contents":[]})"})),
              HasSubstr("which of them counts is not known"));
  EXPECT_THAT(problem(R"({"batch":{"inputConfig":{},"input_config":{}}})"), HasSubstr("stands twice"));
  EXPECT_EQ(begin_batch(batch({R"({"model":"models/gemini-2.5-flash","contents":[]})"})).kind, Verdict::Kind::send);
  EXPECT_EQ(reserved("requests"), 1);
}

}  // namespace
}  // namespace farthing::test
