#include "arguments.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "farthing/guard.h"
#include "farthing/policy.h"
#include "terminal.h"

namespace farthing::cli {

int exit_of(Code code) {
  switch (code) {
    case Code::unknown_cap:
    case Code::unknown_attempt:
    case Code::unknown_job:
    case Code::unknown_halt:
    case Code::unknown_policy:
      return not_found;
    case Code::store_unavailable:
    case Code::store_foreign:
    case Code::store_corrupt:
    case Code::store_newer:
    case Code::store_replaced:
    case Code::store_not_shared:
    case Code::store_on_network:
      return store_trouble;
    case Code::invalid_argument:
    case Code::invalid_money:
      return usage;
    default:
      return failed;
  }
}

int fail(const Error& error) {
  std::cerr << "farthing: " << printable(error.message, true) << " [" << code_text(error.code) << "]\n";
  return exit_of(error.code);
}

int fail(Exit code, const std::string& message) {
  std::cerr << "farthing: " << printable(message, true) << "\n";
  return code;
}

std::string policy_path(const std::string& given) {
  if (!given.empty()) return given;
  std::error_code ignored;
  for (std::filesystem::path folder = std::filesystem::current_path(ignored); !folder.empty();
       folder = folder.parent_path()) {
    const std::filesystem::path file = folder / "farthing.toml";
    if (std::filesystem::exists(file, ignored)) return file.string();
    // R37: these mark the project's folder as well.
    for (const char* mark : {".git", "pyproject.toml", "package.json"}) {
      if (std::filesystem::exists(folder / mark, ignored)) return "";
    }
    if (folder == folder.root_path()) break;
  }
  return "";
}

Result<std::optional<Policy>> policy_of(const Where& where) {
  const std::string path = policy_path(where.policy);
  if (path.empty()) return std::optional<Policy>();
  PolicyOrProblems read = policy_from_file(path);
  if (read.ok()) return std::move(read.policy);
  std::string message = path + " is not a valid policy:";
  for (const Problem& problem : read.problems)
    message += "\n  " + problem.where + ": " + problem.message;
  return Error{Code::invalid_policy, message};
}

Result<std::string> store_location(const Where& where) {
  if (!where.store.empty()) return resolve_store(where.store, "");
  if (const char* given = std::getenv("FARTHING_STORE"); given != nullptr && *given != '\0')
    return resolve_store(given, "");
  const auto policy = policy_of(where);
  if (!policy) return policy.error();
  if (*policy && !(*policy)->store.empty()) return resolve_store((*policy)->store, policy_path(where.policy));
  return default_store("");
}

Result<std::shared_ptr<Control>> open_control(const Where& where) {
  const auto location = store_location(where);
  if (!location) return location.error();
  if (location->rfind("memory:", 0) == 0) {
    return Error{Code::invalid_argument,
                 "memory: lives inside one process; there is nothing that this command could look at. "
                 "Name a file store: --store file:PATH"};
  }
  if (location->rfind("file:", 0) == 0) {
    struct stat found{};
    const std::string path = location->substr(5);
    // An empty file is a store that nobody has made yet.
    if (stat(path.c_str(), &found) != 0 || (S_ISREG(found.st_mode) && found.st_size == 0)) {
      return Error{Code::store_unavailable,
                   "there is no store at " + path +
                       " yet: it is made by the first guard that opens it. Another one: --store file:PATH, "
                       "--policy FILE, FARTHING_STORE; all of yours: farthing status --all"};
    }
  }
  return Control::open(*location, nullptr);
}

namespace {

Result<std::pair<std::string, std::string>> pair_of(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return Error{Code::invalid_argument, "\"" + text + "\" is not kind=value, for example project=marketing"};
  }
  return std::pair{text.substr(0, equals), text.substr(equals + 1)};
}

constexpr std::int64_t second_ms = 1000;
constexpr std::int64_t day_ms = 86'400 * second_ms;

}  // namespace

Result<Labels> labels_of(const std::vector<std::string>& pairs) {
  Labels labels;
  for (const std::string& text : pairs) {
    const auto pair = pair_of(text);
    if (!pair) return pair.error();
    if (const Status valid = check_label(pair->first, pair->second); !valid) return valid.error();
    labels.set(pair->first, pair->second);
  }
  return labels;
}

std::string given_labels(const Labels& labels) {
  std::string text;
  for (const std::string_view kind : given_kinds) {
    if (const std::string* value = labels.get(kind))
      text += (text.empty() ? "" : " ") + std::string(kind) + "=" + *value;
  }
  return text;
}

Result<Match> match_of(const std::vector<std::string>& pairs) {
  Match match;
  for (const std::string& text : pairs) {
    const auto pair = pair_of(text);
    if (!pair) return pair.error();
    if (const Status valid = check_label(pair->first, pair->second); !valid) return valid.error();
    auto kind =
        std::find_if(match.of.begin(), match.of.end(), [&](const auto& entry) { return entry.first == pair->first; });
    if (kind == match.of.end()) kind = match.of.insert(match.of.end(), {pair->first, {}});
    kind->second.push_back(pair->second);
  }
  for (auto& [kind, globs] : match.of)
    std::sort(globs.begin(), globs.end());
  std::sort(match.of.begin(), match.of.end());
  return match;
}

Result<std::int64_t> time_of(const std::string& text, std::int64_t now_ms, bool past) {
  const std::int64_t midnight = now_ms - now_ms % day_ms;
  if (text == "now") return now_ms;
  if (text == "today") return midnight;
  if (text == "yesterday") return midnight - day_ms;
  if (text == "tomorrow") return midnight + day_ms;
  constexpr std::array<const char*, 7> weekdays = {"monday", "tuesday",  "wednesday", "thursday",
                                                   "friday", "saturday", "sunday"};
  for (std::size_t i = 0; i < weekdays.size(); ++i) {
    if (text != weekdays[i]) continue;
    const auto today = static_cast<std::int64_t>((now_ms / day_ms + 3) % 7);  // 1970-01-01 was a Thursday
    const std::int64_t ahead = (static_cast<std::int64_t>(i) - today + 7) % 7;
    // A coming weekday is never today; a past one may be.
    return midnight + (past ? (ahead == 0 ? 0 : ahead - 7) : (ahead == 0 ? 7 : ahead)) * day_ms;
  }
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem == std::errc() && number >= 0 && number < 1'000'000 && end != text.data() + text.size()) {
    const std::string unit(end, text.data() + text.size());
    std::int64_t unit_ms = 0;
    if (unit == "s") unit_ms = second_ms;
    if (unit == "m" || unit == "min") unit_ms = 60 * second_ms;
    if (unit == "h") unit_ms = 3600 * second_ms;
    if (unit == "d") unit_ms = day_ms;
    if (unit == "w") unit_ms = 7 * day_ms;
    if (unit_ms != 0) return past ? now_ms - number * unit_ms : now_ms + number * unit_ms;
  }
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int used = 0;
  const char* raw = text.c_str();
  if (std::sscanf(raw, "%4d-%2d-%2d%n", &year, &month, &day, &used) == 3 && used == 10 && month >= 1 && month <= 12 &&
      day >= 1 && day <= 31) {
    const char* rest = raw + used;
    bool valid = *rest == '\0';
    if (!valid && (*rest == 'T' || *rest == ' ')) {
      int time_used = 0;
      if (std::sscanf(rest + 1, "%2d:%2d:%2d%n", &hour, &minute, &second, &time_used) != 3) {
        second = 0;
        if (std::sscanf(rest + 1, "%2d:%2d%n", &hour, &minute, &time_used) != 2) time_used = 0;
      }
      const std::string zone = time_used > 0 ? std::string(rest + 1 + time_used) : "bad";
      valid = (zone.empty() || zone == "Z") && hour < 24 && minute < 60 && second < 60;
    }
    if (valid) {
      std::tm civil{};
      civil.tm_year = year - 1900;
      civil.tm_mon = month - 1;
      civil.tm_mday = day;
      civil.tm_hour = hour;
      civil.tm_min = minute;
      civil.tm_sec = second;
      const std::time_t seconds = timegm(&civil);
      if (civil.tm_mday == day) return static_cast<std::int64_t>(seconds) * second_ms;  // 31 February moves on
    }
  }
  return Error{Code::invalid_argument,
               "\"" + text +
                   "\" is no time; accepted are 2026-11-21, 2026-11-21T10:00 (UTC), a span such as 30min, "
                   "2h, 3d, and today, yesterday, tomorrow or a weekday"};
}

}  // namespace farthing::cli
