// LocalStore: the rules of a store (R1 to R21, R34 to R37) over Tables. memory: and file: are this class over different
// tables, so they cannot differ.
//
// Thread-safety: see Store.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "ledger/ids.h"
#include "store/store.h"
#include "store/tables.h"

namespace farthing {

namespace facts {
struct KeptJob;
}

class LocalStore : public Store {
 public:
  LocalStore(StoreInfo info, StoreOptions options, std::unique_ptr<Tables> tables);
  ~LocalStore() override;

  const StoreInfo& info() const override { return info_; }
  AttemptId next_id() override;
  ReserveAnswer reserve(const ReserveRequest& request) override;
  Result<Settled> settle(Settlement& settlement) override;
  Result<std::optional<Learned>> learned(std::uint64_t key) override;
  Result<std::optional<JobView>> find_job(const std::string& host, const std::string& id) override;
  Result<std::optional<std::string>> find_batch_file(const std::string& host, const std::string& id) override;
  Result<std::vector<JobView>> jobs(const JobFilter& filter) override;
  Result<Settled> end_job(const std::string& host, const std::string& id, std::optional<Usd> actual,
                          const std::string& who, const std::string& why) override;
  Result<Settled> adjust(const Adjustment& adjustment) override;
  Result<Settled> book(const LedgerRow& row, const Plan& plan) override;

  Result<Registry> registry() override;
  Result<Applied> apply(const Policy& policy, bool force, const std::string& who, const std::string& why,
                        bool look_only) override;
  Result<PolicyChange> remove_document(const std::string& name, const std::string& who, const std::string& why,
                                       bool look_only) override;
  Status set_override(const Override& change) override;
  Status clear_override(const std::string& cap_id, const std::vector<std::string>& each_values, const std::string& who,
                        const std::string& why) override;
  Result<Halt> halt(const Halt& halt) override;
  Status resume(std::optional<std::int64_t> id, const std::string& who, const std::string& why) override;
  Result<std::vector<Change>> changes(std::size_t most) override;

  Result<std::vector<CounterView>> counters(const std::optional<std::string>& cap_id) override;
  Result<std::optional<CounterView>> run(const std::string& id) override;
  Result<std::vector<HoldView>> holds() override;
  Status ledger(const LedgerFilter& filter, const std::function<bool(const LedgerRow&)>& visit) override;
  Result<std::vector<DenialEntry>> denials(std::size_t most) override;
  Status add_denials(const std::vector<DenialEntry>& entries) override;
  Result<std::vector<AlertFired>> alerts(std::size_t most) override;
  Result<std::string> secret() override;

  Status renew() override;
  Result<Swept> sweep() override;
  Status checkpoint() override;
  Result<std::int64_t> now_ms() override;
  Status reset_clock(const std::string& who, const std::string& why) override;
  void close() override;

 private:
  /// One atomic step: begins on construction, rolls back unless committed.
  class Step;

  /// The store's lock for this process; tried, then waited for in `options_.blocking` (R42). Not owned: Patience was over.
  std::unique_lock<std::mutex> lock();
  std::mutex& own_mutex();
  Status take_over_after_fork();
  void take_slot(StoreState& state);
  std::int64_t store_time(StoreState& state) const;
  const Registry* known_registry(const StoreState& state, std::int64_t now_ms, Error& error);
  ReserveAnswer reserve_in(Step& step, const ReserveRequest& request);
  /// Why it is refused whatever its counters say, or cannot be held; nothing: it may be admitted.
  std::optional<ReserveAnswer> forbid(Step& step, const ReserveRequest& request);
  /// The counters that a call meets.
  struct Met;
  Status meet(const ReserveRequest& request, std::int64_t now_ms, Met& met);
  Status meet_set(const PlannedSet& set, std::int64_t now_ms, Met& met);
  Status meet_run(const RunHold& run, std::uint32_t order, Met& met);
  /// R9: whether a cap with `each` has as many counters as it may.
  Result<std::optional<Refused>> too_many(const ReserveRequest& request, const Granted& granted, const Met& met);
  /// Writes what was granted.
  Status hold_on(Step& step, const ReserveRequest& request, const Granted& granted, Met& met);
  Status write_sets(const ReserveRequest& request, Met& met);
  ReserveAnswer refuse(Step& step, Refused refused, engine::Slots slots, bool tentative);
  /// `begun`: whether a step was begun. Nothing is learnt without a lesson.
  Result<Settled> settle_once(Settlement& settlement, const std::optional<Lesson>& lesson, bool& begun);
  /// Its hold is gone: it has ended before, or was never there.
  Result<Settled> settle_ended(Step& step, LedgerRow& row);
  Result<Learned> learn(Step& step, const Lesson& lesson);
  /// R35: whether a step fires the alerts that it passes. What a person corrects leaves them to the next settlement, whose
  /// guard tells them.
  enum class Alerts : std::uint8_t { fire, leave };
  /// `hold` was taken from the tables in this step.
  Status settle_in(Step& step, LedgerRow& row, const HoldRow& hold, Alerts alerts, Settled& settled);
  /// R17: the hold of a call goes on as its job's.
  Result<Settled> keep_job(Step& step, const Settlement& settlement);
  Result<Settled> keep_batch_file(Step& step, const BatchFile& file);
  /// The job of an attempt is over: its slots are free, it is found no longer by who looks for pending ones.
  Status end_job_of(Step& step, AttemptId attempt);
  /// Those whose row the ledger has dropped (memory): nobody can settle them any more.
  Status end_lost_jobs(Step& step);
  Status free_slots(Step& step, const std::vector<HeldCounter>& slots);
  Result<JobView> view_of(const facts::KeptJob& kept);
  Result<Settled> settle_late(Step& step, const LedgerRow& ended, const LedgerRow& row, Alerts alerts);
  Result<Settled> adjust_in(Step& step, const LedgerRow& original, const Adjustment& adjustment, How how,
                            Alerts alerts);
  Result<Swept> sweep_in(Step& step);
  /// Alerts that a sweep fired go to whoever is answered next.
  void hand_on_alerts(ReserveAnswer& answer);
  /// R35: keeps those that are the first of their cap, counter, window, threshold and limit, and records them.
  Status record_alerts(Step& step, std::vector<AlertFired>& alerts);
  Status correct_counters(Step& step, const HoldRow& hold, const Amounts& booked, bool outcome_unknown, Alerts alerts,
                          Settled& settled, std::vector<std::int64_t>& alert_rows);
  /// The hold of its id is this one from now on.
  Status replace_hold(const HoldRow& hold, const LedgerRow& draft);
  Status count_from_ledger(Step& step, RegisteredCap& cap);
  /// The same for a cap whose windows were of a wrong clock: its counters and what holds say of them go first.
  Status count_again(Step& step, RegisteredCap cap);
  Status delete_old_counters(Step& step);
  /// Alerts that it fires go into `settled`.
  Status add_to_counters(Step& step, const LedgerRow& row, const Amounts& difference, const Amounts& no_longer_unknown,
                         Alerts alerts, Settled& settled);
  /// R17: a process that holds says how long its holds may live; true: it said so in this step.
  Result<bool> tell_process(Step& step);
  Result<std::int64_t> expiry(const HoldRow& hold);
  /// Rows were erased: numbers cached in plans are not to be trusted any more.
  void forget_rows();
  /// The cap of a counter, as of `registry_`; null: in no policy any more.
  const RegisteredCap* cap_of(std::uint32_t number) const {
    return number < cap_of_number_.size() ? cap_of_number_[number] : nullptr;
  }

  const StoreInfo info_;
  const StoreOptions options_;
  std::uint64_t serial_;  // tells a cached row of this store from another's
  // In a forked child the mutex, the tables' connection, the slot and the ids are made anew (R36). Each has the
  // fork_generation that it belongs to; its threads may all come first.
  std::atomic<std::uint64_t> mutex_of_;   // whose is `mutex_`
  std::atomic<std::uint64_t> remaking_;   // whose thread makes it, or made it
  std::atomic<std::mutex*> mutex_;        // made by its first thread, leaked by a child: one that is gone may hold it
  std::atomic<std::uint64_t> owner_;      // whose are the tables' connection and `process_`; changed under the lock
  std::atomic<std::uint64_t> ids_of_{0};  // whose are `ids_`; 0 = of a step that is not committed
  std::uint32_t process_ = 0;             // slot in the store
  std::unique_ptr<IdMaker> ids_;          // never changed again once `ids_of_` says whose they are
  std::unique_ptr<Tables> tables_;
  std::int64_t told_process_ms_ = INT64_MIN / 2;  // when tell_process last said so
  std::atomic<bool> closed_{false};               // set under the lock; who reads beside it looks too
  std::vector<AlertFired> untold_alerts_;         // of sweeps inside reserves
  std::int64_t next_delete_ms_ = 0;               // of old counters, by this process
  // What alerts and views need of the registry, as of its revision.
  std::shared_ptr<const Registry> registry_;
  std::vector<const RegisteredCap*> cap_of_number_;  // of registry_, by RegisteredCap::number
};

}  // namespace farthing
