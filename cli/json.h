// JSON as commands read and print it, compiled once (as core/src/money/json_document.h is: the command sees only the
// library's public headers).
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace farthing::cli {

/// Members stay as they were put.
using Json = nlohmann::ordered_json;

/// What is no JSON gives a document that `is_discarded()`; nothing is thrown.
Json parse_json(std::string_view text);

/// In one line, or with lines indented by so many spaces. Bytes that are no UTF-8 become U+FFFD.
std::string dump_json(const Json& json, int indent = -1);

}  // namespace farthing::cli
