// What calls taught, as stores keep it: with the settlement, bounded, and never worth one (R44).
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>

#include "fixture.h"

namespace farthing::test {
namespace {

class LearnedContract : public AnyStore {
 protected:
  /// A call that teaches, from its reserve on.
  Result<Settled> taught(std::uint64_t key, std::int64_t residual, std::int64_t output, How how = How::usage) {
    const AttemptId id = store->next_id();
    EXPECT_TRUE(granted(id, acme, 1));
    return settled(id, {.key = key, .residual = residual, .output = output}, how);
  }
  Result<Settled> settled(AttemptId id, const Lesson& lesson, How how = How::usage) {
    Settlement settlement;
    settlement.row.id = id;
    settlement.row.context = std::make_shared<CallContext>();
    settlement.row.how = how;
    settlement.row.actual = Usd{1};
    settlement.row.booked[Meter::usd] = 1;
    settlement.lesson = lesson;
    return store->settle(settlement);
  }
  std::optional<Learned> learned(std::uint64_t key) {
    const auto row = store->learned(key);
    EXPECT_TRUE(row);
    return row ? *row : std::nullopt;
  }
};

TEST_P(LearnedContract, a_lesson_is_kept_with_its_settlement) {
  apply(one_cap);
  EXPECT_FALSE(learned(7));
  const auto first = taught(7, -11, 40);
  ASSERT_TRUE(first);
  ASSERT_TRUE(first->learned);
  EXPECT_EQ(first->learned->lessons, 1);
  EXPECT_EQ(first->learned->used_ms, first->at_ms);
  clock->advance(1'000);
  ASSERT_TRUE(taught(7, -11, 50));
  ASSERT_TRUE(taught(7, -11, 60));
  ASSERT_TRUE(taught(~std::uint64_t{0}, 5, 1));  // keys are hashes: every number may be one
  const auto row = learned(7);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->lessons, 3);
  EXPECT_EQ(row->used_ms, clock->wall);
  EXPECT_EQ(row->correction(), -11);
  EXPECT_EQ(row->output(50), 50);
  EXPECT_EQ(learned(~std::uint64_t{0})->lessons, 1);
  EXPECT_FALSE(learned(8));
}

TEST_P(LearnedContract, a_call_teaches_once_and_only_with_its_own_hold) {
  apply(one_cap);
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, 1));
  const Lesson lesson{.key = 7, .residual = 1, .output = 1};
  EXPECT_TRUE(settled(id, lesson)->first);
  EXPECT_FALSE(settled(id, lesson)->first);
  EXPECT_FALSE(settled(store->next_id(), lesson));  // never held
  EXPECT_EQ(learned(7)->lessons, 1);
  const AttemptId late = store->next_id();
  ASSERT_TRUE(granted(late, acme, 1));
  clock->advance(hour_ms);
  ASSERT_TRUE(store->sweep());
  EXPECT_TRUE(settled(late, lesson)->adjusted);
  EXPECT_EQ(learned(7)->lessons, 1);
}

TEST_P(LearnedContract, rows_are_bounded_and_the_longest_unused_go_first) {
  apply(one_cap);
  for (std::int64_t key = 0; key < max_learned; ++key) {
    clock->advance(1);
    ASSERT_TRUE(taught(static_cast<std::uint64_t>(key), 0, 1));
  }
  clock->advance(1);
  ASSERT_TRUE(taught(0, 0, 1));  // used again
  EXPECT_TRUE(learned(1));
  ASSERT_TRUE(taught(5'000, 0, 1));
  const auto kept = [&] {
    std::int64_t rows = 0;
    for (std::uint64_t key = 0; key < 6'000; ++key)
      rows += learned(key) ? 1 : 0;
    return rows;
  };
  EXPECT_TRUE(learned(0));
  EXPECT_TRUE(learned(5'000));
  EXPECT_FALSE(learned(1));
  EXPECT_FALSE(learned(100));
  EXPECT_TRUE(learned(101));
  EXPECT_EQ(kept(), max_learned - max_learned / 10 + 1);
  for (std::uint64_t key = 5'001; key < 5'300; ++key) {
    clock->advance(1);
    ASSERT_TRUE(taught(key, 0, 1));
  }
  EXPECT_LE(kept(), max_learned);
  EXPECT_TRUE(learned(5'299));
}

FARTHING_ON_ANY_STORE(LearnedContract);

class LearnedFile : public LearnedContract {};

TEST_P(LearnedFile, another_process_and_a_later_one_see_it) {
  apply(one_cap);
  ASSERT_TRUE(taught(7, 3, 10));
  const pid_t child = fork();
  if (child == 0) {
    const bool seen = learned(7) && learned(7)->lessons == 1 && taught(7, 3, 20);
    _exit(seen ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_EQ(learned(7)->lessons, 2);
  store->close();
  open(location);
  EXPECT_EQ(learned(7)->lessons, 2);
}

TEST_P(LearnedFile, what_cannot_be_kept_does_not_fail_the_settlement) {
  apply(one_cap);
  ASSERT_TRUE(taught(7, 3, 10));
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open((folder.path + "/x.db").c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "ALTER TABLE learned RENAME TO elsewhere", nullptr, nullptr, nullptr), SQLITE_OK);
  const auto without = taught(7, 3, 10);
  ASSERT_TRUE(without) << without.error().message;
  EXPECT_TRUE(without->first);
  EXPECT_FALSE(without->learned);
  EXPECT_EQ(spent("day"), 2);
  ASSERT_EQ(sqlite3_exec(other, "ALTER TABLE elsewhere RENAME TO learned; UPDATE learned SET body = x'00'", nullptr,
                         nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(other);
  // A row of a form that is not ours is learnt anew.
  ASSERT_TRUE(taught(7, 3, 10));
  EXPECT_EQ(learned(7)->lessons, 1);
  EXPECT_EQ(spent("day"), 3);
}

TEST_P(LearnedFile, a_disk_with_room_for_the_settlement_only_takes_the_settlement) {
  apply(one_cap);
  ASSERT_TRUE(taught(7, 3, 10));
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const AttemptId id = store->next_id();
    bool fine = granted(id, acme, 1);
    const auto log = std::filesystem::file_size(folder.path + "/x.db-wal");
    Result<Settled> done = Error{Code::store_unavailable, ""};
    // A little more room each time: the first that suffices has no page for the lesson.
    for (rlim_t more = 0; more < 64 && !done; ++more) {
      const rlimit room{log + more * 256, RLIM_INFINITY};
      setrlimit(RLIMIT_FSIZE, &room);
      done = settled(id, {.key = 7, .residual = 3, .output = 10});
    }
    const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &all);
    fine = fine && done && done->first && !done->learned && learned(7)->lessons == 1 && spent("day") == 2;
    fine = fine && taught(7, 3, 10) && learned(7)->lessons == 2;
    _exit(fine ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

INSTANTIATE_TEST_SUITE_P(Stores, LearnedFile, ::testing::Values("file"), [](const auto& store) { return store.param; });

}  // namespace
}  // namespace farthing::test
