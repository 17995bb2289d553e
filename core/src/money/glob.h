// Globs: patterns of labels and of models' names.
// Thread-safety: free functions.
#pragma once

#include <string_view>

namespace farthing {

/// `*` is any run of bytes, `?` one character of UTF-8; everything else is itself. The case counts.
bool glob_matches(std::string_view glob, std::string_view text);

}  // namespace farthing
