// Holds that go on as a job's (R17), over memory and file.
#include "farthing/control.h"
#include "tests/stores/fixture.h"

namespace farthing::test {
namespace {

class StoreJobs : public AnyStore {
 protected:
  static constexpr const char* caps = R"(
[[cap]]
id = "day"
limit = "1 USD"
per = "day"
[[cap]]
id = "slots"
limit = "2 concurrent"
)";
  static constexpr const char* alerting = R"(
[[cap]]
id = "day"
limit = "1 USD"
per = "day"
alert = [50, 100]
[[cap]]
id = "slots"
limit = "3 concurrent"
)";

  Result<Settled> keep(AttemptId id, const std::string& job, bool slot_until_deadline = false,
                       std::int64_t lives_ms = hour_ms) {
    Settlement settlement;
    auto context = std::make_shared<CallContext>();
    context->labels = acme;
    settlement.row.id = id;
    settlement.row.context = context;
    settlement.row.ceiling = Usd{usd / 2};
    settlement.row.response_id = job;
    settlement.job = Job{.attempt = id,
                         .host = "api.openai.com",
                         .id = job,
                         .kind = "video",
                         .lives_ms = lives_ms,
                         .slot_until_deadline = slot_until_deadline,
                         .terms = R"({"size":"720x1280"})"};
    return store->settle(settlement);
  }
  AttemptId job(const std::string& name, bool slot_until_deadline = false) {
    const AttemptId id = store->next_id();
    EXPECT_TRUE(granted(id, acme, usd / 2));
    const auto kept = keep(id, name, slot_until_deadline);
    EXPECT_TRUE(kept) << kept.error().message;
    return id;
  }
  std::int64_t slots_taken() { return counter("slots").reserved; }
};
FARTHING_ON_ANY_STORE(StoreJobs);

TEST_P(StoreJobs, R17_a_job_keeps_its_hold_until_its_deadline_and_nobody_renews_it) {
  apply(caps);
  const AttemptId id = job("video_1");
  EXPECT_EQ(counter("day").reserved, usd / 2);
  for (int i = 0; i < 29; ++i) {
    clock->advance(hour_ms / 30);
    EXPECT_EQ(store->sweep()->expired, 0);
  }
  const auto found = store->find_job("api.openai.com", "video_1");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->job.attempt, id);
  EXPECT_EQ((*found)->row.how, How::open);
  EXPECT_EQ((*found)->row.response_id, "video_1");
  EXPECT_EQ((*found)->row.held[Meter::usd], usd / 2);
  EXPECT_EQ((*found)->job.terms, R"({"size":"720x1280"})");
  EXPECT_FALSE(*store->find_job("other.example", "video_1"));
  clock->advance(hour_ms / 30);
  ASSERT_TRUE(store->renew());
  EXPECT_EQ(store->sweep()->expired, 1);
  EXPECT_EQ(spent("day"), usd / 2);
  EXPECT_EQ(rows().front().how, How::expired);
}

TEST_P(StoreJobs, R17_a_poll_settles_it_once_and_it_is_over) {
  apply(caps);
  const AttemptId id = job("video_1");
  EXPECT_TRUE(settle(id, acme, usd / 4).first);
  EXPECT_EQ(spent("day"), usd / 4);
  EXPECT_EQ(slots_taken(), 0);
  EXPECT_TRUE(store->jobs()->empty());
  const auto found = store->find_job("api.openai.com", "video_1");
  ASSERT_TRUE(found && *found);  // what refers to it later still finds its terms
  EXPECT_TRUE((*found)->over);
  EXPECT_FALSE(settle(id, acme, usd).first);
  EXPECT_EQ(spent("day"), usd / 4);
  clock->advance(9 * 24 * hour_ms);
  ASSERT_TRUE(store->sweep());
  EXPECT_FALSE(*store->find_job("api.openai.com", "video_1"));
}

TEST_P(StoreJobs, R17_expiry_charges_money_and_the_slot_stays_until_a_poll) {
  apply(caps);
  const AttemptId id = job("video_1");
  clock->advance(hour_ms);
  EXPECT_EQ(store->sweep()->expired, 1);
  EXPECT_EQ(counter("day").reserved, 0);
  EXPECT_EQ(slots_taken(), 1);
  const auto pending = store->jobs();
  ASSERT_EQ(pending->size(), 1U);
  EXPECT_EQ(pending->front().row.how, How::expired);
  EXPECT_TRUE(pending->front().slot);
  EXPECT_TRUE(settle(id, acme, usd / 8).adjusted);
  EXPECT_EQ(spent("day"), usd / 8);
  EXPECT_EQ(slots_taken(), 0);
  EXPECT_TRUE(store->jobs()->empty());
}

TEST_P(StoreJobs, R17_where_the_policy_says_so_expiry_gives_the_slot_back) {
  apply(caps);
  job("video_1", true);
  clock->advance(hour_ms);
  EXPECT_EQ(store->sweep()->expired, 1);
  EXPECT_EQ(slots_taken(), 0);
}

TEST_P(StoreJobs, R17_a_person_ends_one_at_an_amount_or_at_its_hold) {
  apply(caps);
  job("video_1");
  job("video_2");
  ASSERT_TRUE(store->end_job("api.openai.com", "video_1", Usd{usd / 10}, "alice", "seen on the bill"));
  EXPECT_EQ(spent("day"), usd / 10);
  EXPECT_EQ(slots_taken(), 1);
  ASSERT_TRUE(store->end_job("api.openai.com", "video_2", std::nullopt, "alice", "never polled"));
  EXPECT_EQ(spent("day"), usd / 10 + usd / 2);
  EXPECT_EQ(slots_taken(), 0);
  EXPECT_EQ(counter("day").unknown, usd / 2);
  const auto ended = rows();
  EXPECT_EQ(ended[0].how, How::hold);
  EXPECT_EQ(ended[0].why, "never polled");
  EXPECT_EQ(ended[1].who, "alice");
  const auto again = store->end_job("api.openai.com", "video_1", std::nullopt, "", "");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::unknown_job);
}

TEST_P(StoreJobs, R17_one_that_expired_is_ended_too) {
  apply(caps);
  job("video_1");
  job("video_2");
  clock->advance(hour_ms);
  EXPECT_EQ(store->sweep()->expired, 2);
  ASSERT_TRUE(store->end_job("api.openai.com", "video_1", Usd{usd / 10}, "alice", "seen on the bill"));
  ASSERT_TRUE(store->end_job("api.openai.com", "video_2", std::nullopt, "alice", "gone"));
  EXPECT_EQ(spent("day"), usd / 10 + usd / 2);
  EXPECT_EQ(slots_taken(), 0);
  EXPECT_TRUE(store->jobs()->empty());
}

TEST_P(StoreJobs, R18_a_job_that_is_told_after_its_call_expired_is_still_corrected) {
  apply(caps);
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 2));
  clock->advance(hour_ms);
  EXPECT_EQ(store->sweep()->expired, 1);
  ASSERT_TRUE(keep(id, "video_1"));
  EXPECT_TRUE(settle(id, acme, usd / 8).adjusted);
  EXPECT_EQ(spent("day"), usd / 8);
}

TEST_P(StoreJobs, one_id_of_a_host_is_one_job) {
  apply(caps);
  job("video_1");
  const AttemptId other = store->next_id();
  ASSERT_TRUE(granted(other, acme, usd / 2));
  EXPECT_FALSE(keep(other, "video_1"));
  EXPECT_EQ(store->holds()->size(), 2U);
}

TEST_P(StoreJobs, R17_an_equal_request_is_refused_while_the_first_one_holds) {
  apply(caps);
  const Plan planned = plan(acme);
  const auto ask = [&](AttemptId id) {
    ReserveRequest request;
    request.id = id;
    request.plan = &planned;
    request.demand.fixed[Meter::usd] = usd / 10;
    request.fingerprint = "f1";
    return store->reserve(request);
  };
  const AttemptId first = store->next_id();
  ASSERT_TRUE(std::holds_alternative<Granted>(ask(first)));
  ASSERT_TRUE(keep(first, "video_1"));
  const auto second = ask(store->next_id());
  const auto* refused = std::get_if<Refused>(&second);
  ASSERT_NE(refused, nullptr);
  EXPECT_EQ(refused->code, Code::duplicate);
  EXPECT_EQ(refused->duplicate_of, first);
  EXPECT_EQ(counter("day").committed, usd / 10);
  settle(first, acme, usd / 10);
  EXPECT_TRUE(std::holds_alternative<Granted>(ask(store->next_id())));
}

TEST_P(StoreJobs, R12_a_clock_that_was_wrong_does_not_keep_a_job_for_ever) {
  clock->advance(1000 * hour_ms);
  apply(caps);
  job("video_1");
  clock->wall -= 1000 * hour_ms;
  ASSERT_TRUE(store->reset_clock());
  clock->advance(hour_ms);
  EXPECT_EQ(store->sweep()->expired, 1);
}

TEST_P(StoreJobs, R17_one_whose_row_the_ledger_dropped_is_pending_for_nobody_and_its_slot_is_free) {
  if (GetParam() != std::string("memory")) GTEST_SKIP() << "a file keeps every row";
  apply(caps);
  job("video_1");
  clock->advance(hour_ms);
  EXPECT_EQ(store->sweep()->expired, 1);
  for (int i = 0; i <= 10'000; ++i) {  // as many rows as memory keeps
    const AttemptId id = store->next_id();
    ASSERT_TRUE(granted(id, acme, 0));
    settle(id, acme, 0);
  }
  EXPECT_TRUE(store->jobs()->empty());
  const auto found = store->find_job("api.openai.com", "video_1");
  ASSERT_TRUE(found && *found);
  EXPECT_TRUE((*found)->over);
  const auto ended = store->end_job("api.openai.com", "video_1", std::nullopt, "alice", "never polled");
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Code::unknown_job);
  EXPECT_EQ(slots_taken(), 1);
  clock->advance(hour_ms);
  ASSERT_TRUE(store->sweep());
  EXPECT_EQ(slots_taken(), 0);
}

TEST_P(StoreJobs, R17_an_id_that_a_host_gives_again_is_the_newer_job_and_the_older_ones_polls_leave_it_alone) {
  apply(caps);
  const AttemptId first = job("video_1");
  clock->advance(hour_ms);
  EXPECT_EQ(store->sweep()->expired, 1);
  EXPECT_TRUE(settle(first, acme, usd / 8).adjusted);
  const AttemptId second = job("video_1");
  EXPECT_FALSE(settle(first, acme, usd / 8).first);
  const auto pending = store->jobs();
  ASSERT_EQ(pending->size(), 1U);
  EXPECT_EQ(pending->front().job.attempt, second);
  settle(second, acme, usd / 8);
  EXPECT_TRUE(store->jobs()->empty());
  EXPECT_EQ(slots_taken(), 0);
}

TEST_P(StoreJobs, R7_a_slot_of_an_expired_job_counts_on_a_cap_that_is_registered_again) {
  apply(caps);
  const AttemptId id = job("video_1");
  clock->advance(hour_ms);
  EXPECT_EQ(store->sweep()->expired, 1);
  apply("[[cap]]\nid = \"other\"\nlimit = \"1 USD\"\nper = \"day\"\n");
  apply(caps);
  EXPECT_EQ(slots_taken(), 1);
  settle(id, acme, usd / 8);
  EXPECT_EQ(slots_taken(), 0);
}

TEST_P(StoreJobs, R12_an_answer_under_a_wrong_clock_does_not_keep_a_job_for_ever) {
  apply(caps);
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 2));
  clock->wall += 1000 * hour_ms;
  ASSERT_TRUE(keep(id, "video_1"));
  clock->wall -= 1000 * hour_ms;
  ASSERT_TRUE(store->reset_clock());
  clock->advance(hour_ms);
  EXPECT_EQ(store->sweep()->expired, 1);
  const auto pending = store->jobs();
  ASSERT_EQ(pending->size(), 1U);
  EXPECT_EQ(pending->front().deadline_ms, clock->wall);
}

TEST_P(StoreJobs, R17_a_listing_says_what_expired_and_leaves_its_alerts_to_the_next_answer) {
  apply(alerting);
  job("video_1");
  job("video_2", true);
  clock->advance(hour_ms);
  const auto control = Control::over(store);
  const auto listed = control->jobs();
  ASSERT_EQ(listed->size(), 2U);
  EXPECT_EQ(listed->front().row.how, How::expired);
  EXPECT_TRUE(listed->front().slot);
  EXPECT_FALSE(listed->back().slot);
  const auto swept = store->sweep();
  EXPECT_EQ(swept->expired, 2);
  EXPECT_EQ(swept->alerts.size(), 2U);
}

TEST_P(StoreJobs, R35_a_threshold_that_a_command_passes_is_told_by_the_next_settlement_of_a_guard) {
  if (GetParam() == std::string("memory")) GTEST_SKIP() << "for one process only";
  apply(alerting);
  const auto end = [&](const char* job, std::int64_t nano) {
    const auto command = open_store(location, options);  // gone before anybody could be told
    ASSERT_TRUE(command);
    ASSERT_TRUE(Control::over(*command)->end_job(job, Usd{nano}, {.who = "alice", .why = "seen on the bill"}));
  };
  const auto call = [&] {
    const AttemptId id = store->next_id();
    const auto answer = reserve(id, acme, {.fixed = 0});
    EXPECT_TRUE(std::get<Granted>(answer).alerts.empty());
    return settle(id, acme, 0).alerts;
  };
  job("video_1");
  job("video_2");
  end("video_1", usd / 2);
  auto told = call();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told.front().threshold, 50);
  clock->advance(hour_ms);
  ASSERT_EQ(store->sweep()->alerts.size(), 1U);  // 100, at what was held
  Override raise;
  raise.cap_id = "day";
  raise.limit = 2 * usd;
  ASSERT_TRUE(store->set_override(raise));
  refresh();
  ASSERT_EQ(call().size(), 1U);
  end("video_2", 3 * usd / 2);  // it had expired: a correction
  told = call();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told.front().threshold, 100);
}

TEST_P(StoreJobs, R35_a_threshold_that_ending_one_passes_is_told_by_the_next_refusal) {
  apply(alerting);
  job("video_1");
  ASSERT_TRUE(Control::over(store)->end_job("video_1", Usd{usd / 2}, {.who = "alice", .why = "seen on the bill"}));
  const auto answer = reserve(store->next_id(), acme, {.fixed = usd});
  EXPECT_EQ(std::get<Refused>(answer).alerts.size(), 2U);
}

TEST_P(StoreJobs, R18_an_attempt_that_ended_becomes_no_job) {
  apply(caps);
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 2));
  settle(id, acme, usd / 4);
  const auto late = keep(id, "video_1");
  ASSERT_TRUE(late);
  EXPECT_FALSE(late->first);
  EXPECT_EQ(late->how, How::usage);
  EXPECT_EQ(late->actual, Usd{usd / 4});
  EXPECT_TRUE(store->jobs()->empty());
  EXPECT_FALSE(*store->find_job("api.openai.com", "video_1"));
}

TEST_P(StoreJobs, R18_a_job_that_is_over_is_not_told_again) {
  apply(caps);
  const AttemptId id = job("video_1");
  clock->advance(hour_ms);
  EXPECT_EQ(store->sweep()->expired, 1);
  EXPECT_TRUE(settle(id, acme, usd / 8).adjusted);
  ASSERT_TRUE(keep(id, "video_1"));  // its answer's settlement was written, and is written again
  EXPECT_TRUE(store->jobs()->empty());
}

TEST_P(StoreJobs, R7_a_slot_of_an_expired_job_counts_on_a_cap_that_is_registered_later) {
  apply("[[cap]]\nid = \"day\"\nlimit = \"2 USD\"\nper = \"day\"\n");
  const AttemptId id = job("video_1");
  job("video_2", true);
  clock->advance(hour_ms);
  EXPECT_EQ(store->sweep()->expired, 2);
  job("video_3");
  apply(caps);
  EXPECT_EQ(slots_taken(), 2);  // not of the one whose policy gives it back at the deadline
  settle(id, acme, usd / 8);
  EXPECT_EQ(slots_taken(), 1);
}

}  // namespace
}  // namespace farthing::test
