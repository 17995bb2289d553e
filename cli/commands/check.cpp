#include <iostream>

#include "../books.h"
#include "../commands.h"
#include "../json.h"
#include "../terminal.h"
#include "farthing/describe.h"
#include "farthing/policy.h"

namespace farthing::cli {

namespace {

int print_json(const PolicyOrProblems& read, const std::string& path) {
  Json json;
  json["file"] = path;
  json["valid"] = read.ok();
  Json problems = Json::array();
  for (const Problem& problem : read.problems) {
    problems.push_back({{"severity", problem.warning ? "warning" : "error"},
                        {"code", code_text(problem.code)},
                        {"where", problem.where},
                        {"message", problem.message}});
  }
  json["problems"] = std::move(problems);
  if (read.ok()) json["policy"] = parse_json(read.policy->to_json());
  std::cout << dump_json(json, 2) << "\n";
  return read.ok() ? ok : failed;
}

}  // namespace

int check(const CheckOptions& options) {
  const std::string path = policy_path(options.file);
  if (path.empty()) return fail(not_found, "no farthing.toml in this project; name one: farthing check FILE");
  const PolicyOrProblems read = read_policy(path);
  if (options.json) return print_json(read, path);
  const Terminal terminal = Terminal::detect();
  for (const Problem& problem : read.problems) {
    std::cerr << (read.ok() ? terminal.yellow("warning: ") : terminal.red("error: "))
              << printable(problem.where + ": " + problem.message, true) << "\n";
  }
  if (!read.ok()) {
    std::cerr << read.problems.size() << (read.problems.size() == 1 ? " problem" : " problems") << " in " << path
              << "\n";
    return failed;
  }
  std::cout << terminal.bold(path) << ": policy \"" << read.policy->name << "\"\n\n";
  std::vector<std::vector<std::string>> rows;
  for (const CapDescription& row : describe(*read.policy)) {
    rows.push_back({std::to_string(row.number), row.limit, row.window, row.calls, row.counters, row.alerts, row.id});
  }
  if (rows.empty()) {
    std::cout << "no caps: nothing is limited\n";
  } else {
    std::cout << table({">cap", ">limit", "per", "for calls", "counted", "alerts", "id"}, rows);
  }
  const auto location = store_location(Where{"", path});
  if (!location) return fail(location.error());
  std::cout << "\nstore " << *location << "\n";
  return ok;
}

}  // namespace farthing::cli
