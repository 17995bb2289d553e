#include "store/file/file_tables.h"

#include <unistd.h>

#include <bit>
#include <cstring>
#include <filesystem>
#include <random>

#include "ledger/ids.h"
#include "ledger/pack.h"
#include "money/json_document.h"
#include "store/file/counter_bytes.h"
#include "store/file/hold_bytes.h"
#include "store/file/ledger_columns.h"
#include "store/file/packed.h"
#include "store/file/read_aside.h"

namespace farthing {

namespace {

/// The log is folded back into the file at the latest when it has grown to this; the background thread does it earlier,
/// so that it is rarely a caller's commit that pays.
constexpr int max_wal_pages = 8 * 1024;
constexpr int worth_a_checkpoint = 512;

std::string values_text(const std::vector<std::string>& values) {
  return values.empty() ? "[]" : dump_json(Json(values));
}

std::vector<std::string> values_of(const std::string& text) {
  const auto json = parse_json(text);
  std::vector<std::string> values;
  if (!json.is_array()) return values;
  for (const auto& value : json) {
    if (value.is_string()) values.push_back(value.get<std::string>());
  }
  return values;
}

int keep_wal_pages(void* place, sqlite3*, const char*, int pages) {
  *static_cast<int*>(place) = pages;
  return SQLITE_OK;
}

}  // namespace

struct FileTables::Statements {
  Statement begin, commit, rollback, state, set_state, find_set, write_set, add_set, each_values, erase_set, sets,
      add_hold, known, find_hold, erase_hold, holds, add_row, find_row, adjustments, booked_before, fact, put_fact,
      erase_fact, facts, learned, put_learned, erase_oldest_learned;

  bool prepare(sqlite3* db) {
    const std::string columns = ledger_columns;
    return begin.prepare(db, "BEGIN IMMEDIATE") && commit.prepare(db, "COMMIT") && rollback.prepare(db, "ROLLBACK") &&
           state.prepare(
               db,
               "SELECT revision,time_ms,boot_ms,boot_id,next_sweep_ms,next_cap,next_process,next_halt,next_note FROM "
               "state "
               "WHERE id=1") &&
           set_state.prepare(
               db,
               "UPDATE state SET revision=?,time_ms=?,boot_ms=?,boot_id=?,next_sweep_ms=?,next_cap=?,next_process=?,"
               "next_halt=?,next_note=? WHERE id=1") &&
           find_set.prepare(db, "SELECT id FROM counter_set WHERE key=?") &&
           write_set.prepare(db, "UPDATE counter_set SET entries=?2 WHERE id=?1") &&
           add_set.prepare(db, "INSERT INTO counter_set(key,each_values,entries) VALUES(?,?,?)") &&
           each_values.prepare(db, "SELECT each_values FROM counter_set WHERE id=?") &&
           erase_set.prepare(db, "DELETE FROM counter_set WHERE id=?") &&
           sets.prepare(db, "SELECT id,key,each_values,entries FROM counter_set ORDER BY id") &&
           add_hold.prepare(db, "INSERT INTO hold VALUES(?,?,?,?,?,?)") &&
           known.prepare(db, "SELECT 'open' FROM hold WHERE id=?1 UNION ALL SELECT how FROM ledger WHERE id=?1") &&
           find_hold.prepare(db, "SELECT process,created_ms,deadline_ms,body,id,draft FROM hold WHERE id=?") &&
           erase_hold.prepare(db, "DELETE FROM hold WHERE id=?") &&
           holds.prepare(db, "SELECT process,created_ms,deadline_ms,body,id,draft FROM hold ORDER BY id") &&
           add_row.prepare(db, insert_ledger_row) &&
           find_row.prepare(db, ("SELECT " + columns + " FROM ledger WHERE id=?").c_str()) &&
           adjustments.prepare(db, ("SELECT " + columns + " FROM ledger WHERE \"of\"=? ORDER BY id").c_str()) &&
           booked_before.prepare(db, "SELECT 1 FROM ledger WHERE adjustment=? LIMIT 1") &&
           fact.prepare(db, "SELECT value FROM fact WHERE kind=? AND key=?") &&
           put_fact.prepare(
               db, "INSERT INTO fact VALUES(?,?,?) ON CONFLICT(kind,key) DO UPDATE SET value=excluded.value") &&
           erase_fact.prepare(db, "DELETE FROM fact WHERE kind=? AND key=?") &&
           facts.prepare(db, "SELECT key,value FROM fact WHERE kind=? ORDER BY key") &&
           learned.prepare(db, "SELECT body FROM learned WHERE key=?") &&
           put_learned.prepare(db,
                               "INSERT INTO learned VALUES(?1,?2,?3) ON CONFLICT(key) DO UPDATE SET "
                               "used_ms=excluded.used_ms,body=excluded.body") &&
           erase_oldest_learned.prepare(
               db, "DELETE FROM learned WHERE key IN (SELECT key FROM learned ORDER BY used_ms,key LIMIT ?)");
  }
};

FileTables::FileTables(std::string path, StoreOptions options) : path_(std::move(path)), options_(std::move(options)) {}

Result<std::unique_ptr<FileTables>> FileTables::open(const std::string& path, const StoreOptions& options) {
  std::unique_ptr<FileTables> tables(new FileTables(path, options));
  if (const Status done = tables->connect(false); !done) return done.error();
  return tables;
}

Status FileTables::connect(bool again) {
  if (again) {
    if (const Status same = check_file(); !same) return same;
  } else {
    const auto identity = prepare_file(path_);
    if (!identity) return identity.error();
    identity_ = *identity;
  }
  // One gate for the file, whatever links lead to it.
  std::error_code unknown;
  const std::filesystem::path real = std::filesystem::canonical(path_, unknown);
  if (const Status done = gate_.open((unknown ? path_ : real.string()) + "-gate"); !done) return done;
  // Before the gate is entered: should SQLite be locked by a thread that a fork left behind after all (NoFork), only this process
  // stands still.
  connection_ = new Connection;
  Status done = [&] {
    const NoFork opening;
    return connection_->open(path_, false);
  }();
  if (done) done = gate_.enter(options_.gate_wait_ms, options_.blocking);
  if (!done) {
    close();
    return done;
  }
  // R36: after a fork the parent does not see the child's locks in SQLite's books, and would take itself for the last one
  // to close: it must not fold and delete the log under the child.
  if (done) sqlite3_db_config(connection_->get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  if (done) sqlite3_busy_timeout(connection_->get(), 200);                   // a reader of the sqlite3 command
  if (done && again && std::filesystem::is_empty(path_)) done = replaced();  // not to be filled as a new one is
  if (done) done = prepare_schema(*connection_, path_, options_.durable_power);
  if (done) {
    statements_ = new Statements;
    if (!statements_->prepare(connection_->get())) done = connection_->error();
  }
  if (done) {
    sqlite3_wal_hook(connection_->get(), keep_wal_pages, &wal_pages_);
    const auto known = fact("meta", "store_id");
    if (!known) {
      done = known.error();
    } else if (again) {
      if (store_id_ != known->value_or("")) done = replaced();  // R37: the same file, filled with another store
    } else if (*known) {
      store_id_ = **known;
    } else {
      std::random_device random;
      constexpr char digits[] = "0123456789abcdef";
      for (int i = 0; i < 32; ++i)
        store_id_ += digits[random() & 15U];
      done = put_fact("meta", "store_id", store_id_);
    }
  }
  if (!done && done.error().code == Code::store_foreign) gate_.take_back();  // it is left as it was found (R38)
  gate_.leave();
  if (!done) close();
  return done;
}

Status FileTables::after_fork() {
  // R36: the parent's connection and lock are the parent's; ours are new.
  gate_.abandon();
  connection_ = nullptr;
  statements_ = nullptr;
  counters_ = nullptr;
  counters_row_ = 0;
  wal_pages_ = 0;
  return connect(true);
}

Error FileTables::replaced() const {
  return {Code::store_replaced,
          path_ +
              " was replaced or removed while it was open; what this process would book there would be lost. "
              "Open the guard again (restart the program) to use the file that is there now"};
}

Status FileTables::check_file() const {
  if (const auto now = identity_of(path_); now && *now == identity_) return success();
  return replaced();
}

Error FileTables::damaged(const std::string& what) const {
  return damaged_file(path_, what);
}

Status FileTables::begin() {
  if (connection_ == nullptr) return Error{Code::closed, "the store " + path_ + " is not open"};
  if (const Status done = gate_.enter(options_.gate_wait_ms, options_.blocking); !done) return done;
  Status done = check_file();
  if (done) {
    statements_->begin.step();
    if (statements_->begin.failed()) done = error();
  }
  if (!done) gate_.leave();
  point("begun");
  return done;
}

Status FileTables::commit() {
  point("before commit");
  close_counters();
  statements_->commit.step();
  if (statements_->commit.failed()) {
    const Error problem = error();
    rollback();
    return problem;
  }
  point("after commit");
  if (wal_pages_ > max_wal_pages) fold_log();
  gate_.leave();
  point("left");
  return success();
}

void FileTables::rollback() {
  lag_ms_ = usual_lag_ms;  // what was read may not have come to stay
  if (!gate_.entered()) return;
  close_counters();
  if (sqlite3_get_autocommit(connection_->get()) == 0) statements_->rollback.step();
  gate_.leave();
}

void FileTables::fold_log() {
  sqlite3_wal_checkpoint_v2(connection_->get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

Status FileTables::checkpoint() {
  if (connection_ == nullptr || wal_pages_ < worth_a_checkpoint) return success();
  if (const Status done = gate_.enter(options_.gate_wait_ms, options_.blocking); !done) return done;
  fold_log();
  wal_pages_ = 0;
  gate_.leave();
  return success();
}

void FileTables::close() {
  const NoFork closing;
  if (gate_.entered()) rollback();
  // What was spent here shall be in the one file that people copy. Who only looked leaves it as it is.
  if (connection_ != nullptr && added_rows_ && wal_pages_ > 0 && gate_.enter(0, {})) {
    if (check_file()) fold_log();
    gate_.leave();
  }
  delete statements_;
  statements_ = nullptr;
  delete connection_;
  connection_ = nullptr;
  gate_.abandon();
}

Result<StoreState> FileTables::state() {
  Statement& row = statements_->state;
  if (!row.step()) return error();
  StoreState state;
  int column = 0;
  const auto number = [&] { return row.number(column++); };
  state.revision = static_cast<std::uint64_t>(number());
  state.time_ms = number();
  state.boot_ms = number();
  state.boot_id = static_cast<std::uint64_t>(number());
  state.next_sweep_ms = number();
  state.next_cap = static_cast<std::uint32_t>(number());
  state.next_process = static_cast<std::uint32_t>(number());
  state.next_halt = number();
  state.next_note = number();
  row.done();
  return state;
}

Status FileTables::set_state(const StoreState& state) {
  Statement& row = statements_->set_state;
  row.bind(1, static_cast<std::int64_t>(state.revision)).bind(2, state.time_ms).bind(3, state.boot_ms);
  row.bind(4, static_cast<std::int64_t>(state.boot_id))
      .bind(5, state.next_sweep_ms)
      .bind(6, static_cast<std::int64_t>(state.next_cap));
  row.bind(7, static_cast<std::int64_t>(state.next_process)).bind(8, state.next_halt).bind(9, state.next_note);
  row.step();
  return row.failed() ? Status(error()) : success();
}

Result<std::int64_t> FileTables::find_set(std::string_view key) {
  Statement& row = statements_->find_set;
  if (!row.bind(1, key).step()) return row.failed() ? Result<std::int64_t>(error()) : std::int64_t{0};
  const std::int64_t id = row.number(0);
  row.done();
  return id;
}

// Counters are read and written in place: a statement per row would cost twice as much (see docs/performance.md).
Result<bool> FileTables::seek_counters(std::int64_t row) {
  if (counters_row_ == row) return true;
  const int code = counters_ == nullptr
                       ? sqlite3_blob_open(connection_->get(), "main", "counter_set", "entries", row, 1, &counters_)
                       : sqlite3_blob_reopen(counters_, row);
  if (code == SQLITE_OK) {
    counters_row_ = row;
    return true;
  }
  close_counters();
  if ((code & 0xff) == SQLITE_ERROR) return false;  // there is no such row
  return error();
}

void FileTables::close_counters() {
  sqlite3_blob_close(counters_);
  counters_ = nullptr;
  counters_row_ = 0;
}

Result<Tables::Entries*> FileTables::read_set(std::int64_t row, Entries& room) {
  room.clear();
  if (row == 0) return &room;
  const auto found = seek_counters(row);
  if (!found) return found.error();
  if (!*found) return &room;
  buffer_.resize(static_cast<std::size_t>(sqlite3_blob_bytes(counters_)));
  if (sqlite3_blob_read(counters_, buffer_.data(), static_cast<int>(buffer_.size()), 0) != SQLITE_OK) return error();
  if (!unpack_entries(buffer_, room)) return damaged("a counter is not of a format that this version knows");
  return &room;
}

Status FileTables::write_set(std::int64_t id, const Entries& entries) {
  point("counter");
  pack_entries(entries, buffer_);
  const auto found = seek_counters(id);
  if (!found) return found.error();
  if (*found && sqlite3_blob_bytes(counters_) == static_cast<int>(buffer_.size())) {
    if (sqlite3_blob_write(counters_, buffer_.data(), static_cast<int>(buffer_.size()), 0) != SQLITE_OK) return error();
    return success();
  }
  close_counters();  // another cap than before counts in this set
  Statement& row = statements_->write_set;
  row.bind(1, id).bind_blob(2, buffer_).step();
  if (row.failed()) return error();
  if (sqlite3_changes(connection_->get()) == 1) return success();
  return damaged("a counter was gone while it was written");
}

Result<std::int64_t> FileTables::add_set(std::string_view key, const std::vector<std::string>& each_values,
                                         const Entries& entries) {
  pack_entries(entries, buffer_);
  const std::string values = values_text(each_values);
  Statement& row = statements_->add_set;
  row.bind(1, key).bind(2, values).bind_blob(3, buffer_).step();
  if (row.failed()) return error();
  return static_cast<std::int64_t>(sqlite3_last_insert_rowid(connection_->get()));
}

Result<std::vector<std::string>> FileTables::each_values(std::int64_t id) {
  Statement& row = statements_->each_values;
  if (!row.bind(1, id).step())
    return row.failed() ? Result<std::vector<std::string>>(error()) : std::vector<std::string>{};
  auto values = values_of(row.text(0));
  row.done();
  return values;
}

Status FileTables::erase_set(std::int64_t id) {
  close_counters();
  Statement& row = statements_->erase_set;
  row.bind(1, id).step();
  return row.failed() ? Status(error()) : success();
}

Result<std::vector<SetRow>> FileTables::sets() {
  std::vector<SetRow> result;
  Statement& row = statements_->sets;
  while (row.step()) {
    SetRow& set = result.emplace_back();
    set.row = row.number(0);
    set.key = row.text(1);
    set.each_values = values_of(row.text(2));
    if (!unpack_entries(row.blob(3), set.entries)) {
      row.done();
      return damaged("a counter is not of a format that this version knows");
    }
  }
  if (row.failed()) return error();
  return result;
}

Result<std::optional<How>> FileTables::known(AttemptId id) {
  Statement& row = statements_->known;
  if (!row.bind(1, static_cast<std::int64_t>(id.value)).step()) {
    return row.failed() ? Result<std::optional<How>>(error()) : std::optional<How>();
  }
  const auto how = how_of(row.text(0)).value_or(How::hold);
  row.done();
  return std::optional(how);
}

Status FileTables::add_hold(const HoldRow& hold, const LedgerRow& draft) {
  point("hold");
  std::string body;
  pack_hold(hold, body);
  buffer_.clear();
  pack(draft, buffer_);
  Statement& row = statements_->add_hold;
  row.bind(1, static_cast<std::int64_t>(hold.id.value))
      .bind(2, static_cast<std::int64_t>(hold.process))
      .bind(3, hold.created_ms)
      .bind(4, hold.deadline_ms);
  row.bind_blob(5, body).bind_blob(6, buffer_).step();
  if (!row.failed()) return success();
  if ((sqlite3_errcode(connection_->get()) & 0xff) == SQLITE_CONSTRAINT) {
    return Error{Code::invalid_argument, "there is a hold of attempt " + to_text(hold.id) + " already"};
  }
  return error();
}

namespace {

/// The columns of the two statements that read holds.
bool read_hold(const Statement& row, HoldRow& hold) {
  hold.process = static_cast<std::uint32_t>(row.number(0));
  hold.created_ms = row.number(1);
  hold.deadline_ms = row.number(2);
  hold.id.value = static_cast<std::uint64_t>(row.number(4));
  return unpack_hold(row.blob(3), hold);
}

constexpr const char* unknown_hold = "a hold is not of a format that this version knows";

}  // namespace

Result<std::optional<std::pair<HoldRow, LedgerRow>>> FileTables::find_hold(AttemptId id) {
  using Found = std::optional<std::pair<HoldRow, LedgerRow>>;
  Statement& row = statements_->find_hold;
  if (!row.bind(1, static_cast<std::int64_t>(id.value)).step()) return row.failed() ? Result<Found>(error()) : Found();
  HoldRow hold;
  auto draft = unpack_row(row.blob(5));
  const bool good = read_hold(row, hold) && draft.has_value();
  row.done();
  if (!good) return damaged(unknown_hold);
  return Found(std::pair(std::move(hold), std::move(*draft)));
}

Result<bool> FileTables::take_hold(AttemptId id, HoldRow& taken) {
  Statement& row = statements_->find_hold;
  if (!row.bind(1, static_cast<std::int64_t>(id.value)).step()) return row.failed() ? Result<bool>(error()) : false;
  const bool good = read_hold(row, taken);
  row.done();
  if (!good) return damaged(unknown_hold);
  point("erase hold");
  Statement& erase = statements_->erase_hold;
  erase.bind(1, static_cast<std::int64_t>(id.value)).step();
  if (erase.failed()) return error();
  return true;
}

Result<std::vector<std::pair<HoldRow, LedgerRow>>> FileTables::holds() {
  std::vector<std::pair<HoldRow, LedgerRow>> result;
  Statement& row = statements_->holds;
  while (row.step()) {
    HoldRow hold;
    auto draft = unpack_row(row.blob(5));
    if (!read_hold(row, hold) || !draft) {
      row.done();
      return damaged(unknown_hold);
    }
    result.emplace_back(std::move(hold), std::move(*draft));
  }
  if (row.failed()) return error();
  return result;
}

/// Rows are kept by id, and an id is made before its reserve: seconds before, or as long as the clock was set back. The
/// file knows the longest such time, so that what was reserved since an instant is found by id, without another index.
Status FileTables::keep_lag(const LedgerRow& ledger_row) {
  const std::int64_t lag = ledger_row.reserved_ms - made_ms(ledger_row.id);
  if (lag <= lag_ms_) return success();
  const auto known = fact("ledger", "lag_ms");
  if (!known) return known.error();
  lag_ms_ = lag_of(known->value_or(""));
  if (lag <= lag_ms_) return success();
  // In powers of two: a clock that is behind is written a few times, not with each call.
  const auto power = std::bit_ceil(static_cast<std::uint64_t>(lag));
  return put_fact("ledger", "lag_ms", std::to_string(power));
}

Status FileTables::add_row(const LedgerRow& ledger_row) {
  point("ledger");
  if (const Status kept = keep_lag(ledger_row); !kept) return kept;
  added_rows_ = true;
  if (insert(statements_->add_row, ledger_row)) return success();
  if ((sqlite3_errcode(connection_->get()) & 0xff) == SQLITE_CONSTRAINT) {
    return Error{Code::invalid_argument, "there is an entry " + to_text(ledger_row.id) + " already"};
  }
  return error();
}

Result<std::optional<LedgerRow>> FileTables::find_row(AttemptId id) {
  Statement& row = statements_->find_row;
  if (!row.bind(1, static_cast<std::int64_t>(id.value)).step()) {
    return row.failed() ? Result<std::optional<LedgerRow>>(error()) : std::optional<LedgerRow>();
  }
  auto found = read_ledger_row(row);
  row.done();
  return std::optional(std::move(found));
}

Result<std::vector<LedgerRow>> FileTables::adjustments(AttemptId of) {
  std::vector<LedgerRow> result;
  Statement& row = statements_->adjustments;
  row.bind(1, static_cast<std::int64_t>(of.value));
  while (row.step())
    result.push_back(read_ledger_row(row));
  if (row.failed()) return error();
  return result;
}

Result<bool> FileTables::booked_before(std::string_view adjustment) {
  Statement& row = statements_->booked_before;
  const bool found = row.bind(1, adjustment).step();
  if (row.failed()) return error();
  if (found) row.done();
  return found;
}

Status FileTables::scan(const LedgerFilter& filter, const std::function<bool(const LedgerRow&)>& visit) {
  return scan_ledger(*connection_, filter, std::nullopt, visit);
}

Status FileTables::scan_aside(const LedgerFilter& filter, std::optional<AttemptId> before,
                              const std::function<bool(const LedgerRow&)>& visit) {
  if (const Status done = check_file(); !done) return done;
  return read_aside(path_, filter, before, visit);
}

Result<std::optional<std::string>> FileTables::fact(std::string_view kind, std::string_view key) {
  Statement& row = statements_->fact;
  if (!row.bind(1, kind).bind(2, key).step()) {
    return row.failed() ? Result<std::optional<std::string>>(error()) : std::optional<std::string>();
  }
  auto value = row.text(0);
  row.done();
  return std::optional(std::move(value));
}

Status FileTables::put_fact(std::string_view kind, std::string_view key, std::string_view value) {
  Statement& row = statements_->put_fact;
  row.bind(1, kind).bind(2, key).bind(3, value).step();
  return row.failed() ? Status(error()) : success();
}

Status FileTables::erase_fact(std::string_view kind, std::string_view key) {
  Statement& row = statements_->erase_fact;
  row.bind(1, kind).bind(2, key).step();
  return row.failed() ? Status(error()) : success();
}

Result<std::vector<std::pair<std::string, std::string>>> FileTables::facts(std::string_view kind) {
  std::vector<std::pair<std::string, std::string>> result;
  Statement& row = statements_->facts;
  row.bind(1, kind);
  while (row.step())
    result.emplace_back(row.text(0), row.text(1));
  if (row.failed()) return error();
  return result;
}

Result<std::optional<Learned>> FileTables::learned(std::uint64_t key) {
  Statement& row = statements_->learned;
  if (!row.bind(1, static_cast<std::int64_t>(key)).step())
    return row.failed() ? Result<std::optional<Learned>>(error()) : std::optional<Learned>();
  const std::string_view body = row.blob(0);
  std::uint32_t format = 0;
  Learned found;
  const bool fits = body.size() == sizeof format + sizeof found;
  if (fits) {
    std::memcpy(&format, body.data(), sizeof format);
    std::memcpy(&found, body.data() + sizeof format, sizeof found);
  }
  row.done();
  if (!fits || format != packed_format) return std::optional<Learned>();  // of another version: learnt anew
  return std::optional(found);
}

Status FileTables::put_learned(std::uint64_t key, const Learned& learned) {
  point("learned");
  buffer_.clear();
  append(buffer_, &packed_format, sizeof packed_format);
  append(buffer_, &learned, sizeof learned);
  Statement& row = statements_->put_learned;
  row.bind(1, static_cast<std::int64_t>(key)).bind(2, learned.used_ms).bind_blob(3, buffer_).step();
  return row.failed() ? Status(error()) : success();
}

Status FileTables::erase_oldest_learned(std::int64_t count) {
  Statement& row = statements_->erase_oldest_learned;
  row.bind(1, count).step();
  return row.failed() ? Status(error()) : success();
}

}  // namespace farthing
