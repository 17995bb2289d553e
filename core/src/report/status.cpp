#include "report/status.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "report/text.h"

namespace farthing {

namespace report {

std::vector<std::pair<std::string, std::string>> counter_of(const Cap& cap,
                                                            const std::vector<std::string>& each_values) {
  std::vector<std::pair<std::string, std::string>> counter;
  for (std::size_t i = 0; i < cap.each.size() && i < each_values.size(); ++i)
    counter.emplace_back(cap.each[i], each_values[i]);
  return counter;
}

LimitChange limit_change(const Cap& cap, const Override& change) {
  const std::int64_t baseline = limit_in_force(cap, {}, change.each_values, 0).of_policy;
  return {counter_of(cap, change.each_values),
          change.limit,
          baseline,
          change.who,
          change.why,
          change.at_ms,
          change.until_ms};
}

namespace {

OrderedJson limit_change_json(Meter meter, const LimitChange& change) {
  OrderedJson json;
  json["counter"] = OrderedJson::object();
  for (const auto& [kind, value] : change.counter)
    json["counter"][kind] = value;
  put_amount(json, "limit", meter, change.limit);
  put_amount(json, "baseline", meter, change.baseline);
  json["who"] = change.who;
  json["why"] = change.why;
  put_time(json, "at", change.at_ms);
  put_time(json, "until", change.until_ms);
  return json;
}

/// R12: the stored pair is in force until the store's time passes its end; from then on nothing is spent in the
/// window that comes next.
void roll_forward(StatusCounter& row, const Cap& cap, std::int64_t window_end_ms, std::int64_t now_ms) {
  if (cap.meter == Meter::concurrent || now_ms < window_end_ms) return;
  const WindowBounds next = window_around(cap.window, now_ms);
  row.cap.spent = 0;
  row.cap.reserved = 0;
  row.unknown = 0;
  row.window_start_ms = next.start_ms;
  row.cap.resets_at_ms = next.end_ms;
  row.counted_since_ms.reset();
}

StatusCounter row_of(const CounterView& view, std::int64_t now_ms) {
  StatusCounter row;
  row.cap.limit = view.limit;
  row.cap.spent = view.committed - view.reserved;
  row.cap.reserved = view.reserved;
  row.unknown = view.unknown;
  row.baseline = view.baseline;
  row.counted_since_ms = view.counted_since_ms;
  row.window_start_ms = view.window.start_ms;
  if (view.cap == nullptr) {
    row.cap.run = view.run;
    row.cap.meter = Meter::usd;
    row.words = view.task.empty() ? "run" : "task " + view.task;
    return row;
  }
  const Cap& cap = view.cap->cap;
  row.cap.cap_id = cap.id;
  row.cap.meter = cap.meter;
  row.cap.per = cap.window.per;
  row.cap.counter = counter_of(cap, view.each_values);
  if (view.change != nullptr) row.change = limit_change(cap, *view.change);
  if (cap.window.per != Per::total && cap.meter != Meter::concurrent) row.cap.resets_at_ms = view.window.end_ms;
  row.words = cap.words();
  row.alerts = cap.alert;
  roll_forward(row, cap, view.window.end_ms, now_ms);
  return row;
}

/// A cap without a counter yet: nothing spent.
StatusCounter untouched(const RegisteredCap& registered, const Registry& registry, std::int64_t now_ms) {
  const Cap& cap = registered.cap;
  StatusCounter row;
  row.cap.cap_id = cap.id;
  row.cap.meter = cap.meter;
  row.cap.per = cap.window.per;
  const LimitInForce limit = limit_in_force(cap, registry.overrides, {}, now_ms);
  row.cap.limit = limit.limit;
  if (limit.change != nullptr) {
    row.baseline = limit.of_policy;
    row.change = limit_change(cap, *limit.change);
  }
  row.words = cap.words();
  row.alerts = cap.alert;
  if (cap.window.per != Per::call && cap.meter != Meter::concurrent) {
    const WindowBounds bounds = window_around(cap.window, now_ms);
    row.window_start_ms = bounds.start_ms;
    if (cap.window.per != Per::total) row.cap.resets_at_ms = bounds.end_ms;
  }
  row.counted_since_ms = registered.counted_since_ms;
  return row;
}

}  // namespace

Result<StatusReport> status_of(Store& store) {
  const auto now = store.now_ms();
  if (!now) return now.error();
  const auto registry = store.registry();
  if (!registry) return registry.error();
  const auto views = store.counters(std::nullopt);
  if (!views) return views.error();
  const auto holds = store.holds();
  if (!holds) return holds.error();

  StatusReport report;
  report.store = store.info().location;
  report.store_id = store.info().store_id;
  report.now_ms = *now;

  std::map<std::string, std::vector<StatusCounter>> by_cap;
  std::vector<StatusCounter> runs;
  for (const CounterView& view : *views) {
    StatusCounter row = row_of(view, *now);
    auto& rows = view.cap == nullptr ? runs : by_cap[row.cap.cap_id];
    rows.push_back(std::move(row));
  }
  for (const RegisteredCap& registered : registry->caps) {
    if (registered.documents.empty()) continue;  // no document holds it any more: it binds nobody
    auto& rows = by_cap[registered.cap.id];
    if (rows.empty()) rows.push_back(untouched(registered, *registry, *now));
    std::sort(rows.begin(), rows.end(), [](const StatusCounter& a, const StatusCounter& b) {
      return std::pair(b.cap.spent + b.cap.reserved, a.cap.counter) <
             std::pair(a.cap.spent + a.cap.reserved, b.cap.counter);
    });
    for (StatusCounter& row : rows)
      report.counters.push_back(std::move(row));
  }
  std::sort(runs.begin(), runs.end(), [](const StatusCounter& a, const StatusCounter& b) {
    return std::tuple(a.words, b.cap.spent + b.cap.reserved, a.cap.run) <
           std::tuple(b.words, a.cap.spent + a.cap.reserved, b.cap.run);
  });
  for (StatusCounter& row : runs)
    report.counters.push_back(std::move(row));

  for (const Halt& halt : registry->halts) {
    report.halts.push_back({halt.id, halt.match.to_json(), halt.who, halt.why, halt.at_ms});
  }
  const auto jobs = store.jobs();
  if (!jobs) return jobs.error();
  for (const JobView& job : *jobs)
    ++(job.row.how == How::open ? report.pending_jobs : report.expired_jobs);
  std::int64_t left_behind = 0;
  for (const HoldView& hold : *holds) {
    report.open_holds += hold.job ? 0 : 1;
    // R17: a live process renews its holds; one older than 120 s is a stream that nobody reads to its end.
    if (!hold.job && hold.expires_ms <= *now)
      ++left_behind;
    else if (is_stale(hold, *now))
      ++report.stale_streams;
  }
  if (left_behind > 0) {
    report.notes.push_back(std::to_string(left_behind) + (left_behind == 1 ? " call was" : " calls were") +
                           " left open by a program that ended: the next guard or call on this store charges the hold");
  }
  if (report.stale_streams > 0) {
    report.notes.push_back(std::to_string(report.stale_streams) +
                           (report.stale_streams == 1 ? " call has" : " calls have") +
                           " been open for more than 120 s: a stream that nobody reads keeps its hold");
  }
  if (report.expired_jobs > 0) {
    report.notes.push_back(std::to_string(report.expired_jobs) +
                           " jobs were not polled before their deadline and are charged at their hold: a poll "
                           "corrects that, farthing jobs lists them");
  }
  return report;
}

}  // namespace report

std::string limit_change_words(Meter meter, const LimitChange& change) {
  std::string text = limit_text(meter, change.limit) + " instead of " + limit_text(meter, change.baseline);
  if (change.until_ms) text += " until " + iso_utc(*change.until_ms);
  text += ", by " + change.who;
  return change.why.empty() ? text : text + ": " + change.why;
}

std::string to_json(Meter meter, const LimitChange& change) {
  return dump_json(report::limit_change_json(meter, change));
}

std::string StatusReport::to_json() const {
  OrderedJson json;
  json["store"] = store;
  json["store_id"] = store_id;
  report::put_time(json, "now", now_ms);
  OrderedJson rows = OrderedJson::array();
  for (const StatusCounter& row : counters) {
    const CapLeft& cap = row.cap;
    OrderedJson entry;
    entry["cap"] = cap.cap_id.empty() ? OrderedJson(nullptr) : OrderedJson(cap.cap_id);
    entry["run"] = cap.run.empty() ? OrderedJson(nullptr) : OrderedJson(cap.run);
    entry["words"] = row.words;
    OrderedJson counter = OrderedJson::object();
    for (const auto& [kind, value] : cap.counter)
      counter[kind] = value;
    entry["counter"] = std::move(counter);
    entry["meter"] = meter_text(cap.meter);
    entry["per"] = per_text(cap.per);
    const auto put_if_limited = [&](const char* name, std::int64_t value) {
      if (cap.is_limited())
        report::put_amount(entry, name, cap.meter, value);
      else
        report::put_usd(entry, name, std::nullopt);  // a task without a limit
    };
    put_if_limited("limit", cap.limit);
    if (row.baseline) report::put_amount(entry, "baseline", cap.meter, *row.baseline);
    if (row.change) entry["change"] = report::limit_change_json(cap.meter, *row.change);
    report::put_amount(entry, "spent", cap.meter, cap.spent);
    report::put_amount(entry, "reserved", cap.meter, cap.reserved);
    put_if_limited("remaining", cap.remaining());
    report::put_amount(entry, "unknown", cap.meter, row.unknown);
    report::put_time(entry, "window_start", row.window_start_ms);
    report::put_time(entry, "resets_at", cap.resets_at_ms);
    if (row.counted_since_ms) report::put_time(entry, "counted_since", row.counted_since_ms);
    entry["alert"] = row.alerts;
    rows.push_back(std::move(entry));
  }
  json["counters"] = std::move(rows);
  OrderedJson stops = OrderedJson::array();
  for (const StatusHalt& halt : halts) {
    OrderedJson entry{
        {"id", halt.id}, {"match", report::parsed(halt.match_json)}, {"who", halt.who}, {"why", halt.why}};
    report::put_time(entry, "at", halt.at_ms);
    stops.push_back(std::move(entry));
  }
  json["halts"] = std::move(stops);
  json["open_holds"] = open_holds;
  json["pending_jobs"] = pending_jobs;
  json["expired_jobs"] = expired_jobs;
  json["stale_streams"] = stale_streams;
  json["notes"] = notes;
  return dump_json(json);
}

}  // namespace farthing
