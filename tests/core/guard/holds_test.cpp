// Calls beside each other: waiting for what others hold (R21), retries (R27), tasks (R28), actions and runs (R10), receipts,
// alerts (R35).
#include <thread>

#include "guard/hold_queue.h"
#include "tests/core/guard/fixture.h"

namespace farthing::test {
namespace {

class Holds : public GuardFixture {};

TEST_F(Holds, who_would_fit_once_others_settle_waits_and_goes_in_the_order_of_arrival_R21) {
  open(room_for_one);
  Attempt first = attempt();
  Attempt second = attempt();
  Attempt third = attempt();
  ASSERT_EQ(begin(first).kind, Verdict::Kind::send);
  EXPECT_EQ(begin(second).kind, Verdict::Kind::wait);
  EXPECT_EQ(begin(third).kind, Verdict::Kind::wait);
  int woken = 0;
  second.on_wake([&] { ++woken; });
  answer(first);
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(third.proceed().kind, Verdict::Kind::wait);  // not its turn
  EXPECT_EQ(second.proceed().kind, Verdict::Kind::send);
  EXPECT_EQ(third.proceed().kind, Verdict::Kind::wait);
  answer(second);
  EXPECT_EQ(third.proceed().kind, Verdict::Kind::send);
}

TEST_F(Holds, a_newcomer_does_not_pass_those_who_wait_R21) {
  open(room_for_one);
  Attempt first = attempt();
  ASSERT_EQ(begin(first).kind, Verdict::Kind::send);
  Attempt waiting = attempt();
  ASSERT_EQ(begin(waiting).kind, Verdict::Kind::wait);
  Attempt small = attempt();  // would fit now
  EXPECT_EQ(begin(small, R"({"model":"gpt-5-mini","messages":[],"max_completion_tokens":16})").kind,
            Verdict::Kind::wait);
  answer(first);
  EXPECT_EQ(waiting.proceed().kind, Verdict::Kind::send);
  EXPECT_EQ(small.proceed().kind, Verdict::Kind::send);
}

TEST_F(Holds, a_newcomer_that_could_never_fit_does_not_queue_for_it_R21) {
  open(room_for_one);
  Attempt first = attempt();
  ASSERT_EQ(begin(first).kind, Verdict::Kind::send);
  Attempt waiting = attempt();
  ASSERT_EQ(begin(waiting).kind, Verdict::Kind::wait);
  Attempt huge = attempt();
  EXPECT_EQ(begin(huge, R"({"model":"gpt-5-mini","messages":[],"max_completion_tokens":100000})").kind,
            Verdict::Kind::answer);
  EXPECT_FALSE(huge.denial()->held);
}

TEST_F(Holds, a_newcomer_does_not_pass_those_who_wait_for_its_task_R21_R28) {
  open("[[cap]]\nid = \"day\"\nlimit = \"1 USD\"\nper = \"day\"\n");
  const auto task = Scope::root()->enter_task("triage", Usd{5'000'000});
  ASSERT_TRUE(task);
  Attempt first = attempt(nullptr, *task);
  ASSERT_EQ(begin(first).kind, Verdict::Kind::send);
  Attempt waiting = attempt(nullptr, *task);
  ASSERT_EQ(begin(waiting).kind, Verdict::Kind::wait);
  constexpr const char* little = R"({"model":"gpt-5-mini","messages":[],"max_completion_tokens":16})";
  Attempt small = attempt(nullptr, *task);  // would fit now
  EXPECT_EQ(begin(small, little).kind, Verdict::Kind::wait);
  Attempt elsewhere = attempt();
  EXPECT_EQ(begin(elsewhere, little).kind, Verdict::Kind::send);
  answer(first);
  EXPECT_EQ(waiting.proceed().kind, Verdict::Kind::send);
  EXPECT_EQ(small.proceed().kind, Verdict::Kind::send);
}

TEST_F(Holds, nobody_waits_where_the_policy_says_so_R21) {
  open(std::string("held_wait = \"0s\"\n") + room_for_one);
  Attempt first = attempt();
  ASSERT_EQ(begin(first).kind, Verdict::Kind::send);
  Attempt second = attempt();
  ASSERT_EQ(begin(second).kind, Verdict::Kind::answer);
  EXPECT_TRUE(second.denial()->held);
  EXPECT_EQ(second.denial()->caps.front().reserved, left("day").reserved);
}

TEST_F(Holds, nobody_waits_longer_than_the_client_would_R21) {
  open(room_for_one);
  Attempt first = attempt();
  ASSERT_EQ(begin(first).kind, Verdict::Kind::send);
  const HeaderView headers[] = {{"authorization", "Bearer sk-test-0123456789"}, {"x-stainless-read-timeout", "5"}};
  Attempt second = attempt();
  ASSERT_EQ(second
                .begin({.method = "POST",
                        .host = "api.openai.com",
                        .path = "/v1/chat/completions",
                        .headers = headers,
                        .body = hello})
                .kind,
            Verdict::Kind::wait);
  clock->advance(4'999);
  EXPECT_EQ(second.proceed().kind, Verdict::Kind::wait);
  clock->advance(2);
  EXPECT_EQ(second.proceed().kind, Verdict::Kind::answer);
}

TEST_F(Holds, those_who_wait_are_told_of_a_halt_R34) {
  open(room_for_one);
  Attempt first = attempt();
  ASSERT_EQ(begin(first).kind, Verdict::Kind::send);
  Attempt head = attempt();
  Attempt behind = attempt();
  ASSERT_EQ(begin(head).kind, Verdict::Kind::wait);
  ASSERT_EQ(begin(behind).kind, Verdict::Kind::wait);
  ASSERT_TRUE(guard->control()->halt({}, {"ann", "incident 12"}));
  int woken = 0;
  behind.on_wake([&] { ++woken; });
  EXPECT_EQ(head.proceed().kind, Verdict::Kind::answer);
  EXPECT_EQ(woken, 1);  // at once, not when its own time comes
  EXPECT_EQ(behind.proceed().kind, Verdict::Kind::answer);
  EXPECT_EQ(behind.denial()->code, Code::halted);
}

TEST_F(Holds, the_wait_ends_with_a_refusal_that_says_held_R21) {
  open(room_for_one);
  Attempt first = attempt();
  ASSERT_EQ(begin(first).kind, Verdict::Kind::send);
  Attempt second = attempt();
  ASSERT_EQ(begin(second).kind, Verdict::Kind::wait);
  clock->advance(60'001);
  EXPECT_EQ(second.proceed().kind, Verdict::Kind::answer);
  ASSERT_TRUE(second.denial());
  EXPECT_TRUE(second.denial()->held);
  EXPECT_EQ(second.denial()->stale_streams, 0);
}

TEST_F(Holds, a_held_refusal_names_streams_that_nobody_reads_R17) {
  const auto store = open_watched(std::string("held_wait = \"0s\"\n") + room_for_one);
  Attempt first = attempt();
  ASSERT_EQ(begin(first).kind, Verdict::Kind::send);
  for (int i = 0; i < 5; ++i) {  // its process lives, and renews it
    clock->advance(30'000);
    ASSERT_TRUE(store->renew());
  }
  Attempt second = attempt();
  ASSERT_EQ(begin(second).kind, Verdict::Kind::answer);
  EXPECT_EQ(second.denial()->stale_streams, 1);
  EXPECT_NE(second.denial()->message.find("older than 120 s"), std::string::npos);
}

TEST_F(Holds, an_abort_while_waiting_leaves_nothing) {
  open(room_for_one);
  Attempt first = attempt();
  ASSERT_EQ(begin(first).kind, Verdict::Kind::send);
  Attempt second = attempt();
  ASSERT_EQ(begin(second).kind, Verdict::Kind::wait);
  Attempt third = attempt();
  ASSERT_EQ(begin(third).kind, Verdict::Kind::wait);
  second.abort(Abort::not_sent);
  answer(first);
  EXPECT_EQ(third.proceed().kind, Verdict::Kind::send);
  EXPECT_EQ(rows().size(), 1U);
}

TEST_F(Holds, an_attempt_that_is_forgotten_ends_by_itself_once) {
  open(room_for_one);
  {
    Attempt unsent = attempt();
    ASSERT_EQ(begin(unsent).kind, Verdict::Kind::send);
  }
  EXPECT_EQ(rows().front().how, How::released);
  {
    Attempt sent = attempt();
    ASSERT_EQ(begin(sent).kind, Verdict::Kind::send);
    EXPECT_TRUE(sent.sent());
    const Attempt moved = std::move(sent);
  }
  EXPECT_EQ(rows().size(), 2U);
  EXPECT_EQ(rows().front().how, How::hold);
}

TEST_F(Holds, retries_of_one_call_are_held_on_its_own_cap_together_R27) {
  open("[[cap]]\nid = \"each-call\"\nlimit = \"0.005 USD\"\nper = \"call\"\n");
  const auto one = guard->call();
  Attempt first = attempt(one);
  ASSERT_EQ(begin(first).kind, Verdict::Kind::send);
  EXPECT_TRUE(first.sent());
  first.abort(Abort::sent);  // charged its hold
  Attempt retry = attempt(one);
  EXPECT_EQ(begin(retry).kind, Verdict::Kind::answer);
  EXPECT_EQ(retry.denial()->code, Code::per_call_cap_exceeded);
  EXPECT_EQ(call().kind, Verdict::Kind::send);  // another call has all of it
}

TEST_F(Holds, a_task_is_a_counter_of_its_own_R28) {
  open("[[cap]]\nid = \"day\"\nlimit = \"1 USD\"\nper = \"day\"\n");
  const auto task = Scope::root()->enter_task("triage", Usd{5'000'000});
  ASSERT_TRUE(task);
  Attempt first = attempt(nullptr, *task);
  ASSERT_EQ(begin(first).kind, Verdict::Kind::send);
  const std::string run = (*task)->runs().front().id;
  EXPECT_GT(guard->run(run)->reserved, 0);
  answer(first);
  EXPECT_EQ(guard->run(run)->spent, cost_of_used);
  EXPECT_EQ(rows().front().runs.front().second, "triage");
  Attempt too_dear = attempt(nullptr, *task);
  EXPECT_EQ(begin(too_dear, R"({"model":"gpt-5-mini","messages":[],"max_completion_tokens":10000})").kind,
            Verdict::Kind::answer);
  EXPECT_EQ(too_dear.denial()->caps.front().level, "task");
}

TEST_F(Holds, an_action_counts_once_and_again_where_its_first_call_was_refused_R10) {
  open(
      "[[cap]]\nid = \"actions\"\nlimit = \"2 actions\"\nper = \"day\"\n"
      "[[cap]]\nid = \"day\"\nlimit = \"0.005 USD\"\nper = \"day\"\n");
  const auto actions = [&] { return guard->control()->status()->counters.front().cap; };
  const auto action = Scope::root()->enter_action();
  Attempt refused = attempt(nullptr, action);
  ASSERT_EQ(begin(refused, R"({"model":"gpt-5-mini","messages":[],"max_completion_tokens":10000})").kind,
            Verdict::Kind::answer);
  EXPECT_EQ(actions().spent + actions().reserved, 0);
  for (int i = 0; i < 2; ++i) {
    Attempt one = attempt(nullptr, action);
    ASSERT_EQ(begin(one).kind, Verdict::Kind::send);
    answer(one);
  }
  EXPECT_EQ(actions().spent, 1);
}

TEST_F(Holds, an_action_is_counted_by_the_retry_where_the_first_attempt_never_left_R10) {
  open("[[cap]]\nid = \"actions\"\nlimit = \"5 actions\"\nper = \"day\"\n");
  const auto one = guard->call();  // outside of guard.action(): the call is the action
  Attempt unsent = attempt(one);
  ASSERT_EQ(begin(unsent).kind, Verdict::Kind::send);
  unsent.abort(Abort::not_sent);
  EXPECT_EQ(left("actions").spent + left("actions").reserved, 0);
  for (int i = 0; i < 2; ++i) {
    Attempt retry = attempt(one);
    ASSERT_EQ(begin(retry).kind, Verdict::Kind::send);
    answer(retry);
  }
  EXPECT_EQ(left("actions").spent, 1);
}

TEST_F(Holds, a_run_is_counted_once_however_many_calls_it_makes_R10) {
  open("[[cap]]\nid = \"runs\"\nlimit = \"2 runs\"\nper = \"day\"\n");
  for (int i = 0; i < 2; ++i) {
    const auto task = Scope::root()->enter_task("triage", std::nullopt);
    ASSERT_TRUE(task);
    for (int call = 0; call < 3; ++call) {
      Attempt one = attempt(nullptr, *task);
      ASSERT_EQ(begin(one).kind, Verdict::Kind::send);
      answer(one);
    }
    EXPECT_EQ(left("runs").spent, i + 1);
  }
  const auto third = Scope::root()->enter_task("triage", std::nullopt);
  Attempt one = attempt(nullptr, *third);
  ASSERT_EQ(begin(one).kind, Verdict::Kind::answer);
  EXPECT_EQ(one.denial()->caps.front().meter, Meter::runs);
  Attempt outside = attempt();  // of no run
  EXPECT_EQ(begin(outside).kind, Verdict::Kind::send);
}

TEST_F(Holds, a_task_inside_a_task_is_held_on_both_and_the_inner_cannot_pass_the_outer_R28) {
  open("[[cap]]\nid = \"day\"\nlimit = \"1 USD\"\nper = \"day\"\n");
  const auto outer = Scope::root()->enter_task("outer", Usd{5'000'000});
  ASSERT_TRUE(outer);
  const auto inner = (*outer)->enter_task("inner", Usd{500'000'000});
  ASSERT_TRUE(inner);
  ASSERT_EQ((*inner)->runs().size(), 2U);
  Attempt one = attempt(nullptr, *inner);
  ASSERT_EQ(begin(one).kind, Verdict::Kind::send);
  answer(one);
  for (const auto& run : (*inner)->runs())
    EXPECT_EQ(guard->run(run.id)->spent, cost_of_used) << run.task;
  Attempt too_dear = attempt(nullptr, *inner);
  ASSERT_EQ(begin(too_dear, R"({"model":"gpt-5-mini","messages":[],"max_completion_tokens":10000})").kind,
            Verdict::Kind::answer);
  ASSERT_EQ(too_dear.denial()->caps.size(), 1U);
  EXPECT_EQ(too_dear.denial()->caps.front().counter.front().second, "outer");
}

TEST_F(Holds, a_receipt_is_found_by_all_its_ids) {
  open(room_for_one);
  Attempt one = attempt();
  ASSERT_EQ(begin(one).kind, Verdict::Kind::send);
  answer(one);
  for (const std::string& id : {one.id(), std::string("chatcmpl-1"), std::string("req_1")}) {
    ASSERT_TRUE(guard->receipt(id)) << id;
    EXPECT_EQ(guard->receipt(id)->cost, Usd{cost_of_used});
    EXPECT_EQ(guard->receipt(id)->left.front().spent, cost_of_used);
  }
  EXPECT_FALSE(guard->receipt("req_2"));
}

TEST_F(Holds, a_threshold_is_told_to_the_callback_R35) {
  open("[[cap]]\nid = \"day\"\nlimit = \"0.005 USD\"\nper = \"day\"\nalert = [2]\n");
  call();
  ASSERT_TRUE(guard->flush(1000));
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts.front().threshold, 2);
  EXPECT_EQ(alerts.front().spent, cost_of_used);
  call();
  ASSERT_TRUE(guard->flush(1000));
  EXPECT_EQ(alerts.size(), 1U);
}

TEST_F(Holds, a_first_refusal_is_told_once_and_a_bound_that_counting_lowers_is_none_R35) {
  open("[[cap]]\nid = \"day\"\nlimit = \"0.005 USD\"\nper = \"day\"\nalert = [100]\n");
  std::string words;
  for (int i = 0; i < 1'300; ++i)
    words += "hello ";
  // By its bytes the input takes 0.0036 USD at the most, by its tokens 0.0006.
  const std::string body = R"({"model":"gpt-5-mini","messages":[{"role":"user","content":")" + words +
                           R"("}],"max_completion_tokens":1000})";
  std::int64_t passed = 0;
  Verdict verdict;
  for (; passed < 100; ++passed) {
    Attempt one = attempt();
    verdict = begin(one, body);
    if (verdict.kind != Verdict::Kind::send) break;
    answer(one);
    ASSERT_TRUE(guard->flush(1000));
    EXPECT_TRUE(alerts.empty()) << "told of a call that passed";
  }
  EXPECT_EQ(verdict.kind, Verdict::Kind::answer);
  EXPECT_GT(passed, 1);
  ASSERT_TRUE(guard->flush(1000));
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts.front().threshold, 100);
  EXPECT_EQ(alerts.front().spent, passed * cost_of_used);
  Attempt again = attempt();
  EXPECT_EQ(begin(again, body).kind, Verdict::Kind::answer);
  ASSERT_TRUE(guard->flush(1000));
  EXPECT_EQ(alerts.size(), 1U);
}

TEST_F(Holds, threads_that_abort_and_answer_at_once_settle_once) {
  open("[[cap]]\nid = \"day\"\nlimit = \"100 USD\"\nper = \"day\"\n");
  constexpr int calls = 200;
  for (int i = 0; i < calls; ++i) {
    Attempt one = attempt();
    ASSERT_EQ(begin(one).kind, Verdict::Kind::send);
    EXPECT_TRUE(one.sent());
    std::thread other([&] { one.abort(Abort::sent); });
    const HeaderView headers[] = {{"content-type", "application/json"}};
    one.head(200, headers);
    one.end(used);
    other.join();
  }
  EXPECT_EQ(rows().size(), static_cast<std::size_t>(calls));
  std::int64_t sum = 0;
  for (const LedgerRow& row : rows())
    sum += row.actual->nano;
  const auto counter = guard->control()->status()->counters.front().cap;
  EXPECT_EQ(counter.spent, sum);
  EXPECT_EQ(counter.reserved, 0);
}

TEST(HoldQueue, the_oldest_of_a_line_is_its_head_and_keeps_its_arrival_in_another) {
  guard::HoldQueue queue;
  const auto first = queue.join("a", queue.changes(), nullptr);
  const auto second = queue.join("a", queue.changes(), nullptr);
  const auto third = queue.join("b", queue.changes(), nullptr);
  EXPECT_TRUE(queue.is_head(*first));
  EXPECT_FALSE(queue.is_head(*second));
  EXPECT_TRUE(queue.is_head(*third));
  EXPECT_EQ(queue.busy_line({"c", "b", "a"}), "b");
  queue.join("b", queue.changes(), first);
  EXPECT_TRUE(queue.is_head(*first));
  EXPECT_FALSE(queue.is_head(*third));
  EXPECT_TRUE(queue.is_head(*second));
  for (const auto& ticket : {first, second, third})
    queue.leave(ticket);
  queue.leave(first);
  EXPECT_TRUE(queue.empty());
}

TEST(HoldQueue, a_settlement_between_the_reserve_and_the_line_is_not_missed) {
  guard::HoldQueue queue;
  const auto seen = queue.changes();
  queue.settled();
  const auto ticket = queue.join("a", seen, nullptr);
  bool woken = false;
  queue.on_wake(*ticket, [&] { woken = true; });
  EXPECT_TRUE(woken);
}

}  // namespace
}  // namespace farthing::test
