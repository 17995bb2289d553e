// Days and dates, after Howard Hinnant's "chrono-compatible low-level date algorithms": years are
// counted from March, so that the leap day is the last of its year.
#include "zone/zone.h"

namespace farthing {
namespace {

constexpr std::int64_t seconds_per_day = 86400;
constexpr std::int64_t days_per_era = 146097;  // 400 years
constexpr std::int64_t days_to_1970 = 719468;  // from 0000-03-01

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

}  // namespace

std::int64_t days_from_civil(int year, int month, int day) {
  const std::int64_t months = std::int64_t{year} * 12 + (month - 1) - 2;  // since March of year 0
  const std::int64_t march_year = floor_divide(months, 12);
  const std::int64_t march_month = months - march_year * 12;
  const std::int64_t era = floor_divide(march_year, 400);
  const std::int64_t year_of_era = march_year - era * 400;
  const std::int64_t day_of_year = (153 * march_month + 2) / 5;
  const std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * days_per_era + day_of_era - days_to_1970 + (day - 1);
}

int days_in_month(int year, int month) {
  return static_cast<int>(days_from_civil(year, month + 1, 1) - days_from_civil(year, month, 1));
}

Civil civil_of(std::int64_t unix_seconds) {
  const std::int64_t days = floor_divide(unix_seconds, seconds_per_day);
  const std::int64_t second_of_day = unix_seconds - days * seconds_per_day;

  const std::int64_t since_march_0000 = days + days_to_1970;
  const std::int64_t era = floor_divide(since_march_0000, days_per_era);
  const std::int64_t day_of_era = since_march_0000 - era * days_per_era;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t march_month = (5 * day_of_year + 2) / 153;

  Civil civil;
  civil.day = static_cast<int>(day_of_year - (153 * march_month + 2) / 5 + 1);
  civil.month = static_cast<int>(march_month < 10 ? march_month + 3 : march_month - 9);
  civil.year = static_cast<int>(year_of_era + era * 400 + (civil.month <= 2 ? 1 : 0));
  civil.hour = static_cast<int>(second_of_day / 3600);
  civil.minute = static_cast<int>(second_of_day / 60 % 60);
  civil.second = static_cast<int>(second_of_day % 60);
  const std::int64_t monday_based = (days + 3) % 7;  // 1970-01-01 was a Thursday
  civil.weekday = static_cast<int>(monday_based < 0 ? monday_based + 7 : monday_based);
  return civil;
}

}  // namespace farthing
