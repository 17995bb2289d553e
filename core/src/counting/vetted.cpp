#include "counting/vetted.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "embedded/members.h"

namespace farthing::counting {
namespace {

/// As members.txt has them, in the order of `Where`; the first are of all dialects.
constexpr std::array<std::string_view, 14> names = {
    "any",       "chat",           "responses",   "messages",      "gemini",         "responses.item", "messages.block",
    "chat.part", "responses.part", "gemini.part", "gemini.config", "responses.tool", "messages.tool",  "gemini.tool"};
using List = std::vector<std::pair<std::string_view, std::string_view>>;  // name and word
using Lists = std::array<List, names.size()>;

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
    const std::string_view name = word(line);
    if (where != names.end()) lists[static_cast<std::size_t>(where - names.begin())].emplace_back(name, line);
  }
  for (auto& list : lists)
    std::sort(list.begin(), list.end());
  return lists;
}

/// Google takes "snake_case" for "camelCase".
std::string camel(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool joint = name[i] == '_' && i > 0 && i + 1 < name.size() && name[i + 1] >= 'a' && name[i + 1] <= 'z';
    out += joint ? static_cast<char>(name[++i] - 'a' + 'A') : name[i];
  }
  return out;
}

/// What the list says of it; empty where it stands in none.
std::string_view listed(Where where, std::string_view name) {
  static const Lists lists = read(embedded::members());
  const List& list = lists[static_cast<std::size_t>(where)];
  const auto found = std::lower_bound(list.begin(), list.end(), std::pair(name, std::string_view()));
  return found != list.end() && found->first == name ? found->second : std::string_view();
}

bool is_of_gemini(Where where) {
  return where == Where::generate || where == Where::part_of_generate || where == Where::config_of_generate ||
         where == Where::tool_of_generate;
}

}  // namespace

bool is_vetted(Where where, std::string_view name) {
  if (where == Where::none || !listed(where, name).empty()) return true;
  if (is_of_gemini(where) && !listed(where, camel(name)).empty()) return true;
  const bool member =
      where == Where::chat || where == Where::responses || where == Where::messages || where == Where::generate;
  return member && !listed(Where::none, name).empty();  // in the place of `none` stand those of all dialects
}

bool is_of_caller(Where tools, std::string_view kind) {
  const std::string_view who = listed(tools, is_of_gemini(tools) ? std::string_view(camel(kind)) : kind);
  return who == "caller" || who == "both";
}

}  // namespace farthing::counting
