// Control: looking at a store and changing what people change at run time: status, ledger, why, halt, resume, limits,
// corrections. The `farthing` command and `guard.status()` are this class; it needs no policy and sends no call.
//
//   auto control = *Control::open("file:/path/farthing.db", {});
//   StatusReport status = *control->status({});
//   control->halt({}, "alice", "incident 12");
//
// Thread-safety: every method may be called from any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "farthing/cap.h"
#include "farthing/clock.h"
#include "farthing/job.h"
#include "farthing/ledger.h"
#include "farthing/policy.h"
#include "farthing/receipt.h"
#include "farthing/result.h"
#include "farthing/suggest.h"

namespace farthing {

class Store;

/// R8: a limit that somebody set at run time, in place of the policy's.
struct LimitChange {
  std::vector<std::pair<std::string, std::string>> counter;  // each kind and value; none: of all counters
  std::int64_t limit = 0;
  std::int64_t baseline = 0;  // the policy's
  std::string who, why;
  std::int64_t at_ms = 0;
  std::optional<std::int64_t> until_ms;
};

/// "50.00 USD instead of 5.00 USD until 2026-12-01T00:00:00Z, by ann: launch".
std::string limit_change_words(Meter meter, const LimitChange& change);
/// As compact JSON.
std::string to_json(Meter meter, const LimitChange& change);

/// What setting or clearing a limit did.
struct LimitSet {
  std::string cap_id, words;
  Meter meter = Meter::usd;
  std::vector<std::pair<std::string, std::string>> counter;
  std::int64_t before = 0;  // in force until now
  std::int64_t after = 0;
};

/// What the calls with one label spent of a counter.
struct Spender {
  std::string kind;  // "task", "user", "model", ...
  std::string value;
  std::int64_t spent = 0;  // in the counter's meter
};

struct StatusCounter {
  CapLeft cap;
  std::string words;                     // the cap in words
  std::optional<std::int64_t> baseline;  // what an override replaced
  std::optional<LimitChange> change;     // ... and who set it
  std::int64_t unknown = 0;              // part of spent for calls of unknown outcome (R23)
  std::int64_t window_start_ms = 0;
  std::optional<std::int64_t> counted_since_ms;
  std::vector<int> alerts;  // thresholds
};

struct StatusHalt {
  std::int64_t id = 0;
  std::string match_json;
  std::string who, why;
  std::int64_t at_ms = 0;
};

struct StatusReport {
  std::string store;  // absolute
  std::string store_id;
  std::int64_t now_ms = 0;              // the store's time
  std::vector<StatusCounter> counters;  // registered caps first (also those without a counter yet), then live runs
  std::vector<StatusHalt> halts;
  std::int64_t open_holds = 0;     // calls under way
  std::int64_t pending_jobs = 0;   // calls whose work goes on after their answer (R17)
  std::int64_t expired_jobs = 0;   // ... that nobody polled before their deadline, nor ended since
  std::int64_t stale_streams = 0;  // holds past 120 s that are still renewed (R17)
  std::vector<std::string> notes;  // book age, forward clock, queued settlements ...
  std::string to_json() const;
};

/// Everything known of one attempt, call or denial id.
struct WhyReport {
  std::string json;
  std::string text;
};

struct RegisteredCapView {
  Cap cap;
  std::string words;
  std::int64_t limit = 0;                // in force
  std::optional<std::int64_t> baseline;  // what an override replaced
  std::vector<LimitChange> changes;      // in force, the last one last: of all counters and of single ones
  std::vector<std::string> documents;    // that hold it
};

/// A policy in force.
struct PolicyView {
  std::string name;
  Origin origin = Origin::code;
  std::int64_t at_ms = 0;         // since when
  std::vector<std::string> caps;  // in words
};

struct ChangeNote {
  std::string who;  // default: user@host
  std::string why;
};

/// Which counter of a cap with `each`: its kinds with a value each, in any order; {"", value} where the cap has one
/// kind. Empty: all counters.
using CounterValues = std::vector<std::pair<std::string, std::string>>;

/// How a cap is named: a program by its id, or the words of one without; a person, who is told which cap it was, also by a
/// part of them that no other cap has.
enum class CapBy { id, part };

class Control {
 public:
  static Result<std::shared_ptr<Control>> open(const std::string& store_location, std::shared_ptr<Clock> clock);
  static std::shared_ptr<Control> over(std::shared_ptr<Store> store);
  ~Control();

  Result<StatusReport> status() const;
  /// Newest first.
  Status ledger(const LedgerFilter& filter, const std::function<bool(const LedgerRow&)>& visit) const;
  /// Refusals as compact JSON objects, newest first: those of the filter's times, labels and model.
  Result<std::vector<std::string>> denials(const LedgerFilter& filter) const;
  Result<WhyReport> why(const std::string& id) const;
  /// Caps that the ledger speaks for; reads all of it since `options.since_ms`.
  Result<CapSuggestions> suggest_caps(const SuggestOptions& options) const;

  /// Stops everything, or the calls that match. Answers the halt's id.
  Result<std::int64_t> halt(const Match& match, const ChangeNote& note);
  /// What of a halt's match no call, cap or policy of the store has, and no price book prices, with near names: it may be
  /// misspelt. `endpoints` are the built-in ones (farthing/endpoint.h).
  Result<std::vector<std::string>> doubts_of_halt(const Match& match,
                                                  const std::vector<std::string_view>& endpoints) const;
  Status resume(std::optional<std::int64_t> id, const ChangeNote& note);

  /// Registered caps with number, words, limit, override.
  Result<std::vector<RegisteredCapView>> caps() const;
  /// R8: in force on the next call of every process.
  Result<LimitSet> set_limit(const std::string& cap, const CounterValues& counter, const std::string& limit_text,
                             std::optional<std::int64_t> until_ms, const ChangeNote& note, CapBy by = CapBy::id);
  Result<LimitSet> clear_limit(const std::string& cap, const CounterValues& counter, const ChangeNote& note,
                               CapBy by = CapBy::id);
  /// The newest first.
  /// `most` 0: all that are kept.
  Result<std::vector<Change>> changes(std::size_t most) const;
  /// R19, R23: new absolute cost of one attempt. Answers what was booked for it until now.
  Result<Usd> adjust(AttemptId attempt, Usd actual, const ChangeNote& note);
  /// R17: jobs that are not over, oldest first; those whose deadline has passed are charged, and are until somebody polls them.
  Result<std::vector<JobView>> jobs() const;
  /// Ends one by the provider's id or its attempt's: settled at `actual`, else charged at its hold. Answers it as it was.
  Result<JobView> end_job(const std::string& id, std::optional<Usd> actual, const ChangeNote& note);
  /// The policies in force, by name.
  Result<std::vector<PolicyView>> policies() const;
  /// Registers a policy without opening a guard; `force` replaces one that was superseded (R6). `look_only`: answers the
  /// same, or the same error, and changes nothing.
  Result<PolicyChange> apply_policy(const Policy& policy, bool force, const ChangeNote& note = {},
                                    bool look_only = false);
  /// `look_only`, as above.
  Result<PolicyChange> remove_policy(const std::string& name, const ChangeNote& note = {}, bool look_only = false);
  /// After a clock that was wrong: the store's time is this machine's again.
  Status reset_clock(const ChangeNote& note);

 private:
  explicit Control(std::shared_ptr<Store> store);
  std::shared_ptr<Store> store_;
};

/// A job as compact JSON.
std::string to_json(const JobView& view);
/// One ledger row as compact JSON; money as decimal text and integer nano.
std::string to_json(const LedgerRow& row);

}  // namespace farthing
