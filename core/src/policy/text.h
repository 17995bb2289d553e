// Small text tools of this part: canonical JSON text, globs, near words.
// Thread-safety: free functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "money/glob.h"
#include "money/json_text.h"

namespace farthing::policy {

using farthing::append_json;
/// ["a","b"]
void append_json(std::string& out, const std::vector<std::string>& list);

using farthing::glob_matches;
bool has_wildcard(std::string_view glob);

/// The accepted word nearest to `unknown`, where it is near enough to be meant; empty otherwise.
std::string_view nearest(std::string_view unknown, std::span<const std::string_view> accepted);

/// A "${" in a value stays one when the document is read again.
std::string kept(std::string_view text);

/// "a, b or c".
std::string one_of(std::span<const std::string_view> words);

}  // namespace farthing::policy
