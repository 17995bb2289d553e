// Engine: the rules of admission and settlement, on unpacked counter entries. The truth for every local store: where
// rows are kept differs, what happens to them does not.
//
//   ReserveAnswer answer = engine::admit(slots, request, now_ms);          // R1, R2, R20, R21
//   if (const auto* granted = std::get_if<Granted>(&answer)) {
//     for (Slot& slot : slots) engine::hold(slot.entry, granted->held[slot.meter], now_ms);
//   }
//
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "farthing/cap.h"
#include "farthing/denial.h"
#include "store/store.h"

namespace farthing::engine {

/// One counter: a cap's amounts in one window (R9: committed is spent and held). Plain data; stores keep it as it is.
struct Entry {
  std::uint32_t number = 0;  // RegisteredCap::number; 0 = a run's own counter
  std::uint32_t reserved_bits = 0;
  std::int64_t start_ms = 0;  // the stored window (R12)
  std::int64_t end_ms = 0;
  std::int64_t committed = 0;
  std::int64_t reserved = 0;
  std::int64_t unknown = 0;     // part of spent whose outcome is not known (R23)
  std::int64_t limit = 0;       // last one in force; a run's own limit
  std::int64_t touched_ms = 0;  // last hold
  std::uint64_t alerts[2] = {0,
                             0};  // bit t: threshold t need not be looked at again in this window for this limit (R35)

  std::int64_t spent() const { return committed - reserved; }
};
static_assert(sizeof(Entry) == 80);

/// The place of a cap's counter in its set; past the last where the set has none. Sets are small.
inline std::size_t place_of(std::span<const Entry> entries, std::uint32_t number) {
  std::size_t place = 0;
  while (place < entries.size() && entries[place].number != number)
    ++place;
  return place;
}

inline constexpr std::int64_t forever_ms = INT64_MAX;
inline constexpr std::int64_t no_limit = INT64_MAX;

/// An entry as a call meets it.
struct Slot {
  const Entry* entry = nullptr;     // as it is stored, or `fresh`
  Entry fresh;                      // rolled to the window of now, or new
  const PlannedCap* cap = nullptr;  // null: a run
  const PlannedSet* set = nullptr;  // null: a run, or per = "call"
  const RunHold* run = nullptr;
  std::int64_t limit = 0;
  std::uint32_t order = 0;
  std::uint32_t set_index = 0;  // where it came from
  std::uint32_t entry_index = 0;
  Meter meter = Meter::usd;
  bool per_call = false;
  bool is_new = false;  // the store has no such counter yet

  /// R9: one more of a cap that has a counter for each value.
  bool is_new_of_each() const { return is_new && cap != nullptr && !cap->registered->cap.each.empty(); }
};

using Slots = std::span<const Slot>;

/// R12: the stored window while it lasts, then the next, which starts no earlier than the old one ended.
void roll(Entry& entry, const Cap& cap, std::int64_t now_ms);
/// R35: another limit makes all thresholds fire anew.
void set_limit(Entry& entry, std::int64_t limit);

/// How a refusal names a counter. `want`: the output limit that was wanted.
RefusedCap refused_cap(const Slot& slot, const Demand& demand, std::int64_t want, bool held);

/// Granted, Refused or HeldBack. Nothing in `slots` is changed.
ReserveAnswer admit(Slots slots, const ReserveRequest& request, std::int64_t now_ms);

/// Books a grant. Fits: admit has checked it.
void hold(Entry& entry, std::int64_t amount, std::int64_t now_ms);
/// Ends a hold: what was held becomes what is booked (R11: pinned at the ends of the range).
void settle(Entry& entry, std::int64_t held, std::int64_t booked, bool outcome_unknown);

/// Thresholds of the cap that `entry.spent()` has reached, and 100 at a refusal, whose bits are not set; sets them. Whether
/// they fired before, the once-keys know (facts::first_alert).
std::vector<int> fire_alerts(Entry& entry, const Cap& cap, bool refused);
AlertFired alert_of(const Entry& entry, const Cap& cap, const std::vector<std::string>& each_values, int threshold);

/// What of `held` counts on a meter: concurrency is held, never spent.
std::int64_t booked_on(Meter meter, const Amounts& booked);

}  // namespace farthing::engine
