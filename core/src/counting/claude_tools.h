// Tools that Anthropic defines and the caller runs: a request only names their type, and Anthropic writes their definition.
// Data with source and date: claude_tools.cpp.
// Thread-safety: immutable.
#pragma once

#include <cstdint>
#include <string_view>

namespace farthing::counting {

struct ClaudeTool {
  std::string_view type;  // its beginning: "bash_"
  /// What its definition takes beside the prompt that comes with any tools: until Claude 4.6, and since.
  std::int64_t tokens_until_4_6;
  std::int64_t tokens;
};

/// Null: another kind, which the caller defines or the provider runs.
const ClaudeTool* claude_tool(std::string_view type);

}  // namespace farthing::counting
