#include "prices/compiler/fields.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <sstream>

namespace farthing::prices_detail {
namespace {

std::int64_t days_of(const toml::date& date) {
  const std::chrono::sys_days days = std::chrono::year_month_day(
      std::chrono::year(date.year), std::chrono::month(date.month), std::chrono::day(date.day));
  return days.time_since_epoch().count();
}

std::string kind_of(const toml::node& node) {
  std::ostringstream out;
  out << node.type();
  return "a value of type " + out.str();
}

constexpr std::int64_t day_ms = 86'400'000;

}  // namespace

Fields::Fields(const toml::table& table, std::string file, std::string who, Problems& problems)
    : table_(table), file_(std::move(file)), who_(std::move(who)), problems_(problems) {}

const toml::node* Fields::get(std::string_view key, bool required, std::string_view accepted) {
  read_.emplace_back(key);
  const toml::node* node = table_.get(key);
  if (node == nullptr && required) problem(table_, std::string(key) + " is missing", accepted);
  return node;
}

void Fields::problem(const toml::node& node, const std::string& found, std::string_view accepted) {
  problems_.push_back(at(place_of(node)) + ": " + who_ + ": " + found + "; accepted: " + std::string(accepted));
}

std::string Fields::text(std::string_view key, bool required) {
  constexpr std::string_view accepted = "text in double quotes";
  const toml::node* node = get(key, required, accepted);
  if (node == nullptr) return {};
  if (const auto* value = node->as_string()) return value->get();
  problem(*node, std::string(key) + " is " + kind_of(*node), accepted);
  return {};
}

std::int64_t Fields::number(std::string_view key, bool required) {
  constexpr std::string_view accepted = "a whole number that is not negative";
  const toml::node* node = get(key, required, accepted);
  if (node == nullptr) return 0;
  const auto* value = node->as_integer();
  if (value != nullptr && value->get() >= 0) return value->get();
  problem(*node, std::string(key) + (value == nullptr ? " is " + kind_of(*node) : " is negative"), accepted);
  return 0;
}

bool Fields::boolean(std::string_view key) {
  const toml::node* node = get(key, false, "");
  if (node == nullptr) return false;
  if (const auto* value = node->as_boolean()) return value->get();
  problem(*node, std::string(key) + " is " + kind_of(*node), "true or false");
  return false;
}

std::vector<std::string> Fields::texts(std::string_view key) {
  std::vector<std::string> list;
  const toml::node* node = get(key, false, "");
  if (node == nullptr) return list;
  const toml::array* array = node->as_array();
  bool good = array != nullptr;
  for (std::size_t i = 0; good && i < array->size(); ++i) {
    const auto* value = (*array)[i].as_string();
    good = value != nullptr;
    if (good) list.push_back(value->get());
  }
  if (!good) problem(*node, std::string(key) + " is " + kind_of(*node), "a list of texts");
  return list;
}

std::map<std::string, std::string> Fields::text_map(std::string_view key) {
  std::map<std::string, std::string> map;
  const toml::node* node = get(key, false, "");
  if (node == nullptr) return map;
  const toml::table* table = node->as_table();
  if (table == nullptr) {
    problem(*node, std::string(key) + " is " + kind_of(*node), "a table of texts");
    return map;
  }
  for (const auto& [name, value] : *table) {
    if (const auto* word = value.as_string()) {
      map[std::string(name.str())] = word->get();
    } else {
      problem(value, std::string(name.str()) + " is " + kind_of(value), "text in double quotes");
    }
  }
  return map;
}

std::map<std::string, std::vector<std::string>> Fields::texts_map(std::string_view key) {
  std::map<std::string, std::vector<std::string>> map;
  const toml::node* node = get(key, false, "");
  if (node == nullptr) return map;
  const toml::table* table = node->as_table();
  if (table == nullptr) {
    problem(*node, std::string(key) + " is " + kind_of(*node), "a table of lists of texts");
    return map;
  }
  Fields inner(*table, file_, who_ + ", " + std::string(key), problems_);
  for (const auto& [name, value] : *table)
    map[std::string(name.str())] = inner.texts(name.str());
  return map;
}

void Fields::tables(std::string_view key, const std::function<void(const toml::table&)>& visit) {
  const toml::node* node = get(key, false, "");
  if (node == nullptr) return;
  const toml::array* array = node->as_array();
  if (array == nullptr) return problem(*node, std::string(key) + " is " + kind_of(*node), "a list of tables");
  for (const toml::node& element : *array) {
    if (const toml::table* table = element.as_table()) {
      visit(*table);
    } else {
      problem(element, std::string(key) + " has " + kind_of(element), "tables");
    }
  }
}

std::optional<std::int64_t> Fields::instant(std::string_view key) {
  const toml::node* node = get(key, false, "");
  if (node == nullptr) return std::nullopt;
  if (const auto* date = node->as_date()) return days_of(date->get()) * day_ms;
  if (const auto* moment = node->as_date_time(); moment != nullptr && moment->get().offset) {
    const toml::date_time& value = moment->get();
    const std::int64_t seconds = value.time.hour * 3'600 + value.time.minute * 60 + value.time.second;
    return days_of(value.date) * day_ms + seconds * 1'000 - std::int64_t{value.offset->minutes} * 60'000;
  }
  problem(*node, std::string(key) + " is " + kind_of(*node),
          "a date (2026-07-30, midnight UTC) or a date-time with an offset (2026-07-30T15:00:00Z)");
  return std::nullopt;
}

std::string Fields::date(std::string_view key, bool required) {
  constexpr std::string_view accepted = "a date, 2026-11-21";
  const toml::node* node = get(key, required, accepted);
  if (node == nullptr) return {};
  if (const auto* date = node->as_date()) {
    char text[16];
    std::snprintf(text, sizeof(text), "%04d-%02d-%02d", date->get().year, date->get().month, date->get().day);
    return text;
  }
  problem(*node, std::string(key) + " is " + kind_of(*node), accepted);
  return {};
}

void Fields::each_other(const std::function<void(std::string_view, const toml::node&)>& visit) {
  for (const auto& [name, value] : table_) {
    if (std::find(read_.begin(), read_.end(), name.str()) != read_.end()) continue;
    visit(name.str(), value);
  }
}

void Fields::finish() {
  std::string known;
  for (const std::string& key : read_)
    known += (known.empty() ? "" : ", ") + key;
  each_other([&](std::string_view name, const toml::node& value) {
    problem(value, "the key " + std::string(name) + " is not known", known);
  });
}

}  // namespace farthing::prices_detail
