// Store: where counters, holds, the registry and the ledger live; every step is atomic.
//
//   auto store = *open_store("file:/home/u/.local/state/farthing/x.db", options);
//   ReserveAnswer answer = store->reserve(request);      // all caps or none
//   store->settle(settlement);                           // exactly once
//
// All local stores share one set of rules (store/engine.h) and differ in where rows are kept. One contract suite
// (tests/stores) holds them all.
// Thread-safety: every method may be called from any thread. A store opened before fork() refuses in the child where
// it cannot be shared (memory:) and reopens itself where it can (file:), R36.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "farthing/clock.h"
#include "farthing/denial.h"
#include "farthing/job.h"
#include "farthing/ledger.h"
#include "farthing/result.h"
#include "ledger/learned.h"
#include "policy/documents.h"
#include "policy/plan.h"
#include "policy/registry.h"

namespace farthing {

/// What a call can need: per meter a fixed part and a part per output token, and the output limit wanted and the least
/// acceptable (R20). The store grants the largest output limit in [least, want] that every cap can pay.
struct Demand {
  Amounts fixed;          // usd rounded up to whole nano; requests 1; concurrent 1; input tokens, ...
  Amounts per_output;     // usd: unit price rounded up x choices; output_tokens and tokens: choices; else 0
  std::int64_t want = 0;  // output limit; 0 and least 0 where the endpoint has no output
  std::int64_t least = 0;
  /// R20: the output part asks at most this share of limit - spent on any cap: 1/share; 0 = no such bound (the caller
  /// limited the output). Never below `least`.
  std::int64_t share = 0;
};

/// A run's own counter (R28): window total, the limit lives in the counter.
struct RunHold {
  std::string id;
  std::string task;
  std::optional<Usd> limit;  // nothing: only counted
};

struct ReserveRequest {
  AttemptId id;
  const Plan* plan = nullptr;
  std::vector<RunHold> runs;  // outermost first, at most 8
  Amounts call_committed;     // per = "call": what this call's attempts hold and spent so far (R27)
  Demand demand;
  /// Take the largest acceptable output limit now. False: where only holds are in the way, answer `held` instead (R21).
  bool take_what_fits = false;
  /// The caller may ask again with less (its bound is not its closest): it is refused where not all of the output that it wants
  /// fits (Refused::less_fits), and a refusal that alerts would tell of records none and says so (Refused::alerts_due).
  bool tentative = false;
  /// Only answer, as it would be answered now: nothing is held, counted or told.
  bool look_only = false;
  /// A cap of the plan, by its id: the grant tells what it had spent, for prices that depend on a volume. "": none.
  std::string_view volume_cap;
  /// The line of those who came before and wait: what would be granted waits there too, what could never fit is refused.
  std::string behind;
  /// R17: where it is not empty, an equal one whose hold is open refuses this one (`duplicate`).
  std::string fingerprint;
  /// What the ledger will say of this attempt if nobody settles it; the store completes it.
  LedgerRow* draft = nullptr;
};

struct AlertFired {
  std::string cap_id;
  std::vector<std::string> each_values;
  std::int64_t window_start_ms = 0;
  int threshold = 0;  // percent
  std::int64_t limit = 0;
  std::int64_t spent = 0;
  std::int64_t reserved = 0;
  Meter meter = Meter::usd;
  std::optional<std::int64_t> resets_at_ms;
};

struct Remaining {  // what is left on a counter after this step, for receipts; in the order of the plan, runs last
  const RegisteredCap* cap = nullptr;  // null: a run
  std::int64_t limit = 0;
  std::int64_t committed = 0;
  std::int64_t reserved = 0;
  std::optional<std::int64_t> resets_at_ms;
};

struct Granted {
  std::int64_t at_ms = 0;  // the store's time
  std::int64_t output_limit = 0;
  Amounts held;
  std::optional<std::int64_t> volume;  // what `volume_cap` had spent before; nothing: it does not count this call
  std::vector<AlertFired> alerts;      // of holds that expired just before (R35)
};
struct Refused {
  std::int64_t at_ms = 0;
  Code code = Code::cap_exceeded;
  std::vector<RefusedCap> caps;                   // headline first
  bool held = false;                              // would pass if all holds settled
  std::optional<std::int64_t> fits_output_limit;  // the largest that would pass now, below `least` too
  AttemptId duplicate_of;                         // R17: whose request is equal
  bool alerts_due = false;                        // a tentative one, which would fire alerts: ask again for good
  bool less_fits = false;                         // a tentative one, which would be granted with less output: likewise
  std::vector<AlertFired> alerts;  // 100 fires at a window's first refusal (R35); and of holds that expired before
};
/// Only holds are in the way of the full output limit (answered only without take_what_fits).
struct HeldBack {
  std::int64_t at_ms = 0;
  Refused refusal;            // what it would be if it refused now
  std::string waiting_for;    // the line of the first counter or run in the way
  std::int64_t fits_now = 0;  // the output limit that would be granted now; 0 = none
};
/// Which of the jobs that are not over; the oldest first.
struct JobFilter {
  std::size_t most = 0;  // 0: all
  std::function<bool(const JobView&)> fits = {};
};
/// The line in which calls wait for what others hold on this counter (R21): HeldBack::waiting_for.
std::string line_of(const PlannedCap& cap, const PlannedSet& set);
std::string line_of_run(const std::string& run_id);

/// What registering a document did to what was found.
struct Applied {
  PolicyChange change;
  std::vector<SetLimit> set_limits;  // also where the document was in force already
};

struct PolicyChanged {
  std::uint64_t revision = 0;
};

using ReserveAnswer = std::variant<Granted, Refused, HeldBack, PolicyChanged, Error>;

/// A file with the requests of a batch, which a guard saw on its way to its host (R17).
struct BatchFile {
  std::string host;
  std::string id;    // the host's
  std::string asks;  // JSON of the guard: what a batch of it asks for; no prompt is in it
};
/// Kept for as long as a host keeps such a file (OpenAI: 30 days by its reference of files, 2026-11), the newest so many.
inline constexpr std::int64_t keep_batch_files_ms = 30LL * 86'400'000;
inline constexpr std::size_t max_batch_files = 1'000;

/// Ends a hold: settle, release or charge, by `row.how`. `row.booked` is what to book; a counter of a meter is
/// corrected by booked - held if its window is still current (R14).
struct Settlement {
  LedgerRow row;  // whole, but for what its hold tells: the store completes it; id names the hold
  /// Kept in the same step where this ends the hold. Never worth the settlement: what cannot be kept is left out.
  std::optional<Lesson> lesson;
  /// Its work goes on (R17): nothing is booked, the hold becomes this job's, `row` its new draft.
  std::optional<Job> job = std::nullopt;
  /// Of an upload: there was no hold, `row` is empty, and nothing is done but to keep it.
  std::optional<BatchFile> file = std::nullopt;
};
struct Settled {
  bool first = true;      // false: it had ended before, this is what was booked then (R18)
  bool adjusted = false;  // it had expired; booked as an adjustment
  How how = How::usage;
  std::optional<Usd> actual;
  std::int64_t at_ms = 0;
  std::vector<AlertFired> alerts;
  std::vector<Remaining> remaining;
  std::shared_ptr<const void> keep;        // keeps what `remaining` points at alive
  std::shared_ptr<const Learned> learned;  // the row of the lesson, with it
};

struct Swept {
  int expired = 0;                 // holds
  std::vector<AlertFired> alerts;  // that what expired fired, also in a sweep of this process that nobody was told of
};

struct Adjustment {  // R19
  AttemptId attempt;
  std::string id;
  Amounts booked;  // new absolute amounts
  std::optional<Usd> actual;
  std::string who;
  std::string why;
};

struct CounterView {
  const RegisteredCap* cap = nullptr;  // null: a run's counter
  std::shared_ptr<const void> keep;
  std::string run;
  std::string task;
  std::vector<std::string> each_values;
  WindowBounds window;
  std::int64_t limit = 0;  // in force
  std::optional<std::int64_t> baseline;
  const Override* change = nullptr;  // that set the limit, kept by `keep`
  std::int64_t committed = 0;
  std::int64_t reserved = 0;
  std::int64_t unknown = 0;  // part of spent whose outcome is unknown (R23)
  std::optional<std::int64_t> counted_since_ms;
};

/// R17: a hold that is older than a hold lives without renewal is most likely a stream that nobody reads to its end.
inline constexpr std::int64_t stale_after_ms = 120'000;

struct HoldView {
  LedgerRow draft;
  std::int64_t expires_ms = 0;
  bool job = false;  // of a call that goes on after its answer (R17)
};
/// A call that is open for so long that most likely nobody reads it; a job may take its time.
inline bool is_stale(const HoldView& hold, std::int64_t now_ms) {
  return !hold.job && now_ms - hold.draft.reserved_ms > stale_after_ms;
}

/// Refusals, coalesced: equal ones within a minute are one entry with a count (R2). Bounded to the newest `max_denials`.
struct DenialEntry {
  AttemptId id;
  std::vector<AttemptId> others;  // of the same entry, the newest last; of many the newest `max_denial_ids`
  std::int64_t first_ms = 0;
  std::int64_t last_ms = 0;
  std::int64_t count = 1;
  Code code = Code::cap_exceeded;
  std::string cap_id;
  std::string labels_json;
  std::string model;
  std::string message;
  std::string body;  // the denial's JSON

  bool is_of(AttemptId attempt) const {
    return id == attempt || std::find(others.begin(), others.end(), attempt) != others.end();
  }
  /// An equal one that was before is this one from now on.
  void join(const DenialEntry& earlier);
};

inline constexpr std::size_t max_denials = 10'000;
inline constexpr std::size_t max_denial_ids = 100;

struct StoreInfo {
  std::string kind;      // "memory", "file"
  std::string location;  // "memory:" or "file:/absolute/path"
  std::string store_id;  // random, made with the store (R37)
  int format = 1;
};

struct StoreOptions {
  std::shared_ptr<Clock> clock;
  bool durable_power = false;
  /// Runs a long wait for the caller, for example with an interpreter's lock released (R42); empty: just waits.
  std::function<void(const std::function<void()>&)> blocking;
  /// Tests only: called at the named points of the file store, which may kill the process there.
  std::function<void(const char*)> at_point;
  /// Then store_unavailable (a stopped holder must not hang everybody); a thread may have less patience (store/patience.h).
  std::int64_t gate_wait_ms = 10'000;
  std::int64_t hold_ms = 120'000;  // R17
  std::int64_t hold_max_ms = 3'600'000;
};

/// Rows of what was learnt. Those that were not used for the longest time go first, a tenth of them at once.
inline constexpr std::int64_t max_learned = 1'000;

class Store {
 public:
  virtual ~Store() = default;
  virtual const StoreInfo& info() const = 0;
  /// A fresh id: time-ordered, never the same for two live processes.
  virtual AttemptId next_id() = 0;

  // The path of every call.
  virtual ReserveAnswer reserve(const ReserveRequest& request) = 0;
  virtual Result<Settled> settle(Settlement& settlement) = 0;

  /// What was learnt under a key; nothing: nothing yet, or not for long. At most `max_learned` rows are kept.
  virtual Result<std::optional<Learned>> learned(std::uint64_t key) = 0;
  // Jobs (R17).
  /// Of any process; one that is over too.
  virtual Result<std::optional<JobView>> find_job(const std::string& host, const std::string& id) = 0;
  /// What a file asks for (BatchFile::asks); nothing: no guard on this store has seen it.
  virtual Result<std::optional<std::string>> find_batch_file(const std::string& host, const std::string& id) = 0;
  /// Those that are not over, oldest first.
  virtual Result<std::vector<JobView>> jobs(const JobFilter& filter = {}) = 0;
  /// Ends one that nobody polls: settled at `actual`, or charged at its hold; its slot is free again.
  virtual Result<Settled> end_job(const std::string& host, const std::string& id, std::optional<Usd> actual,
                                  const std::string& who, const std::string& why) = 0;

  // Corrections and spend that no attempt made (R19).
  virtual Result<Settled> adjust(const Adjustment& adjustment) = 0;
  virtual Result<Settled> book(const LedgerRow& row, const Plan& plan) = 0;

  // The registry (R6 to R8, R34). Each change raises the revision.
  virtual Result<Registry> registry() = 0;
  /// Registers a document and its caps; new caps are counted from the ledger in the same step (R7).
  /// `policy_superseded` unless `force`, where R6 says so. What it does is told of the caps that it found;
  /// `look_only`: nothing else is done. Who and why go to the change log, here and below.
  virtual Result<Applied> apply(const Policy& policy, bool force, const std::string& who = {},
                                const std::string& why = {}, bool look_only = false) = 0;
  virtual Result<PolicyChange> remove_document(const std::string& name, const std::string& who = {},
                                               const std::string& why = {}, bool look_only = false) = 0;
  virtual Status set_override(const Override& change) = 0;
  virtual Status clear_override(const std::string& cap_id, const std::vector<std::string>& each_values,
                                const std::string& who, const std::string& why) = 0;
  virtual Result<Halt> halt(const Halt& halt) = 0;
  /// All halts, or the one with this id.
  virtual Status resume(std::optional<std::int64_t> id, const std::string& who, const std::string& why) = 0;
  /// The log of such changes, newest first.
  virtual Result<std::vector<Change>> changes(std::size_t most) = 0;

  // Reading.
  virtual Result<std::vector<CounterView>> counters(const std::optional<std::string>& cap_id) = 0;
  /// What a run has spent, also where its counter was deleted (R9); nothing for one that is not known.
  virtual Result<std::optional<CounterView>> run(const std::string& id) = 0;
  virtual Result<std::vector<HoldView>> holds() = 0;
  /// Newest first; `visit` returns false to stop. The store is not locked while visiting.
  virtual Status ledger(const LedgerFilter& filter, const std::function<bool(const LedgerRow&)>& visit) = 0;
  virtual Result<std::vector<DenialEntry>> denials(std::size_t most) = 0;
  virtual Status add_denials(const std::vector<DenialEntry>& entries) = 0;
  virtual Result<std::vector<AlertFired>> alerts(std::size_t most) = 0;

  /// R30: 32 random bytes made with the store, the same for all its processes; never shown.
  virtual Result<std::string> secret() = 0;

  // Housekeeping, called by the guard's background thread and by tests; all idempotent.
  /// This process is alive: its holds live on (R17: one row per process). Call every 30 s while holds are open.
  virtual Status renew() = 0;
  /// Charges expired holds, deletes counters 24 h after their window (R9), outcomes of voided ids.
  virtual Result<Swept> sweep() = 0;
  /// Keeps the file small (WAL checkpoint inside the gate); nothing for memory.
  virtual Status checkpoint() = 0;
  /// The store's time (R12) and, after a forward jump, the way back.
  virtual Result<std::int64_t> now_ms() = 0;
  virtual Status reset_clock(const std::string& who = {}, const std::string& why = {}) = 0;
  /// Closes; afterwards every method answers `closed`.
  virtual void close() = 0;
};

/// "memory:" (always a new one), "file:/absolute/path".
Result<std::shared_ptr<Store>> open_store(const std::string& location, const StoreOptions& options);

}  // namespace farthing
