// Limits as text: a number and what is counted.
#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "farthing/cap.h"
#include "policy/text.h"

namespace farthing {
namespace {

constexpr std::string_view examples =
    R"(write for example "5 USD", "1000 requests", "20_000 tokens" or "2 concurrent")";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  return text;
}

Error bad(std::string_view text, std::string_view why) {
  std::string message = "found \"";
  message += text;
  message += "\": ";
  message += why;
  message += "; ";
  message += examples;
  return {Code::invalid_argument, std::move(message)};
}

/// What is counted: the smallest unit of a meter (or nano-USD) in one of the word.
struct Word {
  Meter meter = Meter::usd;
  std::int64_t of_one = 1;
};

std::int64_t units_of(Meter meter) {
  return meter == Meter::video_seconds || meter == Meter::audio_seconds ? 1000 : 1;
}

/// "requests", "request", and so on; "credits" and "credit" where the policy names a credit.
std::optional<Word> word_of(std::string_view word, const Units& units) {
  std::string plural(word);
  plural += 's';
  for (const std::string_view spelt : {word, std::string_view(plural)}) {
    const auto meter = meter_of(spelt);
    if (meter && *meter != Meter::usd) return Word{*meter, units_of(*meter)};
  }
  auto unit = units.find(word);
  if (unit == units.end() && word.ends_with('s')) unit = units.find(word.substr(0, word.size() - 1));
  if (unit == units.end()) return std::nullopt;
  return Word{Meter::usd, unit->second.nano};
}

std::string unknown_word(std::string_view word, const Units& units) {
  std::vector<std::string_view> accepted = {"USD"};
  for (std::size_t i = 1; i < meter_count; ++i) {
    accepted.push_back(meter_text(static_cast<Meter>(i)));
  }
  for (const auto& [name, amount] : units)
    accepted.emplace_back(name);
  std::string why = "\"";
  why += word;
  why += "\" is no meter";
  const std::string_view near = policy::nearest(word, accepted);
  if (!near.empty()) {
    why += "; did you mean \"";
    why += near;
    why += "\"?";
  }
  why += " Accepted: ";
  why += policy::one_of(accepted);
  return why;
}

/// A decimal number as an integer and the number of its decimals; "_" and "," only between digits.
struct Decimal {
  Int128 digits = 0;
  int decimals = 0;
};
std::optional<Decimal> decimal_of(std::string_view text) {
  constexpr int most_digits = 28;
  Decimal number;
  bool point = false;
  int digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool between = i > 0 && i + 1 < text.size() && is_digit(text[i - 1]) && is_digit(text[i + 1]);
    if (is_digit(c)) {
      if (++digits > most_digits) return std::nullopt;
      number.digits = number.digits * 10 + (c - '0');
      if (point) ++number.decimals;
    } else if (c == '.' && !point && between) {
      point = true;
    } else if ((c == '_' || c == ',') && !point && between) {
      continue;
    } else {
      return std::nullopt;
    }
  }
  if (digits == 0) return std::nullopt;
  return number;
}

Result<Limit> counted(std::string_view text, std::string_view number_text, const Word& word) {
  const auto number = decimal_of(number_text);
  if (!number) return bad(text, "no number that can be read before the word");
  constexpr Int128 most = Int128{1} << 95;  // keeps the product below 2^127
  Int128 value = number->digits;
  if (value > most) return bad(text, "more than a limit can be");
  value *= word.of_one;
  Int128 divisor = 1;
  for (int i = 0; i < number->decimals; ++i)
    divisor *= 10;
  if (value % divisor != 0) return bad(text, "more decimals than it is counted in");
  value /= divisor;
  if (value > max_limit.nano) return bad(text, "more than a limit can be");
  return Limit{word.meter, static_cast<std::int64_t>(value)};
}

Result<Limit> money(std::string_view text) {
  const Result<Usd> amount = parse_usd(text);
  if (!amount) return amount.error();
  if (*amount > max_limit) {
    return bad(text, "a limit is at most " + to_text(max_limit) + " USD");
  }
  return Limit{Meter::usd, amount->nano};
}

}  // namespace

Result<Limit> parse_limit(std::string_view given, const Units& units) {
  const std::string_view text = trimmed(given);
  const auto last_not_letter = std::find_if_not(text.rbegin(), text.rend(), is_letter);
  const auto word_size = static_cast<std::size_t>(last_not_letter - text.rbegin());
  const std::string_view word = text.substr(text.size() - word_size);
  const std::string_view number = trimmed(text.substr(0, text.size() - word_size));

  const bool other_currency =
      word.size() == 3 && std::all_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (text.find('$') != std::string_view::npos || text.starts_with("USD") || other_currency ||
      meter_of(word) == Meter::usd) {
    return money(text);
  }
  if (text.empty() || word.empty()) return bad(given, "it does not say what is counted");
  const auto meaning = word_of(word, units);
  if (!meaning) return bad(given, unknown_word(word, units));
  return counted(given, number, *meaning);
}

std::string limit_text(Meter meter, std::int64_t value) {
  if (meter == Meter::usd) return to_text(Usd{value}) + " USD";
  const std::int64_t unit = units_of(meter);
  std::string out = value < 0 ? "-" : "";
  const std::uint64_t size = value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  const auto divisor = static_cast<std::uint64_t>(unit);
  out += std::to_string(size / divisor);
  if (const std::uint64_t rest = size % divisor; rest != 0) {
    std::string decimals = std::to_string(rest + divisor).substr(1);
    decimals.erase(decimals.find_last_not_of('0') + 1);
    out += '.' + decimals;
  }
  out += ' ';
  std::string_view word = meter_text(meter);
  if (value == unit && word.ends_with('s')) word.remove_suffix(1);
  out += word;
  return out;
}

std::string limit_words(Meter meter, std::int64_t value, const Window& window) {
  std::string out = limit_text(meter, value);
  if (meter == Meter::concurrent) return out;
  if (window.per == Per::total) return out + " in total";
  out += " per ";
  out += per_text(window.per);
  if (window.per == Per::month && window.billing_day != 1) {
    out += window.billing_day == 31 ? " from its last day" : " from day " + std::to_string(window.billing_day);
  }
  if (window.zone != "UTC") out += " (" + window.zone + ")";
  return out;
}

}  // namespace farthing
