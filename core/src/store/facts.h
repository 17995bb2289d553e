// The registry and the other small records as JSON facts of Tables, and back. Kinds and keys:
//   document NAME/AT   policies, with history (R6)      cap NUMBER         registered caps, retired ones too
//   override CAP|EACH  limits set at run time (R8)      halt ID            (R34)
//   change N           who did what, why               denial N, alert N  bounded logs (R2, R35)
//   process SLOT       renewed_ms and hold_max_ms of a live process (R17)
//   job HOST ID        a job that is not over (R17)    job_over HOST ID   one that is, for a week
//   job_of ATTEMPT     the key of its job              asked FINGERPRINT  the attempt that asked last (`duplicate`)
//   run ID             what a run's deleted counter said (R9), for 400 days
//   meta NAME          the store's id and secret; when old runs were last looked for
//   added KIND         additions to a bounded log since it was last trimmed
//   once KEY           an alert that fired (R35)       counters NUMBER    how many counters a cap has (R9)
// Thread-safety: free functions over a Tables in a step.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "policy/registry.h"
#include "store/store.h"
#include "store/tables.h"

namespace farthing::facts {

/// A key that sorts as its number does.
std::string number_key(std::int64_t number);

Result<Registry> read_registry(Tables& tables, const StoreState& state, std::int64_t now_ms);
/// All documents of one name, oldest first.
Result<std::vector<Document>> history(Tables& tables, const std::string& name);
Result<std::vector<Document>> documents(Tables& tables);
Status put_document(Tables& tables, const Document& document);
/// The number of every cap that was ever registered, by id.
Result<std::map<std::string, std::uint32_t>> cap_numbers(Tables& tables);
Status put_cap(Tables& tables, const RegisteredCap& cap);
/// R17: when a process last said that it lives, and how long its holds may at most: its own policy says, not the sweeper's.
struct Process {
  std::int64_t renewed_ms = 0;
  std::optional<std::int64_t> hold_max_ms;  // nothing: written by a version that did not say
};
Status put_process(Tables& tables, std::uint32_t slot, const Process& process);
/// Nothing where it has not said so yet.
Result<std::optional<Process>> find_process(Tables& tables, std::uint32_t slot);
Result<std::map<std::uint32_t, Process>> processes(Tables& tables);
Status erase_process(Tables& tables, std::uint32_t slot);
/// R9: how many counters a cap with `each` has, and more or fewer of them.
Result<std::int64_t> counter_count(Tables& tables, std::uint32_t cap_number);
Status count_counters(Tables& tables, std::uint32_t cap_number, std::int64_t more);
/// R9: what a run's counter said when it was deleted; a later call of that run goes on from there.
Status put_run(Tables& tables, const std::string& id, const engine::Entry& entry);
Result<std::optional<engine::Entry>> kept_run(Tables& tables, const std::string& id);
Status forget_runs_before(Tables& tables, std::int64_t touched_ms);
/// R17: a job as it is kept; `slots` are the concurrency counters that its hold left when it expired.
struct KeptJob {
  Job job;
  std::int64_t deadline_ms = 0;
  std::int64_t over_ms = 0;  // 0: it is not
  std::vector<HeldCounter> slots;
};
Status put_job(Tables& tables, const KeptJob& kept);
Result<std::optional<KeptJob>> find_job(Tables& tables, const std::string& host, const std::string& id);
Result<std::optional<KeptJob>> job_of(Tables& tables, AttemptId attempt);
/// Those that are not over.
Result<std::vector<KeptJob>> jobs(Tables& tables);
Status end_job(Tables& tables, KeptJob kept, std::int64_t now_ms);
/// Jobs that were over before, and those of which nothing is taken any more and whose deadline was.
Status forget_jobs_before(Tables& tables, std::int64_t before_ms);
/// R17: files with the requests of a batch, by host and id.
Status put_batch_file(Tables& tables, const BatchFile& file, std::int64_t now_ms);
Result<std::optional<std::string>> find_batch_file(Tables& tables, const std::string& host, const std::string& id);
/// Those that were kept before, and the oldest of more than `most`.
Status forget_batch_files(Tables& tables, std::int64_t before_ms, std::size_t most);
Status put_override(Tables& tables, const Override& change);
Status erase_override(Tables& tables, const std::string& cap_id, const std::vector<std::string>& each_values);
/// R4: what is kept under the id of a cap, besides its number, goes on under another: overrides (R8) and the once-keys of
/// its alerts (R35).
Status rename_cap(Tables& tables, const std::string& from, const std::string& to);
Status put_halt(Tables& tables, const Halt& halt);

Status add_change(Tables& tables, StoreState& state, std::int64_t now_ms, const std::string& who,
                  const std::string& what, const std::string& why);
Result<std::vector<Change>> changes(Tables& tables, std::size_t most);
/// R35: whether this alert is the first of its cap, counter, window, threshold and limit.
Result<bool> is_first_alert(Tables& tables, const AlertFired& alert);
/// The same, and remembers it until the window is over.
Result<bool> first_alert(Tables& tables, const AlertFired& alert);
Status forget_alerts_before(Tables& tables, std::int64_t end_ms);
Status add_alert(Tables& tables, StoreState& state, const AlertFired& alert);
Result<std::vector<AlertFired>> alerts(Tables& tables, std::size_t most);
Status add_denial(Tables& tables, StoreState& state, const DenialEntry& entry);
Result<std::vector<DenialEntry>> denials(Tables& tables, std::size_t most);

}  // namespace farthing::facts
