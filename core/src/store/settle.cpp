// LocalStore's settle: the end of a hold, exactly once (R18), and what it teaches.
#include "store/local_store.h"

#include <algorithm>

#include "store/facts.h"
#include "store/step.h"

namespace farthing {

Status LocalStore::record_alerts(Step& step, std::vector<AlertFired>& alerts) {
  if (alerts.empty()) return success();
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

Status LocalStore::correct_counters(Step& step, const HoldRow& hold, const Amounts& booked, bool outcome_unknown,
                                    Alerts alerts, Settled& settled, std::vector<std::int64_t>& alert_rows) {
  Error problem{Code::closed, ""};
  if (known_registry(step.state(), step.now_ms(), problem) == nullptr) return problem;
  static thread_local Tables::Entries room;
  settled.remaining.reserve(hold.counters.size());
  for (auto counter = hold.counters.begin(); counter != hold.counters.end();) {
    const std::int64_t row = counter->row;
    const auto read = tables_->read_set(row, room);
    if (!read) return read.error();
    const std::span<engine::Entry> entries = **read;
    bool changed = false;
    for (; counter != hold.counters.end() && counter->row == row; ++counter) {
      const std::size_t place = engine::place_of(entries, counter->number);
      // R14: only while that window is current; the ledger has the rest.
      if (place == entries.size() || entries[place].start_ms != counter->start_ms) continue;
      engine::Entry& entry = entries[place];
      const auto meter = static_cast<Meter>(counter->meter);
      engine::settle(entry, hold.held[meter], engine::booked_on(meter, booked), outcome_unknown);
      changed = true;
      const RegisteredCap* registered = cap_of(counter->number);
      Remaining& left = settled.remaining.emplace_back();
      left.cap = registered;
      left.limit = entry.limit;
      left.committed = entry.committed;
      left.reserved = entry.reserved;
      if (entry.end_ms != engine::forever_ms) left.resets_at_ms = entry.end_ms;
      if (alerts == Alerts::leave || registered == nullptr || registered->cap.alert.empty()) continue;
      for (const int threshold : engine::fire_alerts(entry, registered->cap, false)) {
        settled.alerts.push_back(engine::alert_of(entry, registered->cap, {}, threshold));
        alert_rows.push_back(row);
      }
    }
    if (changed && *read == &room) {
      if (const Status written = tables_->write_set(row, room); !written) return written;
    }
  }
  settled.keep = registry_;
  return success();
}

Result<Settled> LocalStore::settle(Settlement& settlement) {
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

Result<Settled> LocalStore::settle_once(Settlement& settlement, const std::optional<Lesson>& lesson, bool& begun) {
  Step step(*this);
  if (!step.status()) return step.status().error();
  begun = true;
  if (settlement.job) return keep_job(step, settlement);
  if (settlement.file) return keep_batch_file(step, *settlement.file);
  LedgerRow& row = settlement.row;
  static thread_local HoldRow hold;
  const auto held = tables_->take_hold(row.id, hold);
  if (!held) return held.error();
  if (!*held) return settle_ended(step, row);
  Result<Settled> settled = Settled{};
  if (const Status done = settle_in(step, row, hold, Alerts::fire, *settled); !done) return done.error();
  if (lesson) {
    const auto learnt = learn(step, *lesson);
    if (!learnt) return learnt.error();
    settled->learned = std::make_shared<const Learned>(*learnt);
  }
  if (hold.deadline_ms != 0) {
    if (const Status done = end_job_of(step, row.id); !done) return done.error();
  }
  if (const Status done = step.commit(); !done) return done.error();
  return settled;
}

Result<Settled> LocalStore::settle_ended(Step& step, LedgerRow& row) {
  const auto ended = tables_->find_row(row.id);
  if (!ended) return ended.error();
  if (*ended) {
    auto late = settle_late(step, **ended, row, Alerts::fire);
    if (!late) return late;
    if (const Status done = step.commit(); !done) return done.error();
    return late;
  }
  if (row.how != How::released) {
    return Error{Code::unknown_attempt,
                 "attempt " + to_text(row.id) + " has no hold and no outcome in " + info_.location};
  }
  // R18: the release came before its reserve, which must then find the id taken.
  LedgerRow voided = row;
  voided.how = How::voided;
  voided.settled_ms = step.now_ms();
  if (voided.reserved_ms == 0) voided.reserved_ms = step.now_ms();
  voided.booked = Amounts{};
  if (const Status added = tables_->add_row(voided); !added) return added.error();
  if (const Status done = step.commit(); !done) return done.error();
  Settled settled;
  settled.at_ms = step.now_ms();
  settled.how = How::voided;
  return settled;
}

Status LocalStore::settle_in(Step& step, LedgerRow& row, const HoldRow& hold, Alerts alerts, Settled& settled) {
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
    return done;
  if (const Status done = tables_->add_row(row); !done) return done;
  for (std::size_t i = 0; i < settled.alerts.size(); ++i) {
    auto values = tables_->each_values(alert_rows[i]);
    if (!values) return values.error();
    settled.alerts[i].each_values = std::move(*values);
  }
  return record_alerts(step, settled.alerts);
}

}  // namespace farthing
