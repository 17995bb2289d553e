// CapSuggestions: caps that the ledger speaks for, with the data behind each: what a run of a task usually costs, what
// an API key spends on a busy day, an org or a project in a busy month. Only proposed, never put in force.
//
//   auto found = *control->suggest_caps({.since_ms = three_months_ago});
//   std::cout << found.to_toml();     // a policy: the caps, and in comments where they come from
//
// How (docs/policy.md): an amount is what caps counted, so a call of unknown outcome counts at its hold; days are whole
// days of `zone`. Limits are rounded upward to two significant digits. Before a call is sent its hold has to fit, which
// may be far above what it costs: no limit is below what such calls needed to be admitted.
// Thread-safety: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "farthing/money.h"

namespace farthing {

struct SuggestOptions {
  std::optional<std::int64_t> since_ms{};  // nothing: the whole ledger
  std::string zone = "UTC";                // of days and months
};

/// What a suggested cap bounds.
enum class SuggestedFor : std::uint8_t {
  month,  // match = { KIND = VALUE }, per = "month"
  day,    // the same, per = "day"
  run,    // a run of the task: its limit stands where the task is opened, not in a policy
};
std::string_view suggested_for_text(SuggestedFor per);

/// A day of the calendar and what was spent on it.
struct DaySpent {
  std::int64_t day = 0;  // since 1970-01-01
  Usd spent;
};

struct SuggestedCap {
  SuggestedFor per = SuggestedFor::day;
  std::string kind;   // the label: api_key, project, org, task
  std::string value;  // and its value
  Usd limit{};
  std::optional<Usd> of_spending{};  // what `limit` would be by what was spent, where that would refuse such calls
  std::optional<Usd> in_force{};     // the limit of the registered cap that this one would replace (R4)
  std::int64_t samples = 0;          // days or runs with spending that it is made from
  std::int64_t left_out = 0;         // others, with a call of unknown cost
  Usd median{};                      // of a day or a run
  Usd busiest{};                     // normal day; month: 28 normal days in a row; run: 95 of 100 cost no more
  std::int64_t busiest_day = 0;      // the first of them; not for runs
  std::vector<DaySpent> outliers{};  // days
  std::int64_t above = 0;            // runs that cost more than `limit`
};

/// There is something, but not enough to speak for a limit.
struct TooLittleData {
  SuggestedFor per = SuggestedFor::day;
  std::string kind, value;
  std::string unit;  // "days with spending", "days since the first", "runs"
  std::int64_t have = 0;
  std::int64_t need = 0;
  std::int64_t left_out = 0;  // days or runs with a call of unknown cost
};

struct CapSuggestions {
  std::string store;
  std::string zone;
  std::int64_t entries = 0;       // of the ledger that were read
  std::int64_t unknown_cost = 0;  // attempts whose price is not known; caps in USD will refuse such calls (R31)
  Usd spent;                      // by the others
  std::optional<std::int64_t> first_ms, last_ms;
  std::vector<SuggestedCap> caps;  // months, days, runs; within each the largest first
  std::vector<TooLittleData> too_little;
  std::string to_json() const;
  /// A policy that `farthing check` accepts.
  std::string to_toml() const;
};

}  // namespace farthing
