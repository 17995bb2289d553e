// Input: what a command reads: a file, or standard input.
// Thread-safety: free functions.
#pragma once

#include <string>

#include "farthing/result.h"

namespace farthing::cli {

/// The whole content of a file; "" and "-" are standard input.
Result<std::string> input(const std::string& file);

}  // namespace farthing::cli
