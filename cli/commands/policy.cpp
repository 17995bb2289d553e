#include <iostream>

#include "../books.h"
#include "../commands.h"
#include "../terminal.h"
#include "farthing/policy.h"

namespace farthing::cli {

int policy_apply(const PolicyOptions& options) {
  const PolicyOrProblems read = read_policy(options.file_or_name);
  for (const Problem& problem : read.problems) {
    std::cerr << (read.ok() ? "warning: " : "") << printable(problem.where + ": " + problem.message, true) << "\n";
  }
  if (!read.ok()) return failed;
  const auto location = store_location(Where{options.where.store, options.file_or_name});
  if (!location) return fail(location.error());
  const auto control = Control::open(*location, nullptr);
  if (!control) return fail(control.error());
  const auto warnings = (*control)->apply_policy(*read.policy, options.force, options.note);
  if (!warnings) return fail(warnings.error());
  for (const std::string& warning : *warnings)
    std::cerr << "warning: " << printable(warning, true) << "\n";
  std::cout << "policy \"" << read.policy->name << "\" is in force in " << *location << "\n";
  return ok;
}

int policy_remove(const PolicyOptions& options) {
  const auto control = open_control(options.where);
  if (!control) return fail(control.error());
  const auto unbound = (*control)->remove_policy(options.file_or_name, options.note);
  if (!unbound) return fail(unbound.error());
  std::cout << "policy \"" << printable(options.file_or_name)
            << "\" is no longer in force; what its caps counted is kept\n";
  for (const std::string& words : *unbound)
    std::cout << "binds nobody any more, also not programs that are running: " << printable(words) << "\n";
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
