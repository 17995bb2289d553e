// Limits as text: a number and what is counted.
#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <string>

#include "farthing/cap.h"
#include "money/reader.h"
#include "policy/text.h"

namespace farthing {
namespace {

constexpr std::string_view examples = R"("5 USD", "1000 requests", "20_000 tokens" or "2 concurrent")";

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
  message += ". Write it like ";
  message += examples;
  message += '.';
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
  why += near.empty() ? "; accepted: " : " Accepted: ";
  why += policy::one_of(accepted);
  return why;
}

/// "5 USD per day": what is counted, and how long, are two fields. "": it is something else.
std::string says_window(std::string_view text, const Units& units) {
  constexpr std::string_view between = " per ";
  const std::size_t at = text.find(between);
  if (at == std::string_view::npos || !parse_limit(text.substr(0, at), units)) return "";
  std::string why = "how long it counts is a field of its own: limit = \"";
  why += trimmed(text.substr(0, at));
  why += "\", per = \"";
  why += trimmed(text.substr(at + between.size()));
  why += '"';
  return why;
}

Error too_much(std::string_view text) {
  return bad(text, "more than a limit can be");
}

/// The number in front of the word, by the grammar of money (docs/money.md).
Result<Limit> counted(std::string_view text, std::size_t word_at, const Word& word) {
  constexpr int decimals = 9;
  constexpr std::int64_t scale = 1'000'000'000;
  constexpr std::ptrdiff_t most_digits = 19;
  const auto number_end = std::min(text.find('.'), word_at);
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const std::string_view whole = text.substr(0, number_end);
  if (std::count_if(whole.begin(), whole.end(), digit) > most_digits) return too_much(text);

  money_detail::MoneyReader reader(text, "limit", examples);
  reader.skip_spaces();
  const Result<Int128> number = reader.number(decimals, std::numeric_limits<std::int64_t>::max());
  if (!number) return number.error();
  reader.skip_spaces();
  if (reader.at() != word_at) return reader.expected("\"" + std::string(text.substr(word_at)) + "\"");
  Int128 value = 0;
  if (__builtin_mul_overflow(*number, static_cast<Int128>(word.of_one), &value)) return too_much(text);
  if (value % scale != 0) return bad(text, "more decimals than it is counted in");
  if (value / scale > max_limit.nano) return too_much(text);
  return Limit{word.meter, static_cast<std::int64_t>(value / scale)};
}

Result<Limit> money(std::string_view text) {
  const Result<Usd> amount = parse_usd(text, max_limit);
  if (!amount) return amount.error();
  return Limit{Meter::usd, amount->nano};
}

}  // namespace

Result<Limit> parse_limit(std::string_view given, const Units& units) {
  const std::string_view text = trimmed(given);
  const auto last_not_letter = std::find_if_not(text.rbegin(), text.rend(), is_letter);
  const auto word_size = static_cast<std::size_t>(last_not_letter - text.rbegin());
  const std::string_view word = text.substr(text.size() - word_size);

  const bool other_currency =
      word.size() == 3 && std::all_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (text.find('$') != std::string_view::npos || text.starts_with("USD") || other_currency ||
      meter_of(word) == Meter::usd) {
    return money(text);
  }
  if (text.empty() || word.empty()) return bad(given, "it does not say what is counted");
  const auto meaning = word_of(word, units);
  if (const std::string why = meaning ? "" : says_window(text, units); !why.empty()) return bad(given, why);
  if (!meaning) return bad(given, unknown_word(word, units));
  return counted(text, text.size() - word_size, *meaning);
}

std::string amount_text(Meter meter, std::int64_t value) {
  if (meter == Meter::usd) return to_text(Usd{value});
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
  return out;
}

std::string limit_text(Meter meter, std::int64_t value) {
  std::string out = amount_text(meter, value);
  if (meter == Meter::usd) return out + " USD";
  out += ' ';
  std::string_view word = meter_text(meter);
  if (value == units_of(meter) && word.ends_with('s')) word.remove_suffix(1);
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
