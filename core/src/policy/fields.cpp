#include <algorithm>
#include <utility>

#include "policy/reading.h"
#include "policy/text.h"

namespace farthing::policy {
namespace {

/// An empty key in a path would read as nothing; one with dots would read as two.
std::string key_in_path(std::string_view key) {
  const bool plain = !key.empty() && key.find_first_of(". []\"") == std::string_view::npos;
  return plain ? std::string(key) : in_quotes(key);
}

std::string wanted(std::string_view what, std::string_view example) {
  std::string out(what);
  if (!example.empty()) out.append(" such as ").append(example);
  return out;
}

/// A number in place of a text is mostly money: say why it is not taken.
std::string why_no_number(const Node& node, std::string_view example) {
  const bool number = node.kind == Node::Kind::integer || node.kind == Node::Kind::fraction;
  if (!number || example.find("USD") == std::string_view::npos) return "";
  return " (amounts are text, so that they are exact and say what they count)";
}

}  // namespace

Fields::Fields(Reading& reading, const Node& node, std::string path, Words accepted, Words later)
    : reading_(reading), node_(node), path_(std::move(path)) {
  if (node.kind != Node::Kind::table) {
    reading_.error(Code::invalid_policy, node.line, path_, "found " + node.shown() + "; accepted: a table");
    return;
  }
  for (const Node& member : node.items) {
    const auto in = [&member](Words words) { return std::find(words.begin(), words.end(), member.key) != words.end(); };
    if (in(accepted)) continue;
    if (in(later)) {
      reading_.error(Code::not_in_this_version, member.line, this->path(member.key),
                     "this version has no " + in_quotes(member.key) + " yet; remove it, or use a version that has it");
    } else {
      reading_.error(Code::invalid_policy, member.line, this->path(member.key),
                     "unknown key." + suggestion(member.key, accepted) + " Accepted here: " + one_of(accepted));
    }
  }
}

std::string Fields::path(std::string_view key) const {
  return path_.empty() ? key_in_path(key) : path_ + "." + key_in_path(key);
}

void Fields::bad(std::string_view key, std::string message, Code code) {
  const Node* node = find(key);
  reading_.error(code, node != nullptr ? node->line : node_.line, path(key), std::move(message));
}

void Fields::missing(std::string_view key, std::string_view example) {
  if (node_.kind != Node::Kind::table) return;  // said already
  reading_.error(Code::invalid_policy, node_.line, path(key), "missing; write " + std::string(example));
}

void Fields::warn(std::string_view key, std::string message) {
  const Node* node = find(key);
  reading_.warn(node != nullptr ? node->line : node_.line, path(key), std::move(message));
}

std::optional<std::string> Fields::text(std::string_view key, std::string_view example) {
  const Node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (node->kind != Node::Kind::text) {
    bad(key, "found " + node->shown() + "; accepted: " + wanted("text", example) + why_no_number(*node, example));
    return std::nullopt;
  }
  return reading_.expand(*node, path(key));
}

std::optional<std::string> Fields::filled(std::string_view key, std::string_view example) {
  std::optional<std::string> value = text(key, example);
  if (value && value->empty()) {
    bad(key, "found an empty text; accepted: " + wanted("text", example));
    return std::nullopt;
  }
  return value;
}

std::optional<bool> Fields::truth(std::string_view key) {
  const Node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (node->kind == Node::Kind::boolean) return node->truth;
  bad(key, "found " + node->shown() + "; accepted: true or false");
  return std::nullopt;
}

std::optional<std::int64_t> Fields::whole(std::string_view key, std::int64_t least, std::int64_t most) {
  const Node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (node->kind == Node::Kind::integer && node->integer >= least && node->integer <= most) return node->integer;
  bad(key, "found " + node->shown() + "; accepted: a whole number from " + std::to_string(least) + " to " +
               std::to_string(most));
  return std::nullopt;
}

std::vector<std::string> Fields::texts(std::string_view key, std::string_view example) {
  const Node* node = find(key);
  std::vector<std::string> list;
  if (node == nullptr) return list;
  const auto take = [&](const Node& one, const std::string& at) {
    if (one.kind != Node::Kind::text || one.text.empty()) {
      reading_.error(Code::invalid_policy, one.line, at,
                     "found " + (one.kind == Node::Kind::text ? "an empty text" : one.shown()) +
                         "; accepted: " + wanted("text", example));
    } else if (auto value = reading_.expand(one, at)) {
      list.push_back(std::move(*value));
    }
  };
  if (node->kind != Node::Kind::list) {
    take(*node, path(key));
    return list;
  }
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    take(node->items[i], path(key) + "[" + std::to_string(i) + "]");
  }
  return list;
}

std::optional<std::size_t> Fields::word(std::string_view key, Words accepted, Words later) {
  const auto value = text(key, in_quotes(accepted.front()));
  if (!value) return std::nullopt;
  const auto found = std::find(accepted.begin(), accepted.end(), *value);
  if (found != accepted.end()) return static_cast<std::size_t>(found - accepted.begin());
  // "wait 30s": the first word says what it is.
  const std::string_view first = std::string_view(*value).substr(0, value->find(' '));
  if (std::find(later.begin(), later.end(), first) != later.end()) {
    bad(key, "this version has no " + in_quotes(*value) + " yet; accepted: " + one_of(accepted),
        Code::not_in_this_version);
  } else {
    bad(key, not_among(*value, accepted));
  }
  return std::nullopt;
}

std::vector<const Node*> Fields::tables(std::string_view key) {
  const Node* node = find(key);
  std::vector<const Node*> list;
  if (node == nullptr) return list;
  if (node->kind != Node::Kind::list) {
    bad(key, "found " + node->shown() + "; accepted: a list of tables, in TOML [[" + std::string(key) + "]]");
    return list;
  }
  for (const Node& item : node->items)
    list.push_back(&item);
  return list;
}

std::vector<const Node*> Fields::members(std::string_view key, std::string_view example) {
  const Node* node = find(key);
  std::vector<const Node*> list;
  if (node == nullptr) return list;
  if (node->kind != Node::Kind::table) {
    bad(key, "found " + node->shown() + "; accepted: " + wanted("a table", example));
    return list;
  }
  for (const Node& item : node->items)
    list.push_back(&item);
  return list;
}

}  // namespace farthing::policy
