#include "store/file/database.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "store/file/file_system.h"
#include "store/file/log_file.h"

namespace farthing {

namespace {

constexpr const char* schema = R"sql(
CREATE TABLE state(
  id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER, time_ms INTEGER, boot_ms INTEGER, boot_id INTEGER,
  next_sweep_ms INTEGER, next_cap INTEGER, next_process INTEGER, next_halt INTEGER, next_note INTEGER);
INSERT INTO state VALUES(1, 0, 0, 0, 0, 0, 1, 1, 1, 1);
CREATE TABLE counter_set(id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, each_values TEXT NOT NULL, entries BLOB NOT NULL);
CREATE TABLE hold(id INTEGER PRIMARY KEY, process INTEGER, created_ms INTEGER, deadline_ms INTEGER, body BLOB NOT NULL, draft BLOB NOT NULL);
CREATE TABLE ledger(
  id INTEGER PRIMARY KEY, kind TEXT, "of" INTEGER, adjustment TEXT, attempt TEXT,
  reserved_ms INTEGER, settled_ms INTEGER, how TEXT,
  likely_nano INTEGER, ceiling_nano INTEGER, actual_nano INTEGER, reported_difference_nano INTEGER, booked_nano INTEGER,
  held_nano INTEGER,
  provider TEXT, host TEXT, endpoint TEXT, modality TEXT, model TEXT, model_asked TEXT, model_served TEXT,
  tier_asked TEXT, tier_served TEXT, labels TEXT, api_key TEXT, call TEXT, attempt_number INTEGER, action TEXT, runs TEXT,
  input_tokens INTEGER, cache_read_tokens INTEGER, output_tokens INTEGER, reasoning_tokens INTEGER,
  quantities TEXT, booked TEXT, held TEXT,
  output_limit_asked INTEGER, output_limit INTEGER, confidence TEXT, book_version TEXT, rates TEXT,
  policy_revision INTEGER, process TEXT, status INTEGER, latency_ms INTEGER, finish_reason TEXT, error_class TEXT,
  request_id TEXT, response_id TEXT, headroom TEXT, approval TEXT, who TEXT, why TEXT, others TEXT);
CREATE INDEX ledger_of ON ledger("of") WHERE "of" IS NOT NULL;
CREATE INDEX ledger_adjustment ON ledger(adjustment) WHERE adjustment IS NOT NULL;
CREATE TABLE fact(kind TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY(kind, key)) WITHOUT ROWID;
CREATE TABLE learned(key INTEGER PRIMARY KEY, used_ms INTEGER, body BLOB NOT NULL);
)sql";

/// As one word of a shell.
std::string quoted(const std::string& path) {
  const bool plain = std::all_of(path.begin(), path.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '.' ||
           c == '_' || c == '-';
  });
  if (plain) return path;
  std::string out = "'";
  for (const char c : path)
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

/// With its log, which has what was written lately; beside another file of the name it would be deleted.
std::string way_out(const std::string& path) {
  std::string move = "mv " + quoted(path) + " " + quoted(path + ".aside");
  for (const char* part : {"-wal", "-shm"}) {
    std::error_code ignored;
    if (std::filesystem::exists(path + part, ignored))
      move += " && mv " + quoted(path + part) + " " + quoted(path + ".aside" + part);
  }
  return " Name another file in `store`, or move this one away (" + move +
         "): the next call makes a new store, which counts from zero.";
}

/// SQLite takes a shorter file for none at all.
constexpr std::int64_t smallest_database = 512;

}  // namespace

Error damaged_file(const std::string& path, const std::string& what) {
  return {Code::store_corrupt, path + " is damaged (" + what + "). What can be read of it: sqlite3 " + quoted(path) +
                                   " .recover." + way_out(path)};
}

Statement::~Statement() {
  sqlite3_finalize(handle_);
}

bool Statement::prepare(sqlite3* database, const char* sql) {
  return sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle_, nullptr) == SQLITE_OK;
}

Statement& Statement::bind(int place, std::int64_t value) {
  sqlite3_bind_int64(handle_, place, value);
  return *this;
}

// Bound without a copy: what is bound outlives the step.
Statement& Statement::bind(int place, std::string_view text) {
  sqlite3_bind_text(handle_, place, text.empty() ? "" : text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  return *this;
}

Statement& Statement::bind_blob(int place, std::string_view bytes) {
  sqlite3_bind_blob(handle_, place, bytes.empty() ? "" : bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
  return *this;
}

Statement& Statement::bind_null(int place) {
  sqlite3_bind_null(handle_, place);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  failed_ = code != SQLITE_DONE;
  sqlite3_reset(handle_);
  return false;
}

void Statement::done() {
  sqlite3_reset(handle_);
}

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  return bytes == nullptr ? std::string()
                          : std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
}

std::string_view Statement::blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle_, column));
  return bytes == nullptr ? std::string_view()
                          : std::string_view(bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
}

Connection::~Connection() {
  close();
}

void Connection::close() {
  sqlite3_close_v2(handle_);
  handle_ = nullptr;
}

Status Connection::open(const std::string& path, bool read_only) {
  path_ = path;
  const int flags = (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path.c_str(), &handle_, flags, read_only ? nullptr : log_file_vfs()) != SQLITE_OK) return error();
  sqlite3_extended_result_codes(handle_, 1);
  return success();
}

Status Connection::run(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error();
  return success();
}

Result<std::int64_t> Connection::number(const char* sql) {
  Statement statement;
  if (!statement.prepare(handle_, sql)) return error();
  if (!statement.step()) return error();
  return statement.number(0);
}

Error Connection::error() const {
  const int code = handle_ == nullptr ? SQLITE_NOMEM : sqlite3_errcode(handle_);
  const std::string said = handle_ == nullptr ? "out of memory" : sqlite3_errmsg(handle_);
  switch (code & 0xff) {
    case SQLITE_NOTADB:
      return {Code::store_foreign, path_ + " is not a Farthing store (" + said + ")." + way_out(path_)};
    case SQLITE_CORRUPT:
      return damaged_file(path_, said);
    case SQLITE_READONLY:
      return {Code::store_unavailable, path_ + " cannot be written (" + said + "): every call is an entry in it"};
    case SQLITE_FULL:
      return {Code::store_unavailable,
              "the disk of " + path_ + " is full: nothing was changed, calls pass again when there is space"};
    default:
      return {Code::store_unavailable, "the store " + path_ + " cannot be used: " + said};
  }
}

std::optional<FileIdentity> identity_of(const std::string& path) {
  struct stat found{};
  if (stat(path.c_str(), &found) != 0) return std::nullopt;
  return FileIdentity{found.st_dev, found.st_ino};
}

Result<FileIdentity> prepare_file(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code problem;
  if (!folder.empty() && !std::filesystem::exists(folder, problem)) {
    std::filesystem::create_directories(folder, problem);
    if (problem)
      return Error{Code::store_unavailable,
                   "cannot make the folder " + folder.string() + ": " + problem.message() +
                       ". Elsewhere: FARTHING_STORE=file:PATH, `store` of the policy or of the guard"};
    chmod(folder.c_str(), 0700);
  }
  // Of the file itself where it is there: it may be a link to elsewhere.
  auto system = file_system_of(path);
  if (!system) system = file_system_of(folder.empty() ? "." : folder.string());
  if (system && is_shared(*system)) {
    return Error{Code::store_on_network,
                 path + " is on a file system that other machines may have too" +
                     (system->type.empty() ? "" : " (" + system->type + ")") +
                     ", where locks do not hold between them: put the store on a local disk, with "
                     "store = \"file:/PATH/farthing.db\" in the policy or FARTHING_STORE=file:/PATH/farthing.db"};
  }
  // Only a file that is not there yet is opened here: to close a descriptor drops all of this process's locks on its file,
  // those of another open store too.
  if (std::filesystem::is_directory(path, problem)) {
    return Error{Code::store_unavailable, path + " is a folder, not a store: name a file in it, such as " +
                                              (std::filesystem::path(path) / "farthing.db").string()};
  }
  if (auto known = identity_of(path)) {
    struct stat found{};
    if (stat(path.c_str(), &found) == 0 && found.st_nlink > 1)
      return Error{
          Code::store_unavailable,
          path +
              " has another name (a hard link). Log and gate go by the name, so what is spent under one would not "
              "be seen under the other: give the file one name, and others by symbolic links (ln -s)"};
    if (access(path.c_str(), R_OK | W_OK) == 0) return *known;
    return Error{Code::store_unavailable, "cannot open the store " + path + " for writing: " + std::strerror(errno)};
  }
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0 && errno != EEXIST)
    return Error{Code::store_unavailable, "cannot make the store " + path + ": " + std::strerror(errno)};
  if (descriptor >= 0) close(descriptor);
  if (auto made = identity_of(path)) return *made;
  return Error{Code::store_unavailable, "cannot read " + path + ": " + std::strerror(errno)};
}

Status prepare_schema(Connection& connection, const std::string& path, bool durable_power) {
  struct stat found{};
  bool fresh = stat(path.c_str(), &found) == 0 && found.st_size == 0;
  if (!fresh) {
    // A process may have been killed between making the file and its tables: such a file is still new.
    const auto tables = connection.number("SELECT count(*) FROM sqlite_master");
    if (!tables) return tables.error();
    const auto owner = connection.number("PRAGMA application_id");
    if (!owner) return owner.error();
    const auto version = connection.number("PRAGMA user_version");
    if (!version) return version.error();
    fresh = *tables == 0 && found.st_size >= smallest_database && *owner == 0 && *version == 0;
  }
  if (fresh) {
    // Small pages: dirty ones are what a call costs. No automatic checkpoint: it would be somebody's commit.
    for (const char* sql : {"PRAGMA page_size=1024", "PRAGMA journal_mode=WAL", "BEGIN IMMEDIATE"}) {
      if (const Status done = connection.run(sql); !done) return done;
    }
    const std::string marks = "PRAGMA application_id=" + std::to_string(application_id) +
                              "; PRAGMA user_version=" + std::to_string(store_format) + ";";
    for (const char* sql : {schema, marks.c_str(), "COMMIT"}) {
      if (const Status done = connection.run(sql); !done) return done;
    }
  }
  const auto id = connection.number("PRAGMA application_id");
  if (!id) return id.error();
  if (*id != application_id) {
    return Error{Code::store_foreign,
                 path + " is a database of another program, not a Farthing store." + way_out(path)};
  }
  const auto format = connection.number("PRAGMA user_version");
  if (!format) return format.error();
  if (*format > store_format) {
    return Error{Code::store_newer, path + " has format " + std::to_string(*format) + ", this version knows up to " +
                                        std::to_string(store_format) + ": use the newer Farthing; nothing was written"};
  }
  if (*format < store_format) {
    return Error{Code::store_foreign, path + " has format " + std::to_string(*format) +
                                          ", of a version before the first release; this one reads format " +
                                          std::to_string(store_format) + "." + way_out(path)};
  }
  const std::string durability = std::string("PRAGMA synchronous=") + (durable_power ? "FULL" : "NORMAL");
  for (const char* sql : {"PRAGMA journal_mode=WAL", durability.c_str(), "PRAGMA wal_autocheckpoint=0",
                          "PRAGMA temp_store=MEMORY", "PRAGMA cache_size=-4000"}) {
    if (const Status done = connection.run(sql); !done) return done;
  }
  return success();
}

}  // namespace farthing
