// The arithmetic of CapSuggestions, in exact integers, apart from where the numbers come from.
//
//   NormalDays days = normal_days({{20'000, Usd{..}}, ...});   // which days are normal
//   Usd limit = limit_per_day(days.busiest.spent);             // 1.5 times the busiest, rounded upward
//
// Thread-safety: free functions.
#pragma once

#include "farthing/control.h"
#include "farthing/suggest.h"
#include "store/store.h"

namespace farthing::report {

/// What is needed before a limit is proposed: a week of days with spending, ten runs, four weeks from the first day.
inline constexpr std::int64_t needed_days = 7;
inline constexpr std::int64_t needed_runs = 10;
inline constexpr std::int64_t needed_span_days = 28;

/// Upward to two significant digits: 0.0123 USD is 0.013 USD. At most `max_limit`.
Usd rounded_limit(Int128 nano);

/// The one in the middle, or the mean of the two there, rounded up. 0 where there is none.
Usd median(std::vector<std::int64_t> nano);

/// 95 of 100 are not above it. 0 where there is none.
Usd usual(std::vector<std::int64_t> nano);

struct NormalDays {
  Usd median;
  DaySpent busiest;
  std::vector<DaySpent> outliers;
};
/// A day is an outlier where it is above twice the median, where its modified z-score is above 3.5 (0.6745 x its distance from the
/// median / the median of all such distances; Iglewicz and Hoaglin, 1993), and where it is rare: more than one such day
/// in ten are how this is used. `days` are those with spending.
NormalDays normal_days(const std::vector<DaySpent>& days);

/// 1.5 times.
Usd limit_per_day(Usd busiest);

struct RunLimit {
  Usd median;
  Usd usual;  // 95 of 100 runs cost no more
  Usd limit;
};
/// As much as 95 of 100 runs need, but at least twice and at most three times the median, then rounded upward.
RunLimit limit_per_run(std::vector<std::int64_t> nano);
/// How many runs cost more.
std::int64_t runs_above(const std::vector<std::int64_t>& nano, Usd limit);

/// The 28 days in a row with the highest sum (`day` is the first of them), an outlier counting as the busiest normal day.
DaySpent busiest_weeks(const std::vector<DaySpent>& days, const NormalDays& normal);
/// 1.5 times, for a month of 31 days.
Usd limit_per_month(Usd of_28_days);

Result<CapSuggestions> suggest_caps(Store& store, const SuggestOptions& options);
/// Says of each what it would replace.
void name_in_force(CapSuggestions& found, const std::vector<RegisteredCapView>& registered);

}  // namespace farthing::report
