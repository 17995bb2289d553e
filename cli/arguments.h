// Arguments: texts of the command line turned into values of the core, with the errors a person needs.
// Thread-safety: free functions.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "farthing/control.h"
#include "farthing/policy.h"
#include "farthing/result.h"

namespace farthing::cli {

/// Exit codes of every subcommand, documented in docs/command.md.
enum Exit : int {
  ok = 0,
  failed = 1,         // anything not below; `check`: the policy is invalid
  usage = 2,          // the command line
  not_found = 3,      // no such cap, attempt, job, halt, policy, model, provider
  store_trouble = 4,  // the store is unreachable, foreign, corrupt, newer, replaced
};
int exit_of(Code code);

/// Prints "farthing: ..." to standard error and answers the exit code.
int fail(const Error& error);
int fail(Exit code, const std::string& message);

/// Where the store is: --store, FARTHING_STORE, the `store` of the policy (--policy, else farthing.toml of the project),
/// else the project's default (R37). A policy that is not valid elsewhere still says where its store is.
struct Where {
  std::string store;
  std::string policy;
};
Result<std::string> store_location(const Where& where);
/// Opens it; a file that does not exist is an error here, since looking must not make one.
Result<std::shared_ptr<Control>> open_control(const Where& where);
/// The policy file that applies: `given`, else farthing.toml of the project; "" when there is none.
std::string policy_path(const std::string& given);

/// Every problem of a policy, a line each.
Error not_valid(const std::string& path, const std::vector<Problem>& problems);
/// That policy; nothing where there is none, an error where it is not valid.
Result<std::optional<Policy>> policy_of(const Where& where);

/// "kind=value"; not several with commas between them.
Result<std::pair<std::string, std::string>> pair_of(const std::string& text);
/// "kind=value" pairs.
Result<Labels> labels_of(const std::vector<std::string>& pairs);
/// Those that people give, for a table: "project=shop user=u1".
std::string given_labels(const Labels& labels);
/// "kind=glob" pairs.
Result<Match> match_of(const std::vector<std::string>& pairs);
/// A moment (farthing/moment.h); days and times without an offset are those of the policy's zone, as in Python.
Result<std::int64_t> moment_of(const std::string& text, const Where& where, bool past);

}  // namespace farthing::cli
