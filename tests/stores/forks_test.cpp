// What a forked child finds of a store that its parent opened (R36, R37).
#include <sys/wait.h>

#include <atomic>
#include <set>
#include <thread>

#include "fixture.h"

namespace farthing::test {
namespace {

class ForkedStore : public ::testing::Test, public Bench {
 protected:
  Folder folder;
  std::string path = folder.path + "/x.db";

  /// Runs `body` in a child and answers its exit status; one that hangs is killed.
  template <class Body>
  static int in_child(const Body& body) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(30);
      body();
      fflush(nullptr);
      _exit(::testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status;
  }

  /// Starts `count` threads that begin together.
  template <class Body>
  static void together(int count, const Body& body) {
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) {
      threads.emplace_back([&] {
        ++ready;
        while (ready.load() < count) {
        }
        body();
      });
    }
    for (std::thread& thread : threads)
      thread.join();
  }

  void expect_replaced(const Result<std::int64_t>& now) {
    ASSERT_FALSE(now);
    EXPECT_EQ(now.error().code, Code::store_replaced) << now.error().message;
  }
};

TEST_F(ForkedStore, R36_threads_of_a_child_that_call_first_together_share_one_store) {
  open("file:" + path);
  apply(one_cap);
  ASSERT_TRUE(granted(store->next_id(), acme, 1));
  for (int round = 0; round < 50; ++round) {
    ASSERT_EQ(in_child([&] {
                together(8, [&] {
                  const AttemptId id = store->next_id();
                  const auto answer = reserve(id, acme, {.fixed = 1});
                  const auto* error = std::get_if<Error>(&answer);
                  EXPECT_EQ(error, nullptr) << error->message;
                  EXPECT_TRUE(settle(id, acme, 1).first);
                });
              }),
              0)
        << "round " << round;
  }
  EXPECT_EQ(counter("day").committed, 1 + 50 * 8);
  std::set<AttemptId> ids;
  for (const LedgerRow& row : rows())
    ids.insert(row.id);
  EXPECT_EQ(ids.size(), 50U * 8U);
}

TEST_F(ForkedStore, R36_a_child_goes_on_whatever_a_thread_of_the_parent_was_doing) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer ends a child that starts threads where its parent had some";
#endif
  open("file:" + path);
  apply(one_cap);
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop.load())
      static_cast<void>(store->next_id()), static_cast<void>(store->now_ms());
  });
  // Who reads the ledger is not in a step of the store.
  for (int i = 0; i < 200; ++i) {
    const AttemptId id = store->next_id();
    ASSERT_TRUE(granted(id, acme, 1));
    settle(id, acme, 1);
  }
  std::thread reader([&] {
    while (!stop.load())
      static_cast<void>(store->ledger({}, [](const LedgerRow&) { return true; }));
  });
  for (int round = 0; round < 60; ++round) {
    EXPECT_EQ(in_child([&] {
                together(4, [&] {
                  const auto now = store->now_ms();
                  EXPECT_TRUE(now) << now.error().message;
                });
              }),
              0);
  }
  stop.store(true);
  busy.join();
  reader.join();
}

TEST_F(ForkedStore, R36_a_fork_waits_for_a_step_however_long_it_takes) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer ends a child that starts threads where its parent had some";
#endif
  std::atomic<bool> slow{false};
  std::atomic<bool> inside{false};
  options.at_point = [&](const char* point) {
    if (!slow.load() || std::string_view(point) != "begun") return;
    inside.store(true);
    std::this_thread::sleep_for(std::chrono::milliseconds(400));  // a disk that takes its time
    slow.store(false);
  };
  open("file:" + path);
  apply(one_cap);
  slow.store(true);
  std::thread busy([&] { EXPECT_TRUE(granted(AttemptId{7}, acme, 1)); });
  while (!inside.load())
    std::this_thread::yield();
  EXPECT_EQ(in_child([&] { EXPECT_TRUE(settle(AttemptId{7}, acme, 1).first); }), 0);
  EXPECT_FALSE(slow.load());
  busy.join();
  EXPECT_EQ(counter("day").committed, 1);
}

TEST_F(ForkedStore, R36_threads_of_a_child_of_memory_are_all_refused) {
  open("memory:");
  apply(one_cap);
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(in_child([&] {
                together(8, [&] {
                  EXPECT_EQ(store->next_id().value, 0U);
                  const auto now = store->now_ms();
                  EXPECT_TRUE(!now && now.error().code == Code::store_not_shared);
                });
              }),
              0);
  }
}

TEST_F(ForkedStore, R37_a_child_refuses_a_removed_file_as_its_parent_does_and_makes_no_new_one) {
  open("file:" + path);
  apply(one_cap);
  std::filesystem::remove(path);
  expect_replaced(store->now_ms());
  EXPECT_EQ(in_child([&] {
              expect_replaced(store->now_ms());
              expect_replaced(store->now_ms());
              EXPECT_TRUE(std::holds_alternative<Error>(reserve(AttemptId{1}, acme, {.fixed = 1})));
            }),
            0);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ForkedStore, R37_a_child_refuses_another_store_in_the_place_of_its_parents) {
  open("file:" + path);
  apply(one_cap);
  std::filesystem::rename(path, path + ".aside");
  Bench other;
  other.clock = clock;
  other.open("file:" + path);
  other.apply(one_cap);
  EXPECT_EQ(in_child([&] { expect_replaced(store->now_ms()); }), 0);
  EXPECT_EQ(other.store->holds()->size(), 0U);
}

TEST_F(ForkedStore, R37_a_child_takes_no_emptied_file_for_a_new_store) {
  open("file:" + path);
  apply(one_cap);
  EXPECT_EQ(in_child([&] {
              std::filesystem::remove(path + "-wal");
              std::filesystem::remove(path + "-shm");
              std::filesystem::resize_file(path, 0);
              expect_replaced(store->now_ms());
              EXPECT_EQ(std::filesystem::file_size(path), 0U);
            }),
            0);
}

}  // namespace
}  // namespace farthing::test
