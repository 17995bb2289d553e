// What only a file store must do: foreign, damaged, newer and replaced files, forks, processes killed at any point (R36 to R38).
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

#include "fixture.h"
#include "store/file/database.h"
#include "store/patience.h"

namespace farthing::test {
namespace {

class FileStore : public ::testing::Test, public Bench {
 protected:
  Folder folder;
  std::string path = folder.path + "/deep/x.db";
  std::string location = "file:" + path;
  Code code_of_open() {
    options.clock = clock;
    const auto opened = open_store(location, options);
    EXPECT_FALSE(opened);
    return opened ? Code::closed : opened.error().code;
  }
};

TEST_F(FileStore, is_made_with_its_folder_for_its_owner_only) {
  open(location);
  struct stat found{};
  ASSERT_EQ(stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600U);
  ASSERT_EQ(stat((folder.path + "/deep").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0700U);
  apply(one_cap);
  for (const char* beside : {"-wal", "-shm", "-gate"}) {
    ASSERT_EQ(stat((path + beside).c_str(), &found), 0) << beside;
    EXPECT_EQ(found.st_mode & 0777, 0600U) << beside;
  }
}

TEST_F(FileStore, keeps_its_log_small_by_itself_and_smaller_where_somebody_tends_it) {
  open(location);
  apply(one_cap);
  const auto pairs = [&](int count) {
    for (int i = 0; i < count; ++i) {
      const AttemptId id = store->next_id();
      ASSERT_TRUE(granted(id, acme, 1'000));
      settle(id, acme, 1'000);
    }
  };
  const auto log_bytes = [&] { return std::filesystem::file_size(path + "-wal"); };
  for (int i = 0; i < 10; ++i) {
    pairs(100);
    ASSERT_TRUE(store->checkpoint());
  }
  EXPECT_LT(log_bytes(), 4U << 20U) << "a thousand pairs are more than twice as much";
  pairs(3'000);
  EXPECT_LE(log_bytes(), 16U << 20U) << "three thousand are twice as much";
  EXPECT_GT(log_bytes(), 4U << 20U) << "or this test measures nothing";
}

TEST_F(FileStore, waits_for_the_disk_at_each_commit_only_where_power_may_fail) {
  for (const bool power : {true, false}) {
    const std::string made = folder.path + (power ? "/power.db" : "/process.db");
    ASSERT_TRUE(prepare_file(made));
    Connection connection;
    ASSERT_TRUE(connection.open(made, false));
    ASSERT_TRUE(prepare_schema(connection, made, power));
    EXPECT_EQ(*connection.number("PRAGMA synchronous"), power ? 2 : 1) << "FULL, NORMAL";
  }
}

TEST_F(FileStore, keeps_what_was_spent_over_a_reopening) {
  open(location);
  apply(one_cap);
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 2));
  settle(id, acme, usd / 3);
  const std::string store_id = store->info().store_id;
  store->close();
  EXPECT_EQ(store->now_ms().error().code, Code::closed);
  open(location);
  refresh();
  EXPECT_EQ(store->info().store_id, store_id);
  EXPECT_EQ(spent("day"), usd / 3);
  EXPECT_EQ(rows().size(), 1U);
}

TEST_F(FileStore, is_whole_in_one_file_once_it_was_closed) {
  open(location);
  apply(one_cap);
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 2));
  settle(id, acme, usd / 3);
  store->close();
  const std::string copy = path + "-copy";
  std::filesystem::copy_file(path, copy);
  open("file:" + copy);
  refresh();
  EXPECT_EQ(spent("day"), usd / 3);
  EXPECT_EQ(rows().size(), 1U);
}

TEST_F(FileStore, refuses_a_foreign_file_and_leaves_it_alone) {
  std::filesystem::create_directories(folder.path + "/deep");
  std::ofstream(path) << "these are notes, not a database, and long enough to be taken for one if nobody looked "
                         "closely at the head of it....";
  EXPECT_EQ(code_of_open(), Code::store_foreign);
  EXPECT_GT(std::filesystem::file_size(path), 50U);
}

TEST_F(FileStore, refuses_a_newer_format_R38) {
  open(location);
  store->close();
  ASSERT_EQ(std::system(("sqlite3 " + path + " 'PRAGMA user_version=99'").c_str()), 0);
  EXPECT_EQ(code_of_open(), Code::store_newer);
  ASSERT_EQ(std::system(("sqlite3 " + path + " 'PRAGMA user_version=1'").c_str()), 0);
  EXPECT_EQ(code_of_open(), Code::store_foreign);  // of before the first release
}

TEST_F(FileStore, refuses_another_programs_database) {
  std::filesystem::create_directories(folder.path + "/deep");
  ASSERT_EQ(std::system(("sqlite3 " + path + " 'CREATE TABLE t(x)'").c_str()), 0);
  EXPECT_EQ(code_of_open(), Code::store_foreign);
}

TEST_F(FileStore, notices_that_its_file_was_replaced_or_removed_R37) {
  open(location);
  apply(one_cap);
  std::filesystem::rename(path, path + ".aside");
  EXPECT_EQ(store->now_ms().error().code, Code::store_replaced);
  Bench other;
  other.clock = clock;
  other.open(location);
  EXPECT_EQ(store->now_ms().error().code, Code::store_replaced);
}

TEST_F(FileStore, two_opens_in_one_process_see_each_other) {
  open(location);
  apply(one_cap);
  Bench other;
  other.clock = clock;
  other.open(location);
  other.refresh();
  ASSERT_TRUE(granted(store->next_id(), acme, usd));
  EXPECT_FALSE(other.granted(other.store->next_id(), acme, 1));
}

/// Runs `body` in a child and answers its exit status.
template <class Body>
int in_child(const Body& body) {
  const pid_t child = fork();
  if (child == 0) {
    body();
    _exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST_F(FileStore, works_in_a_forked_child_R36) {
  open(location);
  apply(one_cap);
  ASSERT_TRUE(granted(store->next_id(), acme, usd / 4));
  EXPECT_EQ(in_child([&] {
              const AttemptId id = store->next_id();
              EXPECT_TRUE(granted(id, acme, usd / 4));
              settle(id, acme, usd / 8);
            }),
            0);
  EXPECT_EQ(counter("day").committed, usd / 4 + usd / 8);
  EXPECT_TRUE(granted(store->next_id(), acme, usd / 4));
}

TEST_F(FileStore, what_a_child_books_outlives_the_parents_close_R36) {
  open(location);
  apply(one_cap);
  int ready[2];
  int go[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(go), 0);
  const pid_t child = fork();
  if (child == 0) {
    static_cast<void>(store->now_ms());  // reopened
    EXPECT_EQ(write(ready[1], "x", 1), 1);
    char byte = 0;
    EXPECT_EQ(read(go[0], &byte, 1), 1);
    const AttemptId id = store->next_id();
    EXPECT_TRUE(granted(id, acme, usd / 4));
    settle(id, acme, usd / 8);
    _exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  store->close();
  ASSERT_EQ(write(go[1], "x", 1), 1);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  open(location);
  refresh();
  EXPECT_EQ(spent("day"), usd / 8);
}

TEST_F(FileStore, memory_refuses_in_a_forked_child_R36) {
  open("memory:");
  apply(one_cap);
  EXPECT_EQ(in_child([&] {
              const auto now = store->now_ms();
              EXPECT_FALSE(now);
              EXPECT_EQ(now.error().code, Code::store_not_shared);
            }),
            0);
}

TEST_F(FileStore, processes_share_a_cap_to_the_last_nano_and_use_it) {
  open(location);
  apply(one_cap);
  std::vector<pid_t> children;
  for (int p = 0; p < 4; ++p) {
    const pid_t child = fork();
    if (child == 0) {
      std::mt19937 random(static_cast<unsigned>(p));
      for (int i = 0; i < 200; ++i) {
        const AttemptId id = store->next_id();
        const std::int64_t hold = usd / 100;
        if (granted(id, acme, hold)) settle(id, acme, hold - static_cast<std::int64_t>(random() % (usd / 200)));
      }
      _exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  std::int64_t sum = 0;
  for (const LedgerRow& row : rows())
    sum += row.booked[Meter::usd];
  EXPECT_EQ(sum, spent("day"));
  EXPECT_LE(counter("day").committed, usd);
  EXPECT_GT(sum, usd * 9 / 10);
  EXPECT_EQ(counter("day").reserved, 0);
}

/// After a kill: the counters are exactly what ledger and holds say, and the cap stands.
void check_books(Bench& bench) {
  std::int64_t booked = 0;
  for (const LedgerRow& row : bench.rows())
    booked += row.booked[Meter::usd];
  std::int64_t held = 0;
  const auto holds = bench.store->holds();
  ASSERT_TRUE(holds) << holds.error().message;
  for (const HoldView& hold : *holds)
    held += hold.draft.held[Meter::usd];
  const CounterView view = bench.counter("day");
  EXPECT_EQ(view.committed, booked + held);
  EXPECT_EQ(view.reserved, held);
  EXPECT_LE(view.committed, usd);
}

class KilledAt : public FileStore, public ::testing::WithParamInterface<const char*> {};

TEST_P(KilledAt, any_step_leaves_exact_books) {
  for (int nth = 1; nth <= 3; ++nth) {
    const std::string own = "file:" + folder.path + "/" + std::to_string(nth) + "/x.db";
    open(own);
    apply(one_cap);
    store->close();
    const int status = in_child([&] {
      int seen = 0;
      options.at_point = [&](const char* point) {
        if (point == std::string(GetParam()) && ++seen == nth) kill(getpid(), SIGKILL);
      };
      open(own);
      refresh();
      for (int i = 0; i < 3; ++i) {
        const AttemptId id = store->next_id();
        if (granted(id, acme, usd / 10)) settle(id, acme, usd / 20);
      }
    });
    EXPECT_TRUE(WIFSIGNALED(status)) << "never came to " << GetParam();
    options.at_point = nullptr;
    open(own);
    refresh();
    check_books(*this);
    EXPECT_TRUE(granted(store->next_id(), acme, usd / 10));
  }
}

INSTANTIATE_TEST_SUITE_P(Points, KilledAt,
                         ::testing::Values("begun", "counter", "hold", "before commit", "after commit", "left",
                                           "erase hold", "ledger"),
                         [](const auto& point) {
                           std::string name = point.param;
                           std::replace(name.begin(), name.end(), ' ', '_');
                           return name;
                         });

TEST_F(FileStore, killed_at_random_leaves_exact_books) {
  const char* more = std::getenv("FARTHING_KILLS");
  const int kills = more == nullptr ? 15 : std::atoi(more);
  open(location);
  apply(one_cap);
  const char* seed = std::getenv("FARTHING_SEED");
  std::mt19937 random(seed == nullptr ? 20261121U : static_cast<unsigned>(std::strtoul(seed, nullptr, 10)));
  for (int round = 0; round < kills; ++round) {
    const int steps = static_cast<int>(random() % 60);
    const int status = in_child([&] {
      int seen = 0;
      options.at_point = [&](const char*) {
        if (++seen > steps) kill(getpid(), SIGKILL);
      };
      open(location);
      refresh();
      for (int i = 0; i < 50; ++i) {
        const AttemptId id = store->next_id();
        if (!granted(id, acme, usd / 5000)) continue;
        if (i % 3 == 0) {  // one that goes on as a job, and may be settled by whoever comes
          Settlement goes_on;
          goes_on.row.id = id;
          goes_on.job =
              Job{.attempt = id, .host = "h", .id = to_text(id), .kind = "video", .lives_ms = hour_ms, .terms = ""};
          EXPECT_TRUE(store->settle(goes_on));
        }
        settle(id, acme, usd / 9000);
      }
    });
    ASSERT_TRUE(WIFSIGNALED(status));
    store->close();
    open(location);  // by somebody new, as after a crash
    check_books(*this);
  }
}

TEST_F(FileStore, the_job_of_a_process_that_was_killed_is_settled_by_another_R17) {
  open(location);
  apply(one_cap);
  store->close();
  const int status = in_child([&] {
    open(location);
    refresh();
    const AttemptId id = store->next_id();
    ASSERT_TRUE(granted(id, acme, usd / 2));
    Settlement goes_on;
    goes_on.row.id = id;
    goes_on.job = Job{.attempt = id, .host = "h", .id = "video_1", .kind = "video", .lives_ms = hour_ms, .terms = "{}"};
    ASSERT_TRUE(store->settle(goes_on));
    kill(getpid(), SIGKILL);
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  open(location);
  refresh();
  clock->advance(hour_ms / 2);  // nobody renews it
  EXPECT_EQ(store->sweep()->expired, 0);
  const auto found = store->find_job("h", "video_1");
  ASSERT_TRUE(found && *found);
  EXPECT_TRUE(settle((*found)->job.attempt, acme, usd / 4).first);
  EXPECT_EQ(spent("day"), usd / 4);
  EXPECT_TRUE(store->jobs()->empty());
}

TEST_F(FileStore, a_broken_record_of_a_batch_is_told_and_forgotten_in_time) {
  open(location);
  store->close();
  const std::string broken = R"(INSERT INTO fact VALUES)"
                             R"(('batch_file', 'h f-1', '{"asks":7,"kept_ms":"then"}'),)"
                             R"(('batch_file', 'h f-2', '['), ('batch_file', 'h f-3', '[]'))";
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, broken.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
  open(location);
  for (const char* id : {"f-1", "f-2", "f-3"}) {
    const auto found = store->find_batch_file("h", id);
    ASSERT_FALSE(found) << id;
    EXPECT_EQ(found.error().code, Code::store_corrupt) << id;
  }
  clock->advance(48 * hour_ms);
  ASSERT_TRUE(store->sweep());
  for (const char* id : {"f-1", "f-2", "f-3"}) {
    const auto found = store->find_batch_file("h", id);
    ASSERT_TRUE(found) << id << found.error().message;
    EXPECT_FALSE(*found) << id;
  }
}

TEST_F(FileStore, R17_a_process_that_dies_with_hundreds_of_holds_is_swept_by_the_next_call) {
  open(location);
  apply("[[cap]]\nid = \"day\"\nlimit = \"1000 USD\"\nper = \"day\"\n");
  for (int i = 0; i < 400; ++i)
    ASSERT_TRUE(granted(store->next_id(), acme, usd / 100));
  clock->advance(2 * hour_ms);
  ASSERT_TRUE(granted(store->next_id(), acme, usd / 100));
  ASSERT_TRUE(store->sweep());
  EXPECT_EQ(spent("day"), 4 * usd);
  EXPECT_EQ(rows().size(), 400U);
}

TEST_F(FileStore, a_full_disk_refuses_and_loses_nothing) {
  const int status = in_child([&] {
    signal(SIGXFSZ, SIG_IGN);
    open(location);
    apply(one_cap);
    const AttemptId id = store->next_id();
    ASSERT_TRUE(granted(id, acme, usd / 2));
    const rlimit full{64 * 1024, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &full);
    bool refused = false;
    for (int i = 0; i < 3000 && !refused; ++i) {
      const AttemptId next = store->next_id();
      const auto answer = reserve(next, acme, {.fixed = 1});
      if (const auto* error = std::get_if<Error>(&answer)) {
        EXPECT_EQ(error->code, Code::store_unavailable) << error->message;
        refused = true;
      }
    }
    EXPECT_TRUE(refused);
    const rlimit space{RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &space);
    EXPECT_TRUE(settle(id, acme, usd / 4).first);
    check_books(*this);
  });
  EXPECT_EQ(status, 0);
}

TEST_F(FileStore, a_stopped_holder_of_the_gate_is_a_refusal_not_a_hang_R42) {
  open(location);
  apply(one_cap);
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t holder = fork();
  if (holder == 0) {
    options.at_point = [&](const char* point) {
      if (point != std::string("begun")) return;
      EXPECT_EQ(write(ready[1], "x", 1), 1);
      raise(SIGSTOP);
    };
    open(location);
    static_cast<void>(store->now_ms());
    _exit(0);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  options.gate_wait_ms = 50;
  options.clock = clock;
  Bench other;
  other.clock = clock;
  const auto blocked = open_store(location, options);
  ASSERT_FALSE(blocked);
  EXPECT_EQ(blocked.error().code, Code::store_unavailable);
  kill(holder, SIGCONT);
  kill(holder, SIGKILL);
  waitpid(holder, nullptr, 0);
  EXPECT_TRUE(open_store(location, options));
}

TEST_F(FileStore, who_has_no_patience_is_told_that_it_is_busy_R42) {
  open(location);
  apply(one_cap);
  const int gate = ::open((path + "-gate").c_str(), O_RDWR);
  ASSERT_GE(gate, 0);
  ASSERT_EQ(flock(gate, LOCK_EX), 0);
  {
    const Patience none(std::chrono::milliseconds(0));
    const ReserveAnswer answer = reserve(AttemptId{7}, {}, {.fixed = usd});
    const auto* error = std::get_if<Error>(&answer);
    ASSERT_NE(error, nullptr);
    EXPECT_EQ(error->code, Code::store_busy);
    // The same while another thread of this process waits for the gate.
    std::atomic<bool> waits{false};
    std::thread other([&] {
      waits.store(true);
      EXPECT_TRUE(store->now_ms());
    });
    while (!waits.load())
      std::this_thread::yield();
    EXPECT_FALSE(store->now_ms());
    flock(gate, LOCK_UN);
    other.join();
  }
  close(gate);
  EXPECT_TRUE(granted(AttemptId{7}, {}, usd));
}

TEST_F(FileStore, a_deadline_that_comes_nearer_ends_a_wait_that_began_before_R26) {
  open(location);
  apply(one_cap);
  const int gate = ::open((path + "-gate").c_str(), O_RDWR);
  ASSERT_EQ(flock(gate, LOCK_EX), 0);
  Patience::Deadline until{Patience::forever};
  std::atomic<bool> waits{false};
  std::thread waiter([&] {
    const Patience shared(until);
    waits.store(true);
    const auto now = store->now_ms();
    ASSERT_FALSE(now);
    EXPECT_EQ(now.error().code, Code::store_busy);
  });
  while (!waits.load())
    std::this_thread::yield();
  until.store(Patience::in(std::chrono::milliseconds(0)));
  waiter.join();
  close(gate);
}

}  // namespace
}  // namespace farthing::test
