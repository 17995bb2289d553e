// What belongs to this process: its name and its randomness, both other ones in a forked child (R36).
// Thread-safety: free functions, from any thread.
#pragma once

#include <cstdint>
#include <string>

#include "ledger/fork.h"

namespace farthing::guard {

using farthing::fork_generation;

/// Unpredictable enough for ids, different in every process and thread.
std::uint64_t random_u64();
/// A fresh id for a call, run or action: 13 characters of Crockford base 32, random.
std::string random_id();
/// "pid@host".
const std::string& process_name();

}  // namespace farthing::guard
