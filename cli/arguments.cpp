#include "arguments.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "farthing/guard.h"
#include "farthing/moment.h"
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

Error not_valid(const std::string& path, const std::vector<Problem>& problems) {
  std::string message = path + " is not a valid policy:";
  for (const Problem& problem : problems)
    message += "\n  " + problem.where + ": " + problem.message;
  return Error{Code::invalid_policy, message};
}

Result<std::optional<Policy>> policy_of(const Where& where) {
  const std::string path = policy_path(where.policy);
  if (path.empty()) return std::optional<Policy>();
  PolicyOrProblems read = policy_from_file(path);
  if (read.ok()) return std::move(read.policy);
  return not_valid(path, read.problems);
}

Result<std::string> store_location(const Where& where) {
  if (!where.store.empty()) return resolve_store(where.store, "");
  if (const char* given = std::getenv("FARTHING_STORE"); given != nullptr && *given != '\0')
    return resolve_store(given, "");
  const std::string path = policy_path(where.policy);
  if (path.empty()) return default_store("");
  const PolicyOrProblems read = policy_from_file(path);
  if (!read.place) {
    Error error = not_valid(path, read.problems);
    error.message += "\nWithout it: --store file:PATH";
    return error;
  }
  // A mistake elsewhere in it must not keep anybody from looking, or from throwing the switch.
  if (!read.ok())
    std::cerr << "farthing: " << printable(path)
              << " is not a valid policy (farthing check says why); its store is taken\n";
  return read.place->store.empty() ? default_store("") : resolve_store(read.place->store, path);
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

Result<std::pair<std::string, std::string>> pair_of(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return Error{Code::invalid_argument, "\"" + text + "\" is not kind=value, for example project=marketing"};
  }
  // What other tools take for two labels would be one here, of a value that no call has.
  const std::string value = text.substr(equals + 1);
  const std::size_t comma = value.find(',');
  if (comma != std::string::npos && value.find('=', comma) != std::string::npos) {
    return Error{Code::invalid_argument,
                 "\"" + text + "\" is one label with commas in its value; several are given one by one: " +
                     text.substr(0, equals) + "=" + value.substr(0, comma) + " and " + value.substr(comma + 1)};
  }
  return std::pair{text.substr(0, equals), value};
}

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

Result<std::int64_t> moment_of(const std::string& text, const Where& where, bool past) {
  const std::string path = policy_path(where.policy);
  const PolicyOrProblems read = path.empty() ? PolicyOrProblems{} : policy_from_file(path);
  const std::string zone = read.place ? read.place->timezone : "UTC";
  return parse_moment(text, {.now_ms = system_clock()->wall_ms(), .zone = zone, .past = past});
}

}  // namespace farthing::cli
