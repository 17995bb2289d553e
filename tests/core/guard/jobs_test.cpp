// Calls whose work goes on after their answer (R17): background responses and videos, settled by whoever polls.
#include "tests/core/guard/fixture.h"

namespace farthing::test::jobs_test {
namespace {

constexpr const char* caps = R"(
[[cap]]
id = "day"
limit = "5 USD"
per = "day"
[[cap]]
id = "slots"
limit = "2 concurrent"
)";
constexpr const char* background =
    R"({"model":"gpt-5-mini","input":"hello","max_output_tokens":1000,"background":true})";
constexpr const char* queued =
    R"({"id":"resp_1","object":"response","status":"queued","model":"gpt-5-mini","usage":null})";
constexpr const char* completed = R"({"id":"resp_1","object":"response","status":"completed","model":"gpt-5-mini",)"
                                  R"("usage":{"input_tokens":100,"output_tokens":50,"total_tokens":150}})";
constexpr const char* clip = R"({"model":"sora-2-pro","prompt":"a mill","seconds":"8","size":"1024x1792"})";
constexpr const char* clip_queued =
    R"({"id":"video_1","object":"video","status":"queued","model":"sora-2-pro","seconds":"8","size":"1024x1792"})";
constexpr const char* clip_done =
    R"({"id":"video_1","object":"video","status":"completed","model":"sora-2-pro","seconds":"8","size":"1024x1792"})";
constexpr const char* clip_failed =
    R"({"id":"video_1","object":"video","status":"failed","model":"sora-2-pro","error":{"code":"moderation"}})";

class Jobs : public GuardFixture {
 protected:
  /// A call, answered with `body`.
  Verdict create(std::string_view path, std::string_view request, std::string_view body, int status = 200) {
    Attempt one = attempt();
    const Verdict verdict = begin(one, request, "api.openai.com", path);
    if (verdict.kind == Verdict::Kind::send) answer(one, body, status);
    return verdict;
  }
  static RequestView asking(std::string_view path, std::string_view method = "GET",
                            std::string_view host = "api.openai.com") {
    return {.method = method, .host = host, .path = path, .headers = {}, .body = ""};
  }
  /// What asks for a job: whether the guard looks at its answer.
  bool ask(std::string_view path, std::string_view body, int status = 200, std::string_view method = "GET") {
    Attempt one = attempt();
    const Verdict verdict = one.begin(asking(path, method));
    if (verdict.kind == Verdict::Kind::pass) return false;
    EXPECT_EQ(verdict.kind, Verdict::Kind::send);
    EXPECT_FALSE(verdict.body);
    answer(one, body, status);
    return true;
  }
  std::int64_t spent() { return left("day").spent; }
  std::int64_t reserved() { return left("day").reserved; }
};

TEST_F(Jobs, R17_a_background_response_holds_until_a_poll_tells_its_usage) {
  open(caps);
  create("/v1/responses", background, queued);
  const std::int64_t held = reserved();
  EXPECT_GT(held, 0);
  EXPECT_EQ(left("slots").reserved, 1);
  EXPECT_TRUE(rows().empty());
  ASSERT_TRUE(guard->receipt("resp_1"));
  EXPECT_EQ(guard->receipt("resp_1")->how, How::open);

  EXPECT_TRUE(ask("/v1/responses/resp_1", R"({"id":"resp_1","status":"in_progress","usage":null})"));
  EXPECT_EQ(reserved(), held);
  EXPECT_TRUE(ask("/v1/responses/resp_1?include[]=x", completed));
  EXPECT_EQ(spent(), cost_of_used);
  EXPECT_EQ(reserved(), 0);
  EXPECT_EQ(left("slots").reserved, 0);
  const auto ledger = rows();
  ASSERT_EQ(ledger.size(), 1U);
  EXPECT_EQ(ledger[0].how, How::usage);
  EXPECT_EQ(ledger[0].response_id, "resp_1");
  EXPECT_EQ(guard->receipt("resp_1")->cost, Usd{cost_of_used});
  // Over: nobody looks any more.
  EXPECT_FALSE(ask("/v1/responses/resp_1", completed));
  EXPECT_EQ(spent(), cost_of_used);
}

TEST_F(Jobs, R17_any_guard_on_the_store_settles_it_with_the_labels_of_its_call) {
  const Folder folder;
  const std::string location = "file:" + folder.path + "/x.db";
  open(caps, location);
  create("/v1/responses", background, queued);
  const std::shared_ptr<Guard> first = guard;
  open(caps, location);
  EXPECT_TRUE(ask("/v1/responses/resp_1", completed));
  EXPECT_EQ(spent(), cost_of_used);
  EXPECT_EQ(*rows()[0].context->labels.get("project"), "p");
  EXPECT_EQ(rows()[0].context->endpoint, "responses");
  EXPECT_EQ(first->control()->status()->pending_jobs, 0);
}

TEST_F(Jobs, R25_one_is_settled_at_the_step_of_the_volume_of_its_reserve) {
  open(std::string(caps) +
       "[[cap]]\nid = \"tokens\"\nlimit = \"1_000_000 tokens\"\nper = \"day\"\n"
       "[[price]]\nprovider = \"openai\"\nmodel = \"gpt-5-mini\"\n"
       "rates = { input_tokens = \"2.00 USD per million\", output_tokens = \"8.00 USD per million\" }\n"
       "[[price]]\nprovider = \"openai\"\nmodel = \"gpt-5-mini\"\nvolume = \"tokens\"\nvolume_from = \"100 tokens\"\n"
       "rates = { input_tokens = \"1.00 USD per million\", output_tokens = \"4.00 USD per million\" }\n");
  const auto cost = [&] {
    const std::int64_t before = spent();
    create("/v1/responses", background, queued);
    EXPECT_TRUE(ask("/v1/responses/resp_1", completed));
    return spent() - before;
  };
  EXPECT_EQ(cost(), 100 * 2'000 + 50 * 8'000);
  EXPECT_EQ(cost(), 100 * 1'000 + 50 * 4'000);
}

TEST_F(Jobs, R25_one_is_priced_by_the_book_of_its_reserve_whoever_polls) {
  const auto priced = [](const std::string& input, const std::string& output) {
    return std::string(caps) + "[[price]]\nprovider = \"openai\"\nmodel = \"gpt-5-mini\"\nrates = { input_tokens = \"" +
           input + " USD per million\", output_tokens = \"" + output + " USD per million\" }\n";
  };
  const std::string half = priced("1.00", "4.00");
  const std::string full = priced("2.00", "8.00");
  const std::string free = priced("0", "0");
  constexpr std::int64_t half_cost = 100 * 1'000 + 50 * 4'000;
  const auto cost = [&](const std::string& reserves, const std::string& polls) {
    const Folder folder;
    const std::string location = "file:" + folder.path + "/x.db";
    open(reserves, location);
    create("/v1/responses", background, queued);
    const std::shared_ptr<Guard> first = guard;
    open(polls, location);
    EXPECT_TRUE(ask("/v1/responses/resp_1", completed));
    return spent();
  };
  EXPECT_EQ(cost(half, half), half_cost);
  EXPECT_EQ(cost(half, full), half_cost);
  EXPECT_EQ(cost(full, half), 2 * half_cost);
  EXPECT_EQ(cost(half, free), half_cost);
  EXPECT_EQ(cost(free, half), 0);
  EXPECT_EQ(cost(half, caps), half_cost);
  // gpt-5-mini: 0.25 and 2 USD per million, with priority 0.45 and 3.60.
  const std::string priority =
      R"({"id":"resp_1","object":"response","status":"completed","model":"gpt-5-mini","service_tier":"priority",)"
      R"("usage":{"input_tokens":100,"output_tokens":50,"total_tokens":150}})";
  const Folder folder;
  open(caps, "file:" + folder.path + "/x.db");
  create("/v1/responses", background, queued);
  const std::shared_ptr<Guard> first = guard;
  open(half, "file:" + folder.path + "/x.db");
  EXPECT_TRUE(ask("/v1/responses/resp_1", priority));
  EXPECT_EQ(spent(), 100 * 450 + 50 * 3'600) << "another tier than what was asked for";
  // gpt-5.4: above 272,000 tokens of input 5 and 22.50 USD per million, else 2.50 and 15.
  const auto of_context = [&](const std::string& tokens) {
    const Folder place;
    open(caps, "file:" + place.path + "/x.db");
    create("/v1/responses",
           R"({"model":"gpt-5.4","service_tier":"default","background":true,"max_output_tokens":1000,"input":")" +
               std::string(300'000, 'x') + "\"}",
           queued);
    const std::shared_ptr<Guard> maker = guard;
    open(half, "file:" + place.path + "/x.db");
    EXPECT_TRUE(
        ask("/v1/responses/resp_1",
            R"({"id":"resp_1","object":"response","status":"completed","model":"gpt-5.4","service_tier":"default",)"
            R"("usage":{"input_tokens":)" +
                tokens + R"(,"output_tokens":1000}})"));
    return spent();
  };
  EXPECT_EQ(of_context("75000"), 75'000 * 2'500 + 1000 * 15'000);
  EXPECT_EQ(of_context("272000"), 272'000 * 2'500 + 1000 * 15'000);
  EXPECT_EQ(of_context("272001"), std::int64_t{272'001} * 5'000 + 1000 * 22'500);
}

TEST_F(Jobs, R17_a_stream_in_the_background_that_breaks_off_goes_on) {
  open(caps);
  Attempt one = attempt();
  begin(one, R"({"model":"gpt-5-mini","input":"hello","max_output_tokens":1000,"background":true,"stream":true})",
        "api.openai.com", "/v1/responses");
  ASSERT_TRUE(one.sent());
  const HeaderView headers[] = {{"content-type", "text/event-stream"}};
  one.head(200, headers);
  one.data("event: response.created\ndata: {\"type\":\"response.created\",\"response\":" + std::string(queued) +
           "}\n\n");
  one.abort(Abort::closed);
  EXPECT_EQ(spent(), 0);
  EXPECT_GT(reserved(), 0);
  // Asked for again as a stream.
  Attempt again = attempt();
  ASSERT_EQ(again.begin(asking("/v1/responses/resp_1?stream=true")).kind, Verdict::Kind::send);
  ASSERT_TRUE(again.sent());
  again.head(200, headers);
  again.data("data: {\"type\":\"response.completed\",\"response\":" + std::string(completed) + "}\n\n");
  EXPECT_EQ(spent(), cost_of_used);
}

TEST_F(Jobs, R17_what_goes_on_is_not_settled_by_its_first_answer) {
  open(caps);
  create("/v1/responses", background,
         R"({"id":"resp_1","status":"queued","usage":{"input_tokens":5,"output_tokens":0,"total_tokens":5}})");
  EXPECT_EQ(spent(), 0);
  EXPECT_GT(reserved(), 0);
  EXPECT_TRUE(ask("/v1/responses/resp_1", completed));
  EXPECT_EQ(spent(), cost_of_used);
  // Nobody could ever poll it.
  create("/v1/responses", background, R"({"status":"queued"})");
  EXPECT_EQ(reserved(), 0);
  EXPECT_GT(spent(), cost_of_used);
}

TEST_F(Jobs, R24_a_stream_in_the_background_that_is_closed_before_its_id_is_charged_its_hold) {
  open(caps);
  Attempt one = attempt();
  begin(one, R"({"model":"gpt-5-mini","input":"hello","max_output_tokens":1000,"background":true,"stream":true})",
        "api.openai.com", "/v1/responses");
  ASSERT_TRUE(one.sent());
  const std::int64_t held = reserved();
  const HeaderView headers[] = {{"content-type", "text/event-stream"}};
  one.head(200, headers);
  one.abort(Abort::closed);
  EXPECT_EQ(spent(), held);
}

TEST_F(Jobs, R17_a_streamed_poll_of_one_that_failed_without_usage_costs_nothing) {
  open(caps);
  create("/v1/responses", background, queued);
  Attempt poll = attempt();
  ASSERT_EQ(poll.begin(asking("/v1/responses/resp_1?stream=true")).kind, Verdict::Kind::send);
  ASSERT_TRUE(poll.sent());
  const HeaderView headers[] = {{"content-type", "text/event-stream"}};
  poll.head(200, headers);
  poll.data(
      R"(data: {"type":"response.failed","response":{"id":"resp_1","status":"failed","error":{"code":"server_error"},)"
      "\"usage\":null}}\n\n");
  poll.end();
  EXPECT_EQ(spent(), 0);
  EXPECT_EQ(reserved(), 0);
}

TEST_F(Jobs, R17_an_id_is_one_of_its_kind) {
  open(caps);
  create("/v1/videos", clip, clip_queued);
  EXPECT_FALSE(ask("/v1/responses/video_1", R"({"id":"video_1","status":"completed"})"));
  EXPECT_EQ(reserved(), 4 * usd);
}

TEST_F(Jobs, R17_a_video_that_is_longer_than_asked_for_costs_its_seconds) {
  open(caps);
  create("/v1/videos", R"({"model":"sora-2","prompt":"x","seconds":"4"})", R"({"id":"video_1","status":"queued"})");
  EXPECT_EQ(reserved(), usd * 4 / 10);
  EXPECT_TRUE(ask("/v1/videos/video_1", R"({"id":"video_1","status":"completed","seconds":"12"})"));
  EXPECT_EQ(spent(), usd * 12 / 10);
}

TEST_F(Jobs, R17_a_polls_own_error_is_none_of_the_video) {
  open(caps);
  create("/v1/videos", clip, clip_queued);
  EXPECT_TRUE(ask("/v1/videos/video_1", R"({"status":"error","message":"too many polls"})"));
  EXPECT_EQ(reserved(), 4 * usd);
  EXPECT_TRUE(ask("/v1/videos/video_1", clip_done));
  EXPECT_EQ(spent(), 4 * usd);
}

TEST_F(Jobs, R17_an_ordinary_stream_that_breaks_off_is_no_job) {
  open(caps);
  Attempt one = attempt();
  begin(one, R"({"model":"gpt-5-mini","input":"hello","max_output_tokens":1000,"stream":true})", "api.openai.com",
        "/v1/responses");
  ASSERT_TRUE(one.sent());
  const HeaderView headers[] = {{"content-type", "text/event-stream"}};
  one.head(200, headers);
  one.data("data: {\"type\":\"response.created\",\"response\":" + std::string(queued) + "}\n\n");
  one.abort(Abort::sent);
  EXPECT_EQ(reserved(), 0);
  EXPECT_GT(spent(), 0);
}

TEST_F(Jobs, R17_a_poll_that_says_nothing_of_the_job_settles_nothing) {
  open(caps);
  create("/v1/responses", background, queued);
  const std::int64_t held = reserved();
  EXPECT_TRUE(ask("/v1/responses/resp_1", "{}", 404));
  EXPECT_TRUE(ask("/v1/responses/resp_1", completed, 502));
  EXPECT_TRUE(ask("/v1/responses/resp_1", "<html>"));
  Attempt broken = attempt();
  ASSERT_EQ(broken.begin(asking("/v1/responses/resp_1")).kind, Verdict::Kind::send);
  ASSERT_TRUE(broken.sent());
  broken.abort(Abort::sent);
  EXPECT_EQ(reserved(), held);
  EXPECT_EQ(spent(), 0);
  // What is asked for elsewhere, and what nobody made here, passes.
  EXPECT_FALSE(ask("/v1/responses/resp_2", completed));
  EXPECT_FALSE(ask("/v1/responses/resp_1/input_items", completed));
}

TEST_F(Jobs, R17_what_was_cancelled_without_usage_is_charged_its_hold) {
  open(caps);
  create("/v1/responses", background, queued);
  const std::int64_t held = reserved();
  EXPECT_TRUE(ask("/v1/responses/resp_1/cancel", R"({"id":"resp_1","status":"cancelled","usage":null})", 200, "POST"));
  EXPECT_EQ(spent(), held);
  EXPECT_EQ(rows()[0].how, How::hold);
  EXPECT_EQ(rows()[0].error_class, "cancelled");
}

TEST_F(Jobs, R17_a_response_that_failed_costs_its_usage_or_nothing) {
  open(caps);
  create("/v1/responses", background, queued);
  EXPECT_TRUE(
      ask("/v1/responses/resp_1", R"({"id":"resp_1","status":"failed","error":{"code":"server_error"},"usage":null})"));
  EXPECT_EQ(spent(), 0);
  EXPECT_EQ(rows()[0].how, How::provider_error);
  EXPECT_EQ(rows()[0].error_class, "server_error");
}

TEST_F(Jobs, R17_a_refusal_names_so_many_jobs_that_hold_slots_and_says_where_there_are_more) {
  for (const int jobs : {static_cast<int>(max_slot_jobs), static_cast<int>(max_slot_jobs) + 1}) {
    open("[[cap]]\nid = \"day\"\nlimit = \"500 USD\"\nper = \"day\"\n[[cap]]\nid = \"slots\"\nlimit = \"" +
         std::to_string(jobs) + " concurrent\"\n");
    for (int i = 0; i < jobs; ++i) {
      std::string answer = clip_queued;
      answer.replace(answer.find("video_1"), 7, "video_" + std::to_string(100 + i));
      ASSERT_EQ(create("/v1/videos", clip, answer).kind, Verdict::Kind::send) << i;
    }
    Attempt one = attempt();
    Verdict verdict = begin(one, clip, "api.openai.com", "/v1/videos");
    while (verdict.kind == Verdict::Kind::wait) {  // R21
      clock->advance(10'000);
      verdict = one.proceed();
    }
    ASSERT_EQ(verdict.kind, Verdict::Kind::answer);
    ASSERT_EQ(one.denial()->slot_jobs.size(), max_slot_jobs);
    EXPECT_EQ(one.denial()->slot_jobs.front(), "video_100");
    const bool more = jobs > static_cast<int>(max_slot_jobs);
    EXPECT_EQ(one.denial()->more_slot_jobs, more);
    EXPECT_EQ(one.denial()->message.find("More than 20 slots are held") != std::string::npos, more);
    EXPECT_EQ(one.denial()->to_json().find("more_slot_jobs") != std::string::npos, more);
  }
}

TEST_F(Jobs, R17_a_deadline_charges_and_a_late_poll_corrects) {
  const auto store = open_watched(caps);
  create("/v1/responses", background, queued);
  const std::int64_t held = reserved();
  clock->advance(hour_ms);
  EXPECT_EQ(guard->control()->jobs()->front().row.how, How::expired);
  ASSERT_TRUE(store->sweep());
  EXPECT_EQ(spent(), held);
  EXPECT_EQ(left("slots").reserved, 1);
  EXPECT_TRUE(ask("/v1/responses/resp_1", completed));
  EXPECT_EQ(spent(), cost_of_used);
  EXPECT_EQ(left("slots").reserved, 0);
}

TEST_F(Jobs, a_video_is_held_and_settled_by_its_seconds_and_size) {
  open(caps);
  create("/v1/videos", clip, clip_queued);
  EXPECT_EQ(reserved(), 4 * usd);  // 8 s at 0.50 USD
  EXPECT_TRUE(ask("/v1/videos/video_1", clip_done));
  EXPECT_EQ(spent(), 4 * usd);
  const auto row = rows()[0];
  EXPECT_EQ(row.how, How::counted);
  EXPECT_EQ(row.quantities[Quantity::video_ms], 8'000);
  EXPECT_EQ(*row.context->labels.get("size"), "1024x1792");
  EXPECT_EQ(*row.context->labels.get("resolution"), "1024p");
  // Its content is not the job.
  EXPECT_FALSE(ask("/v1/videos/video_1/content", ""));
}

TEST_F(Jobs, a_video_without_length_and_size_is_as_its_provider_takes_it) {
  open(caps);
  create("/v1/videos", R"({"prompt":"a mill"})", R"({"id":"video_1","status":"queued"})");
  EXPECT_EQ(reserved(), usd * 4 / 10);  // sora-2, 4 s at 0.10 USD
  EXPECT_EQ(guard->control()->jobs()->front().row.context->model, "sora-2");
}

TEST_F(Jobs, a_video_that_failed_costs_nothing_and_a_deleted_one_its_hold) {
  open(caps);
  create("/v1/videos", clip, clip_queued);
  EXPECT_TRUE(ask("/v1/videos/video_1", clip_failed));
  EXPECT_EQ(spent(), 0);
  EXPECT_EQ(rows()[0].how, How::provider_error);
  create("/v1/videos", R"({"prompt":"a mill"})", R"({"id":"video_2","status":"queued"})");
  EXPECT_TRUE(ask("/v1/videos/video_2", R"({"id":"video_2","object":"video.deleted","deleted":true})", 200, "DELETE"));
  EXPECT_EQ(spent(), usd * 4 / 10);
}

TEST_F(Jobs, a_remix_costs_what_its_source_did_where_the_store_knows_it) {
  open(caps);
  create("/v1/videos", R"({"model":"sora-2","prompt":"x","seconds":"12"})", R"({"id":"video_1","status":"queued"})");
  EXPECT_TRUE(ask("/v1/videos/video_1", R"({"id":"video_1","status":"completed"})"));
  EXPECT_EQ(spent(), usd * 12 / 10);
  create("/v1/videos/video_1/remix", R"({"prompt":"y"})", R"({"id":"video_2","status":"queued"})");
  EXPECT_EQ(reserved(), usd * 12 / 10);
  const Verdict unknown = create("/v1/videos/video_9/remix", R"({"prompt":"y"})", "");
  EXPECT_EQ(unknown.kind, Verdict::Kind::answer);
  EXPECT_NE(unknown.answer.body.find("a video made of another, unknown one"), std::string::npos) << unknown.answer.body;
}

TEST_F(Jobs, an_unknown_source_is_held_at_the_policys_amount_and_settled_as_it_is_told) {
  open(std::string("unbounded = \"2 USD\"\n") + caps);
  create("/v1/videos/video_9/remix", R"({"prompt":"y"})", R"({"id":"video_2","status":"queued"})");
  EXPECT_EQ(reserved(), 2 * usd);
  EXPECT_TRUE(ask("/v1/videos/video_2",
                  R"({"id":"video_2","status":"completed","model":"sora-2","seconds":"8","size":"1280x720"})"));
  EXPECT_EQ(spent(), usd * 8 / 10);
}

TEST_F(Jobs, several_videos_of_unknown_length_cost_as_often_what_is_told_of_one) {
  open(std::string("unbounded = \"5 USD\"\n") + caps);
  create("/v1/videos/video_x/remix", R"({"prompt":"again","n":3})",
         R"({"id":"video_9","status":"queued","model":"sora-2"})");
  EXPECT_TRUE(ask("/v1/videos/video_9", R"({"id":"video_9","status":"completed","model":"sora-2","seconds":"4"})"));
  EXPECT_EQ(spent(), 3 * 4 * usd / 10);
}

TEST_F(Jobs, a_video_of_unknown_length_or_price_is_refused) {
  open(caps);
  const Verdict length = begin(*std::make_unique<Attempt>(attempt()), R"({"model":"grok-imagine-video","prompt":"x"})",
                               "api.x.ai", "/v1/videos/generations");
  EXPECT_NE(length.answer.body.find("a video of unknown length"), std::string::npos) << length.answer.body;
  const Verdict price = create("/v1/videos", R"({"model":"sora-9","prompt":"x","seconds":4})", "");
  EXPECT_NE(price.answer.body.find("unpriced_model"), std::string::npos) << price.answer.body;
  const Verdict read = create("/v1/videos", R"({"model":"sora-2","prompt":"x","seconds":"long"})", "");
  EXPECT_NE(read.answer.body.find("not a number of seconds"), std::string::npos) << read.answer.body;
}

TEST_F(Jobs, a_size_that_is_not_known_costs_as_the_dearest) {
  open(caps);
  create("/v1/videos", R"({"model":"sora-2-pro","prompt":"x","size":"64x64"})",
         R"({"id":"video_1","status":"queued"})");
  EXPECT_EQ(reserved(), 2 * usd);
}

TEST_F(Jobs, videos_of_other_hosts_are_priced_by_their_resolution) {
  open(caps);
  Attempt one = attempt();
  ASSERT_EQ(begin(one, R"({"model":"grok-imagine-video","prompt":"x","duration":10,"resolution":"480p"})", "api.x.ai",
                  "/v1/videos/generations")
                .kind,
            Verdict::Kind::send);
  answer(one, R"({"request_id":"r-1"})");
  EXPECT_EQ(reserved(), usd / 2);  // 10 s at 0.05 USD
  Attempt poll = attempt();
  ASSERT_EQ(poll.begin(asking("/v1/videos/r-1", "GET", "api.x.ai")).kind, Verdict::Kind::send);
  answer(poll, R"({"status":"done","video":{"url":"https://x","duration":10},"model":"grok-imagine-video"})");
  EXPECT_EQ(spent(), usd / 2);
}

TEST_F(Jobs, R17_an_equal_request_is_refused_where_the_policy_says_so) {
  open(std::string("jobs = { duplicates = \"refuse\" }\n") + caps);
  create("/v1/videos", clip, clip_queued);
  const Verdict again = create("/v1/videos", clip, "");
  ASSERT_EQ(again.kind, Verdict::Kind::answer);
  EXPECT_NE(again.answer.body.find("\"code\":\"duplicate\""), std::string::npos) << again.answer.body;
  // Another form's boundary makes no other request.
  const auto form = [](const std::string& boundary) {
    return "--" + boundary + "\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\na mill\r\n--" + boundary +
           "--\r\n";
  };
  create("/v1/videos", form("aaaa"), R"({"id":"video_2","status":"queued"})");
  EXPECT_EQ(create("/v1/videos", form("bbbb"), "").kind, Verdict::Kind::answer);
  EXPECT_TRUE(ask("/v1/videos/video_1", clip_failed));
  EXPECT_EQ(create("/v1/videos", clip, clip_queued).kind, Verdict::Kind::send);
}

TEST_F(Jobs, R29_size_and_quality_are_labels_that_caps_match_and_split_by) {
  open(R"(
[[cap]]
id = "high"
limit = "1 images"
per = "day"
match = { quality = "high" }
[[cap]]
id = "each"
each = ["size"]
limit = "2 images"
per = "day"
)");
  const auto draw = [&](const std::string& more) {
    Attempt one = attempt();
    const Verdict verdict =
        begin(one, R"({"model":"gpt-image-1","prompt":"x")" + more + "}", "api.openai.com", "/v1/images/generations");
    if (verdict.kind == Verdict::Kind::send) answer(one, R"({"data":[{}]})");
    return verdict.kind == Verdict::Kind::send;
  };
  EXPECT_TRUE(draw(R"(,"quality":"high","size":"1024x1024")"));
  EXPECT_FALSE(draw(R"(,"quality":"high","size":"1024x1536")"));
  EXPECT_TRUE(draw(R"(,"quality":"low","size":"1024x1024")"));
  EXPECT_FALSE(draw(R"(,"quality":"low","size":"1024x1024")"));
  EXPECT_TRUE(draw(R"(,"quality":"low")"));  // (none)
}

TEST_F(Jobs, R26_a_job_that_the_store_cannot_take_is_written_later) {
  const auto store = open_watched(caps);
  Attempt one = attempt();
  begin(one, background, "api.openai.com", "/v1/responses");
  ASSERT_TRUE(one.sent());
  store->before = [](const char* step) -> std::optional<Error> {
    if (step == std::string("settle")) return Error{Code::store_busy, "busy"};
    return std::nullopt;
  };
  const HeaderView headers[] = {{"content-type", "application/json"}};
  one.head(200, headers);
  one.end(queued);
  EXPECT_EQ(guard->queued(), 1U);
  store->before = [](const char*) { return std::nullopt; };
  ASSERT_TRUE(guard->flush(0));
  EXPECT_TRUE(ask("/v1/responses/resp_1", completed));
  EXPECT_EQ(spent(), cost_of_used);
}

TEST_F(Jobs, R42_a_poll_in_an_event_loop_waits_for_a_busy_store_and_is_never_refused) {
  const auto store = open_watched(caps);
  create("/v1/responses", background, queued);
  bool busy = true;
  store->before = [&](const char* step) -> std::optional<Error> {
    if (busy && step == std::string("find_job")) return Error{Code::store_busy, "busy"};
    return std::nullopt;
  };
  const auto poll = [&](Attempt& one) {
    RequestView request = asking("/v1/responses/resp_1");
    request.in_event_loop = true;
    return one.begin(request);
  };
  Attempt one = attempt();
  EXPECT_EQ(poll(one).kind, Verdict::Kind::wait);
  busy = false;
  ASSERT_EQ(one.proceed().kind, Verdict::Kind::send);
  answer(one, completed);
  EXPECT_EQ(spent(), cost_of_used);
  busy = true;
  Attempt never = attempt();
  EXPECT_EQ(poll(never).kind, Verdict::Kind::wait);
  clock->advance(10'000);
  EXPECT_EQ(never.proceed().kind, Verdict::Kind::pass);
}

}  // namespace
}  // namespace farthing::test::jobs_test
