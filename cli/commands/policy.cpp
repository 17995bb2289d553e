#include <filesystem>
#include <iostream>

#include "../books.h"
#include "../commands.h"
#include "../json.h"
#include "../terminal.h"
#include "farthing/policy.h"
#include "farthing/time_text.h"

namespace farthing::cli {

namespace {

void print_effects(const PolicyChange& change) {
  for (const std::string& effect : change.effects)
    std::cout << "  " << printable(effect, true) << "\n";
}

}  // namespace

int policy_apply(const PolicyOptions& options) {
  const PolicyOrProblems read = read_policy(options.file_or_name);
  for (const Problem& problem : read.problems) {
    std::cerr << (read.ok() ? "warning: " : "") << printable(problem.where + ": " + problem.message, true) << "\n";
  }
  if (!read.ok()) return failed;
  const auto location = store_location(Where{options.where.store, options.file_or_name});
  if (!location) return fail(location.error());
  // Only applying may make a store; one that is not there yet has no caps.
  const bool missing =
      options.dry_run && location->starts_with("file:") && !std::filesystem::exists(location->substr(5));
  const auto control = Control::open(missing ? "memory:" : *location, nullptr);
  if (!control) return fail(control.error());
  const auto change = (*control)->apply_policy(*read.policy, options.force, options.note, options.dry_run);
  if (!change) return fail(change.error());
  for (const std::string& warning : change->warnings)
    std::cerr << "warning: " << printable(warning, true) << "\n";
  std::cout << "policy \"" << printable(read.policy->name)
            << (options.dry_run ? "\" would be in force in " : "\" is in force in ") << *location
            << (change->effects.empty() ? "; no limit changes by it" : "") << "\n";
  print_effects(*change);
  return ok;
}

int policy_remove(const PolicyOptions& options) {
  const auto control = open_control(options.where);
  if (!control) return fail(control.error());
  const auto change = (*control)->remove_policy(options.file_or_name, options.note, options.dry_run);
  if (!change) return fail(change.error());
  std::cout << "policy \"" << printable(options.file_or_name)
            << (options.dry_run ? "\" would no longer be in force" : "\" is no longer in force")
            << ", also not for programs that are running; what its caps counted is kept\n";
  print_effects(*change);
  return ok;
}

int policy_list(const PolicyOptions& options) {
  const auto control = open_control(options.where);
  if (!control) return fail(control.error());
  const auto policies = (*control)->policies();
  if (!policies) return fail(policies.error());
  if (options.json) {
    Json all = Json::array();
    for (const PolicyView& policy : *policies) {
      all.push_back({{"name", policy.name},
                     {"origin", policy.origin == Origin::file ? "file" : "code"},
                     {"since", iso_utc(policy.at_ms)},
                     {"caps", policy.caps}});
    }
    std::cout << dump_json(all, 2) << "\n";
    return ok;
  }
  std::vector<std::vector<std::string>> rows;
  for (const PolicyView& policy : *policies) {
    rows.push_back({policy.name, policy.origin == Origin::file ? "file" : "code", iso_utc(policy.at_ms),
                    std::to_string(policy.caps.size())});
  }
  std::cout << (rows.empty() ? "no policy is in force\n" : table({"policy", "from", "since", ">caps"}, rows));
  return ok;
}

int reset_clock(const PolicyOptions& options) {
  const auto control = open_control(options.where);
  if (!control) return fail(control.error());
  if (const Status done = (*control)->reset_clock(options.note); !done) return fail(done.error());
  std::cout << "the store's time follows this machine's clock again\n";
  return ok;
}

}  // namespace farthing::cli
