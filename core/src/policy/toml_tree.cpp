// TOML into a Node.
#include <algorithm>
#include <sstream>

#include "money/toml.h"
#include "policy/node.h"

namespace farthing::policy {
namespace {

int line_of(const toml::source_region& source) {
  return static_cast<int>(source.begin.line);
}

/// What was written there, for numbers that are not whole. Columns count characters.
std::string written(std::string_view document, const toml::source_region& source) {
  std::size_t at = 0;
  for (toml::source_index line = 1; line < source.begin.line && at < document.size(); ++line) {
    at = std::min(document.find('\n', at), document.size() - 1) + 1;
  }
  const auto next = [document](std::size_t from) {
    do {
      ++from;
    } while (from < document.size() && (static_cast<unsigned char>(document[from]) & 0xC0U) == 0x80U);
    return from;
  };
  for (toml::source_index column = 1; column < source.begin.column && at < document.size(); ++column)
    at = next(at);
  const std::string_view rest = document.substr(std::min(at, document.size()));
  return std::string(rest.substr(0, rest.find_first_not_of("0123456789.eE+-_infa")));
}

template <class T>
std::string date_text(const T& value) {
  std::ostringstream out;
  out << value;
  return std::move(out).str();
}

Node node_of(const toml::node& from, std::string_view document) {
  Node node;
  node.line = line_of(from.source());
  switch (from.type()) {
    case toml::node_type::string:
      node.kind = Node::Kind::text;
      node.text = from.as_string()->get();
      break;
    case toml::node_type::integer:
      node.kind = Node::Kind::integer;
      node.integer = from.as_integer()->get();
      break;
    case toml::node_type::floating_point:
      node.kind = Node::Kind::fraction;
      node.text = written(document, from.source());
      break;
    case toml::node_type::boolean:
      node.kind = Node::Kind::boolean;
      node.truth = from.as_boolean()->get();
      break;
    case toml::node_type::date:
      node.kind = Node::Kind::date;
      node.text = date_text(from.as_date()->get());
      break;
    case toml::node_type::time:
      node.kind = Node::Kind::date;
      node.text = date_text(from.as_time()->get());
      break;
    case toml::node_type::date_time:
      node.kind = Node::Kind::date;
      node.text = date_text(from.as_date_time()->get());
      break;
    case toml::node_type::array:
      node.kind = Node::Kind::list;
      for (const toml::node& item : *from.as_array())
        node.items.push_back(node_of(item, document));
      break;
    case toml::node_type::table:
      for (const auto& [key, value] : *from.as_table()) {
        node.items.push_back(node_of(value, document));
        node.items.back().key = key.str();
        node.items.back().line = line_of(key.source());
      }
      // toml++ sorts by key; problems are reported as they come in the document.
      std::stable_sort(node.items.begin(), node.items.end(),
                       [](const Node& a, const Node& b) { return a.line < b.line; });
      break;
    case toml::node_type::none:
      node.kind = Node::Kind::null;
      break;
  }
  return node;
}

}  // namespace

Parsed read_toml(std::string_view text) {
  Parsed parsed;
  const toml::parse_result result = toml::parse(text);
  if (!result) {
    const toml::parse_error& error = result.error();
    parsed.faults.push_back({line_of(error.source()), "", "not TOML: " + std::string(error.description())});
    return parsed;
  }
  parsed.root = node_of(result.table(), text);
  return parsed;
}

}  // namespace farthing::policy
