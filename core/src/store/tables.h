// Tables: where a local store keeps its rows. LocalStore holds the rules and drives it; memory and file implement it.
//
// Everything between begin() and commit() is one atomic step: after rollback(), or after the process dies, nothing of
// it has happened.
// Thread-safety: called by one thread at a time (LocalStore's lock; for the file also the gate between processes).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "farthing/ledger.h"
#include "farthing/result.h"
#include "ledger/learned.h"
#include "store/engine.h"

namespace farthing {

/// Row 1: what every step reads, and writes where it changed.
struct StoreState {
  std::uint64_t revision = 0;  // of the registry
  std::int64_t time_ms = 0;    // the store's time when it was last written (R12)
  std::int64_t boot_ms = 0;    // the boot clock at that time
  std::uint64_t boot_id = 0;
  std::int64_t next_sweep_ms = 0;
  std::uint32_t next_cap = 1;  // RegisteredCap::number
  std::uint32_t next_process = 1;
  std::int64_t next_halt = 1;
  std::int64_t next_note = 1;  // keys of changes, denials, alerts
  bool operator==(const StoreState&) const = default;
};

/// A hold's counter: booked in this window, or no longer touched (R14).
struct HeldCounter {
  std::int64_t row = 0;
  std::uint32_t number = 0;
  std::uint8_t meter = 0;
  std::int64_t start_ms = 0;
};

struct HoldRow {
  AttemptId id;
  std::uint32_t process = 0;
  std::int64_t created_ms = 0;
  std::int64_t deadline_ms = 0;  // of a job, which nobody renews (R17); 0: its process does
  Amounts held;
  std::vector<HeldCounter> counters;
};

struct SetRow {
  std::int64_t row = 0;
  std::string key;
  std::vector<std::string> each_values;
  std::vector<engine::Entry> entries;
};

class Tables {
 public:
  using Entries = std::vector<engine::Entry>;

  virtual ~Tables() = default;

  virtual Status begin() = 0;
  virtual Status commit() = 0;
  virtual void rollback() = 0;
  /// First thing in a forked child (R36).
  virtual Status after_fork() = 0;
  /// A child may use it too, so no fork may come in the middle of a step (NoFork).
  virtual bool is_for_children() const { return false; }

  virtual Result<StoreState> state() = 0;
  virtual Status set_state(const StoreState& state) = 0;

  // Counter sets: all caps of one match and one tuple of `each` values.
  /// 0 when there is none.
  virtual Result<std::int64_t> find_set(std::string_view key) = 0;
  /// Its counters, to be changed; empty where there is no such set. Where they are not kept as they are, they are put into
  /// `room`, and what was changed must be given to write_set. Valid until a set is added or erased.
  virtual Result<Entries*> read_set(std::int64_t row, Entries& room) = 0;
  virtual Status write_set(std::int64_t row, const Entries& entries) = 0;
  virtual Result<std::int64_t> add_set(std::string_view key, const std::vector<std::string>& each_values,
                                       const Entries& entries) = 0;
  virtual Result<std::vector<std::string>> each_values(std::int64_t row) = 0;
  virtual Status erase_set(std::int64_t row) = 0;
  virtual Result<std::vector<SetRow>> sets() = 0;

  /// What became of an id so far: nothing, How::open for a hold, or its outcome.
  virtual Result<std::optional<How>> known(AttemptId id) = 0;

  // Holds. A second hold or outcome of one id is Code::invalid_argument.
  virtual Status add_hold(const HoldRow& hold, const LedgerRow& draft) = 0;
  virtual Result<std::optional<std::pair<HoldRow, LedgerRow>>> find_hold(AttemptId id) = 0;
  /// Finds and removes; false where there is none.
  virtual Result<bool> take_hold(AttemptId id, HoldRow& taken) = 0;
  virtual Result<std::vector<std::pair<HoldRow, LedgerRow>>> holds() = 0;

  // The ledger. An attempt's row is its outcome.
  virtual Status add_row(const LedgerRow& row) = 0;
  virtual Result<std::optional<LedgerRow>> find_row(AttemptId id) = 0;
  virtual Result<std::vector<LedgerRow>> adjustments(AttemptId of) = 0;
  /// Rows reserved before this have been dropped; nothing: it has them all.
  virtual std::optional<std::int64_t> ledger_from_ms() const { return std::nullopt; }
  virtual Result<bool> booked_before(std::string_view adjustment) = 0;
  /// In the order of ids, newest first; time and id are filtered here, the rest by the caller.
  virtual Status scan(const LedgerFilter& filter, const std::function<bool(const LedgerRow&)>& visit) = 0;

  /// The same from a snapshot of its own, outside of any step, from any thread; only where `scans_aside()`. `before`: only
  /// lower ids.
  virtual Status scan_aside(const LedgerFilter&, std::optional<AttemptId> /*before*/,
                            const std::function<bool(const LedgerRow&)>&) {
    return success();
  }
  virtual bool scans_aside() const { return false; }

  // Everything small: documents, caps, overrides, halts, changes, denials, alerts, processes; values are JSON.
  virtual Result<std::optional<std::string>> fact(std::string_view kind, std::string_view key) = 0;
  virtual Status put_fact(std::string_view kind, std::string_view key, std::string_view value) = 0;
  virtual Status erase_fact(std::string_view kind, std::string_view key) = 0;
  /// In the order of keys.
  virtual Result<std::vector<std::pair<std::string, std::string>>> facts(std::string_view kind) = 0;

  // What calls taught.
  virtual Result<std::optional<Learned>> learned(std::uint64_t key) = 0;
  virtual Status put_learned(std::uint64_t key, const Learned& row) = 0;
  /// Those whose newest lesson is the oldest.
  virtual Status erase_oldest_learned(std::int64_t count) = 0;

  /// store_corrupt: what cannot be read, where, and the way out.
  virtual Error damaged(const std::string& what) const { return {Code::store_corrupt, what}; }

  virtual Status checkpoint() { return success(); }
  virtual void close() {}
};

}  // namespace farthing
