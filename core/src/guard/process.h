// What belongs to this process: its name, its randomness, and whether it is a fork of the one that made something (R36).
// Thread-safety: free functions, from any thread.
#pragma once

#include <cstdint>
#include <string>

namespace farthing::guard {

/// Grows by one in a child of fork(); equal in one process. Costs a load, getpid() a system call.
std::uint64_t fork_generation();
/// Unpredictable enough for ids, different in every process and thread.
std::uint64_t random_u64();
/// A fresh id for a call, run or action: 13 characters of Crockford base 32, random.
std::string random_id();
/// "pid@host".
const std::string& process_name();

}  // namespace farthing::guard
