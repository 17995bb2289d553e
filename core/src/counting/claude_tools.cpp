#include "counting/claude_tools.h"

#include <algorithm>

namespace farthing::counting {
namespace {

/// Source: https://platform.claude.com/docs/en/about-claude/pricing, "Specific tool pricing" (its state of 2026-08). Of the toolsets
/// it says what they add with the prompt of tools: 4,520 and 6,610 tokens for Opus 4.8, whose prompt is 290. Of the memory tool it says nothing: it has six commands, the editor's 700
/// tokens are for four. The first row that fits holds.
constexpr ClaudeTool tools[] = {
    {"bash_", 244, 325},     {"text_editor_", 700, 700},         {"computer_toolset_", 4'230, 4'230},
    {"computer_", 735, 735}, {"browser_toolset_", 6'320, 6'320}, {"memory_", 1'050, 1'050},
};

}  // namespace

const ClaudeTool* claude_tool(std::string_view type) {
  const auto* row = std::find_if(std::begin(tools), std::end(tools),
                                 [&](const ClaudeTool& tool) { return type.starts_with(tool.type); });
  return row == std::end(tools) ? nullptr : row;
}

}  // namespace farthing::counting
