// FileTables: rows in one SQLite file in WAL mode, behind the gate.
// Thread-safety: as Tables.
#pragma once

#include <sys/types.h>

#include <memory>

#include "store/file/database.h"
#include "store/file/gate.h"
#include "store/file/ledger_columns.h"
#include "store/tables.h"

namespace farthing {

class FileTables final : public Tables {
 public:
  /// `path` is absolute.
  static Result<std::unique_ptr<FileTables>> open(const std::string& path, const StoreOptions& options);

  const std::string& store_id() const { return store_id_; }

  Status begin() override;
  Status commit() override;
  void rollback() override;
  Status after_fork() override;
  bool is_for_children() const override { return true; }

  Result<StoreState> state() override;
  Status set_state(const StoreState& state) override;

  Result<std::int64_t> find_set(std::string_view key) override;
  Result<Entries*> read_set(std::int64_t row, Entries& room) override;
  Status write_set(std::int64_t row, const Entries& entries) override;
  Result<std::int64_t> add_set(std::string_view key, const std::vector<std::string>& each_values,
                               const Entries& entries) override;
  Result<std::vector<std::string>> each_values(std::int64_t row) override;
  Status erase_set(std::int64_t row) override;
  Result<std::vector<SetRow>> sets() override;

  Result<std::optional<How>> known(AttemptId id) override;
  Status add_hold(const HoldRow& hold, const LedgerRow& draft) override;
  Result<std::optional<std::pair<HoldRow, LedgerRow>>> find_hold(AttemptId id) override;
  Result<bool> take_hold(AttemptId id, HoldRow& taken) override;
  Result<std::vector<std::pair<HoldRow, LedgerRow>>> holds() override;

  Status add_row(const LedgerRow& row) override;
  Result<std::optional<LedgerRow>> find_row(AttemptId id) override;
  Result<std::vector<LedgerRow>> adjustments(AttemptId of) override;
  Result<bool> booked_before(std::string_view adjustment) override;
  Status scan(const LedgerFilter& filter, const std::function<bool(const LedgerRow&)>& visit) override;
  Status scan_aside(const LedgerFilter& filter, std::optional<AttemptId> before,
                    const std::function<bool(const LedgerRow&)>& visit) override;
  bool scans_aside() const override { return true; }

  Result<std::optional<std::string>> fact(std::string_view kind, std::string_view key) override;
  Status put_fact(std::string_view kind, std::string_view key, std::string_view value) override;
  Status erase_fact(std::string_view kind, std::string_view key) override;
  Result<std::vector<std::pair<std::string, std::string>>> facts(std::string_view kind) override;

  Result<std::optional<Learned>> learned(std::uint64_t key) override;
  Status put_learned(std::uint64_t key, const Learned& row) override;
  Status erase_oldest_learned(std::int64_t count) override;

  Error damaged(const std::string& what) const override;
  Status checkpoint() override;
  void close() override;

 private:
  struct Statements;

  explicit FileTables(std::string path, StoreOptions options);
  /// `again`: to the store that was open before a fork, and to no other (R37).
  Status connect(bool again);
  Status check_file() const;
  Error replaced() const;
  /// Moves `counters_` to a row; false where there is none.
  Result<bool> seek_counters(std::int64_t row);
  void close_counters();
  void fold_log();
  Error error() const { return connection_->error(); }
  Status keep_lag(const LedgerRow& ledger_row);
  void point(const char* name) const {
    if (options_.at_point) options_.at_point(name);
  }

  const std::string path_;
  const StoreOptions options_;
  std::string store_id_;
  FileIdentity identity_;  // of the file as it was first opened; a child refuses another just as its parent does
  Gate gate_;
  // Leaked in a forked child: closing the parent's connection there would break its locks.
  Connection* connection_ = nullptr;
  Statements* statements_ = nullptr;
  sqlite3_blob* counters_ = nullptr;  // open on some row of counter_set while a step lasts
  std::int64_t counters_row_ = 0;     // on which; 0 = none
  int wal_pages_ = 0;
  bool added_rows_ = false;             // by this connection
  std::int64_t lag_ms_ = usual_lag_ms;  // as the file says; it may say more by now
  std::string buffer_;
};

}  // namespace farthing
