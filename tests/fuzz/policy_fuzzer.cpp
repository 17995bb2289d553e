// A policy document: either a policy, whose canonical JSON reads as the same policy, or at least one problem.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "farthing/policy.h"

namespace {

const farthing::Environment nothing_set = [](std::string_view) { return std::optional<std::string>(); };

void check(const farthing::PolicyOrProblems& read) {
  if (!read.policy) {
    if (read.problems.empty()) std::abort();
    return;
  }
  const std::string json = read.policy->to_json();
  const auto again = farthing::policy_from_json(json, "again", nothing_set);
  if (!again.policy || again.policy->to_json() != json) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(farthing::policy_from_toml(text, "fuzz", nothing_set));
  check(farthing::policy_from_json(text, "fuzz", nothing_set));
  return 0;
}
