// What a reserve and its settle cost in each store: 10 counters (5 caps x 2 windows) among 2,000, with a ledger row.
// Prints JSON rows {"name", "unit", "value", "baseline", "ratio"}: medians of rounds, value and baseline taken in turn,
// since a machine's speed changes more between minutes than between two stores.
//
//   store_bench [NAME...]      only these rows; "file" is the one of four processes
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "policy/plan.h"
#include "store/store.h"

namespace {

using namespace farthing;
using SteadyClock = std::chrono::steady_clock;

constexpr int plans_made = 250;  // x 4 kinds x 2 windows = 2,000 counters, and two of everybody's
constexpr int rounds = 41;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "store_bench: %s\n", what.c_str());
  std::exit(1);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double microseconds(const std::function<void()>& work) {
  const auto start = SteadyClock::now();
  work();
  return std::chrono::duration<double, std::micro>(SteadyClock::now() - start).count();
}

bool first_row = true;
void print(const std::string& name, const char* unit, double value, double baseline, const char* baseline_is) {
  std::printf(
      "%s\n  {\"name\": \"%s\", \"unit\": \"%s\", \"value\": %.3f, \"baseline\": %.3f, \"ratio\": %.3f, "
      "\"baseline_is\": \"%s\"}",
      first_row ? "" : ",", name.c_str(), unit, value, baseline, value / baseline, baseline_is);
  std::fflush(stdout);
  first_row = false;
}

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "farthing-bench-XXXXXX").string();
    path = mkdtemp(pattern.data());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string path;
};

Policy policy() {
  std::string toml;
  for (const char* each : {"", "project", "user", "task", "customer"}) {
    for (const char* per : {"day", "month"}) {
      toml += std::string("[[cap]]\nid = \"") + (*each == '\0' ? "all" : each) + "-" + per +
              "\"\nlimit = \"1000000 USD\"\nper = \"" + per + "\"\n";
      if (*each != '\0') toml += std::string("each = \"") + each + "\"\n";
    }
  }
  PolicyOrProblems read = policy_from_toml(toml, "bench.toml", [](std::string_view) { return std::nullopt; });
  if (!read.ok()) fail(read.problems.front().message);
  read.policy->name = "bench";
  read.policy->origin = Origin::code;
  return std::move(*read.policy);
}

/// A store with the policy in force and 2,000 counters, each used once.
class Subject {
 public:
  explicit Subject(const std::string& location) {
    StoreOptions options;
    options.clock = system_clock();
    auto opened = open_store(location, options);
    if (!opened) fail(opened.error().message);
    store = *opened;
    if (const auto applied = store->apply(policy(), false); !applied) fail(applied.error().message);
    auto registry = store->registry();
    if (!registry) fail(registry.error().message);
    index_ = std::make_unique<CapIndex>(std::move(*registry));
    for (int i = 0; i < plans_made; ++i) {
      Labels labels;
      for (const char* kind : {"project", "user", "task", "customer"})
        labels.set_default(kind, std::string(kind) + "-" + std::to_string(i));
      plans_.push_back(index_->plan(labels, options.clock->wall_ms()));
      auto context = std::make_shared<CallContext>();
      context->labels = labels;
      context->labels_json = labels.to_json();
      context->provider = "openai";
      context->host = "api.openai.com";
      context->endpoint = "chat.completions";
      context->modality = "text";
      context->model = "gpt-5-mini";
      context->model_asked = "gpt-5-mini";
      context->key_name = "farthing";
      context->book_version = "2026.11";
      context->rates_json = R"({"input_tokens":"0.25","cache_read_tokens":"0.025","output_tokens":"2.00"})";
      contexts_.push_back(context);
    }
    LedgerRow& row = settlement_.row;
    row.call = "0123456789ABC";
    row.process = "12345@machine-of-a-team";
    row.likely = Usd{1'000'000};
    row.ceiling = Usd{3'000'000};
    row.confidence = "heuristic";
    draft_ = row;  // what is known before a call is sent
    row.how = How::usage;
    row.actual = Usd{1'234'567};
    row.quantities[Quantity::input_tokens] = 612;
    row.quantities[Quantity::output_tokens] = 233;
    row.status = 200;
    row.latency_ms = 800;
    row.model_served = "gpt-5-mini-2025-08-07";
    row.tier_served = "default";
    row.request_id = "req_0123456789abcdef0123456789abcdef";
    row.response_id = "chatcmpl-0123456789abcdef012345678";
    row.finish_reason = "stop";
    for (int i = 0; i < plans_made; ++i)
      pair();
  }

  /// One reserve and its settle, on the next five sets: each of another neighbourhood.
  void pair() {
    const std::size_t at = next_++ * 89 % plans_made;
    draft_.context = contexts_[at];
    ReserveRequest request;
    request.id = store->next_id();
    request.plan = &plans_[at];
    request.demand.fixed[Meter::usd] = 1'000'000;
    request.demand.fixed[Meter::requests] = 1;
    request.demand.fixed[Meter::input_tokens] = 700;
    request.demand.per_output[Meter::usd] = 2'000;
    request.demand.per_output[Meter::output_tokens] = 1;
    request.demand.want = 1'000;
    request.demand.least = 16;
    request.take_what_fits = true;
    request.draft = &draft_;
    const ReserveAnswer answer = store->reserve(request);
    const auto* grant = std::get_if<Granted>(&answer);
    if (grant == nullptr) fail("refused");
    LedgerRow& row = settlement_.row;
    row.context = draft_.context;
    row.id = request.id;
    row.booked = grant->held;
    row.booked[Meter::usd] = 1'234'567;
    // As often as a call teaches (guard/learning.h), each set of labels another tool set.
    settlement_.lesson.reset();
    if (next_ % 8 == 0) settlement_.lesson = Lesson{.key = 0x9e3779b97f4a7c15U * at, .residual = -11, .output = 233};
    if (!store->settle(settlement_)) fail("not settled");
  }

  std::shared_ptr<Store> store;

 private:
  std::unique_ptr<CapIndex> index_;
  std::vector<Plan> plans_;
  std::vector<std::shared_ptr<const CallContext>> contexts_;
  // The rows of every call but for its ids and amounts.
  LedgerRow draft_;
  Settlement settlement_;
  std::size_t next_ = 0;
};

/// The least that a store in memory can do: a lock, ten counters found by key, checked, then changed, and a row kept.
class BareMemory {
 public:
  BareMemory() {
    for (const char* kind : {"project", "user", "task", "customer", "all"}) {
      for (const char* per : {"day", "month"}) {
        for (int i = 0; i < plans_made; ++i)
          counters_[key(kind, per, i)] = 0;
      }
    }
    for (int i = 0; i < plans_made; ++i) {
      for (const char* kind : {"project", "user", "task", "customer", "all"}) {
        for (const char* per : {"day", "month"})
          keys_.push_back(key(kind, per, i));
      }
    }
  }
  void pair() {
    const std::size_t at = next_++ * 89 % plans_made * 10;
    const std::lock_guard reserve(mutex_);
    for (std::size_t i = at; i < at + 10; ++i) {
      if (counters_.find(keys_[i])->second + 3'000'000 > 1'000'000'000'000'000) fail("refused");
    }
    for (std::size_t i = at; i < at + 10; ++i)
      counters_.find(keys_[i])->second += 3'000'000;
    for (std::size_t i = at; i < at + 10; ++i)
      counters_.find(keys_[i])->second += 1'234'567 - 3'000'000;
    rows_.emplace_back();
    rows_.back().id.value = next_;
    if (rows_.size() > 10'000) rows_.clear();
  }

 private:
  static std::string key(const char* kind, const char* per, int i) {
    return std::string(kind) + "/" + per + "/" + std::to_string(i);
  }
  std::mutex mutex_;
  std::unordered_map<std::string, std::int64_t> counters_;
  std::vector<std::string> keys_;
  std::vector<LedgerRow> rows_;
  std::size_t next_ = 0;
};

/// The least that two durable steps in SQLite cost: WAL, NORMAL, one counter of 2,000 changed, one row of 600 bytes written.
class BareSqlite {
 public:
  explicit BareSqlite(const std::string& path) {
    if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK) fail("cannot open " + path);
    run("PRAGMA page_size=1024; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0;"
        "CREATE TABLE counter(id INTEGER PRIMARY KEY, committed INTEGER); CREATE TABLE row(id INTEGER PRIMARY KEY, "
        "body BLOB);"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO counter SELECT i, "
        "0 FROM n");
    begin_ = prepare("BEGIN IMMEDIATE");
    commit_ = prepare("COMMIT");
    change_ = prepare("UPDATE counter SET committed = committed + 1 WHERE id = ?");
    add_ = prepare("INSERT INTO row(body) VALUES(?)");
  }
  ~BareSqlite() {
    for (sqlite3_stmt* statement : {begin_, commit_, change_, add_})
      sqlite3_finalize(statement);
    sqlite3_close(db_);
  }
  void pair() {
    static const std::string body(600, 'x');
    for (int step = 0; step < 2; ++step) {
      run(begin_);
      sqlite3_bind_int64(change_, 1, static_cast<sqlite3_int64>(next_++ * 89 % 2000 + 1));
      run(change_);
      if (step == 1) {
        sqlite3_bind_blob(add_, 1, body.data(), static_cast<int>(body.size()), SQLITE_STATIC);
        run(add_);
      }
      run(commit_);
    }
  }
  void checkpoint() { sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr); }

 private:
  void run(const char* sql) {
    if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(sqlite3_errmsg(db_));
  }
  void run(sqlite3_stmt* statement) {
    if (sqlite3_step(statement) != SQLITE_DONE) fail(sqlite3_errmsg(db_));
    sqlite3_reset(statement);
  }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr) != SQLITE_OK) fail(sqlite3_errmsg(db_));
    return statement;
  }
  sqlite3* db_ = nullptr;
  sqlite3_stmt *begin_ = nullptr, *commit_ = nullptr, *change_ = nullptr, *add_ = nullptr;
  std::uint64_t next_ = 0;
};

/// Both in turn, `count` pairs a round; between rounds `rest` of each (checkpoints, which are not on the caller's path).
void compare(const std::string& name, int count, const std::function<void()>& subject,
             const std::function<void()>& bare, const std::function<void()>& rest, const char* baseline_is) {
  std::vector<double> values;
  std::vector<double> baselines;
  for (int round = 0; round < rounds; ++round) {
    values.push_back(microseconds([&] {
                       for (int i = 0; i < count; ++i)
                         subject();
                     }) /
                     count);
    baselines.push_back(microseconds([&] {
                          for (int i = 0; i < count; ++i)
                            bare();
                        }) /
                        count);
    rest();
  }
  print(name, "us", median(values), median(baselines), baseline_is);
}

void memory() {
  Subject subject("memory:");
  BareMemory bare;
  compare(
      "reserve_settle.memory", 20'000, [&] { subject.pair(); }, [&] { bare.pair(); }, [] {},
      "a mutex, ten counters in a hash map checked and changed, a row kept");
}

/// Working out which counters a set of labels falls on; a guard does it once per set of labels and revision.
void plan() {
  Subject subject("memory:");
  const auto registry = subject.store->registry();
  if (!registry) fail(registry.error().message);
  const CapIndex index(*registry);
  Labels labels;
  for (const char* kind : {"project", "user", "task", "customer"})
    labels.set_default(kind, std::string(kind) + "-7");
  std::size_t seen = 0;
  compare(
      "plan.match", 2'000, [&] { seen += index.plan(labels, 1'790'000'000'000).sets.size(); },
      [&] { seen += labels.to_json().size(); }, [] {}, "writing the same labels as JSON");
  if (seen == 0) fail("nothing matched");
}

void file() {
  const Folder folder;
  Subject subject("file:" + folder.path + "/store.db");
  BareSqlite bare(folder.path + "/bare.db");
  compare(
      "reserve_settle.file", 400, [&] { subject.pair(); }, [&] { bare.pair(); },
      [&] {
        static_cast<void>(subject.store->checkpoint());
        bare.checkpoint();
      },
      "two transactions of bare SQLite (WAL, NORMAL): one counter each, one row");
}

void file_1e6() {
  const Folder folder;
  Subject small("file:" + folder.path + "/small.db");
  Subject large("file:" + folder.path + "/large.db");
  // Rows are copied in bulk: a million calls would take a minute. Older ids, so new ones still come at the end.
  sqlite3* db = nullptr;
  if (sqlite3_open((folder.path + "/large.db").c_str(), &db) != SQLITE_OK) fail("cannot open the large store");
  const std::string sql =
      "CREATE TEMP TABLE one AS SELECT * FROM ledger ORDER BY id LIMIT 1; CREATE TEMP TABLE n(i INTEGER PRIMARY KEY);"
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1000000) INSERT INTO n SELECT i FROM c;"
      "BEGIN IMMEDIATE;";
  std::string columns;
  sqlite3_stmt* info = nullptr;
  if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail(sqlite3_errmsg(db));
  if (sqlite3_prepare_v2(db, "SELECT name FROM pragma_table_info('ledger') WHERE name <> 'id'", -1, &info, nullptr) !=
      SQLITE_OK) {
    fail(sqlite3_errmsg(db));
  }
  while (sqlite3_step(info) == SQLITE_ROW)
    columns += ",one.\"" + std::string(reinterpret_cast<const char*>(sqlite3_column_text(info, 0))) + "\"";
  sqlite3_finalize(info);
  const std::string fill = "INSERT INTO ledger SELECT one.id - 1000001 + n.i" + columns + " FROM n, one; COMMIT;";
  if (sqlite3_exec(db, fill.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail(sqlite3_errmsg(db));
  sqlite3_wal_checkpoint_v2(db, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  sqlite3_close(db);
  compare(
      "reserve_settle.file_1e6", 400, [&] { large.pair(); }, [&] { small.pair(); },
      [&] {
        static_cast<void>(large.store->checkpoint());
        static_cast<void>(small.store->checkpoint());
      },
      "the same with a ledger of 1,000 rows");
}

/// Four processes at once on one file: how even, how late, how large the log grows.
void four_processes() {
  const Folder folder;
  const std::string location = "file:" + folder.path + "/store.db";
  {
    const Subject first(location);
  }
  constexpr int processes = 4;
  constexpr double seconds = 4;
  constexpr int all_calls = 100'000;
  struct Report {
    std::int64_t pairs;
    double p99_us;
  };
  std::vector<int> ends;
  std::vector<pid_t> children;
  for (int i = 0; i < processes; ++i) {
    int ends_of_pipe[2];
    if (pipe(ends_of_pipe) != 0) fail("no pipe");
    const pid_t child = fork();
    if (child == 0) {
      Subject own(location);
      std::vector<double> times;
      const auto start = SteadyClock::now();
      while (std::chrono::duration<double>(SteadyClock::now() - start).count() < seconds)
        times.push_back(microseconds([&] { own.pair(); }));
      std::sort(times.begin(), times.end());
      const Report report{static_cast<std::int64_t>(times.size()), times[times.size() * 99 / 100]};
      if (write(ends_of_pipe[1], &report, sizeof report) != sizeof report) _exit(1);
      _exit(0);
    }
    close(ends_of_pipe[1]);
    ends.push_back(ends_of_pipe[0]);
    children.push_back(child);
  }
  std::vector<Report> reports(processes);
  Subject housekeeper(location);
  int status = 0;
  for (int i = 0; i < processes;) {
    static_cast<void>(housekeeper.store->checkpoint());  // as a guard's background thread does
    if (waitpid(children[static_cast<std::size_t>(i)], &status, WNOHANG) == 0) {
      usleep(100'000);
      continue;
    }
    if (status != 0) fail("a process failed");
    if (read(ends[static_cast<std::size_t>(i)], &reports[static_cast<std::size_t>(i)], sizeof(Report)) !=
        sizeof(Report)) {
      fail("no report");
    }
    ++i;
  }
  const auto [least, most] = std::minmax_element(reports.begin(), reports.end(),
                                                 [](const Report& a, const Report& b) { return a.pairs < b.pairs; });
  double p99 = 0;
  std::int64_t pairs = 0;
  for (const Report& report : reports) {
    p99 = std::max(p99, report.p99_us);
    pairs += report.pairs;
  }
  print("file.fairness_4p", "pairs", static_cast<double>(most->pairs), static_cast<double>(least->pairs),
        "the slowest of the four processes");
  Folder alone_in;
  Subject alone("file:" + alone_in.path + "/store.db");
  std::vector<double> times;
  for (int i = 0; i < 20'000; ++i) {
    times.push_back(microseconds([&] { alone.pair(); }));
    if (i % 1000 == 0) static_cast<void>(alone.store->checkpoint());
  }
  std::sort(times.begin(), times.end());
  print("file.p99_4p", "ms", p99 / 1000, times[times.size() * 99 / 100] / 1000, "one process alone");
  // Until 10^5 calls are done, by this process, without any background checkpoint: the store's own bound holds.
  while (pairs < all_calls) {
    housekeeper.pair();
    ++pairs;
  }
  const double wal = static_cast<double>(std::filesystem::file_size(folder.path + "/store.db-wal")) / 1e6;
  print("file.wal_after_1e5", "MB", wal, 16, "what the design allows");
}

}  // namespace

int main(int count, char** arguments) {
  const auto wanted = [&](const std::string& name) {
    if (count == 1) return true;
    return std::any_of(arguments + 1, arguments + count, [&](const char* asked) { return name == asked; });
  };
  std::printf("[");
  if (wanted("reserve_settle.memory")) memory();
  if (wanted("plan.match")) plan();
  if (wanted("reserve_settle.file")) file();
  if (wanted("reserve_settle.file_1e6")) file_1e6();
  if (wanted("file")) four_processes();
  std::printf("\n]\n");
  return 0;
}
