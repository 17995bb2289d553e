#include <algorithm>

#include "wire/wire.h"

namespace farthing {

namespace {

/// Hidden prompts: tokens that a provider adds by itself, beyond the bytes of the request. Twice the largest excess seen in
/// the recorded traffic (tests/core/wire holds the table against it), at least `least` (R31).
struct Overhead {
  std::string_view profile;  // the beginning of a model's overhead profile
  std::int64_t tokens;
};
constexpr std::int64_t least = 64;
constexpr Overhead table[] = {
    {"grok", 1'400},    // xAI: about 683 hidden tokens published for grok-4
    {"claude", 1'700},  // 286 to 804 with tools
};

}  // namespace

std::int64_t hidden_tokens_bound(std::string_view overhead_profile, const RequestFacts& facts) {
  std::int64_t tokens = least;
  for (const Overhead& overhead : table) {
    if (overhead_profile.substr(0, overhead.profile.size()) == overhead.profile)
      tokens = std::max(tokens, overhead.tokens);
  }
  // A schema for tools or answers is rendered into a text around it.
  if (facts.tools) tokens += least;
  if (facts.schema) tokens += least;
  return tokens;
}

}  // namespace farthing
