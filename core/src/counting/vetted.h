// What of a request somebody looked at: members, items, blocks. What is new at a provider is none of them, and may bring in
// what no byte of the request bounds. Data with sources and date: core/data/members.txt.
// Thread-safety: immutable.
#pragma once

#include <cstdint>
#include <string_view>

namespace farthing::counting {

enum class Where : std::uint8_t {
  none,
  chat,
  responses,
  messages,
  generate,
  item_of_responses,
  block_of_messages,
  part_of_chat,
  part_of_responses,
  part_of_generate,
  config_of_generate,
  tool_of_responses,
  tool_of_messages,
  tool_of_generate
};

/// Always of `none`: nothing of it was listed. Gemini's names in both spellings.
bool is_vetted(Where where, std::string_view name);

/// A kind of tool that the caller runs, or may, where the tool says so itself.
bool is_of_caller(Where tools, std::string_view kind);

}  // namespace farthing::counting
