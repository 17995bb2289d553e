// SQLite's log, written once a commit: as many writes as commits, and never a frame that is not of one.
#include "store/file/log_file.h"

#include <sqlite3.h>
#include <sys/resource.h>

#include <array>
#include <csignal>
#include <fstream>
#include <map>
#include <random>

#include "fixture.h"

namespace farthing::test {
namespace {

/// How often this process has written.
std::int64_t writes() {
  std::ifstream file("/proc/self/io");
  std::string name;
  std::int64_t value = 0;
  while (file >> name >> value) {
    if (name == "syscw:") return value;
  }
  return -1;
}

class Database {
 public:
  Database(const std::string& path, const char* vfs) {
    EXPECT_EQ(sqlite3_open_v2(path.c_str(), &handle_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs), SQLITE_OK);
    // A cache of ten pages: a transaction of more writes frames to the log before it commits.
    for (const char* sql : {"PRAGMA page_size=512", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL",
                            "PRAGMA wal_autocheckpoint=0", "PRAGMA cache_size=10"})
      run(sql);
  }
  ~Database() { sqlite3_close(handle_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void run(const std::string& sql) {
    EXPECT_EQ(sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sql << ": " << sqlite3_errmsg(handle_);
  }
  int tried(const char* sql) { return sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr); }
  std::string text(const char* sql) {
    std::string all;
    const auto add = [](void* out, int, char** values, char**) {
      *static_cast<std::string*>(out) += std::string(values[0] == nullptr ? "null" : values[0]) + "\n";
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(handle_, sql, add, &all, nullptr), SQLITE_OK) << sqlite3_errmsg(handle_);
    return all;
  }

 private:
  sqlite3* handle_ = nullptr;
};

TEST(LogFile, a_commit_is_one_write) {
  const Folder folder;
  Database database(folder.path + "/x.db", log_file_vfs());
  database.run("CREATE TABLE row(id INTEGER PRIMARY KEY, body TEXT)");
  database.run("INSERT INTO row VALUES(0, '')");
  const std::int64_t before = writes();
  ASSERT_GE(before, 0);
  for (int i = 1; i <= 100; ++i)  // several pages each
    database.run("INSERT INTO row VALUES(" + std::to_string(i) + ", '" + std::string(1500, 'x') + "')");
  EXPECT_EQ(writes() - before, 100);
}

TEST(LogFile, another_connection_sees_a_commit_at_once_and_nothing_before_it) {
  const Folder folder;
  Database writer(folder.path + "/x.db", log_file_vfs());
  Database reader(folder.path + "/x.db", nullptr);
  writer.run("CREATE TABLE row(id INTEGER PRIMARY KEY, body TEXT)");
  writer.run("BEGIN IMMEDIATE");
  for (int i = 1; i <= 100; ++i)
    writer.run("INSERT INTO row VALUES(" + std::to_string(i) + ", '" + std::string(900, 'x') + "')");
  EXPECT_EQ(reader.text("SELECT count(*) FROM row"), "0\n");
  writer.run("COMMIT");
  EXPECT_EQ(reader.text("SELECT count(*), sum(length(body)) FROM row"), "100\n");
  EXPECT_EQ(reader.text("PRAGMA integrity_check"), "ok\n");
}

TEST(LogFile, what_was_rolled_back_is_not_written_over_another_commit) {
  const Folder folder;
  Database first(folder.path + "/x.db", log_file_vfs());
  Database second(folder.path + "/x.db", log_file_vfs());
  first.run("CREATE TABLE row(id INTEGER PRIMARY KEY, body TEXT)");
  for (int round = 0; round < 20; ++round) {
    first.text("PRAGMA wal_checkpoint(TRUNCATE)");  // so that a roll-back reads nothing from the log
    first.run("BEGIN IMMEDIATE");
    first.run("INSERT INTO row(body) VALUES('" + std::string(60'000, 'a') + "')");
    first.run("ROLLBACK");
    second.run("INSERT INTO row(body) VALUES('" + std::string(700, 'b') + "')");
    first.run("INSERT INTO row(body) VALUES('c')");
  }
  EXPECT_EQ(first.text("SELECT group_concat(substr(body, 1, 1), '') FROM row"),
            "bcbcbcbcbcbcbcbcbcbcbcbcbcbcbcbcbcbcbcbc\n");
  EXPECT_EQ(second.text("PRAGMA integrity_check"), "ok\n");
}

TEST(LogFile, a_large_transaction_is_whole) {
  const Folder folder;
  {
    Database database(folder.path + "/x.db", log_file_vfs());
    database.run("CREATE TABLE row(id INTEGER PRIMARY KEY, body BLOB)");
    // One that lies in the cache until it commits, larger than SQLite's VFS writes at once; one that is written before.
    database.run("PRAGMA cache_size=10000");
    database.run("INSERT INTO row VALUES(1, randomblob(400000))");
    database.run("PRAGMA cache_size=10");
    database.run("INSERT INTO row VALUES(2, randomblob(3000000))");
    database.run("CREATE TABLE sum AS SELECT id, hex(substr(body, -20)) AS tail, length(body) AS size FROM row");
  }
  Database after(folder.path + "/x.db", nullptr);
  EXPECT_EQ(after.text("PRAGMA integrity_check"), "ok\n");
  EXPECT_EQ(after.text("SELECT count(*) FROM row JOIN sum USING (id) WHERE hex(substr(body, -20)) = tail AND "
                       "length(body) = size AND size >= 400000"),
            "2\n");
}

TEST(LogFile, a_disk_that_is_full_loses_the_transaction_and_nothing_else) {
  const Folder folder;
  const std::string path = folder.path + "/x.db";
  Database writer(path, log_file_vfs());
  writer.run("CREATE TABLE row(id INTEGER PRIMARY KEY, body BLOB)");
  writer.run("INSERT INTO row VALUES(1, 'before')");
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit space{};
  getrlimit(RLIMIT_FSIZE, &space);
  rlimit full = space;
  full.rlim_cur = 200'000;
  setrlimit(RLIMIT_FSIZE, &full);
  writer.run("BEGIN IMMEDIATE");
  // Written to the log before it commits; reading it back in between must not hide that it is not there.
  EXPECT_NE(writer.tried("INSERT INTO row VALUES(2, randomblob(2000000)); SELECT sum(length(body)) FROM row;"
                         "INSERT INTO row VALUES(3, randomblob(3000)); COMMIT"),
            SQLITE_OK);
  writer.tried("ROLLBACK");
  setrlimit(RLIMIT_FSIZE, &space);
  std::signal(SIGXFSZ, SIG_DFL);
  writer.run("INSERT INTO row VALUES(4, 'after')");
  Database after(path, nullptr);
  EXPECT_EQ(after.text("PRAGMA integrity_check"), "ok\n");
  EXPECT_EQ(after.text("SELECT id || body FROM row ORDER BY id"), "1before\n4after\n");
}

/// Random transactions of two connections, with savepoints, roll-backs and checkpoints, against a map.
TEST(LogFile, random_transactions_leave_what_they_committed) {
  const Folder folder;
  const std::string path = folder.path + "/x.db";
  std::mt19937 random(20'261'122);
  const auto upto = [&random](int bound) { return static_cast<int>(random() % static_cast<unsigned>(bound)); };
  std::map<int, int> expected;
  {
    Database one(path, log_file_vfs());
    Database two(path, log_file_vfs());
    const std::array<Database*, 2> both = {&one, &two};
    one.run("PRAGMA synchronous=FULL");
    one.run("CREATE TABLE row(id INTEGER PRIMARY KEY, size INTEGER, body TEXT)");
    for (int step = 0; step < 400; ++step) {
      Database& database = *both[random() % 2];
      std::map<int, int> next = expected;
      const auto change = [&](std::map<int, int>& into) {
        for (int i = upto(40); i >= 0; --i) {
          const int id = upto(300);
          const int size = upto(1'200);
          into[id] = size;
          database.run("INSERT OR REPLACE INTO row VALUES(" + std::to_string(id) + "," + std::to_string(size) + ",'" +
                       std::string(static_cast<std::size_t>(size), 'x') + "')");
        }
      };
      database.run("BEGIN IMMEDIATE");
      change(next);
      if (upto(3) == 0) {
        database.run("SAVEPOINT inner");
        std::map<int, int> inner = next;
        change(inner);
        if (upto(2) == 0) {
          database.run("ROLLBACK TO inner");
        } else {
          next = inner;
        }
        change(next);
      }
      if (upto(4) == 0) {
        database.run("ROLLBACK");
      } else {
        database.run("COMMIT");
        expected = next;
      }
      if (upto(30) == 0) both[random() % 2]->text("PRAGMA wal_checkpoint(RESTART)");
    }
  }
  Database after(path, nullptr);  // as SQLite reads it alone
  EXPECT_EQ(after.text("PRAGMA integrity_check"), "ok\n");
  std::string rows;
  for (const auto& [id, size] : expected)
    rows += std::to_string(id) + " " + std::to_string(size) + " " + std::to_string(size) + "\n";
  EXPECT_EQ(after.text("SELECT id || ' ' || size || ' ' || length(body) FROM row ORDER BY id"), rows);
}

}  // namespace
}  // namespace farthing::test
