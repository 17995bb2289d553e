// fork_generation: whether this process is a fork of the one that made something (R36).
// Thread-safety: from any thread.
#pragma once

#include <cstdint>

namespace farthing {

/// Grows by one in a child of fork(); equal in one process. Costs a load, getpid() a system call.
std::uint64_t fork_generation();

}  // namespace farthing
