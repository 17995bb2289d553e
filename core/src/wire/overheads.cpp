#include <algorithm>

#include "wire/wire.h"

namespace farthing {

namespace {

/// Hidden prompts: tokens that a provider adds by itself, beyond the bytes of the request. Twice the largest excess known,
/// at least `least` (R31). In the recorded traffic no model exceeds its request's bytes (the nearest stays 42 below them,
/// with tools 110): tests/core/wire/measure_overheads.py. Rows are what is known from elsewhere.
struct Overhead {
  std::string_view profile;  // the beginning of a model's overhead profile
  std::int64_t tokens;
};
constexpr std::int64_t least = 64;
constexpr Overhead hidden_prompts[] = {
    {"grok", 1'400},    // grok-4: about 683 hidden tokens (published measurement, 2026)
    {"claude", 1'700},  // 286 to 804 with tools (Anthropic's documentation of tool use, 2026); tool_tokens come on top
    {"harmony", 192},   // gpt-oss: its template writes a system message of about 70 tokens by itself
};

}  // namespace

std::int64_t hidden_tokens_bound(std::string_view overhead_profile, const RequestFacts& facts) {
  std::int64_t tokens = least;
  for (const Overhead& overhead : hidden_prompts) {
    if (overhead_profile.substr(0, overhead.profile.size()) == overhead.profile)
      tokens = std::max(tokens, overhead.tokens);
  }
  // A schema for tools or answers is rendered into a text around it.
  if (facts.tools) tokens += least;
  if (facts.schema) tokens += least;
  tokens += 2 * facts.tool_tokens;  // published figures, which have changed before
  return tokens;
}

}  // namespace farthing
