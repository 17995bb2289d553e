#include "farthing/time_text.h"

#include <array>
#include <cstdio>

#include "zone/zone.h"

namespace farthing {

std::string iso_utc(std::int64_t unix_ms) {
  std::int64_t seconds = unix_ms / 1000;
  std::int64_t millis = unix_ms % 1000;
  if (millis < 0) {
    millis += 1000;
    --seconds;
  }
  const Civil civil = civil_of(seconds);
  std::array<char, 64> text{};
  int length = std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d", civil.year, civil.month,
                             civil.day, civil.hour, civil.minute, civil.second);
  std::string result(text.data(), static_cast<std::size_t>(length));
  if (millis != 0) {
    length = std::snprintf(text.data(), text.size(), ".%03d", static_cast<int>(millis));
    result.append(text.data(), static_cast<std::size_t>(length));
  }
  return result + "Z";
}

std::string duration_words(std::int64_t ms) {
  const std::int64_t seconds = ms < 0 ? 0 : (ms + 999) / 1000;
  const std::int64_t minutes = seconds / 60;
  const std::int64_t hours = minutes / 60;
  const std::int64_t days = hours / 24;
  const auto with = [](std::int64_t big, const char* big_unit, std::int64_t small, const char* small_unit) {
    std::string text = std::to_string(big) + " " + big_unit;
    if (small > 0) text += " " + std::to_string(small) + " " + small_unit;
    return text;
  };
  if (days > 0) return with(days, "d", hours % 24, "h");
  if (hours > 0) return with(hours, "h", minutes % 60, "min");
  if (minutes > 0) return with(minutes, "min", seconds % 60, "s");
  return std::to_string(seconds) + " s";
}

}  // namespace farthing
