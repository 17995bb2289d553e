// One text as JSON, for documents that are written by hand because they must be canonical: labels, policies, scope tokens.
//
//   append_json(out, "a \"b\"");   // "a \"b\"", with its quotes
//
// Thread-safety: a free function.
#pragma once

#include <string>
#include <string_view>

namespace farthing {

/// A JSON string with its quotes, which TOML reads alike; only what must be escaped there is. Bytes from 0x80 on are kept: UTF-8 stays what it was.
void append_json(std::string& out, std::string_view text);

}  // namespace farthing
