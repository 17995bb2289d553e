// Zone: an IANA time zone, from the data in the binary (R13): never the machine's, slim images have
// none. Covers the first recorded change of each zone to the end of 2150; later than that, the last
// offset stays.
//
//   Zone berlin = Zone::find("Europe/Berlin").value();
//   std::int64_t start = berlin.to_unix(2026, 12, 1);        // local midnight, as unix seconds
//   Civil now = berlin.civil_at(unix_seconds);               // now.weekday == 0: Monday
//
// Thread-safety: values; all functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace farthing {

/// A date and time of day as read from a calendar and a clock on the wall; the Gregorian calendar
/// for all years.
struct Civil {
  int year = 1970;
  int month = 1;  // 1 to 12
  int day = 1;    // 1 to 31
  int hour = 0;
  int minute = 0;
  int second = 0;
  int weekday = 3;  // 0 Monday to 6 Sunday

  friend bool operator==(const Civil&, const Civil&) = default;
};

/// Days from 1970-01-01 to a date; `day` may lie outside the month (32 January is 1 February),
/// `month` outside the year.
std::int64_t days_from_civil(int year, int month, int day);
/// 28 to 31.
int days_in_month(int year, int month);
/// Unix seconds in UTC, read as a date and time of day.
Civil civil_of(std::int64_t unix_seconds);

class Zone {
 public:
  /// By IANA name, links included: "Europe/Berlin", "US/Eastern", "UTC". The case counts.
  static std::optional<Zone> find(std::string_view name);
  static Zone utc();
  /// The nearest name, for a message about an unknown one; empty if nothing is near.
  static std::string suggest(std::string_view unknown);
  /// Release of the data, for example "2026.2".
  static std::string_view data_version();

  /// As asked for, not the name that a link points to.
  std::string_view name() const { return name_; }
  /// Seconds east of UTC.
  std::int64_t utc_offset_at(std::int64_t unix_seconds) const;
  Civil civil_at(std::int64_t unix_seconds) const { return civil_of(unix_seconds + utc_offset_at(unix_seconds)); }
  /// Unix seconds of a local time. A local time that does not exist (clocks set forward) gives the
  /// first instant after the gap; one that exists twice the earlier instant. `month` and `day` may
  /// lie outside as in days_from_civil.
  std::int64_t to_unix(int year, int month, int day, int hour = 0, int minute = 0, int second = 0) const;

 private:
  Zone(std::string_view name, std::uint32_t row) : name_(name), row_(row) {}

  std::string_view name_;  // in the embedded data
  std::uint32_t row_;
};

}  // namespace farthing
