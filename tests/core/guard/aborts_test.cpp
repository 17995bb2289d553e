// Aborts from anywhere at any time: what was let go of is never sent without a hold (promise 1), and ends once (promise 3).
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "guard/turn.h"
#include "tests/core/guard/fixture.h"

namespace farthing::test {
namespace {

class Aborts : public GuardFixture {
 protected:
  std::int64_t reserved() { return guard->control()->status()->counters.front().cap.reserved; }
};

TEST_F(Aborts, before_it_was_sent_release_and_it_may_not_be_sent) {
  open(a_dollar_a_day);
  Attempt one = attempt();
  ASSERT_EQ(begin(one).kind, Verdict::Kind::send);
  one.abort(Abort::not_sent);
  const Status sent = one.sent();
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Code::closed);
  EXPECT_EQ(reserved(), 0);
  EXPECT_EQ(rows().front().how, How::released);
  EXPECT_EQ(begin(one).kind, Verdict::Kind::answer);
  EXPECT_EQ(one.proceed().kind, Verdict::Kind::answer);
}

TEST_F(Aborts, in_the_middle_of_the_reserve_are_done_when_it_ends) {
  const auto watched = open_watched(a_dollar_a_day);
  Attempt one = attempt();
  watched->before = [&](const char* step) -> std::optional<Error> {
    if (std::string(step) == "reserve") {
      one.abort(Abort::sent);                                 // a finalizer, on the same thread
      std::thread([&] { one.abort(Abort::closed); }).join();  // and another thread: neither waits
    }
    return std::nullopt;
  };
  static_cast<void>(begin(one));
  EXPECT_FALSE(one.open());
  EXPECT_FALSE(one.sent());
  EXPECT_EQ(reserved(), 0);
  ASSERT_EQ(rows().size(), 1U);
  EXPECT_EQ(rows().front().how, How::released);
}

TEST_F(Aborts, wake_who_waits_and_it_goes_no_further) {
  open(room_for_one);
  Attempt first = attempt();
  ASSERT_EQ(begin(first).kind, Verdict::Kind::send);
  Attempt second = attempt();
  ASSERT_EQ(begin(second).kind, Verdict::Kind::wait);
  bool woken = false;
  second.abort(Abort::not_sent);
  second.wait();                          // at once
  second.on_wake([&] { woken = true; });  // at once
  EXPECT_TRUE(woken);
  EXPECT_EQ(second.proceed().kind, Verdict::Kind::answer);
  EXPECT_FALSE(second.sent());
}

TEST_F(Aborts, in_the_middle_of_a_wait_do_not_wait_for_it) {
  open(room_for_one);
  Attempt first = attempt();
  ASSERT_EQ(begin(first).kind, Verdict::Kind::send);
  for (int i = 0; i < 50; ++i) {
    Attempt second = attempt();
    ASSERT_EQ(begin(second).kind, Verdict::Kind::wait);
    Verdict last;
    std::thread waiter([&] {
      do {
        second.wait();
        last = second.proceed();
      } while (last.kind == Verdict::Kind::wait);
    });
    second.abort(Abort::not_sent);
    waiter.join();
    EXPECT_EQ(last.kind, Verdict::Kind::answer);
  }
  answer(first);
  EXPECT_EQ(reserved(), 0);
  EXPECT_EQ(rows().size(), 1U);
}

TEST_F(Aborts, that_race_with_sending_either_stop_it_or_are_charged) {
  open("[[cap]]\nid = \"day\"\nlimit = \"1000 USD\"\nper = \"day\"\n");
  int went = 0;
  int stopped = 0;
  for (int i = 0; i < 500; ++i) {
    Attempt one = attempt();
    std::atomic<bool> go{false};
    std::thread other([&] {
      while (!go.load()) {
      }
      one.abort(Abort::sent);
    });
    go.store(true);
    const Verdict verdict = begin(one);
    const bool sent = verdict.kind == Verdict::Kind::send && one.sent().ok();
    other.join();
    one.abort(Abort::sent);  // who was too early is asked again
    EXPECT_FALSE(one.open());
    (sent ? went : stopped) += 1;
  }
  int charged = 0;
  for (const LedgerRow& row : rows())
    charged += row.how == How::hold ? 1 : 0;
  EXPECT_EQ(charged, went);
  EXPECT_EQ(went + stopped, 500);
  EXPECT_EQ(reserved(), 0);
}

TEST_F(Aborts, a_child_may_not_send_what_its_parent_was_granted_R36) {
  const Folder folder;
  open(room_for_one, "file:" + folder.path + "/x.db");
  Attempt parents = attempt();
  ASSERT_EQ(begin(parents).kind, Verdict::Kind::send);
  Attempt waiting = attempt();
  ASSERT_EQ(begin(waiting).kind, Verdict::Kind::wait);
  Attempt fresh = attempt();
  const pid_t child = fork();
  if (child == 0) {
    waiting.wait();
    const bool kept_out = !parents.sent() && waiting.proceed().kind == Verdict::Kind::answer &&
                          begin(fresh).kind == Verdict::Kind::answer && !parents.open() && !parents.receipt();
    _exit(kept_out ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(parents.sent());  // one hold, one sending
}

TEST(TurnWord, loses_nothing_that_is_asked) {
  constexpr int rounds = 2'000;
  guard::TurnWord word;
  std::atomic<int> round{0};
  std::atomic<int> done{0};
  const auto work = [&](std::uint32_t what) {
    EXPECT_EQ(what, 2U);
    done.fetch_add(1);
  };
  std::thread asker([&] {
    for (int i = 0; i < rounds; ++i) {
      while (round.load() <= i)
        std::this_thread::yield();
      if (!word.ask(2)) continue;
      work(2);
      word.give_back(work);
    }
  });
  for (int i = 0; i < rounds; ++i) {
    round.store(i + 1);
    while (done.load() == i) {  // for ever, if it was lost
      word.take();
      word.give_back(work);
    }
  }
  asker.join();
  EXPECT_EQ(done.load(), rounds);
}

}  // namespace
}  // namespace farthing::test
