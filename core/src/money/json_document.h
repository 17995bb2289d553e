// JSON documents as objects, off the path of calls: nlohmann/json, whose parser and writer are compiled here once. In every
// file that uses them they would take longer than the rest of it.
//
//   const Json json = parse_json(text);   // json.is_discarded() where it is none
//   dump_json(json)
//
// Thread-safety: free functions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace farthing {

/// Members by name.
using Json = nlohmann::json;
/// Members as they were put: for people.
using OrderedJson = nlohmann::ordered_json;

/// What is no JSON gives a document that `is_discarded()`; nothing is thrown.
Json parse_json(std::string_view text);
OrderedJson parse_ordered_json(std::string_view text);

/// In one line, or with lines indented by so many spaces. Bytes that are no UTF-8 become U+FFFD.
std::string dump_json(const Json& json, int indent = -1);
std::string dump_json(const OrderedJson& json, int indent = -1);

}  // namespace farthing
