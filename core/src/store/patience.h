// Patience: how long the steps of this thread wait for whoever has a store (R42): by default as long as the store's gate_wait
// says; not at all in an event loop; until a moment that another thread may bring nearer where a guard is closed.
//
//   const Patience none(0ms);          // in this scope, on this thread
//   store->reserve(...)                // store_busy instead of a wait
//
// Thread-safety: belongs to its thread; a shared deadline is read anew while waiting.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>

namespace farthing {

class Patience {
 public:
  using Clock = std::chrono::steady_clock;
  /// A moment of the steady clock, in its own ticks; `forever`: as the store says.
  using Deadline = std::atomic<Clock::rep>;
  static constexpr Clock::rep forever = std::numeric_limits<Clock::rep>::max();
  static Clock::rep in(std::chrono::milliseconds wait) { return (Clock::now() + wait).time_since_epoch().count(); }

  explicit Patience(std::chrono::milliseconds wait) : own_(in(wait)), outer_(current) { current = &own_; }
  explicit Patience(const Deadline& shared) : outer_(current) { current = &shared; }
  ~Patience() { current = outer_; }
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;

  /// Whether this thread has one.
  static bool set() { return current != nullptr; }
  static bool over() {
    return current != nullptr && Clock::now().time_since_epoch().count() >= current->load(std::memory_order_relaxed);
  }

 private:
  static inline thread_local const Deadline* current = nullptr;

  const Deadline own_{forever};
  const Deadline* const outer_;
};

}  // namespace farthing
