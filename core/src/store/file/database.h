// Database: SQLite as the file store uses it: opened, checked, its statements prepared once, its errors in our words.
//
// Thread-safety: one thread at a time.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "farthing/result.h"

namespace farthing {

/// A prepared statement; reset when it goes out of use through `done()`.
class Statement {
 public:
  Statement() = default;
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  bool prepare(sqlite3* database, const char* sql);
  void forget() { handle_ = nullptr; }  // leaked on purpose, in a forked child

  Statement& bind(int place, std::int64_t value);
  Statement& bind(int place, std::string_view text);
  Statement& bind_blob(int place, std::string_view bytes);
  Statement& bind_null(int place);

  /// True while there is a row. After the last, or an error, it is reset.
  bool step();
  bool failed() const { return failed_; }
  void done();

  std::int64_t number(int column) const { return sqlite3_column_int64(handle_, column); }
  bool is_null(int column) const { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }
  std::string text(int column) const;
  /// Valid until the next step.
  std::string_view blob(int column) const;

 private:
  sqlite3_stmt* handle_ = nullptr;
  bool failed_ = false;
};

/// A file that cannot be used as a store: store_corrupt, what of it, and the way out.
Error damaged_file(const std::string& path, const std::string& what);

/// Closes, unless told to leak.
class Connection {
 public:
  Connection() = default;
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Status open(const std::string& path, bool read_only);
  Status run(const char* sql);
  Result<std::int64_t> number(const char* sql);
  /// What SQLite says now, as an error of ours.
  Error error() const;
  sqlite3* get() const { return handle_; }
  void leak() { handle_ = nullptr; }
  void close();

 private:
  std::string path_;
  sqlite3* handle_ = nullptr;
};

/// "Farthing store", as `file` and PRAGMA application_id show it.
inline constexpr std::int64_t application_id = 0x46617274;
inline constexpr int store_format = 2;

/// Makes the folder (0700) and the file (0600) where they are missing; refuses file systems that machines share. The file's identity
/// is answered, to notice a replaced one later.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t node = 0;
  bool operator==(const FileIdentity&) const = default;
};
Result<FileIdentity> prepare_file(const std::string& path);
std::optional<FileIdentity> identity_of(const std::string& path);

/// New: makes the schema. Old: checks that it is ours and of a format we know.
Status prepare_schema(Connection& connection, const std::string& path, bool durable_power);

}  // namespace farthing
