// NoFork: a fork() waits until no thread of this process is in the middle of a step of a store's file (R36).
//
// SQLite's own locks, and what it knows of a file's locks, are not made anew in a child: forked in the middle of a step of another
// thread, it would find them held for good by a thread that is not there.
// Thread-safety: from any thread; each object stays on one.
#pragma once

#include <cstdint>

namespace farthing {

/// While one lives on a thread, this process does not fork. Whoever has one waits for a disk at most, and for nothing that the
/// forking thread may hold (a lock of ours, an interpreter's): so a fork gets its turn. One may be made inside another. Costs two
/// atomic additions.
class NoFork {
 public:
  NoFork();
  ~NoFork();
  NoFork(const NoFork&) = delete;
  NoFork& operator=(const NoFork&) = delete;

 private:
  std::uint64_t generation_;  // one that a child inherits ends nothing there
};

}  // namespace farthing
