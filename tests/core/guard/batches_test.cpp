// Batches (R17): many requests in one, held as their sum, settled by what came out of them.
#include "tests/core/guard/batch_fixture.h"

namespace farthing::test::batches_test {
namespace {

using ::testing::HasSubstr;

constexpr const char* message =
    R"({"model":"claude-haiku-4-5","max_tokens":1000,"messages":[{"role":"user","content":"hello"}]})";
constexpr const char* ended_well = R"({"id":"b1","type":"message_batch","processing_status":"ended","request_counts":)"
                                   R"({"processing":0,"succeeded":1,"errored":1,"canceled":0,"expired":0}})";
constexpr const char* ended_badly = R"({"id":"b1","type":"message_batch","processing_status":"ended","request_counts":)"
                                    R"({"processing":0,"succeeded":0,"errored":1,"canceled":0,"expired":1}})";
constexpr const char* no_message = R"({"custom_id":"b","result":{"type":"errored","error":{"type":"error"}}})";

std::string messages(const std::vector<std::string>& requests) {
  std::string body = R"({"requests":[)";
  for (std::size_t i = 0; i < requests.size(); ++i)
    body += std::string(i == 0 ? "" : ",") + R"({"custom_id":"r)" + std::to_string(i) + R"(","params":)" + requests[i] +
            "}";
  return body + "]}";
}
std::string begun(const std::string& id = "b1") {
  return R"({"id":")" + id +
         R"(","type":"message_batch","processing_status":"in_progress","request_counts":)"
         R"({"processing":2,"succeeded":0,"errored":0,"canceled":0,"expired":0}})";
}
std::string answered(const std::string& model, const std::string& usage) {
  return R"({"custom_id":"a","result":{"type":"succeeded","message":{"id":"m","type":"message","model":")" + model +
         R"(","content":[{"type":"text","text":"{\"usage\":1}"}],"stop_reason":"end_turn","usage":)" + usage + "}}}";
}
/// 100 and 50 tokens at 0.50 and 2.50 USD per million.
const std::string some =
    answered("claude-haiku-4-5-20251001", R"({"input_tokens":100,"output_tokens":50,"service_tier":"batch"})");
constexpr std::int64_t cost_of_some = 100 * 500 + 50 * 2'500;

class Batches : public BatchFixture {};

TEST_F(Batches, R17_one_is_held_as_the_sum_of_its_requests_at_the_rates_of_batches) {
  open(batch_caps);
  Attempt alone = attempt();
  begin(alone, message, anthropic, "/v1/messages");
  const std::int64_t of_one = reserved();
  ASSERT_GT(of_one, 1000 * 5'000);
  alone.abort(Abort::not_sent);

  create(messages({message, message, message, message}), begun());
  EXPECT_EQ(reserved(), 4 * of_one / 2);
  EXPECT_EQ(reserved("requests"), 4);
  EXPECT_EQ(reserved("slots"), 1);
  const auto jobs = guard->control()->jobs();
  ASSERT_EQ(jobs->size(), 1U);
  EXPECT_EQ(jobs->front().job.kind, "batch");
  EXPECT_EQ(jobs->front().job.lives_ms, 26 * hour_ms);
  EXPECT_EQ(jobs->front().row.context->model, "claude-haiku-4-5");
}

TEST_F(Batches, R17_its_output_is_held_as_asked_also_beyond_the_models_longest_answer) {
  open(batch_caps);
  const auto estimate = [&](const std::string& limit) {
    const std::string one = R"({"model":"claude-haiku-4-5","max_tokens":)" + limit + R"(,"messages":[]})";
    return guard->estimate("messages.batches", messages({one, one}), {}, nullptr, "", 1);
  };
  const auto small = estimate("100000");
  const auto large = estimate("300000");
  ASSERT_TRUE(small && large && large->ceiling && small->ceiling);
  EXPECT_EQ(large->ceiling->nano - small->ceiling->nano, 2 * 200'000 * std::int64_t{2'500});
  EXPECT_EQ(large->ceiling_meters[Meter::requests], 2);
  EXPECT_EQ(large->ceiling_meters[Meter::output_tokens], 600'000);
}

TEST_F(Batches, R17_its_results_settle_it_line_by_line_and_once) {
  open(batch_caps);
  create(messages({message, message}), begun());
  const std::int64_t held = reserved();
  EXPECT_TRUE(ask("/v1/messages/batches/b1", begun()));
  EXPECT_TRUE(ask("/v1/messages/batches/b1/cancel", begun(), "POST"));
  EXPECT_TRUE(ask("/v1/messages/batches/b1", ended_well));
  EXPECT_EQ(reserved(), held);
  EXPECT_EQ(spent(), 0);
  const std::string results = some + "\n" + no_message + "\n";
  EXPECT_TRUE(ask("/v1/messages/batches/b1/results?beta=true", results));
  EXPECT_EQ(spent(), cost_of_some);
  EXPECT_EQ(reserved(), 0);
  EXPECT_EQ(spent("requests"), 2);
  EXPECT_EQ(reserved("slots"), 0);
  const auto ledger = rows();
  ASSERT_EQ(ledger.size(), 1U);
  EXPECT_EQ(ledger[0].how, How::usage);
  EXPECT_EQ(ledger[0].quantities[Quantity::output_tokens], 50);
  EXPECT_EQ(ledger[0].response_id, "b1");
  EXPECT_EQ(ledger[0].tier_served, "batch");
  EXPECT_THAT(ledger[0].context->rates_json, HasSubstr("0.5"));
  EXPECT_FALSE(ask("/v1/messages/batches/b1/results", results));
  EXPECT_EQ(spent(), cost_of_some);
}

TEST_F(Batches, R17_two_that_download_the_same_results_book_them_once) {
  const Folder folder;
  const std::string location = "file:" + folder.path + "/x.db";
  open(batch_caps, location);
  create(messages({message, message}), begun());
  const std::shared_ptr<Guard> first = guard;
  Attempt one = attempt();
  ASSERT_EQ(
      one.begin(
             {.method = "GET", .host = anthropic, .path = "/v1/messages/batches/b1/results", .headers = {}, .body = ""})
          .kind,
      Verdict::Kind::send);
  open(batch_caps, location);  // another guard, as in another process
  Attempt two = attempt();
  ASSERT_EQ(
      two.begin(
             {.method = "GET", .host = anthropic, .path = "/v1/messages/batches/b1/results", .headers = {}, .body = ""})
          .kind,
      Verdict::Kind::send);
  answer(one, some + "\n" + some);
  answer(two, some + "\n" + some);
  EXPECT_EQ(spent(), 2 * cost_of_some);
  EXPECT_EQ(rows().size(), 1U);
}

TEST_F(Batches, R17_results_that_are_not_all_settle_nothing_however_they_are_cut) {
  open(batch_caps);
  create(messages({message, message}), begun());
  const std::int64_t held = reserved();
  const std::string results = some + "\n" + no_message + "\n";
  const auto download = [&](std::string_view bytes, std::size_t piece, bool to_the_end) {
    Attempt one = attempt();
    ASSERT_EQ(one.begin({.method = "GET",
                         .host = anthropic,
                         .path = "/v1/messages/batches/b1/results",
                         .headers = {},
                         .body = ""})
                  .kind,
              Verdict::Kind::send);
    ASSERT_TRUE(one.sent());
    one.head(200, {});
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
      EXPECT_TRUE(one.data(bytes.substr(0, piece)).same);
    if (to_the_end)
      one.end();
    else
      one.abort(Abort::closed);
  };
  download(some + "\n", 7, true);                             // a line is missing
  download(results.substr(0, results.size() - 10), 7, true);  // a line is cut
  download(results, 7, false);                                // whole, but nobody says that it is
  download(results + some + "\n", 7, true);                   // of another batch
  download("<html>\nbad gateway", 7, true);
  EXPECT_TRUE(ask("/v1/messages/batches/b1/results", results, "GET", anthropic, 503));
  EXPECT_EQ(reserved(), held);
  EXPECT_EQ(spent(), 0);
  download(results, 1, true);
  EXPECT_EQ(spent(), cost_of_some);
}

TEST_F(Batches, R17_a_line_without_usage_charges_the_hold) {
  open(batch_caps);
  create(messages({message, message}), begun());
  const std::int64_t held = reserved();
  EXPECT_TRUE(ask("/v1/messages/batches/b1/results", some + "\n" + answered("claude-haiku-4-5", "{}")));
  EXPECT_EQ(spent(), held);
  EXPECT_EQ(rows()[0].error_class, "no_final_usage");
  EXPECT_EQ(rows()[0].how, How::hold);
  EXPECT_EQ(rows()[0].booked[Meter::output_tokens], 2'000) << "of the other line nobody knows them";
}

TEST_F(Batches, R17_one_of_which_nothing_succeeded_costs_nothing) {
  open(batch_caps);
  create(messages({message, message}), begun());
  EXPECT_TRUE(ask("/v1/messages/batches/b1", ended_badly));
  EXPECT_EQ(spent(), 0);
  EXPECT_EQ(reserved(), 0);
  EXPECT_EQ(spent("requests"), 2);
  EXPECT_EQ(rows()[0].how, How::provider_error);
  // The same by its results.
  create(messages({message}), begun("b2"));
  EXPECT_TRUE(ask("/v1/messages/batches/b2/results", R"({"custom_id":"a","result":{"type":"expired"}})"));
  EXPECT_EQ(spent(), 0);
  EXPECT_EQ(reserved(), 0);
  // Counts that are not all told prove nothing.
  create(messages({message}), begun("b3"));
  EXPECT_TRUE(ask("/v1/messages/batches/b3",
                  R"({"id":"b3","processing_status":"ended","request_counts":{"succeeded":0,"errored":1}})"));
  EXPECT_GT(reserved(), 0);
}

TEST_F(Batches, R17_a_deadline_of_a_day_charges_and_late_results_correct) {
  const auto store = open_watched(batch_caps);
  create(messages({message, message}), begun());
  const std::int64_t held = reserved();
  clock->advance(25 * hour_ms);
  ASSERT_TRUE(store->sweep());
  EXPECT_EQ(guard->control()->status()->pending_jobs, 1);
  clock->advance(hour_ms);
  ASSERT_TRUE(store->sweep());
  EXPECT_EQ(rows()[0].booked[Meter::usd], held);
  EXPECT_EQ(rows()[0].booked[Meter::requests], 2);
  EXPECT_TRUE(ask("/v1/messages/batches/b1/results", some + "\n" + some));
  std::int64_t booked = 0;
  for (const LedgerRow& row : rows())
    booked += row.booked[Meter::usd];
  EXPECT_EQ(booked, 2 * cost_of_some);
}

TEST_F(Batches, R17_each_line_has_the_price_of_its_own_context) {
  // claude-sonnet-4-5, batch: 1.50 and 7.50 USD per million, above 200,000 tokens of input 3 and 11.25.
  open("[[cap]]\nid = \"day\"\nlimit = \"500 USD\"\nper = \"day\"\n");
  const std::string one = R"({"model":"claude-sonnet-4-5","max_tokens":64000,"messages":[{"role":"user","content":")" +
                          std::string(150'000, 'x') + R"("}]})";
  create(messages({one, one}), begun());
  // Together they have more than 200,000 tokens, none has.
  EXPECT_LT(reserved(), 2 * (200'000 * std::int64_t{1'500} + 64'000 * std::int64_t{7'500}));
  const auto line = [](const std::string& tokens) {
    return answered("claude-sonnet-4-5",
                    R"({"service_tier":"batch","output_tokens":10,"input_tokens":)" + tokens + "}");
  };
  EXPECT_TRUE(ask("/v1/messages/batches/b1/results", line("150000") + "\n" + line("200001")));
  EXPECT_EQ(spent(), 150'000 * std::int64_t{1'500} + 10 * 7'500 + 200'001 * std::int64_t{3'000} + 10 * 11'250);
}

TEST_F(Batches, R25_one_is_priced_by_the_book_of_its_reserve) {
  const auto priced = [](const std::string& input) {
    return std::string(batch_caps) +
           "[[price]]\nprovider = \"anthropic\"\nmodel = \"claude-haiku-4-5\"\nrates = { "
           "input_tokens = \"" +
           input + " USD per million\", output_tokens = \"4 USD per million\" }\n";
  };
  const Folder folder;
  open(priced("1"), "file:" + folder.path + "/x.db");
  create(messages({message}), begun());
  const std::shared_ptr<Guard> first = guard;
  open(priced("3"), "file:" + folder.path + "/x.db");
  EXPECT_TRUE(ask("/v1/messages/batches/b1/results", some));
  EXPECT_EQ(spent(), 100 * 1'000 + 50 * 4'000);
}

TEST_F(Batches, R2_one_that_does_not_fit_is_refused_whole) {
  open("[[cap]]\nid = \"day\"\nlimit = \"0.01 USD\"\nper = \"day\"\n");
  EXPECT_EQ(create(messages({message}), begun()).kind, Verdict::Kind::send);
  const std::string refusal = error_of(create(messages({message, message, message, message}), begun("b2")));
  EXPECT_THAT(refusal, HasSubstr("cap_exceeded"));
  EXPECT_THAT(refusal, Not(HasSubstr("max_tokens=")));
  open("[[cap]]\nid = \"few\"\nlimit = \"3 requests\"\nper = \"day\"\n");
  EXPECT_THAT(error_of(create(messages({message, message, message, message}), begun())), HasSubstr("few"));
}

TEST_F(Batches, R31_what_cannot_be_attributed_or_bounded_is_refused_with_the_place) {
  open(std::string("unbounded = \"refuse\"\n") + batch_caps);
  const auto refused = [&](const std::vector<std::string>& requests) {
    return error_of(create(messages(requests), begun()));
  };
  const std::string other = R"({"model":"claude-opus-4-7","max_tokens":10,"messages":[]})";
  EXPECT_THAT(refused({message, other}), HasSubstr("requests[1] asks for another model"));
  EXPECT_THAT(refused({message, R"({"model":"claude-haiku-4-5","max_tokens":"x"})"}), HasSubstr("requests[1]: "));
  EXPECT_THAT(refused({R"({"model":"claude-opus-4-7","speed":"fast","max_tokens":10,"messages":[]})"}),
              HasSubstr("asks for the tier"));
  EXPECT_THAT(refused({R"({"model":"claude-0","max_tokens":10,"messages":[]})"}), HasSubstr("unpriced_model"));
  EXPECT_THAT(refused({}), HasSubstr("the batch has no requests"));
  const std::string document =
      R"({"model":"claude-haiku-4-5","max_tokens":10,"messages":[{"role":"user","content":[{"type":"document",)"
      R"("source":{"type":"url","url":"https://x"}}]}]})";
  EXPECT_THAT(refused({message, document}), HasSubstr("unbounded_request"));
  EXPECT_EQ(reserved(), 0);
  // Each of those that bytes do not bound is held at the policy's amount.
  open(std::string("unbounded = \"1 USD\"\n") + batch_caps);
  create(messages({document, document}), begun());
  EXPECT_EQ(reserved(), 2 * usd + 2 * 10 * 2'500);
}

TEST_F(Batches, R23_one_that_the_provider_refuses_costs_nothing) {
  open(batch_caps);
  create(messages({message}), R"({"type":"error","error":{"type":"invalid_request_error","message":"no"}})", anthropic,
         messages_path, 400);
  EXPECT_EQ(spent(), 0);
  EXPECT_EQ(reserved(), 0);
  create(messages({message, message}), R"({"type":"error","error":{"type":"rate_limit_error","message":"later"}})",
         anthropic, messages_path, 429);
  EXPECT_EQ(spent("requests"), 2) << "one each: none of theirs ran";
}

// OpenAI's: a file of requests, and a batch of it.

constexpr const char* openai = "api.openai.com";
constexpr const char* chat = R"({"model":"gpt-5-mini","messages":[{"role":"user","content":"hi"}],)"
                             R"("max_completion_tokens":1000})";
constexpr const char* of_file =
    R"({"input_file_id":"file-1","endpoint":"/v1/chat/completions","completion_window":"24h"})";
constexpr const char* validating = R"({"id":"batch_1","object":"batch","status":"validating","usage":null})";

std::string line(const std::string& body, const std::string& url = "/v1/chat/completions") {
  return R"({"custom_id":"a","method":"POST","url":")" + url + R"(","body":)" + body + "}\n";
}
std::string form(const std::string& file, const std::string& purpose = "batch") {
  return "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\n" + purpose +
         "\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.jsonl\"\r\n"
         "Content-Type: application/octet-stream\r\n\r\n" +
         file + "\r\n--b--\r\n";
}
std::string over(const std::string& status, const std::string& usage, const std::string& completed = "2") {
  return R"({"id":"batch_1","object":"batch","model":"gpt-5-mini-2025-08-07","status":")" + status +
         R"(","request_counts":{"total":2,"completed":)" + completed + R"(,"failed":0},"usage":)" + usage + "}";
}
constexpr const char* used_by_two =
    R"({"input_tokens":300,"input_tokens_details":{"cached_tokens":100},"output_tokens":60,)"
    R"("output_tokens_details":{"reasoning_tokens":20},"total_tokens":360})";
/// 0.125, 0.0125 and 1 USD per million.
constexpr std::int64_t cost_of_two = 200 * 125 + 100 * 12 + 50 + 60 * 1'000;

class BatchFiles : public Batches {
 protected:
  bool upload(std::string_view body, const std::string& id = "file-1", int status = 200) {
    const std::string length = std::to_string(body.size());
    const HeaderView headers[] = {{"content-type", "multipart/form-data; boundary=b"}, {"content-length", length}};
    Attempt one = attempt();
    const RequestView request{.method = "POST", .host = openai, .path = "/v1/files", .headers = headers, .body = body};
    RequestView unread = request;
    unread.body.reset();
    if (one.begin(unread).kind == Verdict::Kind::need_body && one.begin(request).kind == Verdict::Kind::send) {
      answer(one, R"({"id":")" + id + R"(","object":"file","purpose":"batch","status":"processed"})", status);
      return true;
    }
    return false;
  }
  Verdict create_of_file(std::string_view reply = validating) { return create(of_file, reply, openai, "/v1/batches"); }
  bool poll(std::string_view reply, std::string_view path = "/v1/batches/batch_1", std::string_view method = "GET") {
    return ask(path, reply, method, openai);
  }
};

TEST_F(BatchFiles, R17_a_file_is_sized_as_it_passes_and_any_guard_reserves_a_batch_of_it) {
  const Folder folder;
  const std::string location = "file:" + folder.path + "/x.db";
  open(batch_caps, location);
  Attempt alone = attempt();
  begin(alone,
        R"({"model":"gpt-5-mini","service_tier":"default","messages":[{"role":"user","content":"hi"}],)"
        R"("max_completion_tokens":1000})",
        openai);
  const std::int64_t at_most = reserved();
  alone.abort(Abort::not_sent);

  EXPECT_TRUE(upload(form(line(chat) + line(chat))));
  EXPECT_EQ(reserved(), 0);
  const std::shared_ptr<Guard> first = guard;
  open(batch_caps, location);
  EXPECT_EQ(create_of_file().kind, Verdict::Kind::send);
  EXPECT_GT(reserved(), 2 * 1000 * 1'000);
  EXPECT_LE(reserved(), 2 * at_most / 2);
  EXPECT_EQ(reserved("requests"), 2);
  EXPECT_EQ(guard->control()->jobs()->front().row.context->model, "gpt-5-mini");

  EXPECT_TRUE(poll(over("in_progress", "null", "1")));
  EXPECT_TRUE(poll(over("cancelling", used_by_two), "/v1/batches/batch_1/cancel", "POST"));
  EXPECT_EQ(spent(), 0);
  EXPECT_TRUE(poll(over("completed", used_by_two)));
  EXPECT_EQ(spent(), cost_of_two);
  EXPECT_EQ(reserved(), 0);
  EXPECT_EQ(spent("requests"), 2);
  EXPECT_FALSE(poll(over("completed", used_by_two)));
  EXPECT_EQ(spent(), cost_of_two);
}

TEST_F(BatchFiles, R17_one_ends_at_its_usage_at_nothing_or_keeps_its_hold) {
  open(batch_caps);
  ASSERT_TRUE(upload(form(line(chat) + line(chat))));
  const auto end = [&](const std::string& reply) {
    const std::int64_t before = spent();
    EXPECT_EQ(create_of_file().kind, Verdict::Kind::send);
    EXPECT_TRUE(poll(reply));
    const std::int64_t cost = spent() - before;
    if (reserved() == 0) return cost;
    EXPECT_EQ(cost, 0);
    EXPECT_TRUE(guard->control()->end_job("batch_1", Usd{}, {"test", "next"}));
    return std::int64_t{-1};
  };
  constexpr const char* none = R"({"input_tokens":0,"output_tokens":0,"total_tokens":0})";
  EXPECT_EQ(end(over("expired", used_by_two)), cost_of_two);
  EXPECT_EQ(end(over("cancelled", used_by_two)), cost_of_two);
  EXPECT_EQ(end(over("failed", "null", "0")), 0);
  EXPECT_EQ(end(over("cancelled", none, "0")), 0);
  EXPECT_EQ(end(over("completed", "null")), -1);
  EXPECT_EQ(end(over("cancelled", "null", "0")), -1);
  EXPECT_EQ(end(over("completed", none)), -1) << "two were done, and used nothing: nobody knows";
  EXPECT_EQ(end(R"({"id":"batch_1","status":"resting"})"), -1);
}

TEST_F(BatchFiles, R31_a_batch_that_could_run_something_else_than_its_file_is_refused) {
  open(batch_caps);
  ASSERT_TRUE(upload(form(line(chat))));
  const auto asked = [&](const std::string& members) {
    Attempt one = attempt();
    const Verdict verdict =
        begin(one, R"({"input_file_id":"file-1","completion_window":"24h")" + members + "}", openai, "/v1/batches");
    one.abort(Abort::not_sent);
    return verdict.kind == Verdict::Kind::send ? std::string("sent") : one.denial()->message;
  };
  EXPECT_EQ(asked(R"(,"endpoint":"/v1/chat/completions","metadata":{"a":"b"})"), "sent");
  EXPECT_EQ(asked(R"(,"endpoint":"/v1/responses")"), "sent") << "a host may take either";
  EXPECT_THAT(asked(R"(,"endpoint":"/v1/embeddings")"), HasSubstr("the batch asks for embeddings"));
  for (const char* member : {"model_id", "model", "input_blob", "priority", "service_tier"}) {
    EXPECT_THAT(asked(R"(,"endpoint":"/v1/chat/completions",")" + std::string(member) + R"(":"x")"),
                HasSubstr("has a member \"" + std::string(member)));
  }
  // A form that brings two files: the host may take the other one.
  const std::string two = form(line(chat));
  const std::string field = two.substr(two.find("--b\r\nContent-Disposition: form-data; name=\"file\""));
  ASSERT_TRUE(upload(two.substr(0, two.find("--b--")) + field, "file-2"));
  Attempt one = attempt();
  EXPECT_EQ(begin(one, R"({"input_file_id":"file-2","endpoint":"/v1/chat/completions"})", openai, "/v1/batches").kind,
            Verdict::Kind::answer);
  EXPECT_THAT(one.denial()->message, HasSubstr("several fields"));
}

TEST_F(BatchFiles, R25_what_its_usage_leaves_out_is_charged_as_held) {
  open(batch_caps);
  const std::string searches = R"({"model":"gpt-5-mini","input":"hi","max_output_tokens":1000,"max_tool_calls":3,)"
                               R"("tools":[{"type":"web_search"}]})";
  ASSERT_TRUE(upload(form(line(searches, "/v1/responses") + line(searches, "/v1/responses"))));
  ASSERT_EQ(create_of_file().kind, Verdict::Kind::send);
  const std::int64_t most = reserved();
  EXPECT_GE(most, 2 * 3 * 10'000'000) << "three searches each, at 10 USD per thousand";
  EXPECT_TRUE(poll(over("completed", used_by_two)));
  EXPECT_EQ(spent(), most);
  EXPECT_EQ(reserved(), 0);
}

TEST_F(BatchFiles, R17_the_step_of_a_price_is_that_of_the_largest_request) {
  // gpt-5.4, batch: 1.25 and 7.50 USD per million, above 272,000 tokens of input 2.50 and 11.25.
  open("[[cap]]\nid = \"day\"\nlimit = \"500 USD\"\nper = \"day\"\n");
  const auto cost = [&](std::size_t bytes) {
    const std::string body =
        R"({"model":"gpt-5.4","max_completion_tokens":1000,"messages":[{"role":"user","content":")" +
        std::string(bytes, 'x') + R"("}]})";
    EXPECT_TRUE(upload(form(line(body) + line(body))));
    const std::int64_t before = spent();
    EXPECT_EQ(create_of_file().kind, Verdict::Kind::send);
    EXPECT_TRUE(poll(R"({"id":"batch_1","status":"completed","model":"gpt-5.4","request_counts":{"completed":2},)"
                     R"("usage":{"input_tokens":400000,"output_tokens":100,"total_tokens":400100}})"));
    return spent() - before;
  };
  EXPECT_EQ(cost(200'000), 400'000 * std::int64_t{1'250} + 100 * 7'500);
  EXPECT_EQ(cost(300'000), 400'000 * std::int64_t{2'500} + 100 * 11'250);
}

TEST_F(BatchFiles, R31_what_no_guard_has_seen_or_could_read_is_refused_with_the_way_out) {
  open(batch_caps);
  EXPECT_THAT(error_of(create_of_file()), HasSubstr("no guard on this store has seen it. Upload it with a guarded"));
  const auto problem = [&](const std::string& file) {
    EXPECT_TRUE(upload(form(file)));
    return error_of(create_of_file());
  };
  EXPECT_THAT(problem(line(chat) + "nonsense\n"), HasSubstr("line 2: "));
  EXPECT_THAT(problem(line(chat) + line(R"({"model":"gpt-5"})")), HasSubstr("line 2 asks for another model"));
  EXPECT_THAT(problem(line(R"({"model":"gpt-image-1","prompt":"x"})", "/v1/images/generations")),
              HasSubstr("POST /v1/images/generations cannot be priced in a batch"));
  EXPECT_THAT(problem(line(chat) + line(R"({"model":"gpt-5-mini","input":"x"})", "/v1/responses")),
              HasSubstr("another endpoint"));
  EXPECT_THAT(problem(""), HasSubstr("it has no requests"));
  EXPECT_THAT(error_of(create("{}", "", openai, "/v1/batches")), HasSubstr("input_file_id"));
  // Nothing bounds the output of a request without a limit but the model.
  ASSERT_TRUE(upload(form(line(R"({"model":"gpt-5-mini","messages":[]})"))));
  EXPECT_EQ(create_of_file().kind, Verdict::Kind::send);
  EXPECT_GE(reserved(), 128'000 * 1'000);
}

TEST_F(BatchFiles, uploads_of_other_kinds_pass_unread) {
  open(batch_caps);
  EXPECT_FALSE(upload(form("{}", "fine-tune")));
  const auto passes = [&](const char* kind, const char* length) {
    const HeaderView headers[] = {{"content-type", kind}, {"content-length", length}};
    Attempt one = attempt();
    return one.begin({.method = "POST", .host = openai, .path = "/v1/files", .headers = headers, .body = {}}).kind ==
           Verdict::Kind::pass;
  };
  EXPECT_TRUE(passes("application/json", "10"));
  EXPECT_TRUE(passes("multipart/form-data; boundary=b", "300000000"));
  EXPECT_FALSE(passes("multipart/form-data; boundary=b", "3000"));
  EXPECT_TRUE(ask("/v1/files/file-1/content", "", "GET", openai) == false);
  EXPECT_TRUE(ask("/v1/batches", "", "GET", openai) == false);
  // One that its host refused leaves nothing behind.
  EXPECT_TRUE(upload(form(line(chat)), "file-1", 400));
  EXPECT_THAT(error_of(create_of_file()), HasSubstr("no guard on this store has seen it"));
}

TEST_F(BatchFiles, R26_a_file_that_the_store_could_not_take_is_written_later) {
  const auto store = open_watched(batch_caps);
  store->before = [](const char* step) {
    return std::string_view(step) == "settle" ? std::optional(Error{Code::store_busy, "busy"}) : std::nullopt;
  };
  EXPECT_TRUE(upload(form(line(chat))));
  EXPECT_EQ(guard->queued(), 1U);
  store->before = [](const char*) { return std::nullopt; };
  ASSERT_TRUE(guard->flush(1'000));
  EXPECT_EQ(create_of_file().kind, Verdict::Kind::send);
}

}  // namespace
}  // namespace farthing::test::batches_test
