// Gate: one process at a time in the file store, fair and with a deadline (R42). An flock on a file beside the database:
// SQLite's own waiting starves processes and lets its log grow.
//
// Thread-safety: used under LocalStore's lock.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "farthing/result.h"
#include "store/no_fork.h"

namespace farthing {

class Gate {
 public:
  Gate() = default;
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// Makes the file, mode 0600.
  Status open(const std::string& path);
  /// Tried for 100 µs, then waited for inside `blocking`; store_unavailable at the deadline.
  Status enter(std::int64_t wait_ms, const std::function<void(const std::function<void()>&)>& blocking);
  void leave();
  /// Inside: the file goes again if this made it, beside what is no store.
  void take_back();
  /// In a forked child: the descriptor goes, the parent's lock stays (an unlock would open it).
  void abandon();
  bool entered() const { return entered_; }

 private:
  std::string path_;
  int descriptor_ = -1;
  bool entered_ = false;
  std::optional<NoFork> no_fork_;  // while entered: what follows is a step of SQLite
  bool made_ = false;
};

}  // namespace farthing
