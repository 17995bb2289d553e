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
  item_of_responses,
  block_of_messages,
  part_of_chat,
  part_of_responses
};

/// Always of `none`: nothing of it was listed.
bool is_vetted(Where where, std::string_view name);

}  // namespace farthing::counting
