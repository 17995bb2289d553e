// What a call comes from and belongs to: the client it is sent with (Binding) and the SDK method call it is part of
// (Call, R27). Opaque in the public header.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "farthing/guard.h"
#include "farthing/labels.h"
#include "farthing/meter.h"

namespace farthing {

/// Immutable.
class Binding {
 public:
  Labels labels;
  std::map<std::string, std::string> deployments;
  bool install = false;
  std::uint64_t serial = 0;  // distinguishes bindings in caches
};

/// Thread-safety: every method from any thread.
class Call {
 public:
  explicit Call(std::string id) : id_(std::move(id)) {}

  const std::string& id() const { return id_; }
  /// 1 for the first attempt.
  int next_attempt() { return attempts_.fetch_add(1, std::memory_order_relaxed) + 1; }
  int attempts() const { return attempts_.load(std::memory_order_relaxed); }

  /// R27: what the attempts hold and spent so far; `per = "call"` bounds it.
  Amounts committed() const {
    const std::lock_guard lock(mutex_);
    return committed_;
  }
  /// A hold was made (before = none), or settled (before = held, after = booked).
  void commit(const Amounts& before, const Amounts& after) {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < meter_count; ++i)
      committed_.of[i] += after.of[i] - before.of[i];
  }

 private:
  const std::string id_;
  std::atomic<int> attempts_{0};
  mutable std::mutex mutex_;
  Amounts committed_;
};

}  // namespace farthing
