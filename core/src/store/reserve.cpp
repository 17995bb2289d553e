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

}  // namespace farthing
