// LocalStore's reserve: all caps or none, in one step (R1, R2).
#include "store/local_store.h"

#include <algorithm>

#include "store/facts.h"
#include "store/step.h"

namespace farthing {

namespace {

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

/// Of who says nothing of its attempt.
LedgerRow& empty_draft() {
  static thread_local LedgerRow draft;
  draft = LedgerRow{};
  return draft;
}

std::string run_key(const RunHold& run) {
  return "run/" + run.id;
}

}  // namespace

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
  if (!request.look_only) hand_on_alerts(answer);
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

/// R35: 100 also fires at a window's first refusal, if the caller takes it for one. Nothing else is changed (R2).
ReserveAnswer LocalStore::refuse(Step& step, Refused refused, engine::Slots slots, bool tentative) {
  for (const engine::Slot& slot : slots) {
    if (slot.cap == nullptr || slot.per_call || slot.cap->registered->cap.alert.empty()) continue;
    const Cap& cap = slot.cap->registered->cap;
    if (std::none_of(refused.caps.begin(), refused.caps.end(),
                     [&](const RefusedCap& refusing) { return refusing.cap_id == cap.id; })) {
      continue;
    }
    engine::Entry entry = *slot.entry;
    engine::set_limit(entry, slot.limit);
    for (const int threshold : engine::fire_alerts(entry, cap, true))
      refused.alerts.push_back(engine::alert_of(entry, cap, slot.set->each_values, threshold));
  }
  if (tentative) {
    for (const AlertFired& alert : refused.alerts) {
      const auto first = facts::is_first_alert(*tables_, alert);
      if (!first) return first.error();
      if (*first) refused.alerts_due = true;
    }
    refused.alerts.clear();
    return refused;
  }
  if (const Status recorded = record_alerts(step, refused.alerts); !recorded) return recorded.error();
  if (refused.alerts.empty()) return refused;
  if (const Status done = step.commit(); !done) return done.error();
  return refused;
}

/// A slot per counter, which is looked at where it is kept; what a new window changes is in the slot, since a refusal changes
/// nothing (R2). One for each thread: its room is used again.
struct LocalStore::Met {
  struct Set {
    std::int64_t row = 0;  // 0: the store has none yet
    Tables::Entries* entries = nullptr;
    Tables::Entries room;
  };
  std::vector<engine::Slot> slots;
  std::size_t slot_count = 0;
  std::vector<Set> sets;  // of the plan, then of its runs
  std::size_t set_count = 0;

  /// As it was left: whoever takes it sets every field.
  engine::Slot& next_slot() { return slots[slot_count++]; }
  engine::Slots all() const { return {slots.data(), slot_count}; }
};

std::optional<ReserveAnswer> LocalStore::forbid(Step& step, const ReserveRequest& request) {
  const Plan& plan = *request.plan;
  // R6: two integers tell whether the plan is of this registry.
  if (plan.revision != step.state().revision || step.now_ms() >= plan.valid_until_ms)
    return PolicyChanged{step.state().revision};
  // Guards explain these three before they ask; no store grants them all the same.
  const auto refused = [&](Code code) {
    Refused why;
    why.at_ms = step.now_ms();
    why.code = code;
    return why;
  };
  if (!plan.halts.empty()) return refused(Code::halted);
  if (!plan.label_required.empty()) return refused(Code::label_required);
  // R9: runs have counters of their own, which no plan knows.
  std::size_t counters = request.runs.size();
  for (const PlannedSet& set : plan.sets)
    counters += set.caps.size();
  if (counters > max_counters_per_call) return refused(Code::too_many_caps);
  // R18: an id that has ended takes no hold.
  const auto known = tables_->known(request.id);
  if (!known) return known.error();
  if (*known) {
    return Error{Code::invalid_argument,
                 "attempt " + to_text(request.id) +
                     (**known == How::open ? " holds already" : " has ended: " + std::string(how_text(**known)))};
  }
  if (request.fingerprint.empty()) return std::nullopt;
  const auto equal = open_equal(*tables_, request.fingerprint);
  if (!equal) return equal.error();
  if (!*equal) return std::nullopt;
  Refused duplicate = refused(Code::duplicate);
  duplicate.duplicate_of = **equal;
  return duplicate;
}

Status LocalStore::meet_set(const PlannedSet& set, std::int64_t now_ms, Met& met) {
  const auto set_index = static_cast<std::uint32_t>(met.set_count);
  Met::Set& found = met.sets[met.set_count++];
  const auto look_up = [&]() -> Status {
    const auto row = tables_->find_set(set.key);
    if (!row) return row.error();
    found.row = *row;
    return success();
  };
  const auto read = [&]() -> Status {
    const auto entries = tables_->read_set(found.row, found.room);
    if (!entries) return entries.error();
    found.entries = *entries;
    return success();
  };
  found.row = cached_row(set, serial_);
  if (found.row == 0) {
    if (const Status done = look_up(); !done) return done;
  }
  if (const Status done = read(); !done) return done;
  if (found.row != 0 && found.entries->empty()) {
    // Another process deleted the old counter (R9): rows are never used again, so the key says where it is now.
    if (const Status done = look_up(); !done) return done;
    if (const Status done = read(); !done) return done;
  }
  const std::span<const engine::Entry> entries = *found.entries;
  auto next_new = static_cast<std::uint32_t>(entries.size());  // each new entry has a place of its own
  for (const PlannedCap& cap : set.caps) {
    engine::Slot& slot = met.next_slot();
    const std::size_t place = engine::place_of(entries, cap.number);
    slot.is_new = place == entries.size();
    slot.entry_index = slot.is_new ? next_new++ : static_cast<std::uint32_t>(place);
    slot.entry = slot.is_new ? &slot.fresh : &entries[place];
    if (slot.is_new || now_ms >= slot.entry->end_ms) {
      slot.fresh = slot.is_new ? engine::Entry{.number = cap.number} : *slot.entry;
      engine::roll(slot.fresh, cap.registered->cap, now_ms);
      slot.entry = &slot.fresh;
    }
    slot.cap = &cap;
    slot.set = &set;
    slot.run = nullptr;
    slot.limit = cap.limit;
    slot.order = cap.order;
    slot.set_index = set_index;
    slot.meter = cap.meter;
    slot.per_call = false;
  }
  return success();
}

Status LocalStore::meet_run(const RunHold& run, std::uint32_t order, Met& met) {
  const auto set_index = static_cast<std::uint32_t>(met.set_count);
  Met::Set& found = met.sets[met.set_count++];
  const auto row = tables_->find_set(run_key(run));
  if (!row) return row.error();
  found.row = *row;
  const auto entries = tables_->read_set(found.row, found.room);
  if (!entries) return entries.error();
  found.entries = *entries;
  engine::Slot& slot = met.next_slot();
  slot = engine::Slot{};
  slot.is_new = found.entries->empty();
  slot.entry = slot.is_new ? &slot.fresh : &found.entries->front();
  if (slot.is_new) {
    slot.fresh.end_ms = engine::forever_ms;
    slot.fresh.limit = run.limit ? run.limit->nano : engine::no_limit;  // R28: the limit lives in the counter
    const auto kept = facts::kept_run(*tables_, run.id);
    if (!kept) return kept.error();
    if (*kept) {
      const std::int64_t limit = slot.fresh.limit;
      slot.fresh = **kept;
      if (slot.fresh.limit == engine::no_limit) slot.fresh.limit = limit;  // known by what was booked on it only
    }
  }
  slot.run = &run;
  slot.meter = Meter::usd;
  slot.limit = slot.entry->limit;
  slot.order = order;
  slot.set_index = set_index;
  return success();
}

Status LocalStore::meet(const ReserveRequest& request, std::int64_t now_ms, Met& met) {
  const Plan& plan = *request.plan;
  met.slot_count = 0;
  std::size_t most = request.runs.size() + plan.per_call.size();
  for (const PlannedSet& set : plan.sets)
    most += set.caps.size();
  if (met.slots.size() < most) met.slots.resize(most);
  met.set_count = 0;
  if (const std::size_t needed = plan.sets.size() + request.runs.size(); met.sets.size() < needed)
    met.sets.resize(needed);
  for (const PlannedSet& set : plan.sets) {
    if (const Status done = meet_set(set, now_ms, met); !done) return done;
  }
  auto order = static_cast<std::uint32_t>(1U << 30U);  // R3: last, innermost first
  for (const RunHold& run : request.runs) {
    if (const Status done = meet_run(run, order--, met); !done) return done;
  }
  for (const PlannedCap& cap : plan.per_call) {
    engine::Slot& slot = met.next_slot();
    slot = engine::Slot{};
    slot.cap = &cap;
    slot.meter = cap.meter;
    slot.limit = cap.limit;
    slot.entry = &slot.fresh;
    slot.fresh.committed = request.call_committed[cap.meter];
    slot.per_call = true;
    slot.order = cap.order;  // R3: before all windows
  }
  return success();
}

Result<std::optional<Refused>> LocalStore::too_many(const ReserveRequest& request, const Granted& granted,
                                                    const Met& met) {
  for (const engine::Slot& slot : met.all()) {
    if (!slot.is_new_of_each()) continue;
    const auto count = facts::counter_count(*tables_, slot.entry->number);
    if (!count) return count.error();
    if (*count < slot.cap->registered->cap.max_counters) continue;
    Refused refused;
    refused.at_ms = granted.at_ms;
    refused.code = Code::too_many_counters;
    refused.caps.push_back(engine::refused_cap(slot, request.demand, granted.output_limit, false));
    refused.caps.back().max_counters = slot.cap->registered->cap.max_counters;
    return std::optional(std::move(refused));
  }
  return std::optional<Refused>();
}

Status LocalStore::write_sets(const ReserveRequest& request, Met& met) {
  const std::vector<PlannedSet>& planned = request.plan->sets;
  for (std::size_t i = 0; i < met.set_count; ++i) {
    const Met::Set& set = met.sets[i];
    if (set.row == 0 || set.entries != &set.room) continue;
    if (const Status written = tables_->write_set(set.row, set.room); !written) return written;
  }
  // New ones last: with them what was read of the others ends.
  for (std::size_t i = 0; i < met.set_count; ++i) {
    Met::Set& set = met.sets[i];
    if (set.row != 0) continue;
    const RunHold* const run = i < planned.size() ? nullptr : &request.runs[i - planned.size()];
    const auto added = run == nullptr ? tables_->add_set(planned[i].key, planned[i].each_values, *set.entries)
                                      : tables_->add_set(run_key(*run), {run->task}, *set.entries);
    if (!added) return added.error();
    set.row = *added;
    if (run == nullptr) continue;
    if (const Status erased = tables_->erase_fact("run", run->id); !erased) return erased;
  }
  return success();
}

Status LocalStore::hold_on(Step& step, const ReserveRequest& request, const Granted& granted, Met& met) {
  static thread_local HoldRow hold;
  hold.id = request.id;
  hold.process = process_;
  hold.created_ms = step.now_ms();
  hold.held = granted.held;
  hold.counters.resize(met.slot_count);  // room for all
  std::size_t count = 0;
  bool new_sets = false;
  for (const engine::Slot& slot : met.all()) {
    if (slot.per_call) continue;
    const bool stored = slot.entry != &slot.fresh;
    const Met::Set& set = met.sets[slot.set_index];
    Tables::Entries& entries = *set.entries;
    if (slot.is_new) entries.emplace_back();  // moves the others: `slot.entry` is not looked at any more
    engine::Entry& entry = entries[slot.entry_index];
    if (!stored) entry = slot.fresh;
    engine::set_limit(entry, slot.limit);
    engine::hold(entry, granted.held[slot.meter], step.now_ms());
    hold.counters[count++] = {set.row, entry.number, static_cast<std::uint8_t>(slot.meter), entry.start_ms};
    new_sets = new_sets || set.row == 0;
    if (!slot.is_new_of_each()) continue;
    if (const Status counted = facts::count_counters(*tables_, entry.number, 1); !counted) return counted;
  }
  hold.counters.resize(count);
  if (const Status written = write_sets(request, met); !written) return written;
  std::size_t place = 0;
  for (const engine::Slot& slot : new_sets ? met.all() : engine::Slots()) {
    if (!slot.per_call) hold.counters[place++].row = met.sets[slot.set_index].row;
  }
  LedgerRow& draft = request.draft != nullptr ? *request.draft : empty_draft();
  draft.id = request.id;
  draft.reserved_ms = step.now_ms();
  draft.held = granted.held;
  if (granted.output_limit != 0) draft.output_limit = granted.output_limit;
  draft.policy_revision = request.plan->revision;
  if (const Status added = tables_->add_hold(hold, draft); !added) return added;
  if (request.fingerprint.empty()) return success();
  return tables_->put_fact("asked", request.fingerprint, to_text(request.id));
}

ReserveAnswer LocalStore::reserve_in(Step& step, const ReserveRequest& request) {
  if (auto forbidden = forbid(step, request)) return std::move(*forbidden);
  static thread_local Met met;
  if (const Status done = meet(request, step.now_ms(), met); !done) return done.error();
  ReserveAnswer answer = engine::admit(met.all(), request, step.now_ms());
  auto* const refused_now = std::get_if<Refused>(&answer);
  if (refused_now != nullptr && !request.look_only)
    return refuse(step, std::move(*refused_now), met.all(), request.tentative);
  auto* const granted = std::get_if<Granted>(&answer);
  if (granted == nullptr) return answer;
  // R9: new counters of a cap with `each`, before anything is written.
  auto refused = too_many(request, *granted, met);
  if (!refused) return refused.error();
  if (*refused) return std::move(**refused);
  if (request.look_only) return answer;
  if (!request.volume_cap.empty()) {
    for (const engine::Slot& slot : met.all()) {
      if (slot.cap != nullptr && slot.cap->registered->cap.id == request.volume_cap)
        granted->volume = slot.entry->spent();
    }
  }
  if (const Status held = hold_on(step, request, *granted, met); !held) return held.error();
  const auto told = tell_process(step);
  if (!told) return told.error();
  if (const Status done = step.commit(); !done) return done.error();
  if (*told) told_process_ms_ = step.now_ms();
  for (std::size_t i = 0; i < request.plan->sets.size(); ++i)
    cache_row(request.plan->sets[i], serial_, met.sets[i].row);
  return answer;
}

}  // namespace farthing
