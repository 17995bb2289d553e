#include "report/suggest.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include "zone/zone.h"

namespace farthing::report {

namespace {

constexpr std::int64_t seconds_per_day = 86'400;

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

/// What a group of entries spent together, and whether that is all of it.
struct Sum {
  Int128 nano = 0;
  bool unknown = false;
  Int128 ahead = 0;  // how far above `nano` a limit has to be that admits each of the calls with what it held

  /// Of entries that come newest first: what is summed already was spent after this one.
  void add(Int128 booked, Int128 held) {
    nano += booked;
    after_ += booked;
    ahead = std::max(ahead, held - after_);
  }

 private:
  Int128 after_ = 0;
};

struct Run {
  std::string task;
  Sum sum;
};

using Days = std::map<std::int64_t, Sum>;

/// Sums by value, day and run, of a ledger that is read once.
class Collector {
 public:
  Collector(const Zone& zone, const SuggestOptions& options, std::int64_t now_ms)
      : zone_(zone), today_(day_of(now_ms)) {
    if (!options.since_ms) return;
    first_whole_ = day_of(*options.since_ms);
    if (day_of(*options.since_ms - 1) == *first_whole_) ++*first_whole_;
  }

  void add(const LedgerRow& row, CapSuggestions& found) {
    ++found.entries;
    found.first_ms = std::min(found.first_ms.value_or(row.reserved_ms), row.reserved_ms);
    found.last_ms = std::max(found.last_ms.value_or(row.reserved_ms), row.reserved_ms);
    const bool unknown = unknown_cost(row);
    found.unknown_cost += unknown ? 1 : 0;
    const std::int64_t nano = row.booked[Meter::usd];
    spent_ += nano;
    const auto count = [&](Sum& sum) {
      sum.add(nano, row.kind == RowKind::attempt ? row.held[Meter::usd] : 0);
      sum.unknown = sum.unknown || unknown;
    };
    for (const auto& [id, task] : row.runs) {
      Run& run = runs_[id];
      run.task = task;
      count(run.sum);
    }
    const std::int64_t day = day_of(row.reserved_ms);
    // Days that are not over, or were cut by `since`, would look like quiet ones.
    if (!row.context) return;
    const bool whole = day < today_ && !(first_whole_ && day < *first_whole_);
    for (const char* kind : {"org", "project", "api_key"}) {
      const std::string* value = row.context->labels.get(kind);
      if (value == nullptr) continue;
      Days& days = days_[kind][*value];  // also of one that is first heard of today: it asks for more days
      if (whole) count(days[day]);
      if (!whole && nano > 0) begun_.insert({kind, *value});
    }
  }

  void conclude(CapSuggestions& found) const {
    found.spent = Usd{clamped(spent_)};
    for (const char* kind : {"org", "project"}) {
      if (const auto values = days_.find(kind); values != days_.end()) {
        for (const auto& [value, days] : values->second)
          suggest_month(kind, value, days, found);
      }
    }
    if (const auto keys = days_.find("api_key"); keys != days_.end()) {
      for (const auto& [value, days] : keys->second)
        suggest_day("api_key", value, days, found);
    }
    suggest_runs(found);
    std::sort(found.caps.begin(), found.caps.end(), [](const SuggestedCap& a, const SuggestedCap& b) {
      return std::tie(a.per, b.limit, a.kind, a.value) < std::tie(b.per, a.limit, b.kind, b.value);
    });
  }

 private:
  static std::int64_t clamped(Int128 nano) {
    constexpr Int128 most = max_limit.nano;
    return static_cast<std::int64_t>(std::clamp(nano, -most, most));
  }

  std::int64_t day_of(std::int64_t unix_ms) const {
    const std::int64_t seconds = floor_div(unix_ms, 1000);
    return floor_div(seconds + zone_.utc_offset_at(seconds), seconds_per_day);
  }

  /// Something was used and no price is known: not the same as 0 (R31). A later correction may have made it known;
  /// entries come newest first, so it was here already.
  bool unknown_cost(const LedgerRow& row) {
    if (row.kind == RowKind::adjust) {
      if (row.actual) corrected_.insert(row.of.value);
      return false;
    }
    if (corrected_.erase(row.id.value) > 0 || row.actual) return false;
    return row.how != How::released && row.how != How::voided && row.how != How::provider_error;
  }

  /// The days with spending whose cost is known; how many others there are goes into `left_out`.
  static std::vector<DaySpent> known(const Days& days, std::int64_t& left_out) {
    std::vector<DaySpent> result;
    for (const auto& [day, sum] : days) {
      if (sum.unknown) {
        ++left_out;
      } else if (sum.nano > 0) {
        result.push_back({day, Usd{clamped(sum.nano)}});
      }
    }
    return result;
  }

  /// Before a call is sent its hold has to fit: the least limit that admits the calls of days like these.
  static Usd admitting(Usd busiest, const Days& days, const std::vector<DaySpent>& outliers) {
    Int128 ahead = 0;
    for (const auto& [day, sum] : days) {
      const bool normal = std::none_of(outliers.begin(), outliers.end(),
                                       [day = day](const DaySpent& outlier) { return outlier.day == day; });
      if (normal && !sum.unknown) ahead = std::max(ahead, sum.ahead);
    }
    return Usd{clamped(busiest.nano + ahead)};
  }

  static void admit(SuggestedCap& cap, Usd least) {
    const Usd limit = rounded_limit(least.nano);
    if (limit <= cap.limit) return;
    cap.of_spending = cap.limit;
    cap.limit = limit;
  }

  void suggest_month(const char* kind, const std::string& value, const Days& days, CapSuggestions& found) const {
    SuggestedCap cap{.per = SuggestedFor::month, .kind = kind, .value = value};
    const std::vector<DaySpent> spent = known(days, cap.left_out);
    if (spent.empty() && cap.left_out == 0 && !begun_.contains({kind, value})) return;  // it costs nothing
    const std::int64_t span = spent.empty() ? 0 : today_ - spent.front().day;
    const auto samples = static_cast<std::int64_t>(spent.size());
    if (span < needed_span_days || samples < needed_days) {
      const bool short_span = span < needed_span_days;
      found.too_little.push_back(
          {SuggestedFor::month, kind, value, short_span ? "days since the first" : "days with spending",
           short_span ? span : samples, short_span ? needed_span_days : needed_days, cap.left_out});
      return;
    }
    NormalDays normal = normal_days(spent);
    const DaySpent busiest = busiest_weeks(spent, normal);
    cap.samples = samples;
    cap.median = normal.median;
    cap.busiest = busiest.spent;
    cap.busiest_day = busiest.day;
    cap.outliers = std::move(normal.outliers);
    cap.limit = limit_per_month(busiest.spent);
    admit(cap, admitting(cap.busiest, days, cap.outliers));
    found.caps.push_back(std::move(cap));
  }

  void suggest_day(const char* kind, const std::string& value, const Days& days, CapSuggestions& found) const {
    SuggestedCap cap{.per = SuggestedFor::day, .kind = kind, .value = value};
    const std::vector<DaySpent> spent = known(days, cap.left_out);
    cap.samples = static_cast<std::int64_t>(spent.size());
    if (spent.empty() && cap.left_out == 0 && !begun_.contains({kind, value})) return;
    if (cap.samples < needed_days) {
      found.too_little.push_back(
          {SuggestedFor::day, kind, value, "days with spending", cap.samples, needed_days, cap.left_out});
      return;
    }
    NormalDays normal = normal_days(spent);
    cap.median = normal.median;
    cap.busiest = normal.busiest.spent;
    cap.busiest_day = normal.busiest.day;
    cap.outliers = std::move(normal.outliers);
    cap.limit = limit_per_day(cap.busiest);
    admit(cap, admitting(cap.busiest, days, cap.outliers));
    found.caps.push_back(std::move(cap));
  }

  void suggest_runs(CapSuggestions& found) const {
    struct Task {
      std::vector<std::int64_t> nano;   // what a run cost
      std::vector<std::int64_t> least;  // the least limit that admits each call of it
      std::int64_t left_out = 0;
    };
    std::map<std::string, Task> tasks;
    for (const auto& [id, run] : runs_) {
      if (run.sum.unknown) {
        ++tasks[run.task].left_out;
      } else if (run.sum.nano > 0) {
        tasks[run.task].nano.push_back(clamped(run.sum.nano));
        tasks[run.task].least.push_back(clamped(run.sum.nano + run.sum.ahead));
      }
    }
    for (auto& [name, task] : tasks) {
      const auto samples = static_cast<std::int64_t>(task.nano.size());
      if (samples < needed_runs) {
        found.too_little.push_back({SuggestedFor::run, "task", name, "runs", samples, needed_runs, task.left_out});
        continue;
      }
      const RunLimit run = limit_per_run(task.nano);
      SuggestedCap cap{.per = SuggestedFor::run, .kind = "task", .value = name, .limit = run.limit};
      cap.samples = samples;
      cap.left_out = task.left_out;
      cap.median = run.median;
      cap.busiest = run.usual;
      // Of runs that are to go on: what cost more than this is to be stopped.
      std::vector<std::int64_t> admitted;
      for (std::size_t i = 0; i < task.nano.size(); ++i) {
        if (task.nano[i] <= run.limit.nano) admitted.push_back(task.least[i]);
      }
      admit(cap, usual(std::move(admitted)));
      cap.above = runs_above(task.nano, cap.limit);
      found.caps.push_back(std::move(cap));
    }
  }

  const Zone zone_;
  const std::int64_t today_;
  std::optional<std::int64_t> first_whole_;
  Int128 spent_ = 0;
  std::map<std::string, std::map<std::string, Days>, std::less<>> days_;  // by kind, value
  std::set<std::pair<std::string, std::string>> begun_;                   // spent on a day that is not whole
  std::unordered_map<std::string, Run> runs_;
  std::set<std::uint64_t> corrected_;
};

}  // namespace

Usd rounded_limit(Int128 nano) {
  if (nano <= 0) return Usd{};
  Int128 unit = 1;
  while (nano > unit * 100)
    unit *= 10;
  const Int128 up = (nano + unit - 1) / unit * unit;
  return Usd{static_cast<std::int64_t>(std::min<Int128>(up, max_limit.nano))};
}

Usd median(std::vector<std::int64_t> nano) {
  if (nano.empty()) return Usd{};
  std::sort(nano.begin(), nano.end());
  const std::int64_t low = nano[(nano.size() - 1) / 2];
  const std::int64_t high = nano[nano.size() / 2];
  return Usd{low + (high - low + 1) / 2};
}

Usd usual(std::vector<std::int64_t> nano) {
  if (nano.empty()) return Usd{};
  std::sort(nano.begin(), nano.end());
  return Usd{nano[(nano.size() * 95 + 99) / 100 - 1]};
}

NormalDays normal_days(const std::vector<DaySpent>& days) {
  NormalDays result;
  std::vector<std::int64_t> spent;
  spent.reserve(days.size());
  for (const DaySpent& day : days)
    spent.push_back(day.spent.nano);
  result.median = median(spent);
  const std::int64_t middle = result.median.nano;
  for (std::int64_t& nano : spent)
    nano = nano > middle ? nano - middle : middle - nano;
  const std::int64_t spread = median(std::move(spent)).nano;

  const auto far = [&](const DaySpent& day) {
    const Int128 distance = static_cast<Int128>(day.spent.nano) - middle;
    return distance > middle && distance * 6'745 > static_cast<Int128>(spread) * 35'000;
  };
  for (const DaySpent& day : days) {
    if (far(day)) result.outliers.push_back(day);
  }
  if (result.outliers.size() > std::max<std::size_t>(1, days.size() / 10)) result.outliers.clear();
  for (const DaySpent& day : days) {
    if (!result.outliers.empty() && far(day)) continue;
    if (day.spent > result.busiest.spent) result.busiest = day;
  }
  return result;
}

Usd limit_per_day(Usd busiest) {
  return rounded_limit((static_cast<Int128>(busiest.nano) * 3 + 1) / 2);
}

std::int64_t runs_above(const std::vector<std::int64_t>& nano, Usd limit) {
  return std::count_if(nano.begin(), nano.end(), [limit](std::int64_t each) { return each > limit.nano; });
}

RunLimit limit_per_run(std::vector<std::int64_t> nano) {
  RunLimit run;
  if (nano.empty()) return run;
  std::sort(nano.begin(), nano.end());
  run.median = median(nano);
  run.usual = usual(nano);
  const Int128 middle = run.median.nano;
  run.limit = rounded_limit(std::clamp<Int128>(run.usual.nano, middle * 2, middle * 3));
  return run;
}

DaySpent busiest_weeks(const std::vector<DaySpent>& days, const NormalDays& normal) {
  const bool outliers = !normal.outliers.empty();
  DaySpent best;
  Int128 best_sum = -1;
  Int128 sum = 0;
  std::size_t first = 0;
  const auto counted = [&](const DaySpent& day) {
    return outliers ? std::min(day.spent, normal.busiest.spent).nano : day.spent.nano;
  };
  for (const DaySpent& last : days) {
    sum += counted(last);
    while (days[first].day <= last.day - needed_span_days)
      sum -= counted(days[first++]);
    if (sum <= best_sum) continue;
    best_sum = sum;
    best.day = days[first].day;
  }
  best.spent = Usd{static_cast<std::int64_t>(std::clamp<Int128>(best_sum, 0, max_limit.nano))};
  return best;
}

Usd limit_per_month(Usd of_28_days) {
  // x 31 / 28 x 3 / 2
  return rounded_limit((static_cast<Int128>(of_28_days.nano) * 93 + 55) / 56);
}

Result<CapSuggestions> suggest_caps(Store& store, const SuggestOptions& options) {
  const auto zone = Zone::find(options.zone);
  if (!zone) return Error{Code::invalid_argument, "no time zone is called \"" + options.zone + "\""};
  const auto now = store.now_ms();
  if (!now) return now.error();

  CapSuggestions found;
  found.store = store.info().location;
  found.zone = options.zone;
  Collector collector(*zone, options, *now);
  LedgerFilter filter;
  filter.since_ms = options.since_ms;
  const Status read = store.ledger(filter, [&](const LedgerRow& row) {
    collector.add(row, found);
    return true;
  });
  if (!read) return read.error();
  collector.conclude(found);
  return found;
}

void name_in_force(CapSuggestions& found, const std::vector<RegisteredCapView>& registered) {
  std::unordered_map<std::string, std::int64_t> limits;
  for (const RegisteredCapView& view : registered)
    limits.emplace(view.cap.identity(), view.limit);
  for (SuggestedCap& suggested : found.caps) {
    if (suggested.per == SuggestedFor::run) continue;
    Cap cap;
    cap.match.of = {{suggested.kind, {suggested.value}}};
    cap.window = {suggested.per == SuggestedFor::day ? Per::day : Per::month, found.zone};
    if (const auto limit = limits.find(cap.identity()); limit != limits.end()) suggested.in_force = Usd{limit->second};
  }
}

}  // namespace farthing::report
