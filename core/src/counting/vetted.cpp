#include "counting/vetted.h"

#include <algorithm>
#include <array>
#include <vector>

#include "embedded/members.h"

namespace farthing::counting {
namespace {

/// As members.txt has them, in the order of `Where`; the first are of all dialects.
constexpr std::array<std::string_view, 8> names = {
    "any", "chat", "responses", "messages", "responses.item", "messages.block", "chat.part", "responses.part"};
using Lists = std::array<std::vector<std::string_view>, names.size()>;

std::string_view word(std::string_view& line) {
  const std::string_view found = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(line.size(), found.size() + 1));
  return found;
}

Lists read(std::string_view text) {
  Lists lists;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto* where = std::find(names.begin(), names.end(), word(line));
    if (where != names.end()) lists[static_cast<std::size_t>(where - names.begin())].push_back(word(line));
  }
  for (auto& list : lists)
    std::sort(list.begin(), list.end());
  return lists;
}

}  // namespace

bool is_vetted(Where where, std::string_view name) {
  static const Lists lists = read(embedded::members());
  const auto listed = [name](const auto& list) { return std::binary_search(list.begin(), list.end(), name); };
  if (where == Where::none || listed(lists[static_cast<std::size_t>(where)])) return true;
  const bool member = where == Where::chat || where == Where::responses || where == Where::messages;
  return member && listed(lists.front());
}

}  // namespace farthing::counting
