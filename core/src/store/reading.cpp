// LocalStore's reading side: counters, holds, ledger, logs; and corrections (R19).
#include <algorithm>

#include "store/facts.h"
#include "store/step.h"

namespace farthing {

Result<std::vector<Change>> LocalStore::changes(std::size_t most) {
  Step step(*this);
  if (!step.status()) return step.status().error();
  return facts::changes(*tables_, most);
}

Result<std::vector<CounterView>> LocalStore::counters(const std::optional<std::string>& cap_id) {
  Step step(*this);
  if (!step.status()) return step.status().error();
  Error problem{Code::closed, ""};
  if (known_registry(step.state(), step.now_ms(), problem) == nullptr) return problem;
  const auto sets = tables_->sets();
  if (!sets) return sets.error();
  std::vector<CounterView> views;
  for (const SetRow& set : *sets) {
    for (const engine::Entry& entry : set.entries) {
      CounterView view;
      view.each_values = set.each_values;
      view.window = {entry.start_ms, entry.end_ms};
      view.limit = entry.limit;
      view.committed = entry.committed;
      view.reserved = entry.reserved;
      view.unknown = entry.unknown;
      view.keep = registry_;
      if (entry.number == 0) {
        view.run = set.key.substr(4);  // "run/ID"
        view.task = set.each_values.empty() ? "" : set.each_values.front();
      } else {
        view.cap = cap_of(entry.number);
        if (view.cap == nullptr) continue;  // no policy holds that cap any more
        const LimitInForce limit = limit_in_force(view.cap->cap, registry_->overrides, set.each_values, step.now_ms());
        view.limit = limit.limit;
        if (limit.change != nullptr) view.baseline = limit.of_policy;
        view.change = limit.change;
        view.counted_since_ms = view.cap->counted_since_ms;
      }
      if (cap_id && (view.cap == nullptr || view.cap->cap.id != *cap_id)) continue;
      views.push_back(std::move(view));
    }
  }
  return views;
}

Result<std::optional<CounterView>> LocalStore::run(const std::string& id) {
  Step step(*this);
  if (!step.status()) return step.status().error();
  const auto place = tables_->find_set("run/" + id);
  if (!place) return place.error();
  std::optional<engine::Entry> entry;
  if (*place != 0) {
    Tables::Entries room;
    const auto entries = tables_->read_set(*place, room);
    if (!entries) return entries.error();
    if (!(*entries)->empty()) entry = (*entries)->front();
  } else {
    auto kept = facts::kept_run(*tables_, id);
    if (!kept) return kept.error();
    entry = *kept;
  }
  if (!entry) return std::optional<CounterView>();
  CounterView view;
  view.run = id;
  view.limit = entry->limit;
  view.committed = entry->committed;
  view.reserved = entry->reserved;
  view.unknown = entry->unknown;
  return std::optional(std::move(view));
}

Result<std::vector<HoldView>> LocalStore::holds() {
  Step step(*this);
  if (!step.status()) return step.status().error();
  const auto rows = tables_->holds();
  if (!rows) return rows.error();
  std::vector<HoldView> views;
  for (const auto& [hold, draft] : *rows) {
    const auto expires = expiry(hold);
    if (!expires) return expires.error();
    views.push_back({draft, *expires, hold.deadline_ms != 0});
  }
  return views;
}

namespace {

/// What a filter asks besides time and id, which the tables look at.
bool passes(const LedgerRow& row, const LedgerFilter& filter) {
  static const CallContext none;
  const CallContext& context = row.context ? *row.context : none;
  if (!filter.model.empty() && context.model != filter.model && context.model_asked != filter.model &&
      row.model_served != filter.model) {
    return false;
  }
  if (!filter.call.empty() && row.call != filter.call) return false;
  if (filter.how && (row.how != *filter.how || row.kind != RowKind::attempt)) return false;
  if (filter.kind && row.kind != *filter.kind) return false;
  if (!filter.run.empty() && std::none_of(row.runs.begin(), row.runs.end(), [&](const auto& run) {
        return run.first == filter.run || run.second == filter.run;
      })) {
    return false;
  }
  const auto& wanted = filter.labels.entries();
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& label) {
    const std::string* own = context.labels.get(label.first);
    return own != nullptr && *own == label.second;
  });
}

}  // namespace

Status LocalStore::ledger(const LedgerFilter& filter, const std::function<bool(const LedgerRow&)>& visit) {
  // Read first, visited then: while visiting, the store is not locked and no snapshot keeps its log from shrinking. In pages
  // where the ledger may be large.
  constexpr std::size_t page = 1'000;
  const bool aside = tables_->scans_aside();
  std::vector<LedgerRow> rows;
  std::optional<AttemptId> before;
  std::size_t left = filter.most == 0 ? SIZE_MAX : static_cast<std::size_t>(filter.most);
  for (;;) {
    const std::size_t most = aside ? std::min(left, page) : left;
    rows.clear();
    const auto collect = [&](const LedgerRow& row) {
      before = row.id;
      if (passes(row, filter)) rows.push_back(row);
      return rows.size() < most;
    };
    if (aside) {
      if (closed_) return Error{Code::closed, "the store " + info_.location + " was closed"};
      if (const Status read = tables_->scan_aside(filter, before, collect); !read) return read;
    } else {
      Step step(*this);
      if (!step.status()) return step.status();
      if (const Status read = tables_->scan(filter, collect); !read) return read;
    }
    for (const LedgerRow& row : rows) {
      if (!visit(row)) return success();
    }
    left -= rows.size();
    if (!aside || rows.size() < most || left == 0) return success();
  }
}

Result<std::vector<DenialEntry>> LocalStore::denials(std::size_t most) {
  Step step(*this);
  if (!step.status()) return step.status().error();
  return facts::denials(*tables_, most);
}

Status LocalStore::add_denials(const std::vector<DenialEntry>& entries) {
  Step step(*this);
  if (!step.status()) return step.status();
  for (const DenialEntry& entry : entries) {
    if (const Status done = facts::add_denial(*tables_, step.state(), entry); !done) return done;
  }
  return step.commit();
}

Result<std::vector<AlertFired>> LocalStore::alerts(std::size_t most) {
  Step step(*this);
  if (!step.status()) return step.status().error();
  return facts::alerts(*tables_, most);
}

Result<Settled> LocalStore::adjust(const Adjustment& adjustment) {
  Step step(*this);
  if (!step.status()) return step.status().error();
  const auto before = tables_->booked_before(adjustment.id);
  if (!before) return before.error();
  Settled settled;
  settled.at_ms = step.now_ms();
  settled.first = false;
  settled.actual = adjustment.actual;
  if (*before) return settled;
  const auto original = tables_->find_row(adjustment.attempt);
  if (!original) return original.error();
  if (!*original) {
    return Error{Code::unknown_attempt, "attempt " + to_text(adjustment.attempt) + " is not in the ledger of " +
                                            info_.location + "; one that is still open is settled first"};
  }
  auto adjusted = adjust_in(step, **original, adjustment, How::usage, Alerts::leave);
  if (!adjusted) return adjusted;
  if (const Status done = step.commit(); !done) return done.error();
  return adjusted;
}

Result<Settled> LocalStore::adjust_in(Step& step, const LedgerRow& original, const Adjustment& adjustment, How how,
                                      Alerts alerts) {
  // R19: the new absolute amounts less what was booked so far.
  const auto earlier = tables_->adjustments(original.id);
  if (!earlier) return earlier.error();
  Amounts difference;
  for (std::size_t i = 0; i < meter_count; ++i) {
    Int128 booked = original.booked.of[i];
    for (const LedgerRow& row : *earlier)
      booked += row.booked.of[i];
    difference.of[i] = static_cast<std::int64_t>(static_cast<Int128>(adjustment.booked.of[i]) - booked);
  }
  difference[Meter::concurrent] = 0;

  LedgerRow row;
  row.id = ids_->next(step.now_ms());
  row.kind = RowKind::adjust;
  row.of = original.id;
  row.adjustment = adjustment.id;
  row.context = original.context;
  row.call = original.call;
  row.action = original.action;
  row.runs = original.runs;
  row.reserved_ms = original.reserved_ms;  // R14: it belongs to the windows of its attempt
  row.settled_ms = step.now_ms();
  row.actual = adjustment.actual;
  row.booked = difference;
  row.how = how;
  row.who = adjustment.who;
  row.why = adjustment.why;
  if (const Status added = tables_->add_row(row); !added) return added.error();

  Settled settled;
  settled.at_ms = step.now_ms();
  settled.how = how;
  settled.actual = adjustment.actual;
  settled.adjusted = true;
  const bool was_unknown = earlier->empty() && (original.how == How::hold || original.how == How::expired);
  if (const Status done =
          add_to_counters(step, original, difference, was_unknown ? original.booked : Amounts{}, alerts, settled);
      !done) {
    return done.error();
  }
  return settled;
}

Result<Settled> LocalStore::book(const LedgerRow& given, const Plan& plan) {
  Step step(*this);
  if (!step.status()) return step.status().error();
  Settled settled;
  settled.at_ms = step.now_ms();
  settled.how = given.how;
  settled.actual = given.actual;
  const auto before = tables_->booked_before(given.adjustment);
  if (!before) return before.error();
  if (!given.adjustment.empty() && *before) {
    settled.first = false;
    return settled;
  }
  LedgerRow row = given;
  row.kind = RowKind::book;
  if (row.id.value == 0) row.id = ids_->next(step.now_ms());
  row.reserved_ms = step.now_ms();
  row.settled_ms = step.now_ms();
  row.policy_revision = plan.revision;
  if (const Status added = tables_->add_row(row); !added) return added.error();
  if (const Status done = add_to_counters(step, row, row.booked, Amounts{}, Alerts::fire, settled); !done)
    return done.error();
  if (const Status done = step.commit(); !done) return done.error();
  return settled;
}

/// Books a difference on the counters that a row's labels and runs fall on, where its windows are still current.
Status LocalStore::add_to_counters(Step& step, const LedgerRow& row, const Amounts& difference,
                                   const Amounts& no_longer_unknown, Alerts alerts, Settled& settled) {
  Error problem{Code::closed, ""};
  const Registry* registry = known_registry(step.state(), step.now_ms(), problem);
  if (registry == nullptr) return problem;
  Tables::Entries room;
  if (row.context) {
    const CapIndex index(*registry);
    const Plan plan = index.plan(row.context->labels, step.now_ms());
    for (const PlannedSet& set : plan.sets) {
      auto place = tables_->find_set(set.key);
      if (!place) return place.error();
      const auto read = tables_->read_set(*place, room);
      if (!read) return read.error();
      Tables::Entries& entries = **read;
      bool changed = false;
      for (const PlannedCap& cap : set.caps) {
        const std::size_t known = engine::place_of(entries, cap.number);
        engine::Entry entry;
        entry.number = cap.number;
        if (known != entries.size()) entry = entries[known];
        // R14: the window that is stored, be it over, or the one of now; no other.
        const auto inside = [&] { return row.reserved_ms >= entry.start_ms && row.reserved_ms < entry.end_ms; };
        if (!inside()) engine::roll(entry, cap.registered->cap, step.now_ms());
        if (!inside()) continue;
        engine::settle(entry, 0, engine::booked_on(cap.meter, difference), false);
        entry.unknown -= std::min(entry.unknown, no_longer_unknown[cap.meter]);
        engine::set_limit(entry, cap.limit);  // alerts test the limit in force
        if (alerts == Alerts::fire) {
          for (const int threshold : engine::fire_alerts(entry, cap.registered->cap, false))
            settled.alerts.push_back(engine::alert_of(entry, cap.registered->cap, set.each_values, threshold));
        }
        changed = true;
        if (known != entries.size()) {
          entries[known] = entry;
          continue;
        }
        entries.push_back(entry);
        if (cap.registered->cap.each.empty()) continue;
        if (const Status counted = facts::count_counters(*tables_, cap.number, 1); !counted) return counted;
      }
      if (!changed) continue;
      if (*place == 0) {
        place = tables_->add_set(set.key, set.each_values, entries);
        if (!place) return place.error();
      } else if (const Status written = tables_->write_set(*place, entries); !written) {
        return written;
      }
    }
  }
  const auto add = [&](engine::Entry& entry) {
    engine::settle(entry, 0, difference[Meter::usd], false);
    entry.unknown -= std::min(entry.unknown, no_longer_unknown[Meter::usd]);
  };
  for (const auto& [id, task] : row.runs) {
    const auto place = tables_->find_set("run/" + id);
    if (!place) return place.error();
    if (*place != 0) {
      const auto entries = tables_->read_set(*place, room);
      if (!entries) return entries.error();
      for (engine::Entry& entry : **entries)
        add(entry);
      if (const Status written = tables_->write_set(*place, **entries); !written) return written;
      continue;
    }
    // Its counter is gone, or still to come (R9): what is kept for the next call of the run is what counts.
    auto kept = facts::kept_run(*tables_, id);
    if (!kept) return kept.error();
    if (!*kept && row.kind != RowKind::book) continue;  // forgotten with what it spent
    engine::Entry entry = kept->value_or(engine::Entry{});
    if (!*kept) entry.limit = engine::no_limit;  // its first call brings it
    add(entry);
    entry.touched_ms = step.now_ms();
    if (const Status done = facts::put_run(*tables_, id, entry); !done) return done;
  }
  return record_alerts(step, settled.alerts);
}

}  // namespace farthing
