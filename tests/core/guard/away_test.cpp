// A store that is away, or broken: no call passes, no settlement is lost without a word (R26).
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "guard/housekeeping.h"
#include "tests/core/guard/fixture.h"

namespace farthing::test {
namespace {

using ::testing::HasSubstr;

constexpr const char* a_lot_a_day = "[[cap]]\nid = \"day\"\nlimit = \"1000 USD\"\nper = \"day\"\n";

class Away : public GuardFixture {
 protected:
  std::shared_ptr<WatchedStore> store;

  void open_here(const std::string& location = "memory:") { store = open_watched(a_lot_a_day, location); }
  /// The named step fails from now on; an empty code: works again.
  void fail(const std::string& failing, std::optional<Code> code) {
    store->before = [failing, code](const char* step) -> std::optional<Error> {
      if (!code || failing != step) return std::nullopt;
      return Error{*code, "the disk is on fire"};
    };
  }
  CapLeft day() { return guard->control()->status()->counters.front().cap; }
};

TEST_F(Away, a_call_that_cannot_be_held_is_refused_and_says_why) {
  open_here();
  fail("reserve", Code::store_unavailable);
  Attempt one = attempt();
  ASSERT_EQ(begin(one).kind, Verdict::Kind::answer);
  EXPECT_EQ(one.denial()->code, Code::store_unavailable);
  EXPECT_THAT(one.denial()->message, HasSubstr("the disk is on fire"));
  fail("", std::nullopt);
  EXPECT_EQ(day().reserved, 0);
  EXPECT_EQ(call().kind, Verdict::Kind::send);
}

TEST_F(Away, a_plan_that_cannot_be_made_is_a_refusal_R6) {
  open_here();
  // Another guard changes the registry, so that the plan must be made again.
  ASSERT_TRUE(guard->control()->halt({}, {"ann", "incident"}));
  fail("registry", Code::store_unavailable);
  Attempt one = attempt();
  ASSERT_EQ(begin(one).kind, Verdict::Kind::answer);
  EXPECT_EQ(one.denial()->code, Code::store_unavailable);
}

TEST_F(Away, a_settlement_waits_in_the_line_and_the_caller_does_not_notice) {
  open_here();
  fail("settle", Code::store_unavailable);
  Attempt one = attempt();
  ASSERT_EQ(begin(one).kind, Verdict::Kind::send);
  answer(one);
  ASSERT_TRUE(one.receipt());
  EXPECT_EQ(one.receipt()->cost, Usd{cost_of_used});
  EXPECT_EQ(guard->queued(), 1U);
  EXPECT_GT(day().reserved, 0);  // the hold stands meanwhile
  const Status flushed = guard->flush(1);
  ASSERT_FALSE(flushed);
  EXPECT_THAT(flushed.error().message, HasSubstr("1 settlement"));
  fail("", std::nullopt);
  ASSERT_TRUE(guard->flush(1000));
  EXPECT_EQ(guard->queued(), 0U);
  EXPECT_EQ(day().spent, cost_of_used);
  EXPECT_EQ(day().reserved, 0);
  EXPECT_TRUE(warnings.empty());
}

TEST_F(Away, a_settlement_that_never_can_be_written_is_told_of_and_its_hold_is_charged) {
  open_here();
  fail("settle", Code::store_corrupt);
  for (int i = 0; i < 2; ++i) {
    Attempt one = attempt();
    ASSERT_EQ(begin(one).kind, Verdict::Kind::send);
    answer(one);
  }
  ASSERT_TRUE(guard->flush(1000));
  EXPECT_EQ(guard->queued(), 0U);
  ASSERT_EQ(warnings.size(), 1U);  // once per kind
  EXPECT_THAT(warnings.front(), HasSubstr("the disk is on fire"));
  EXPECT_THAT(warnings.front(), HasSubstr("charged in full"));
  fail("", std::nullopt);
  const std::int64_t held = day().reserved;
  clock->advance(2 * hour_ms);
  ASSERT_TRUE(store->sweep());
  EXPECT_EQ(day().spent, held);
  for (const LedgerRow& row : rows())
    EXPECT_EQ(row.how, How::expired);
}

TEST_F(Away, a_settlement_that_fails_while_it_waits_is_told_of_too) {
  open_here();
  fail("settle", Code::store_unavailable);
  ASSERT_EQ(call().kind, Verdict::Kind::send);
  fail("settle", Code::store_corrupt);
  ASSERT_TRUE(guard->flush(1000));
  EXPECT_EQ(warnings.size(), 1U);
}

TEST_F(Away, a_busy_store_is_asked_again_and_keeps_nobody_waiting_R42) {
  open_here();
  for (const char* step : {"registry", "reserve"}) {
    ASSERT_TRUE(guard->control()->halt({}, {"ann", "to make every plan anew"}));
    ASSERT_TRUE(guard->control()->resume(std::nullopt, {"ann", ""}));
    fail(step, Code::store_busy);
    Attempt one = attempt();
    ASSERT_EQ(begin(one).kind, Verdict::Kind::wait) << step;
    ASSERT_EQ(one.proceed().kind, Verdict::Kind::wait);
    bool woken = false;
    one.on_wake([&] { woken = true; });
    EXPECT_FALSE(woken);  // nobody tells when it is free: the verdict's time says when to ask
    one.wait();
    fail("", std::nullopt);
    ASSERT_EQ(one.proceed().kind, Verdict::Kind::send) << step;
    answer(one);
  }
  EXPECT_EQ(day().spent, 2 * cost_of_used);
}

TEST_F(Away, a_store_that_stays_busy_refuses_in_the_end_R42) {
  open_here();
  fail("reserve", Code::store_busy);
  Attempt one = attempt();
  ASSERT_EQ(begin(one).kind, Verdict::Kind::wait);
  clock->advance(9'999);
  ASSERT_EQ(one.proceed().kind, Verdict::Kind::wait);
  clock->advance(1);
  ASSERT_EQ(one.proceed().kind, Verdict::Kind::answer);
  EXPECT_EQ(one.denial()->code, Code::store_unavailable);
}

TEST_F(Away, a_settlement_that_a_busy_store_does_not_take_is_written_later_and_its_alerts_are_told_R35_R42) {
  const Folder folder;
  store = open_watched(std::string(a_lot_a_day) + "alert = [50]\n");
  const std::size_t first = alerts.size();
  Attempt one = attempt();
  ASSERT_EQ(begin(one, R"({"model":"gpt-5-mini","messages":[],"max_completion_tokens":100})").kind,
            Verdict::Kind::send);
  fail("settle", Code::store_busy);
  answer(one, R"({"id":"c","model":"gpt-5-mini","choices":[{"finish_reason":"stop"}],)"
              R"("usage":{"prompt_tokens":9,"completion_tokens":400000000}})");
  EXPECT_EQ(guard->queued(), 1U);
  fail("", std::nullopt);
  ASSERT_TRUE(guard->flush(1000));
  ASSERT_TRUE(guard->flush(1000));  // the alert came with the first
  ASSERT_EQ(alerts.size(), first + 1);
  EXPECT_EQ(alerts.back().threshold, 50);
  EXPECT_EQ(alerts.back().cap_id, "day");
}

TEST_F(Away, a_callback_may_let_go_of_the_guard_while_settlements_wait) {
  StoreOptions beneath;
  beneath.clock = clock;
  store = std::make_shared<WatchedStore>(*open_store("memory:", beneath));
  options.opened_store = store;
  options.clock = clock;
  options.on_alert = [&](const AlertEvent&) {
    binding.reset();
    guard.reset();
    fail("", std::nullopt);
    options = {};
  };
  GuardOptions own = options;
  auto opened = Guard::open(policy_of(std::string(a_lot_a_day) + "alert = [1]\n"), std::move(own));
  ASSERT_TRUE(opened) << opened.error().message;
  guard = std::move(*opened);
  binding = *guard->bind({}, {});
  {
    Attempt queued = attempt();
    ASSERT_EQ(begin(queued).kind, Verdict::Kind::send);
    Attempt dear = attempt();
    ASSERT_EQ(begin(dear).kind, Verdict::Kind::send);
    fail("settle", Code::store_unavailable);
    answer(queued);
    fail("", std::nullopt);
    answer(dear,
           R"({"id":"c","model":"gpt-5-mini","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":9000000}})");
  }
  while (store.use_count() > 1)  // the thread has one until it ends
    std::this_thread::yield();
  EXPECT_TRUE(store->holds()->empty());
}

TEST_F(Away, what_cannot_be_written_at_the_end_is_told_R26) {
  open_here();
  fail("settle", Code::store_unavailable);
  ASSERT_EQ(call().kind, Verdict::Kind::send);
  guard->close();
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings.front(), HasSubstr("1 settlement"));
}

TEST_F(Away, the_line_has_an_end) {
  open_here();
  fail("settle", Code::store_unavailable);
  for (std::size_t i = 0; i <= guard::Housekeeping::max_queued; ++i) {
    Attempt one = attempt();
    ASSERT_EQ(begin(one).kind, Verdict::Kind::send);
    one.abort(Abort::not_sent);
  }
  EXPECT_EQ(guard->queued(), guard::Housekeeping::max_queued);
  fail("", std::nullopt);
  ASSERT_TRUE(guard->flush(60'000));
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings.front(), HasSubstr("10000 others wait"));
  EXPECT_EQ(guard->control()->status()->open_holds, 1);
}

TEST_F(Away, what_waits_in_a_parent_is_not_its_childs_R36) {
  const Folder folder;
  open_here("file:" + folder.path + "/x.db");
  fail("settle", Code::store_unavailable);
  ASSERT_EQ(call().kind, Verdict::Kind::send);
  ASSERT_EQ(guard->queued(), 1U);
  const pid_t child = fork();
  if (child == 0) {
    const bool empty = guard->queued() == 0;
    call();
    const bool own = guard->queued() == 1;
    fail("", std::nullopt);
    _exit(empty && own && guard->flush(10'000) && guard->queued() == 0 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(guard->queued(), 1U);
  fail("", std::nullopt);
  ASSERT_TRUE(guard->flush(10'000));
  EXPECT_EQ(rows().size(), 2U);
  EXPECT_EQ(day().spent, 2 * cost_of_used);
}

}  // namespace
}  // namespace farthing::test
