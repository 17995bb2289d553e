#include "farthing/moment.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <string>

#include "zone/zone.h"

namespace farthing {

namespace {

constexpr std::int64_t second_ms = 1'000;
constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t longest_span = 1'000'000;
constexpr std::array<std::string_view, 7> weekdays = {"monday", "tuesday",  "wednesday", "thursday",
                                                      "friday", "saturday", "sunday"};

std::string trimmed_and_low(std::string_view text) {
  const auto is_space = [](unsigned char c) { return std::isspace(c) != 0; };
  while (!text.empty() && is_space(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  while (!text.empty() && is_space(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  std::string low(text);
  std::transform(low.begin(), low.end(), low.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return low;
}

/// The days from today to a word's; nothing where it is no day.
std::optional<int> days_to(const std::string& word, int weekday_today, bool past) {
  if (word == "today") return 0;
  if (word == "yesterday") return -1;
  if (word == "tomorrow") return 1;
  for (int day = 0; day < 7; ++day) {
    if (word.size() < 3 || !weekdays[static_cast<std::size_t>(day)].starts_with(word)) continue;
    const int ahead = (day - weekday_today + 7) % 7;
    return past ? (ahead == 0 ? 0 : ahead - 7) : (ahead == 0 ? 7 : ahead);
  }
  return std::nullopt;
}

std::optional<std::int64_t> span_ms(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || number < 0 || number >= longest_span) return std::nullopt;
  std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit.starts_with(' ')) unit.remove_prefix(1);
  if (unit == "s") return number * second_ms;
  if (unit == "m" || unit == "min") return number * 60 * second_ms;
  if (unit == "h") return number * 3'600 * second_ms;
  if (unit == "d") return number * day_s * second_ms;
  if (unit == "w") return number * 7 * day_s * second_ms;
  return std::nullopt;
}

/// A date with or without a time, read from the front.
class DateReader {
 public:
  explicit DateReader(std::string_view text) : left_(text) {}

  std::optional<std::int64_t> unix_ms(const Zone& zone) {
    const auto year = number(4, 9999), month = after('-', 2, 12), day = after('-', 2, 31);
    if (!year || !month || !day || *month < 1 || *day < 1 || *day > days_in_month(*year, *month)) return std::nullopt;
    int hour = 0, minute = 0, second = 0;
    std::int64_t ms = 0;
    if (left_.starts_with('t') || left_.starts_with(' ')) {
      const auto read_hour = after(left_.front(), 2, 23), read_minute = after(':', 2, 59);
      if (!read_hour || !read_minute) return std::nullopt;
      hour = *read_hour;
      minute = *read_minute;
      if (left_.starts_with(':')) {
        const auto read_second = after(':', 2, 59);
        if (!read_second || !fraction(ms)) return std::nullopt;
        second = *read_second;
      }
      if (!left_.empty()) {
        const auto offset_s = offset();
        if (!offset_s || !left_.empty()) return std::nullopt;
        const std::int64_t seconds =
            days_from_civil(*year, *month, *day) * day_s + hour * 3'600 + minute * 60 + second - *offset_s;
        return seconds * second_ms + ms;
      }
    }
    if (!left_.empty()) return std::nullopt;
    return zone.to_unix(*year, *month, *day, hour, minute, second) * second_ms + ms;
  }

 private:
  /// So many digits.
  std::optional<int> number(std::size_t digits, int most) {
    int value = 0;
    if (left_.size() < digits) return std::nullopt;
    for (const char c : left_.substr(0, digits)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    left_.remove_prefix(digits);
    return value <= most ? std::optional(value) : std::nullopt;
  }
  std::optional<int> after(char mark, std::size_t digits, int most) {
    if (!left_.starts_with(mark)) return std::nullopt;
    left_.remove_prefix(1);
    return number(digits, most);
  }
  /// Of a second, cut to whole ms.
  bool fraction(std::int64_t& ms) {
    if (!left_.starts_with('.')) return true;
    left_.remove_prefix(1);
    std::int64_t unit = 100;
    std::size_t digits = 0;
    for (; digits < left_.size() && left_[digits] >= '0' && left_[digits] <= '9'; ++digits, unit /= 10)
      ms += (left_[digits] - '0') * unit;
    left_.remove_prefix(digits);
    return digits > 0;
  }
  std::optional<std::int64_t> offset() {
    if (left_ == "z") {
      left_ = {};
      return 0;
    }
    const int sign = left_.starts_with('-') ? -1 : 1;
    const auto hours = after(sign < 0 ? '-' : '+', 2, 23), minutes = after(':', 2, 59);
    if (!hours || !minutes) return std::nullopt;
    return sign * (*hours * 3'600 + *minutes * 60);
  }

  std::string_view left_;
};

}  // namespace

Result<std::int64_t> parse_moment(std::string_view text, const Today& today) {
  const std::optional<Zone> zone = Zone::find(today.zone);
  if (!zone) return Error{Code::invalid_argument, "there is no time zone \"" + std::string(today.zone) + "\""};
  const std::string low = trimmed_and_low(text);
  if (low == "now") return today.now_ms;
  const Civil date = zone->civil_at(today.now_ms / second_ms);
  if (const auto days = days_to(low, date.weekday, today.past))
    return zone->to_unix(date.year, date.month, date.day + *days) * second_ms;
  if (const auto span = span_ms(low)) return today.past ? today.now_ms - *span : today.now_ms + *span;
  if (const auto moment = DateReader(low).unix_ms(*zone)) return *moment;
  return Error{Code::invalid_argument, "\"" + std::string(text) +
                                           "\" is no moment; accepted are 2026-08-21, 2026-08-21T18:00, "
                                           "2026-08-21T18:00:00+02:00, a span such as 30min, 2h or 3d, and today, "
                                           "yesterday, tomorrow or a weekday"};
}

}  // namespace farthing
