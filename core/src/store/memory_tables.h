// MemoryTables: rows in containers of one process. Nothing can fail in the middle of a step, so there is nothing to
// roll back: LocalStore changes rows only after it has decided.
// Thread-safety: as Tables.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/tables.h"

namespace farthing {

class MemoryTables final : public Tables {
 public:
  Status begin() override { return success(); }
  Status commit() override { return success(); }
  void rollback() override {}
  Status after_fork() override {
    return Error{Code::store_not_shared,
                 "memory: lives in the process that opened it, and this is a forked child: use file:PATH for "
                 "both, or open a guard of its own here"};
  }

  Result<StoreState> state() override { return state_; }
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
  std::optional<std::int64_t> ledger_from_ms() const override;
  Result<bool> booked_before(std::string_view adjustment) override;
  Status scan(const LedgerFilter& filter, const std::function<bool(const LedgerRow&)>& visit) override;

  Result<std::optional<std::string>> fact(std::string_view kind, std::string_view key) override;
  Status put_fact(std::string_view kind, std::string_view key, std::string_view value) override;
  Status erase_fact(std::string_view kind, std::string_view key) override;
  Result<std::vector<std::pair<std::string, std::string>>> facts(std::string_view kind) override;

  Result<std::optional<Learned>> learned(std::uint64_t key) override;
  Status put_learned(std::uint64_t key, const Learned& row) override;
  Status erase_oldest_learned(std::int64_t count) override;

 private:
  /// R36: as many rows of the ledger as are kept; outcomes go with them.
  static constexpr std::size_t max_rows = 10'000;

  /// A ledger row as it is kept: a fifth of its size.
  struct PackedRow {
    std::shared_ptr<const CallContext> context;
    std::string own;

    void keep(const LedgerRow& row);
    LedgerRow whole() const;
  };
  struct Hold {
    HoldRow row;
    PackedRow draft;
  };
  using Holds = std::unordered_map<std::uint64_t, Hold>;
  /// With what is looked for.
  struct KeptRow {
    AttemptId id;
    AttemptId of;
    std::int64_t reserved_ms = 0;
    RowKind kind = RowKind::attempt;
    How how = How::open;
    PackedRow row;
  };
  /// Where the row of an id is: how many came before it ever.
  struct Place {
    std::uint64_t id = 0;
    std::uint64_t row = 0;
  };

  const KeptRow& row_at(std::uint64_t place) const { return ledger_[place % max_rows]; }
  std::uint64_t end_of_rows() const { return dropped_ + ledger_.size(); }
  std::deque<Place>::iterator place_of(std::uint64_t id);
  const KeptRow* row_of(AttemptId id);
  /// For one more; the oldest, with its memory, where there are as many as are kept.
  KeptRow& next_row();

  StoreState state_;
  std::vector<SetRow> sets_;  // index + 1 is the row; an erased one has no key
  std::unordered_map<std::string, std::int64_t> set_of_key_;
  Holds holds_;
  std::vector<Holds::node_type> spare_holds_;  // of calls that have ended: the next ones take their memory
  std::vector<KeptRow> ledger_;                // as booked; a ring once it is full
  std::uint64_t dropped_ = 0;                  // rows that were written over
  std::deque<Place> places_;                   // ids ascend, and so do most calls' ends: new ones come last, or nearly
  std::map<std::pair<std::string, std::string>, std::string, std::less<>> facts_;
  std::unordered_map<std::uint64_t, Learned> learned_;
};

}  // namespace farthing
