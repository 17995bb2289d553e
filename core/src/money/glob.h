// Globs: patterns of labels, of models' names, of hosts and paths.
// Thread-safety: a free function.
#pragma once

#include <string_view>

namespace farthing {

/// `*` is any run of bytes, `?` one character of UTF-8; everything else is itself. The case counts.
bool glob_matches(std::string_view glob, std::string_view text);

}  // namespace farthing
