// UTF-8: is a text valid, and what a text with other bytes in it counts as.
//
//   std::string kept;
//   text = valid_utf8(text, kept);     // text itself when it is valid, else `kept`, repaired
//
// Thread-safety: pure.
#pragma once

#include <string>
#include <string_view>

namespace farthing::tokens_detail {

/// The length of the longest beginning of the text that is valid UTF-8.
std::size_t valid_length(std::string_view text);

/// The text, with U+FFFD for each longest beginning of a character that is never completed, and for each byte that begins
/// none: what Python's decode("utf-8", "replace") gives. `kept` holds it when something had to be replaced.
std::string_view valid_utf8(std::string_view text, std::string& kept);

}  // namespace farthing::tokens_detail
