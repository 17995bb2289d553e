// Who waits for the file's gate, and where (R42).
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <functional>

#include "fixture.h"

namespace farthing::test {
namespace {

class Gated : public ::testing::Test, public Bench {
 protected:
  Folder folder;
  int waits = 0;
  std::function<void()> meanwhile = [] {};
  int gate = -1;

  void SetUp() override {
    options.blocking = [this](const std::function<void()>& wait) {
      ++waits;
      meanwhile();
      wait();
    };
    open("file:" + folder.path + "/x.db");
    apply("[[cap]]\nid = \"c\"\nlimit = \"1 USD\"\nper = \"day\"\n");
    gate = ::open((folder.path + "/x.db-gate").c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_GE(gate, 0);
  }
  void TearDown() override { close(gate); }
};

TEST_F(Gated, R42_a_gate_that_is_free_is_entered_without_a_wait) {
  for (int i = 0; i < 100; ++i) {
    const AttemptId id = store->next_id();
    ASSERT_TRUE(granted(id, {}, 1));
    settle(id, {}, 1);
  }
  EXPECT_EQ(waits, 0);
}

TEST_F(Gated, R42_one_that_is_taken_is_waited_for_where_the_guard_lets_go_of_the_interpreter) {
  ASSERT_EQ(flock(gate, LOCK_EX), 0);
  meanwhile = [this] { flock(gate, LOCK_UN); };  // nobody else would: a wait outside of it would never end
  EXPECT_TRUE(granted(AttemptId{7}, {}, 1));
  EXPECT_EQ(waits, 1);
}

}  // namespace
}  // namespace farthing::test
