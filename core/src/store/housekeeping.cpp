// LocalStore's housekeeping: live processes, expired holds (R17), old counters (R9), the clock (R12), closing.
#include <random>
#include <set>

#include "ledger/fork.h"
#include "store/facts.h"
#include "store/step.h"

namespace farthing {

namespace {

constexpr std::int64_t sweep_every_ms = 5'000;
constexpr std::int64_t delete_every_ms = 3'600'000;
constexpr std::int64_t delete_after_ms = 24LL * 3'600'000;  // R9

}  // namespace

Result<std::int64_t> LocalStore::expiry(const HoldRow& hold) {
  const auto renewed = tables_->fact("process", facts::number_key(hold.process));
  if (!renewed) return renewed.error();
  std::int64_t alive_ms = hold.created_ms;
  if (*renewed) alive_ms = std::max<std::int64_t>(alive_ms, std::strtoll((*renewed)->c_str(), nullptr, 10));
  return std::min(alive_ms + options_.hold_ms, hold.created_ms + options_.hold_max_ms);
}

Status LocalStore::renew() {
  Step step(*this);
  if (!step.status()) return step.status();
  const Status done = tables_->put_fact("process", facts::number_key(process_), std::to_string(step.now_ms()));
  return done ? step.commit() : done;
}

Result<int> LocalStore::sweep() {
  Step step(*this);
  if (!step.status()) return step.status().error();
  const auto expired = sweep_in(step);
  if (!expired) return expired.error();
  // All counters are read for that: once an hour is enough.
  if (step.now_ms() >= next_delete_ms_) {
    if (const Status done = delete_old_counters(step); !done) return done.error();
    next_delete_ms_ = step.now_ms() + delete_every_ms;
  }
  if (const Status done = step.commit(); !done) return done.error();
  return *expired;
}

Result<int> LocalStore::sweep_in(Step& step) {
  step.state().next_sweep_ms = step.now_ms() + sweep_every_ms;
  const auto rows = tables_->holds();
  if (!rows) return rows.error();
  int count = 0;
  for (const auto& [hold, draft] : *rows) {
    const auto expires = expiry(hold);
    if (!expires) return expires.error();
    if (step.now_ms() < *expires) continue;
    LedgerRow row = draft;
    row.how = How::expired;
    row.booked = hold.held;  // promise 3: abandonment is not a refund
    row.booked[Meter::concurrent] = 0;
    if (row.ceiling) row.actual = Usd{hold.held[Meter::usd]};
    if (const auto taken = tables_->take_hold(hold.id); !taken) return taken.error();
    const auto settled = settle_in(step, std::move(row), hold);
    if (!settled) return settled.error();
    ++count;
  }
  return count;
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

Status LocalStore::reset_clock() {
  Step step(*this);
  if (!step.status()) return step.status();
  step.state().time_ms = options_.clock->wall_ms();
  step.state().boot_ms = options_.clock->boot_ms();
  step.state().boot_id = options_.clock->boot_id();
  step.state().next_sweep_ms = 0;
  step.set_now(step.state().time_ms);
  next_delete_ms_ = 0;
  // What was alive in the future is alive now, and not until then.
  auto holds = tables_->holds();
  if (!holds) return holds.error();
  for (auto& [hold, draft] : *holds) {
    if (hold.created_ms <= step.now_ms()) continue;
    if (const auto taken = tables_->take_hold(hold.id); !taken) return taken.error();
    hold.created_ms = step.now_ms();
    if (const Status done = tables_->add_hold(std::move(hold), std::move(draft)); !done) return done;
  }
  const auto processes = tables_->facts("process");
  if (!processes) return processes.error();
  for (const auto& [slot, renewed_ms] : *processes) {
    if (std::strtoll(renewed_ms.c_str(), nullptr, 10) <= step.now_ms()) continue;
    if (const Status done = tables_->put_fact("process", slot, std::to_string(step.now_ms())); !done) return done;
  }
  // Windows that the wrong clock opened are gone: their caps are counted again from the ledger, in the windows of now.
  Error problem{Code::closed, ""};
  if (known_registry(step.state(), step.now_ms(), problem) == nullptr) return problem;
  const auto sets = tables_->sets();
  if (!sets) return sets.error();
  std::set<std::uint32_t> wrong;
  for (const SetRow& set : *sets) {
    for (const engine::Entry& entry : set.entries) {
      if (entry.end_ms != engine::forever_ms && entry.start_ms > step.now_ms()) wrong.insert(entry.number);
    }
  }
  for (const std::uint32_t number : wrong) {
    const RegisteredCap* registered = cap_of(number);
    if (registered == nullptr) continue;  // in no policy: whoever brings it back has it counted (R7)
    if (const Status done = count_again(step, *registered); !done) return done;
  }
  return step.commit();
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
