// Spans and dates as text.
#include <array>
#include <charconv>

#include "policy/reading.h"
#include "zone/zone.h"

namespace farthing::policy {
namespace {

struct Span {
  std::string_view word;
  std::int64_t ms;
};
// The first that divides a span without rest is the one it is written in.
constexpr std::array<Span, 9> spans = {{
    {"h", 3'600'000},
    {"min", 60'000},
    {"s", 1000},
    {"ms", 1},
    {"hour", 3'600'000},
    {"hours", 3'600'000},
    {"m", 60'000},
    {"minutes", 60'000},
    {"seconds", 1000},
}};

/// Reads what a date is made of, from left to right.
class DateReader {
 public:
  explicit DateReader(std::string_view text) : rest_(text) {}

  bool digits(std::size_t count, int& value) {
    if (rest_.size() < count) return false;
    const char* end = rest_.data() + count;
    const auto [stop, error] = std::from_chars(rest_.data(), end, value);
    if (error != std::errc() || stop != end || rest_.front() == '-') return false;
    rest_.remove_prefix(count);
    return true;
  }
  bool take(std::string_view one_of_these) {
    if (rest_.empty() || one_of_these.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip_fraction() {
    if (!take(".")) return;
    while (take("0123456789")) {
    }
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace

std::optional<std::int64_t> duration_ms(std::string_view text) {
  if (text == "0") return 0;
  std::int64_t count = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || count < 0) return std::nullopt;
  std::string_view word = text.substr(static_cast<std::size_t>(stop - text.data()));
  while (!word.empty() && word.front() == ' ')
    word.remove_prefix(1);
  for (const Span& span : spans) {
    if (word == span.word) return checked_mul(count, span.ms);
  }
  return std::nullopt;
}

std::string duration_text(std::int64_t ms) {
  if (ms == 0) return "0";
  for (const Span& span : spans) {
    if (ms % span.ms == 0) return std::to_string(ms / span.ms).append(span.word);
  }
  return {};
}

std::optional<std::int64_t> date_ms(std::string_view text, std::string_view zone_name) {
  DateReader in(text);
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!in.digits(4, year) || !in.take("-") || !in.digits(2, month) || !in.take("-") || !in.digits(2, day)) return {};
  if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) return {};
  if (in.take("Tt ")) {
    if (!in.digits(2, hour) || !in.take(":") || !in.digits(2, minute)) return {};
    if (in.take(":")) {
      if (!in.digits(2, second)) return {};
      in.skip_fraction();
    }
  }
  if (hour > 23 || minute > 59 || second > 59) return {};
  if (in.at_end()) {
    const Zone zone = Zone::find(zone_name).value_or(Zone::utc());
    return zone.to_unix(year, month, day, hour, minute, second) * 1000;
  }
  std::int64_t offset = 0;
  const bool west = text[text.size() - 6 < text.size() ? text.size() - 6 : 0] == '-';
  if (!in.take("Zz")) {
    int offset_hour = 0;
    int offset_minute = 0;
    if (!in.take("+-") || !in.digits(2, offset_hour) || !in.take(":") || !in.digits(2, offset_minute)) return {};
    offset = (offset_hour * 60 + offset_minute) * 60;
    if (west) offset = -offset;
  }
  if (!in.at_end()) return {};
  return (Zone::utc().to_unix(year, month, day, hour, minute, second) - offset) * 1000;
}

std::optional<Quantity> quantity_named(std::string_view word) {
  if (word == "video_seconds") return Quantity::video_ms;
  if (word == "audio_seconds") return Quantity::audio_ms;
  return quantity_of(word);
}

std::string_view quantity_word(Quantity quantity) {
  return quantity == Quantity::video_ms   ? "video_seconds"
         : quantity == Quantity::audio_ms ? "audio_seconds"
                                          : quantity_text(quantity);
}

std::vector<std::string_view> quantity_words() {
  std::vector<std::string_view> words;
  for (std::size_t i = 0; i < quantity_count; ++i)
    words.push_back(quantity_word(static_cast<Quantity>(i)));
  return words;
}

}  // namespace farthing::policy
