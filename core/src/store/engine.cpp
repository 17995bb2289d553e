#include "store/engine.h"

#include <algorithm>
#include <limits>

namespace farthing::engine {

namespace {

std::int64_t pinned(Int128 value) {
  constexpr Int128 low = std::numeric_limits<std::int64_t>::min();
  constexpr Int128 high = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::clamp(value, low, high));
}

// What follows is done for each counter of each call: in 64 bits where that is the same, which it nearly always is.

/// R11: a + b - c, pinned.
std::int64_t plus_minus(std::int64_t a, std::int64_t b, std::int64_t c) {
  std::int64_t sum = 0;
  if (!__builtin_sub_overflow(a, c, &sum) && !__builtin_add_overflow(sum, b, &sum)) return sum;
  return pinned(static_cast<Int128>(a) + b - c);
}

/// fixed + per_output * output, pinned.
std::int64_t needed_for(std::int64_t fixed, std::int64_t per_output, std::int64_t output) {
  std::int64_t sum = 0;
  if (!__builtin_mul_overflow(per_output, output, &sum) && !__builtin_add_overflow(sum, fixed, &sum)) return sum;
  return pinned(fixed + static_cast<Int128>(per_output) * output);
}

Amounts needed_for(const Demand& demand, std::int64_t output) {
  Amounts needed;
  for (std::size_t i = 0; i < meter_count; ++i)
    needed.of[i] = needed_for(demand.fixed.of[i], demand.per_output.of[i], output);
  return needed;
}

/// Whether `amount` more than what is committed stays within the limit; false also where 64 bits do not tell.
bool surely_fits(const Slot& slot, std::int64_t amount) {
  std::int64_t sum = 0;
  const bool whole = amount != std::numeric_limits<std::int64_t>::max();  // else it may be pinned
  return whole && !__builtin_add_overflow(slot.entry->committed, amount, &sum) && sum <= slot.limit;
}

constexpr std::int64_t refuses = -1;

/// The largest output limit up to `most` that `room` pays; `refuses` when not even the fixed part fits.
std::int64_t affordable(Int128 room, std::int64_t fixed, std::int64_t per_output, std::int64_t most) {
  if (fixed == 0 && per_output == 0) return most;  // asks nothing of this cap: `0 USD` refuses all that costs (R8)
  if (room < fixed) return refuses;
  if (room - fixed >= static_cast<Int128>(per_output) * most) return most;
  return pinned((room - fixed) / per_output);
}

Int128 room_now(const Slot& slot) {
  return static_cast<Int128>(slot.limit) - slot.entry->committed;
}
Int128 room_unspent(const Slot& slot) {
  return static_cast<Int128>(slot.limit) - slot.entry->committed + slot.entry->reserved;
}

}  // namespace

void roll(Entry& entry, const Cap& cap, std::int64_t now_ms) {
  if (entry.end_ms != 0 && now_ms < entry.end_ms) return;
  const std::int64_t ended_ms = entry.end_ms;
  if (cap.meter == Meter::concurrent || cap.window.per == Per::total) {
    entry.start_ms = 0;
    entry.end_ms = forever_ms;
  } else {
    const WindowBounds bounds = window_around(cap.window, now_ms);
    entry.start_ms = std::max(bounds.start_ms, ended_ms);
    entry.end_ms = bounds.end_ms;
  }
  entry.committed = 0;
  entry.reserved = 0;
  entry.unknown = 0;
  entry.alerts[0] = 0;
  entry.alerts[1] = 0;
}

void set_limit(Entry& entry, std::int64_t limit) {
  if (entry.limit == limit) return;
  entry.limit = limit;
  entry.alerts[0] = 0;
  entry.alerts[1] = 0;
}

RefusedCap refused_cap(const Slot& slot, const Demand& demand, std::int64_t want, bool held) {
  RefusedCap refused;
  refused.meter = slot.meter;
  refused.limit = slot.limit;
  refused.spent = slot.entry->spent();
  refused.reserved = slot.entry->reserved;
  refused.unknown = slot.entry->unknown;
  const Int128 per_output = demand.per_output[slot.meter];
  refused.requested = pinned(demand.fixed[slot.meter] + per_output * demand.least);
  refused.wanted = pinned(demand.fixed[slot.meter] + per_output * want);
  refused.held = held;
  if (slot.cap == nullptr) {
    refused.cap_id = "run:" + slot.run->id;
    refused.level = "task";
    if (!slot.run->task.empty()) refused.counter.emplace_back("task", slot.run->task);
    return refused;
  }
  const Cap& cap = slot.cap->registered->cap;
  refused.cap_id = cap.id;
  refused.level = level_of(cap);
  refused.match = cap.match;
  refused.per = cap.window.per;
  refused.message = cap.message;
  refused.help_url = cap.help_url;
  refused.owner = cap.owner;
  if (slot.cap->limit != slot.cap->limit_before_override) refused.baseline = slot.cap->limit_before_override;
  if (slot.set != nullptr) {
    for (std::size_t i = 0; i < cap.each.size(); ++i)
      refused.counter.emplace_back(cap.each[i], slot.set->each_values[i]);
    if (slot.entry->end_ms != forever_ms) refused.resets_at_ms = slot.entry->end_ms;
  }
  return refused;
}

ReserveAnswer admit(Slots slots, const ReserveRequest& request, std::int64_t now_ms) {
  const Demand& demand = request.demand;

  // R20: an output that the caller did not limit asks at most a share of what is unspent on any cap.
  std::int64_t want = demand.want;
  if (demand.share > 0) {
    for (const Slot& slot : slots) {
      const std::int64_t per_output = demand.per_output[slot.meter];
      if (per_output == 0 || slot.limit == no_limit || slot.per_call) continue;  // nobody shares what one call may cost
      const Int128 share = std::max<Int128>(room_unspent(slot), 0) / demand.share / per_output;
      want = std::min(want, pinned(share));
    }
    want = std::max(want, demand.least);
  }

  std::int64_t now_limit = want;
  const Amounts wanted = needed_for(demand, want);
  for (const Slot& slot : slots) {
    // Nearly always all of it fits, which is told without a division of 128 bits.
    if (surely_fits(slot, wanted[slot.meter])) continue;
    now_limit =
        std::min(now_limit, affordable(room_now(slot), demand.fixed[slot.meter], demand.per_output[slot.meter], want));
  }
  std::int64_t settled_limit = want;  // if all holds settled at nothing: no less than now
  for (const Slot& slot : slots) {
    if (now_limit == want) break;
    settled_limit = std::min(
        settled_limit, affordable(room_unspent(slot), demand.fixed[slot.meter], demand.per_output[slot.meter], want));
  }

  const bool fits_when_settled = settled_limit >= demand.least;
  const bool fits_now = now_limit >= demand.least;
  const bool waits =
      fits_when_settled && (now_limit < settled_limit || !request.behind.empty()) && !request.take_what_fits;
  const bool could_ask_for_less = request.tentative && now_limit < want;
  if (fits_now && !waits && !could_ask_for_less) {
    ReserveAnswer answer{std::in_place_type<Granted>};
    Granted& granted = *std::get_if<Granted>(&answer);
    granted.at_ms = now_ms;
    granted.output_limit = now_limit;
    granted.held = now_limit == want ? wanted : needed_for(demand, now_limit);
    return answer;
  }

  Refused refused;
  refused.at_ms = now_ms;
  refused.held = fits_when_settled;
  refused.less_fits = fits_now && !waits;
  // Whoever waits is told what stands between it and its full limit, whoever is refused what it lacks.
  const std::int64_t needed = waits ? settled_limit : refused.less_fits ? want : demand.least;
  std::vector<const Slot*> short_of;
  for (const Slot& slot : slots) {
    if (affordable(room_now(slot), demand.fixed[slot.meter], demand.per_output[slot.meter], needed) < needed)
      short_of.push_back(&slot);
  }
  std::stable_sort(short_of.begin(), short_of.end(), [](const Slot* a, const Slot* b) { return a->order < b->order; });
  for (const Slot* slot : short_of) {
    const bool held = affordable(room_unspent(*slot), demand.fixed[slot->meter], demand.per_output[slot->meter],
                                 demand.least) >= demand.least;
    refused.caps.push_back(refused_cap(*slot, demand, want, held));
  }
  if (!short_of.empty() && short_of.front()->per_call) refused.code = Code::per_call_cap_exceeded;
  if (demand.want > 0 && now_limit > 0) refused.fits_output_limit = now_limit;

  if (!waits) return refused;
  HeldBack back;
  back.at_ms = now_ms;
  if (!short_of.empty()) {
    const Slot& headline = *short_of.front();
    back.waiting_for = headline.cap != nullptr ? line_of(*headline.cap, *headline.set) : line_of_run(headline.run->id);
  }
  if (!request.behind.empty()) back.waiting_for = request.behind;
  back.fits_now = fits_now ? now_limit : 0;
  back.refusal = std::move(refused);
  return back;
}

void hold(Entry& entry, std::int64_t amount, std::int64_t now_ms) {
  entry.committed = plus_minus(entry.committed, amount, 0);
  entry.reserved = plus_minus(entry.reserved, amount, 0);
  entry.touched_ms = now_ms;
}

void settle(Entry& entry, std::int64_t held, std::int64_t booked, bool outcome_unknown) {
  entry.committed = plus_minus(entry.committed, booked, held);
  entry.reserved = plus_minus(entry.reserved, 0, held);
  if (outcome_unknown) entry.unknown = plus_minus(entry.unknown, booked, 0);
}

std::vector<int> fire_alerts(Entry& entry, const Cap& cap, bool refused) {
  std::vector<int> fired;
  for (const int threshold : cap.alert) {
    if (threshold < 1 || threshold > 100) continue;
    const std::uint64_t bit = 1ULL << (static_cast<unsigned>(threshold) % 64U);
    std::uint64_t& word = entry.alerts[threshold / 64];
    if ((word & bit) != 0) continue;
    // Of a limit of 0 nothing can be spent: only its refusals are told.
    const bool reached =
        entry.limit > 0 && static_cast<Int128>(entry.spent()) * 100 >= static_cast<Int128>(entry.limit) * threshold;
    if (!reached && !(refused && threshold == 100)) continue;
    word |= bit;
    fired.push_back(threshold);
  }
  return fired;
}

AlertFired alert_of(const Entry& entry, const Cap& cap, const std::vector<std::string>& each_values, int threshold) {
  AlertFired alert;
  alert.cap_id = cap.id;
  alert.each_values = each_values;
  alert.window_start_ms = entry.start_ms;
  alert.threshold = threshold;
  alert.limit = entry.limit;
  alert.spent = entry.spent();
  alert.reserved = entry.reserved;
  alert.meter = cap.meter;
  if (entry.end_ms != forever_ms) alert.resets_at_ms = entry.end_ms;
  return alert;
}

std::int64_t booked_on(Meter meter, const Amounts& booked) {
  return meter == Meter::concurrent ? 0 : booked[meter];
}

}  // namespace farthing::engine

std::string farthing::line_of(const PlannedCap& cap, const PlannedSet& set) {
  return cap.registered->cap.id + "@" + set.key;
}

std::string farthing::line_of_run(const std::string& run_id) {
  return "run:" + run_id;
}
