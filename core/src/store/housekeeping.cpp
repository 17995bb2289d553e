// LocalStore's housekeeping: live processes, expired holds (R17), old counters (R9), the clock (R12), closing.
#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "farthing/time_text.h"
#include "ledger/fork.h"
#include "store/facts.h"
#include "store/step.h"

namespace farthing {

namespace {

constexpr std::int64_t sweep_every_ms = 5'000;
constexpr std::int64_t delete_every_ms = 3'600'000;
constexpr std::int64_t tell_process_every_ms = 12LL * 3'600'000;
constexpr std::int64_t forget_process_ms = 2 * tell_process_every_ms;
constexpr std::int64_t delete_after_ms = 24LL * 3'600'000;  // R9
// A run that goes on after its counter was deleted has what it spent (R9): for over a year, in a row each that is not
// found by its age, so they are looked through once a day and store.
constexpr std::int64_t keep_runs_ms = 400LL * 24 * 3'600'000;
constexpr std::int64_t look_for_runs_every_ms = 24LL * 3'600'000;
constexpr std::int64_t leap_ms = 30 * look_for_runs_every_ms;
constexpr std::int64_t keep_jobs_ms = 7LL * 24 * 3'600'000;  // for late polls, and for what refers to them

/// R17: money is charged when a job's deadline passes; the slot that it takes at its provider is taken for longer.
Status keep_slots(Tables& tables, HoldRow& hold) {
  auto kept = facts::job_of(tables, hold.id);
  if (!kept) return kept.error();
  if (!*kept || (*kept)->job.slot_until_deadline) return success();
  const auto is_slot = [](const HeldCounter& counter) {
    return static_cast<Meter>(counter.meter) == Meter::concurrent;
  };
  std::copy_if(hold.counters.begin(), hold.counters.end(), std::back_inserter((*kept)->slots), is_slot);
  std::erase_if(hold.counters, is_slot);
  return facts::put_job(tables, **kept);
}

}  // namespace

Result<std::int64_t> LocalStore::expiry(const HoldRow& hold) {
  if (hold.deadline_ms != 0) return hold.deadline_ms;
  const auto owner = facts::find_process(*tables_, hold.process);
  if (!owner) return owner.error();
  std::int64_t alive_ms = hold.created_ms;
  std::int64_t hold_max_ms = options_.hold_max_ms;
  if (*owner) {
    alive_ms = std::max(alive_ms, (*owner)->renewed_ms);
    hold_max_ms = (*owner)->hold_max_ms.value_or(hold_max_ms);
  }
  return std::min(alive_ms + options_.hold_ms, hold.created_ms + hold_max_ms);
}

Status LocalStore::replace_hold(const HoldRow& hold, const LedgerRow& draft) {
  HoldRow replaced;
  if (const auto taken = tables_->take_hold(hold.id, replaced); !taken) return taken.error();
  return tables_->add_hold(hold, draft);
}

Result<bool> LocalStore::tell_process(Step& step) {
  const std::int64_t ago_ms = step.now_ms() - told_process_ms_;
  if (ago_ms >= 0 && ago_ms < tell_process_every_ms) return false;
  const Status done = facts::put_process(*tables_, process_, {step.now_ms(), options_.hold_max_ms});
  if (!done) return done.error();
  return true;
}

Status LocalStore::renew() {
  Step step(*this);
  if (!step.status()) return step.status();
  Status done = facts::put_process(*tables_, process_, {step.now_ms(), options_.hold_max_ms});
  if (!done) return done;
  if (const Status committed = step.commit(); !committed) return committed;
  told_process_ms_ = step.now_ms();
  return success();
}

Result<Swept> LocalStore::sweep() {
  Step step(*this);
  if (!step.status()) return step.status().error();
  auto swept = sweep_in(step);
  if (!swept) return swept;
  // All counters are read for that: once an hour is enough.
  if (step.now_ms() >= next_delete_ms_) {
    if (const Status done = delete_old_counters(step); !done) return done.error();
    next_delete_ms_ = step.now_ms() + delete_every_ms;
  }
  if (const Status done = step.commit(); !done) return done.error();
  swept->alerts.insert(swept->alerts.begin(), untold_alerts_.begin(), untold_alerts_.end());
  untold_alerts_.clear();
  return swept;
}

Result<Swept> LocalStore::sweep_in(Step& step) {
  step.state().next_sweep_ms = step.now_ms() + sweep_every_ms;
  auto rows = tables_->holds();
  if (!rows) return rows.error();
  Swept swept;
  for (auto& [hold, draft] : *rows) {
    const auto expires = expiry(hold);
    if (!expires) return expires.error();
    if (step.now_ms() < *expires) continue;
    if (hold.deadline_ms != 0) {
      if (const Status kept = keep_slots(*tables_, hold); !kept) return kept.error();
    }
    draft.how = How::expired;
    draft.booked = hold.held;  // promise 3: abandonment is not a refund
    if (draft.ceiling) draft.actual = Usd{hold.held[Meter::usd]};
    HoldRow taken;
    if (const auto found = tables_->take_hold(hold.id, taken); !found) return found.error();
    Settled settled;
    if (const Status done = settle_in(step, draft, hold, Alerts::fire, settled); !done) return done.error();
    std::move(settled.alerts.begin(), settled.alerts.end(), std::back_inserter(swept.alerts));
    ++swept.expired;
  }
  return swept;
}

Status LocalStore::delete_old_counters(Step& step) {
  const auto holds = tables_->holds();
  if (!holds) return holds.error();
  const auto sets = tables_->sets();
  if (!sets) return sets.error();
  for (const SetRow& set : *sets) {
    bool old = !set.entries.empty();
    for (const engine::Entry& entry : set.entries) {
      // `total` counters stay; those of runs go some time after their last hold.
      const std::int64_t over_ms = entry.number == 0 ? entry.touched_ms : entry.end_ms;
      old = old && over_ms != engine::forever_ms && step.now_ms() - over_ms > delete_after_ms;
    }
    for (const auto& [hold, draft] : *holds) {
      for (const HeldCounter& counter : hold.counters)
        old = old && counter.row != set.row;
    }
    if (!old) continue;
    if (const Status done = tables_->erase_set(set.row); !done) return done;
    for (const engine::Entry& entry : set.entries) {
      const Status done = entry.number == 0 ? facts::put_run(*tables_, set.key.substr(4), entry)  // "run/ID"
                                            : facts::count_counters(*tables_, entry.number, -1);
      if (!done) return done;
    }
    forget_rows();
  }
  // Processes that are gone: one that lives says so again before it is forgotten (tell_process).
  const auto processes = facts::processes(*tables_);
  if (!processes) return processes.error();
  for (const auto& [slot, process] : *processes) {
    if (step.now_ms() - process.renewed_ms <= forget_process_ms) continue;
    if (std::any_of(holds->begin(), holds->end(), [slot = slot](const auto& row) { return row.first.process == slot; }))
      continue;
    if (const Status done = facts::erase_process(*tables_, slot); !done) return done;
  }
  const auto looked = tables_->fact("meta", "runs_looked_ms");
  if (!looked) return looked.error();
  const std::int64_t looked_ms = std::strtoll(looked->value_or("0").c_str(), nullptr, 10);
  if (looked_ms > step.now_ms() || step.now_ms() - looked_ms >= look_for_runs_every_ms) {
    // Where time made a leap since the last look, the clock may be wrong: what a task spent is not forgotten for that, but at
    // the next look, a day later.
    if (step.now_ms() - looked_ms <= leap_ms) {
      if (const Status done = facts::forget_runs_before(*tables_, step.now_ms() - keep_runs_ms); !done) return done;
    }
    const Status noted = tables_->put_fact("meta", "runs_looked_ms", std::to_string(step.now_ms()));
    if (!noted) return noted;
  }
  if (const Status done = end_lost_jobs(step); !done) return done;
  if (const Status done = facts::forget_jobs_before(*tables_, step.now_ms() - keep_jobs_ms); !done) return done;
  const std::int64_t oldest_file_ms = step.now_ms() - keep_batch_files_ms;
  if (const Status done = facts::forget_batch_files(*tables_, oldest_file_ms, max_batch_files); !done) return done;
  return facts::forget_alerts_before(*tables_, step.now_ms() - delete_after_ms);
}

Status LocalStore::checkpoint() {
  const auto held = lock();
  return !held.owns_lock() || closed_ || owner_.load() != fork_generation() ? success() : tables_->checkpoint();
}

Result<std::int64_t> LocalStore::now_ms() {
  Step step(*this);
  if (!step.status()) return step.status().error();
  return step.now_ms();
}

Status LocalStore::reset_clock(const std::string& who, const std::string& why) {
  Step step(*this);
  if (!step.status()) return step.status();
  const std::int64_t before_ms = step.now_ms();
  step.state().time_ms = options_.clock->wall_ms();
  step.state().boot_ms = options_.clock->boot_ms();
  step.state().boot_id = options_.clock->boot_id();
  step.state().next_sweep_ms = 0;
  step.set_now(step.state().time_ms);
  next_delete_ms_ = 0;
  // What was alive in the future is alive now, and not until then. A job lives no longer from now than from its answer.
  auto jobs = facts::jobs(*tables_);
  if (!jobs) return jobs.error();
  std::map<AttemptId, std::int64_t> latest_ms;
  for (facts::KeptJob& kept : *jobs) {
    const std::int64_t latest = latest_ms[kept.job.attempt] = step.now_ms() + kept.job.lives_ms;
    if (kept.deadline_ms <= latest) continue;
    kept.deadline_ms = latest;
    if (const Status done = facts::put_job(*tables_, kept); !done) return done;
  }
  auto holds = tables_->holds();
  if (!holds) return holds.error();
  for (auto& [hold, draft] : *holds) {
    const std::int64_t ahead_ms = std::max<std::int64_t>(hold.created_ms - step.now_ms(), 0);
    std::int64_t deadline_ms = hold.deadline_ms == 0 ? 0 : hold.deadline_ms - ahead_ms;
    if (const auto latest = latest_ms.find(hold.id); latest != latest_ms.end() && deadline_ms != 0)
      deadline_ms = std::min(deadline_ms, latest->second);
    if (ahead_ms == 0 && deadline_ms == hold.deadline_ms) continue;
    hold.deadline_ms = deadline_ms;
    hold.created_ms -= ahead_ms;
    if (const Status done = replace_hold(hold, draft); !done) return done;
  }
  const auto processes = facts::processes(*tables_);
  if (!processes) return processes.error();
  for (const auto& [slot, process] : *processes) {
    if (process.renewed_ms <= step.now_ms()) continue;
    const Status done = facts::put_process(*tables_, slot, {step.now_ms(), process.hold_max_ms});
    if (!done) return done;
  }
  // Windows that the wrong clock opened are gone, and what it took for old is not there any more: every cap is counted again
  // from the ledger, in the windows of now.
  Error problem{Code::closed, ""};
  const Registry* registry = known_registry(step.state(), step.now_ms(), problem);
  if (registry == nullptr) return problem;
  if (before_ms > step.now_ms()) {
    const std::vector<RegisteredCap> caps = registry->caps;
    for (const RegisteredCap& registered : caps) {
      if (registered.cap.window.per == Per::call || registered.cap.window.per == Per::total) continue;
      if (const Status done = count_again(step, registered); !done) return done;
      ++step.state().revision;  // since when it is counted has changed
    }
  }
  const Status logged =
      facts::add_change(*tables_, step.state(), step.now_ms(), who,
                        "the store's time set from " + iso_utc(before_ms) + " to " + iso_utc(step.now_ms()), why);
  return logged ? step.commit() : logged;
}

Result<std::string> LocalStore::secret() {
  Step step(*this);
  if (!step.status()) return step.status().error();
  const auto known = tables_->fact("meta", "secret");
  if (!known) return known.error();
  if (*known) return **known;
  std::random_device random;
  std::string made;
  constexpr char digits[] = "0123456789abcdef";
  for (int i = 0; i < 64; ++i)
    made += digits[random() & 15U];
  if (const Status done = tables_->put_fact("meta", "secret", made); !done) return done.error();
  if (const Status done = step.commit(); !done) return done.error();
  return made;
}

void LocalStore::close() {
  const auto held = lock();
  if (!held.owns_lock() || closed_) return;
  closed_ = true;
  if (owner_.load() == fork_generation()) tables_->close();
}

}  // namespace farthing
