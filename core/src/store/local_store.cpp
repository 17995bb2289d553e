// The path of every call: reserve and settle. The rest is in registry.cpp, reading.cpp and housekeeping.cpp.
#include "store/local_store.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "ledger/fork.h"
#include "store/facts.h"
#include "store/patience.h"
#include "store/step.h"

namespace farthing {

namespace {

std::atomic<std::uint64_t> next_serial{1};

/// PlannedSet::row keeps the store's serial above the row, so that a plan shown to another store finds nothing.
constexpr unsigned row_bits = 40;

std::int64_t cached_row(const PlannedSet& set, std::uint64_t serial) {
  const auto packed = static_cast<std::uint64_t>(std::atomic_ref(set.row).load(std::memory_order_relaxed));
  return packed >> row_bits == (serial & 0xffffffU) ? static_cast<std::int64_t>(packed & ((1ULL << row_bits) - 1)) : 0;
}

void cache_row(const PlannedSet& set, std::uint64_t serial, std::int64_t row) {
  std::atomic_ref(set.row).store(
      static_cast<std::int64_t>((serial & 0xffffffU) << row_bits | static_cast<std::uint64_t>(row)),
      std::memory_order_relaxed);
}

/// R17: the attempt that asked the same and holds still.
Result<std::optional<AttemptId>> open_equal(Tables& tables, const std::string& fingerprint) {
  const auto asked = tables.fact("asked", fingerprint);
  if (!asked) return asked.error();
  if (!*asked) return std::optional<AttemptId>();
  const auto attempt = parse_attempt_id(**asked);
  if (!attempt) return attempt.error();
  const auto known = tables.known(*attempt);
  if (!known) return known.error();
  return *known == How::open ? std::optional(*attempt) : std::nullopt;
}

std::string run_key(const RunHold& run) {
  return "run/" + run.id;
}

}  // namespace

LocalStore::LocalStore(StoreInfo info, StoreOptions options, std::unique_ptr<Tables> tables)
    : info_(std::move(info)),
      options_(std::move(options)),
      serial_(next_serial.fetch_add(1)),
      mutex_of_(fork_generation()),
      remaking_(fork_generation()),
      mutex_(new std::mutex),
      owner_(fork_generation()),
      tables_(std::move(tables)) {
  fork_pause_.emplace([this]() -> std::mutex& { return own_mutex(); });
}

LocalStore::~LocalStore() {
  LocalStore::close();
  fork_pause_.reset();  // waits for a fork that holds the lock
  delete mutex_.load();
}

void LocalStore::forget_rows() {
  serial_ = next_serial.fetch_add(1);
}

std::mutex& LocalStore::own_mutex() {
  const std::uint64_t generation = fork_generation();
  while (mutex_of_.load(std::memory_order_acquire) != generation) {
    // A child's first call. The lock may be held by a thread that does not live on here, and to destroy a held lock is
    // undefined: it is leaked, and one of the threads that come first makes another. Whoever was making one when this
    // process was forked has an earlier generation.
    std::uint64_t seen = remaking_.load();
    if (seen == generation || !remaking_.compare_exchange_strong(seen, generation)) {
      std::this_thread::yield();
      continue;
    }
    mutex_.store(new std::mutex, std::memory_order_relaxed);
    mutex_of_.store(generation, std::memory_order_release);
  }
  return *mutex_.load(std::memory_order_relaxed);
}

std::unique_lock<std::mutex> LocalStore::lock() {
  while (fork_is_waiting())
    std::this_thread::yield();
  std::unique_lock held(own_mutex(), std::try_to_lock);
  const auto start = std::chrono::steady_clock::now();
  const auto wait = [&] {
    if (!Patience::set()) return held.lock();
    while (!held.try_lock() && !Patience::over())
      std::this_thread::sleep_for(std::chrono::microseconds(50));
  };
  while (!held.owns_lock()) {
    if (std::chrono::steady_clock::now() - start < std::chrono::microseconds(100)) {
      static_cast<void>(held.try_lock());
    } else if (Patience::over()) {
      break;
    } else if (options_.blocking) {
      options_.blocking(wait);
    } else {
      wait();
    }
  }
  return held;
}

Status LocalStore::take_over_after_fork() {
  if (const Status done = tables_->after_fork(); !done) return done;
  process_ = 0;  // the parent's slot is the parent's
  registry_.reset();
  untold_alerts_.clear();  // the parent tells them
  owner_.store(fork_generation());
  return success();
}

void LocalStore::take_slot(StoreState& state) {
  process_ = state.next_process++;
  told_process_ms_ = INT64_MIN / 2;
  // The lock of the parent's may be held by a thread that is not here: leaked as well.
  if (ids_of_.load() != 0) static_cast<void>(ids_.release());  // NOLINT(bugprone-unused-return-value)
  ids_of_.store(0);
  ids_ = std::make_unique<IdMaker>(process_);
}

AttemptId LocalStore::next_id() {
  if (ids_of_.load(std::memory_order_acquire) != fork_generation()) {
    Step step(*this);
    if (!step.status() || !step.commit()) return {};
  }
  return ids_->next(options_.clock->wall_ms());
}

std::int64_t LocalStore::store_time(StoreState& state) const {
  // R12: never back. Within one boot it runs on with the boot clock from where it was last written, so a wall clock that was
  // set back and stays there does not freeze it. It is written again once a second, and where the wall clock was set forward;
  // in between every process works out the same time, and the row stays as it is (dirty pages are what a call costs).
  constexpr std::int64_t write_every_ms = 1'000;
  constexpr std::int64_t rounding_ms = 1;  // of two clocks cut to milliseconds
  const std::int64_t wall = options_.clock->wall_ms();
  const std::int64_t boot = options_.clock->boot_ms();
  const std::uint64_t boot_id = options_.clock->boot_id();
  std::int64_t now = 0;
  if (boot_id == state.boot_id) {
    const std::int64_t elapsed = std::max<std::int64_t>(boot - state.boot_ms, 0);
    now = state.time_ms + elapsed;
    if (wall <= now + rounding_ms && elapsed < write_every_ms) return now;
  } else if (state.time_ms != 0) {
    now =
        state.time_ms + write_every_ms;  // the machine was started again: what passed since the last write is not known
  }
  now = std::max(now, wall);
  state.time_ms = now;
  state.boot_ms = boot;
  state.boot_id = boot_id;
  return now;
}

ReserveAnswer LocalStore::reserve(const ReserveRequest& request) {
  {
    Step step(*this);
    if (!step.status()) return step.status().error();
    if (step.now_ms() < step.state().next_sweep_ms) {
      ReserveAnswer answer = reserve_in(step, request);
      hand_on_alerts(answer);
      return answer;
    }
    // A step of its own: it stays done where this reserve is refused.
    auto swept = sweep_in(step);
    if (!swept) return swept.error();
    if (const Status done = step.commit(); !done) return done.error();
    std::move(swept->alerts.begin(), swept->alerts.end(), std::back_inserter(untold_alerts_));
  }
  Step step(*this);
  if (!step.status()) return step.status().error();
  ReserveAnswer answer = reserve_in(step, request);
  hand_on_alerts(answer);
  return answer;
}

void LocalStore::hand_on_alerts(ReserveAnswer& answer) {
  if (untold_alerts_.empty()) return;
  auto* const granted = std::get_if<Granted>(&answer);
  auto* const refused = std::get_if<Refused>(&answer);
  if (granted == nullptr && refused == nullptr) return;  // others are asked again
  auto& alerts = granted != nullptr ? granted->alerts : refused->alerts;
  alerts.insert(alerts.begin(), untold_alerts_.begin(), untold_alerts_.end());
  untold_alerts_.clear();
}

Status LocalStore::record_alerts(Step& step, std::vector<AlertFired>& alerts) {
  std::vector<AlertFired> first_ones;
  for (AlertFired& alert : alerts) {
    const auto first = facts::first_alert(*tables_, alert);
    if (!first) return first.error();
    if (!*first) continue;
    if (const Status added = facts::add_alert(*tables_, step.state(), alert); !added) return added;
    first_ones.push_back(std::move(alert));
  }
  alerts = std::move(first_ones);
  return success();
}

/// R35: 100 also fires at a window's first refusal. Nothing else is changed (R2).
ReserveAnswer LocalStore::refuse(Step& step, Refused refused, const std::vector<engine::Slot>& slots) {
  for (const engine::Slot& slot : slots) {
    if (slot.cap == nullptr || slot.per_call || slot.cap->registered->cap.alert.empty()) continue;
    const Cap& cap = slot.cap->registered->cap;
    if (std::none_of(refused.caps.begin(), refused.caps.end(),
                     [&](const RefusedCap& refusing) { return refusing.cap_id == cap.id; })) {
      continue;
    }
    engine::Entry entry = slot.entry;
    engine::set_limit(entry, slot.limit);
    for (const int threshold : engine::fire_alerts(entry, cap, true))
      refused.alerts.push_back(engine::alert_of(entry, cap, slot.set->each_values, threshold));
  }
  if (const Status recorded = record_alerts(step, refused.alerts); !recorded) return recorded.error();
  if (refused.alerts.empty()) return refused;
  if (const Status done = step.commit(); !done) return done.error();
  return refused;
}

ReserveAnswer LocalStore::reserve_in(Step& step, const ReserveRequest& request) {
  const Plan& plan = *request.plan;
  const std::int64_t now = step.now_ms();
  // R6: two integers tell whether the plan is of this registry.
  if (plan.revision != step.state().revision || now >= plan.valid_until_ms) return PolicyChanged{step.state().revision};
  // Guards explain these three before they ask; no store grants them all the same.
  const auto forbidden = [&](Code code) {
    Refused refused;
    refused.at_ms = now;
    refused.code = code;
    return refused;
  };
  if (!plan.halts.empty()) return forbidden(Code::halted);
  if (!plan.label_required.empty()) return forbidden(Code::label_required);
  // R9: runs have counters of their own, which no plan knows.
  std::size_t counters = request.runs.size();
  for (const PlannedSet& set : plan.sets)
    counters += set.caps.size();
  if (counters > max_counters_per_call) return forbidden(Code::too_many_caps);
  // R18: an id that has ended takes no hold.
  const auto known = tables_->known(request.id);
  if (!known) return known.error();
  if (*known) {
    return Error{Code::invalid_argument,
                 "attempt " + to_text(request.id) +
                     (**known == How::open ? " holds already" : " has ended: " + std::string(how_text(**known)))};
  }
  if (!request.fingerprint.empty()) {
    const auto equal = open_equal(*tables_, request.fingerprint);
    if (!equal) return equal.error();
    if (*equal) {
      Refused refused = forbidden(Code::duplicate);
      refused.duplicate_of = **equal;
      return refused;
    }
  }

  // What the call meets: a slot per counter, each in a copy, since a refusal changes nothing (R2).
  static thread_local std::vector<engine::Slot> slots;
  static thread_local std::vector<Tables::Entries> sets;
  static thread_local std::vector<std::int64_t> rows;
  slots.clear();
  rows.clear();
  const std::size_t set_count = plan.sets.size() + request.runs.size();
  if (sets.size() < set_count) sets.resize(set_count);

  for (std::size_t i = 0; i < plan.sets.size(); ++i) {
    const PlannedSet& set = plan.sets[i];
    std::int64_t row = cached_row(set, serial_);
    if (row == 0) {
      const auto found = tables_->find_set(set.key);
      if (!found) return found.error();
      row = *found;
      if (row != 0) cache_row(set, serial_, row);
    }
    rows.push_back(row);
    sets[i].clear();
    if (row != 0) {
      if (const Status read = tables_->read_set(row, sets[i]); !read) return read.error();
      if (sets[i].empty()) {
        // Another process deleted the old counter (R9): rows are never used again, so the key says where it is now.
        const auto again = tables_->find_set(set.key);
        if (!again) return again.error();
        rows.back() = *again;
        if (*again != 0) {
          if (const Status read = tables_->read_set(*again, sets[i]); !read) return read.error();
        }
      }
    }
    for (const PlannedCap& cap : set.caps) {
      engine::Slot& slot = slots.emplace_back();
      slot.entry_index = sets[i].size();
      for (std::size_t k = 0; k < sets[i].size(); ++k) {
        if (sets[i][k].number == cap.number) slot.entry_index = k;
      }
      if (slot.entry_index < sets[i].size()) slot.entry = sets[i][slot.entry_index];
      slot.entry.number = cap.number;
      engine::roll(slot.entry, cap.registered->cap, now);
      slot.cap = &cap;
      slot.set = &set;
      slot.meter = cap.meter;
      slot.limit = cap.limit;
      slot.order = cap.order;
      slot.set_index = i;
      if (slot.entry_index == sets[i].size()) {
        // A new entry: its place is taken now, so that the next cap of this set does not get it too.
        sets[i].push_back(slot.entry);
        slot.fresh = true;
      }
    }
  }
  for (std::size_t r = 0; r < request.runs.size(); ++r) {
    const RunHold& run = request.runs[r];
    const std::size_t i = plan.sets.size() + r;
    const auto found = tables_->find_set(run_key(run));
    if (!found) return found.error();
    rows.push_back(*found);
    sets[i].clear();
    if (*found != 0) {
      if (const Status read = tables_->read_set(*found, sets[i]); !read) return read.error();
    }
    engine::Slot& slot = slots.emplace_back();
    if (sets[i].empty()) {
      slot.entry.end_ms = engine::forever_ms;
      slot.entry.limit = run.limit ? run.limit->nano : engine::no_limit;  // R28: the limit lives in the counter
      const auto kept = facts::kept_run(*tables_, run.id);
      if (!kept) return kept.error();
      if (*kept) {
        const std::int64_t limit = slot.entry.limit;
        slot.entry = **kept;
        if (slot.entry.limit == engine::no_limit) slot.entry.limit = limit;  // known by what was booked on it only
      }
      sets[i].push_back(slot.entry);
    } else {
      slot.entry = sets[i].front();
    }
    slot.run = &run;
    slot.meter = Meter::usd;
    slot.limit = slot.entry.limit;
    slot.order = static_cast<std::uint32_t>(1U << 30U) - static_cast<std::uint32_t>(r);  // R3: last, innermost first
    slot.set_index = i;
  }
  for (const PlannedCap& cap : plan.per_call) {
    engine::Slot& slot = slots.emplace_back();
    slot.cap = &cap;
    slot.meter = cap.meter;
    slot.limit = cap.limit;
    slot.entry.committed = request.call_committed[cap.meter];
    slot.per_call = true;
    slot.order = cap.order;  // R3: before all windows
  }

  engine::Decision decision = engine::admit(slots, request, now);
  if (!decision.granted) {
    if (decision.held_back) return std::move(*decision.held_back);
    return refuse(step, std::move(*decision.refused), slots);
  }
  // R9: new counters of a cap with `each`, before anything is written.
  for (const engine::Slot& slot : slots) {
    if (!slot.fresh || slot.cap == nullptr || slot.cap->registered->cap.each.empty()) continue;
    const auto count = facts::counter_count(*tables_, slot.entry.number);
    if (!count) return count.error();
    if (*count < slot.cap->registered->cap.max_counters) continue;
    Refused refused = forbidden(Code::too_many_counters);
    refused.caps.push_back(engine::refused_cap(slot, request.demand, decision.output_limit, false));
    return refused;
  }

  std::optional<std::int64_t> volume;
  for (const engine::Slot& slot : slots) {
    if (request.volume_cap.empty()) break;
    if (slot.cap != nullptr && slot.cap->registered->cap.id == request.volume_cap) volume = slot.entry.spent();
  }

  HoldRow hold;
  hold.id = request.id;
  hold.process = process_;
  hold.created_ms = now;
  hold.held = decision.held;
  hold.counters.reserve(slots.size());
  for (engine::Slot& slot : slots) {
    if (slot.per_call) continue;
    engine::set_limit(slot.entry, slot.limit);
    engine::hold(slot.entry, decision.held[slot.meter], now);
    sets[slot.set_index][slot.entry_index] = slot.entry;
    if (!slot.fresh || slot.cap == nullptr || slot.cap->registered->cap.each.empty()) continue;
    if (const Status counted = facts::count_counters(*tables_, slot.entry.number, 1); !counted) return counted.error();
  }
  for (std::size_t i = 0; i < set_count; ++i) {
    const bool is_run = i >= plan.sets.size();
    if (rows[i] != 0) {
      if (const Status written = tables_->write_set(rows[i], sets[i]); !written) return written.error();
      continue;
    }
    const std::string key = is_run ? run_key(request.runs[i - plan.sets.size()]) : plan.sets[i].key;
    const std::vector<std::string> values =
        is_run ? std::vector{request.runs[i - plan.sets.size()].task} : plan.sets[i].each_values;
    const auto added = tables_->add_set(key, values, sets[i]);
    if (!added) return added.error();
    if (is_run) {
      const Status erased = tables_->erase_fact("run", request.runs[i - plan.sets.size()].id);
      if (!erased) return erased.error();
    }
    rows[i] = *added;
  }
  for (const engine::Slot& slot : slots) {
    if (slot.per_call) continue;
    hold.counters.push_back(
        {rows[slot.set_index], slot.entry.number, static_cast<std::uint8_t>(slot.meter), slot.entry.start_ms});
  }
  LedgerRow draft = request.draft != nullptr ? *request.draft : LedgerRow{};
  draft.id = request.id;
  draft.reserved_ms = now;
  draft.held = decision.held;
  if (decision.output_limit != 0) draft.output_limit = decision.output_limit;
  draft.policy_revision = plan.revision;
  if (const Status added = tables_->add_hold(std::move(hold), std::move(draft)); !added) return added.error();
  if (!request.fingerprint.empty()) {
    const Status noted = tables_->put_fact("asked", request.fingerprint, to_text(request.id));
    if (!noted) return noted.error();
  }
  const auto told = tell_process(step);
  if (!told) return told.error();
  if (const Status done = step.commit(); !done) return done.error();
  if (*told) told_process_ms_ = now;
  for (std::size_t i = 0; i < plan.sets.size(); ++i)
    cache_row(plan.sets[i], serial_, rows[i]);

  Granted granted;
  granted.at_ms = now;
  granted.output_limit = decision.output_limit;
  granted.held = decision.held;
  granted.volume = volume;
  return granted;
}

Status LocalStore::correct_counters(Step& step, const HoldRow& hold, const Amounts& booked, bool outcome_unknown,
                                    Alerts alerts, Settled& settled, std::vector<std::int64_t>& alert_rows) {
  Error problem{Code::closed, ""};
  if (known_registry(step.state(), step.now_ms(), problem) == nullptr) return problem;
  static thread_local Tables::Entries entries;
  settled.remaining.reserve(hold.counters.size());
  for (std::size_t i = 0; i < hold.counters.size();) {
    const std::int64_t row = hold.counters[i].row;
    if (const Status read = tables_->read_set(row, entries); !read) return read;
    bool changed = false;
    for (; i < hold.counters.size() && hold.counters[i].row == row; ++i) {
      const HeldCounter& counter = hold.counters[i];
      const auto found = std::find_if(entries.begin(), entries.end(),
                                      [&](const engine::Entry& e) { return e.number == counter.number; });
      // R14: only while that window is current; the ledger has the rest.
      if (found == entries.end() || found->start_ms != counter.start_ms) continue;
      const auto meter = static_cast<Meter>(counter.meter);
      engine::settle(*found, hold.held[meter], engine::booked_on(meter, booked), outcome_unknown);
      changed = true;
      const RegisteredCap* registered = cap_of(counter.number);
      Remaining left;
      left.cap = registered;
      left.limit = found->limit;
      left.committed = found->committed;
      left.reserved = found->reserved;
      left.resets_at_ms = found->end_ms == engine::forever_ms ? std::nullopt : std::optional(found->end_ms);
      settled.remaining.push_back(left);
      if (alerts == Alerts::leave || registered == nullptr || registered->cap.alert.empty()) continue;
      for (const int threshold : engine::fire_alerts(*found, registered->cap, false)) {
        settled.alerts.push_back(engine::alert_of(*found, registered->cap, {}, threshold));
        alert_rows.push_back(row);
      }
    }
    if (changed) {
      if (const Status written = tables_->write_set(row, entries); !written) return written;
    }
  }
  settled.keep = registry_;
  return success();
}

Result<Settled> LocalStore::settle(const Settlement& settlement) {
  bool begun = false;
  auto settled = settle_once(settlement, settlement.lesson, begun);
  // A disk may have room for the settlement, and not for what it teaches.
  if (!settled && begun && settlement.lesson) return settle_once(settlement, std::nullopt, begun);
  return settled;
}

Result<std::optional<Learned>> LocalStore::learned(std::uint64_t key) {
  Step step(*this);
  if (!step.status()) return step.status().error();
  return tables_->learned(key);
}

Result<Learned> LocalStore::learn(Step& step, const Lesson& lesson) {
  auto known = tables_->learned(lesson.key);
  if (!known) return known.error();
  if (!*known) {
    const auto count = tables_->fact("meta", "learned_rows");
    if (!count) return count.error();
    std::int64_t rows = std::strtoll(count->value_or("0").c_str(), nullptr, 10);
    if (rows >= max_learned) {
      constexpr std::int64_t at_once = max_learned / 10;
      if (const Status erased = tables_->erase_oldest_learned(at_once); !erased) return erased.error();
      rows -= at_once;
    }
    if (const Status noted = tables_->put_fact("meta", "learned_rows", std::to_string(rows + 1)); !noted)
      return noted.error();
  }
  Learned row = known->value_or(Learned{});
  row.add(lesson, step.now_ms());
  if (const Status kept = tables_->put_learned(lesson.key, row); !kept) return kept.error();
  return row;
}

Result<Settled> LocalStore::settle_once(const Settlement& settlement, const std::optional<Lesson>& lesson,
                                        bool& begun) {
  Step step(*this);
  if (!step.status()) return step.status().error();
  begun = true;
  if (settlement.job) return keep_job(step, settlement);
  if (settlement.file) return keep_batch_file(step, *settlement.file);
  const auto hold = tables_->take_hold(settlement.row.id);
  if (!hold) return hold.error();
  if (*hold) {
    LedgerRow row = settlement.row;  // what was given stays whole: it is tried again where this step fails
    auto settled = settle_in(step, std::move(row), **hold, Alerts::fire);
    if (!settled) return settled;
    if (lesson) {
      const auto learnt = learn(step, *lesson);
      if (!learnt) return learnt.error();
      settled->learned = *learnt;
    }
    if ((*hold)->deadline_ms != 0) {
      if (const Status done = end_job_of(step, settlement.row.id); !done) return done.error();
    }
    if (const Status done = step.commit(); !done) return done.error();
    return settled;
  }

  const auto ended = tables_->find_row(settlement.row.id);
  if (!ended) return ended.error();
  if (*ended) {
    auto late = settle_late(step, **ended, settlement.row, Alerts::fire);
    if (!late) return late;
    if (const Status done = step.commit(); !done) return done.error();
    return late;
  }
  if (settlement.row.how != How::released) {
    return Error{Code::unknown_attempt,
                 "attempt " + to_text(settlement.row.id) + " has no hold and no outcome in " + info_.location};
  }
  // R18: the release came before its reserve, which must then find the id taken.
  LedgerRow row = settlement.row;
  row.how = How::voided;
  row.settled_ms = step.now_ms();
  if (row.reserved_ms == 0) row.reserved_ms = step.now_ms();
  row.booked = Amounts{};
  if (const Status added = tables_->add_row(std::move(row)); !added) return added.error();
  if (const Status done = step.commit(); !done) return done.error();
  Settled settled;
  settled.at_ms = step.now_ms();
  settled.how = How::voided;
  return settled;
}

Result<Settled> LocalStore::settle_in(Step& step, LedgerRow&& row, const HoldRow& hold, Alerts alerts) {
  Settled settled;
  settled.at_ms = step.now_ms();
  settled.how = row.how;
  settled.actual = row.actual;
  const bool unknown = row.how == How::hold || row.how == How::expired;
  row.held = hold.held;
  row.reserved_ms = hold.created_ms;
  row.settled_ms = step.now_ms();
  row.booked[Meter::concurrent] = 0;
  std::vector<std::int64_t> alert_rows;
  if (const Status done = correct_counters(step, hold, row.booked, unknown, alerts, settled, alert_rows); !done)
    return done.error();
  if (const Status done = tables_->add_row(std::move(row)); !done) return done.error();
  for (std::size_t i = 0; i < settled.alerts.size(); ++i) {
    auto values = tables_->each_values(alert_rows[i]);
    if (!values) return values.error();
    settled.alerts[i].each_values = std::move(*values);
  }
  if (const Status recorded = record_alerts(step, settled.alerts); !recorded) return recorded.error();
  return settled;
}

}  // namespace farthing
