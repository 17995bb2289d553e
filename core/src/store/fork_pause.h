// ForkPause: a fork() waits until no store of this process is in the middle of a step (R36).
//
// SQLite's own locks are not made anew in a child: forked in the middle of a step of another thread, it would find the
// database locked for good, by a thread that is not there.
// Thread-safety: from any thread.
#pragma once

#include <functional>
#include <mutex>

namespace farthing {

/// While it lives, forks wait for the mutex that `mutex` answers; at most 100 ms, since its holder may need what the
/// forking thread holds (an interpreter's lock).
class ForkPause {
 public:
  explicit ForkPause(std::function<std::mutex&()> mutex);
  ~ForkPause();
  ForkPause(const ForkPause&) = delete;
  ForkPause& operator=(const ForkPause&) = delete;

 private:
  std::function<std::mutex&()> mutex_;
};

/// Some thread is about to fork: whoever wants to begin a step lets it go first. Costs a load.
bool fork_is_waiting();

}  // namespace farthing
