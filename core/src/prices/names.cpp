#include "prices/names.h"

#include <chrono>

#include "prices/layout.h"

namespace farthing::prices_detail {
namespace {

/// The digits as a number, -1 when one is no digit.
int number(std::string_view digits) {
  int value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

bool is_day(int year, int month, int day) {
  if (year < 2015 || year > 2099 || month < 1 || day < 1) return false;
  return std::chrono::year_month_day(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                     std::chrono::day(static_cast<unsigned>(day)))
      .ok();
}

bool ends_in_iso_date(std::string_view name) {
  const std::string_view end = name.substr(name.size() - 11);
  return end[0] == '-' && end[5] == '-' && end[8] == '-' &&
         is_day(number(end.substr(1, 4)), number(end.substr(6, 2)), number(end.substr(9, 2)));
}

}  // namespace

std::array<Undated, 2> undated(std::string_view name) {
  std::array<Undated, 2> found;
  const std::size_t size = name.size();
  if (size > 11 && ends_in_iso_date(name)) {
    found[0] = {name.substr(0, size - 11), flag_dated_iso};
    return found;
  }
  if (size > 9 && name[size - 9] == '-') {
    const std::string_view end = name.substr(size - 8);
    if (is_day(number(end.substr(0, 4)), number(end.substr(4, 2)), number(end.substr(6, 2)))) {
      found[0] = {name.substr(0, size - 9), flag_dated_compact};
      return found;
    }
  }
  if (size > 5 && name[size - 5] == '-') {
    const int first = number(name.substr(size - 4, 2));
    const int second = number(name.substr(size - 2));
    const std::string_view base = name.substr(0, size - 5);
    std::size_t count = 0;
    if (is_day(2024, first, second)) found[count++] = {base, flag_dated_mmdd};  // a leap year: any day there is
    if (first >= 23 && second >= 1 && second <= 12) found[count] = {base, flag_dated_yymm};
  }
  return found;
}

std::uint32_t dated_form_of(std::string_view word) {
  if (word == "-YYYY-MM-DD") return flag_dated_iso;
  if (word == "-YYYYMMDD") return flag_dated_compact;
  if (word == "-MMDD") return flag_dated_mmdd;
  if (word == "-YYMM") return flag_dated_yymm;
  return 0;
}

std::string_view fine_tuned_base(std::string_view name) {
  if (!name.starts_with("ft:")) return {};
  const std::size_t second = name.find(':', 3);
  return second == 3 ? std::string_view{} : name.substr(0, second);
}

std::uint64_t hash_of(std::string_view provider, std::string_view name) {
  std::uint64_t hash = 14'695'981'039'346'656'037ULL;
  const auto add = [&hash](unsigned char byte) { hash = (hash ^ byte) * 1'099'511'628'211ULL; };
  for (const char c : provider)
    add(static_cast<unsigned char>(c));
  add(0xFF);
  for (const char c : name)
    add(static_cast<unsigned char>(c));
  return hash ^ (hash >> 32);
}

}  // namespace farthing::prices_detail
