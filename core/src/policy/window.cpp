// Windows: pure functions from an instant to the window around it (R12, R13). Which pair is in force
// is the store's business: whoever opens a window stores its start and end.
#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>

#include "farthing/cap.h"
#include "zone/zone.h"

namespace farthing {
namespace {

constexpr std::int64_t ms_per_second = 1000;
constexpr std::int64_t forever = std::numeric_limits<std::int64_t>::max();

/// The years 1 to 9999: beyond them the arithmetic on years would overflow.
constexpr std::int64_t first_second = -62'135'596'800;
constexpr std::int64_t last_second = 253'402'300'799;

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

struct Seconds {
  std::int64_t start = 0;
  std::int64_t end = 0;
};

/// A zone that does not exist was refused by the policy; here it is UTC.
Zone zone_of(const std::string& name) {
  thread_local std::string last_name = "UTC";
  thread_local Zone last = Zone::utc();
  if (name != last_name) {
    last = Zone::find(name).value_or(Zone::utc());
    last_name = name;
  }
  return last;
}

/// The first second in (from, to] whose offset is not that of `from`; the offset changes at most
/// once in so short a stretch.
std::int64_t change_between(const Zone& zone, std::int64_t from, std::int64_t to) {
  const std::int64_t offset = zone.utc_offset_at(from);
  while (to - from > 1) {
    const std::int64_t middle = from + (to - from) / 2;
    (zone.utc_offset_at(middle) == offset ? from : to) = middle;
  }
  return to;
}

/// Minutes and hours of the zone's clock. Where the clock is changed within one (by half an hour on
/// Lord Howe Island) the window is cut there, so that windows neither overlap nor leave a gap.
Seconds clock_window(const Zone& zone, std::int64_t at, std::int64_t length) {
  const std::int64_t offset = zone.utc_offset_at(at);
  Seconds window;
  window.start = floor_divide(at + offset, length) * length - offset;
  window.end = window.start + length;
  if (zone.utc_offset_at(window.start) != offset) {
    window.start = change_between(zone, window.start, at);
  }
  if (zone.utc_offset_at(window.end - 1) != offset) {
    window.end = change_between(zone, at, window.end - 1);
  }
  return window;
}

/// Calendar windows are numbered, and `begin(n)` is the first instant of the n-th. The local date of an
/// instant only gives a first guess: where clocks go back over midnight a date begins twice, and a
/// date that was skipped altogether (Samoa, 2011-12-30) is an empty window.
template <class Begin>
Seconds numbered_window(std::int64_t at, std::int64_t guess, Begin begin) {
  Seconds window{begin(guess), begin(guess + 1)};
  while (at < window.start) {
    window = {begin(--guess), window.start};
  }
  while (at >= window.end) {
    ++guess;
    window = {window.end, begin(guess + 1)};
  }
  return window;
}

Seconds days_window(const Zone& zone, std::int64_t at, const Civil& local, std::int64_t length,
                    std::int64_t first_day) {
  const std::int64_t today = days_from_civil(local.year, local.month, local.day);
  return numbered_window(at, floor_divide(today - first_day, length), [&](std::int64_t n) {
    const std::int64_t day = first_day + n * length;
    // Days since 1970 are the n-th of January 1970.
    return zone.to_unix(1970, 1, static_cast<int>(day + 1));
  });
}

Seconds month_window(const Zone& zone, std::int64_t at, const Civil& local, int billing_day) {
  const std::int64_t guess = std::int64_t{local.year} * 12 + local.month - 1;
  return numbered_window(at, guess, [&](std::int64_t n) {
    const auto year = static_cast<int>(floor_divide(n, 12));
    const auto month = static_cast<int>(n - std::int64_t{year} * 12 + 1);
    return zone.to_unix(year, month, std::min(billing_day, days_in_month(year, month)));
  });
}

Seconds seconds_around(const Window& window, const Zone& zone, std::int64_t at) {
  constexpr std::int64_t a_monday = -3;  // 1969-12-29, in days since 1970
  switch (window.per) {
    case Per::minute:
      return clock_window(zone, at, 60);
    case Per::hour:
      return clock_window(zone, at, 3600);
    case Per::day:
      return days_window(zone, at, zone.civil_at(at), 1, 0);
    case Per::week:
      return days_window(zone, at, zone.civil_at(at), 7, a_monday);
    case Per::month:
      return month_window(zone, at, zone.civil_at(at), window.billing_day);
    case Per::call:
    case Per::total:
      break;
  }
  return {};
}

constexpr std::array<std::string_view, 7> per_words = {"call", "minute", "hour", "day", "week", "month", "total"};

}  // namespace

std::string_view per_text(Per per) {
  return per_words[static_cast<std::size_t>(per)];
}

std::optional<Per> per_of(std::string_view text) {
  const auto found = std::find(per_words.begin(), per_words.end(), text);
  if (found == per_words.end()) return std::nullopt;
  return static_cast<Per>(found - per_words.begin());
}

WindowBounds window_around(const Window& window, std::int64_t at_ms) {
  if (window.per == Per::call) return {};
  if (window.per == Per::total) return {0, forever};
  const std::int64_t at = std::clamp(floor_divide(at_ms, ms_per_second), first_second, last_second);
  const Seconds found = seconds_around(window, zone_of(window.zone), at);
  return {found.start * ms_per_second, found.end * ms_per_second};
}

}  // namespace farthing
