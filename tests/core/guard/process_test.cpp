// What a guard does when its store is away (R26), and after a fork (R36).
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "tests/core/guard/fixture.h"

namespace farthing::test {
namespace {

class Process : public GuardFixture {
 protected:
  Folder folder;
  std::string file() const { return "file:" + folder.path + "/x.db"; }
};

TEST_F(Process, a_settlement_waits_until_the_store_is_there_again_and_no_call_passes_meanwhile_R26) {
  open(a_dollar_a_day, file());
  Attempt sent = attempt();
  ASSERT_EQ(begin(sent).kind, Verdict::Kind::send);
  const std::filesystem::path path = folder.path + "/x.db";
  const std::filesystem::path aside = folder.path + "/aside";
  std::filesystem::rename(path, aside);  // R37: the file is gone
  answer(sent);
  EXPECT_TRUE(sent.receipt());
  EXPECT_EQ(guard->queued(), 1U);
  Attempt next = attempt();
  EXPECT_EQ(begin(next).kind, Verdict::Kind::answer);
  EXPECT_EQ(next.denial()->code, Code::store_replaced);
  std::filesystem::rename(aside, path);
  ASSERT_TRUE(guard->flush(1000));
  EXPECT_EQ(guard->queued(), 0U);
  ASSERT_EQ(rows().size(), 1U);
  EXPECT_EQ(rows().front().how, How::usage);
  EXPECT_EQ(left("day").spent, cost_of_used);
  EXPECT_EQ(left("day").reserved, 0);
  ASSERT_EQ(call().kind, Verdict::Kind::send);
}

TEST_F(Process, a_child_leaves_its_parents_calls_alone_and_makes_its_own_R36) {
  open(a_dollar_a_day, file());
  Attempt parents = attempt();
  ASSERT_EQ(begin(parents).kind, Verdict::Kind::send);
  EXPECT_TRUE(parents.sent());
  const pid_t child = fork();
  if (child == 0) {
    parents.abort(Abort::sent);  // a finalizer: not ours
    static_cast<void>(parents.data("{}"));
    static_cast<void>(parents.end());
    parents.end(used);
    const bool untouched = rows().empty() && guard->control()->status()->open_holds == 1;
    const bool own = call().kind == Verdict::Kind::send;
    _exit(untouched && own ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  const HeaderView headers[] = {{"content-type", "application/json"}};
  parents.head(200, headers);
  parents.end(used);
  EXPECT_EQ(rows().size(), 2U);
  EXPECT_EQ(guard->control()->status()->counters.front().cap.spent, 2 * cost_of_used);
  EXPECT_EQ(guard->control()->status()->open_holds, 0);
}

TEST_F(Process, memory_refuses_in_a_child_R36) {
  open(a_dollar_a_day);
  const pid_t child = fork();
  if (child == 0) {
    Attempt one = attempt();
    const bool refused = begin(one).kind == Verdict::Kind::answer;
    _exit(refused && one.denial()->message.find("forked") != std::string::npos ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(Process, a_closed_guard_refuses) {
  open(a_dollar_a_day);
  guard->close();
  guard->close();
  Attempt one = attempt();
  EXPECT_EQ(begin(one).kind, Verdict::Kind::answer);
}

TEST_F(Process, its_thread_ends_with_the_guard) {
  options.background_thread = true;
  options.clock = clock;
  options.store = file();
  for (int i = 0; i < 20; ++i) {
    auto opened = Guard::open(policy_of(a_dollar_a_day), options);
    ASSERT_TRUE(opened) << opened.error().message;
    guard = *opened;
    binding = *guard->bind({}, {});
    call();
    guard.reset();
  }
}

}  // namespace
}  // namespace farthing::test
