// LocalStore's jobs (R17): holds that go on after their call's answer, found by host and the provider's id.
#include <algorithm>

#include "store/facts.h"
#include "store/step.h"

namespace farthing {

Result<Settled> LocalStore::keep_job(Step& step, const Settlement& settlement) {
  const Job& job = *settlement.job;
  const auto known = facts::find_job(*tables_, job.host, job.id);
  if (!known) return known.error();
  if (*known && (*known)->over_ms == 0 && (*known)->job.attempt != settlement.row.id) {
    return Error{Code::invalid_argument, "job " + job.id + " of " + job.host + " is that of attempt " +
                                             to_text((*known)->job.attempt) + " already"};
  }
  facts::KeptJob kept{job, step.now_ms() + job.lives_ms, 0, {}};
  kept.job.attempt = settlement.row.id;
  HoldRow hold;
  const auto held = tables_->take_hold(settlement.row.id, hold);
  if (!held) return held.error();
  if (*held) {
    hold.deadline_ms = kept.deadline_ms;
    LedgerRow draft = settlement.row;
    draft.how = How::open;
    draft.held = hold.held;
    draft.reserved_ms = hold.created_ms;
    if (const Status done = tables_->add_hold(hold, draft); !done) return done.error();
  } else {
    const auto ended = tables_->find_row(settlement.row.id);
    if (!ended) return ended.error();
    if (!*ended) {
      return Error{Code::unknown_attempt,
                   "attempt " + to_text(settlement.row.id) + " has no hold and no outcome in " + info_.location};
    }
    // R18: what has ended keeps its outcome. Only of one that expired before its answer came a poll still corrects what was
    // charged, until the job is over.
    const bool over = *known && (*known)->over_ms != 0 && (*known)->job.attempt == settlement.row.id;
    if ((*ended)->how != How::expired || over) {
      Settled settled;
      settled.at_ms = step.now_ms();
      settled.first = false;
      settled.how = (*ended)->how;
      settled.actual = (*ended)->actual;
      return settled;
    }
  }
  if (const Status done = facts::put_job(*tables_, kept); !done) return done.error();
  if (const Status done = step.commit(); !done) return done.error();
  Settled settled;
  settled.at_ms = step.now_ms();
  settled.how = How::open;
  return settled;
}

/// R18: what had ended keeps its outcome; after expiry the real amount is booked as exactly one adjustment.
Result<Settled> LocalStore::settle_late(Step& step, const LedgerRow& ended, const LedgerRow& row, Alerts alerts) {
  Settled settled;
  settled.at_ms = step.now_ms();
  settled.first = false;
  settled.how = ended.how;
  settled.actual = ended.actual;
  if (ended.how != How::expired) return settled;
  if (const Status done = end_job_of(step, row.id); !done) return done.error();
  const bool real = row.how == How::usage || row.how == How::counted || row.how == How::ended ||
                    row.how == How::provider_error || row.how == How::released;
  const std::string id = "late-" + to_text(row.id);
  const auto before = tables_->booked_before(id);
  if (!before) return before.error();
  if (!real || *before) return settled;
  const std::string why = row.why.empty() ? "settled after its hold expired" : row.why;
  auto adjusted = adjust_in(step, ended, Adjustment{row.id, id, row.booked, row.actual, row.who, why}, row.how, alerts);
  if (adjusted) adjusted->first = false;
  return adjusted;
}

Status LocalStore::free_slots(Step& step, const std::vector<HeldCounter>& slots) {
  Tables::Entries room;
  for (const HeldCounter& slot : slots) {
    const auto entries = tables_->read_set(slot.row, room);
    if (!entries) return entries.error();
    for (engine::Entry& entry : **entries) {
      if (entry.number != slot.number || entry.start_ms != slot.start_ms) continue;
      engine::settle(entry, 1, 0, false);
      entry.touched_ms = step.now_ms();
    }
    if ((*entries)->empty()) continue;
    if (const Status written = tables_->write_set(slot.row, **entries); !written) return written;
  }
  return success();
}

Status LocalStore::end_job_of(Step& step, AttemptId attempt) {
  const auto kept = facts::job_of(*tables_, attempt);
  if (!kept) return kept.error();
  if (!*kept) return success();
  if (const Status freed = free_slots(step, (*kept)->slots); !freed) return freed;
  return facts::end_job(*tables_, **kept, step.now_ms());
}

Status LocalStore::end_lost_jobs(Step& step) {
  const auto all = facts::jobs(*tables_);
  if (!all) return all.error();
  for (const facts::KeptJob& kept : *all) {
    const auto known = tables_->known(kept.job.attempt);
    if (!known) return known.error();
    if (*known) continue;
    if (const Status done = end_job_of(step, kept.job.attempt); !done) return done;
  }
  return success();
}

Result<JobView> LocalStore::view_of(const facts::KeptJob& kept) {
  JobView view;
  view.job = kept.job;
  view.deadline_ms = kept.deadline_ms;
  view.over = kept.over_ms != 0;
  auto hold = tables_->find_hold(kept.job.attempt);
  if (!hold) return hold.error();
  if (*hold) {
    view.deadline_ms = (*hold)->first.deadline_ms;
    view.row = std::move((*hold)->second);
    view.slot = true;
    return view;
  }
  auto row = tables_->find_row(kept.job.attempt);
  if (!row) return row.error();
  view.slot = !kept.slots.empty();
  if (*row) {
    view.row = std::move(**row);
  } else {
    view.over = true;  // the ledger dropped it: nothing can be booked for it any more
  }
  return view;
}

Result<std::optional<JobView>> LocalStore::find_job(const std::string& host, const std::string& id) {
  Step step(*this);
  if (!step.status()) return step.status().error();
  const auto kept = facts::find_job(*tables_, host, id);
  if (!kept) return kept.error();
  if (!*kept) return std::optional<JobView>();
  auto view = view_of(**kept);
  if (!view) return view.error();
  return std::optional(std::move(*view));
}

Result<Settled> LocalStore::keep_batch_file(Step& step, const BatchFile& file) {
  if (const Status done = facts::put_batch_file(*tables_, file, step.now_ms()); !done) return done.error();
  if (const Status done = step.commit(); !done) return done.error();
  Settled settled;
  settled.at_ms = step.now_ms();
  settled.how = How::open;
  return settled;
}

Result<std::optional<std::string>> LocalStore::find_batch_file(const std::string& host, const std::string& id) {
  Step step(*this);
  if (!step.status()) return step.status().error();
  return facts::find_batch_file(*tables_, host, id);
}

Result<std::vector<JobView>> LocalStore::jobs(const JobFilter& filter) {
  Step step(*this);
  if (!step.status()) return step.status().error();
  const auto all = facts::jobs(*tables_);
  if (!all) return all.error();
  std::vector<JobView> views;
  for (const facts::KeptJob& kept : *all) {
    auto view = view_of(kept);
    if (!view) return view.error();
    if (view->over) continue;
    // Whoever sweeps next books it, and tells the alerts of that (R35): a listing writes nothing.
    if (view->row.how == How::open && view->deadline_ms <= step.now_ms()) {
      view->row.how = How::expired;
      view->slot = !view->job.slot_until_deadline;
    }
    if (filter.fits && !filter.fits(*view)) continue;
    views.push_back(std::move(*view));
    if (views.size() == filter.most) break;
  }
  return views;
}

Result<Settled> LocalStore::end_job(const std::string& host, const std::string& id, std::optional<Usd> actual,
                                    const std::string& who, const std::string& why) {
  Step step(*this);
  if (!step.status()) return step.status().error();
  const auto kept = facts::find_job(*tables_, host, id);
  if (!kept) return kept.error();
  const Error none_pending{Code::unknown_job, "no job " + id + " of " + host + " is pending in " + info_.location};
  if (!*kept || (*kept)->over_ms != 0) return none_pending;
  const AttemptId attempt = (*kept)->job.attempt;
  auto found = tables_->find_hold(attempt);
  if (!found) return found.error();
  LedgerRow row;
  if (*found) {
    row = std::move((*found)->second);
  } else {
    auto ended = tables_->find_row(attempt);
    if (!ended) return ended.error();
    if (!*ended) return none_pending;
    row = std::move(**ended);
  }
  const LedgerRow before = row;
  row.id = attempt;
  row.how = actual ? How::ended : How::hold;
  row.booked = row.held;
  row.booked[Meter::concurrent] = 0;
  if (actual) {
    row.actual = actual;
    row.booked[Meter::usd] = actual->nano;
  } else if (row.ceiling) {
    row.actual = Usd{row.held[Meter::usd]};
  }
  row.error_class = "ended";
  row.who = who;
  row.why = why;
  Result<Settled> settled = Settled{};
  if (*found) {
    HoldRow hold;
    if (const auto taken = tables_->take_hold(attempt, hold); !taken) return taken.error();
    if (const Status done = settle_in(step, row, hold, Alerts::leave, *settled); !done) return done.error();
    if (const Status done = end_job_of(step, attempt); !done) return done.error();
  } else {
    settled = settle_late(step, before, row, Alerts::leave);
    if (!settled) return settled;
    if (const Status done = end_job_of(step, attempt); !done) return done.error();
  }
  const std::string what =
      "job " + id + " ended" + (actual ? " at " + to_text(*actual) + " USD" : ", charged at its hold");
  const Status logged = facts::add_change(*tables_, step.state(), step.now_ms(), who, what, why);
  if (!logged) return logged.error();
  if (const Status done = step.commit(); !done) return done.error();
  return settled;
}

}  // namespace farthing
