// HoldQueue: calls that wait for what others hold (R21), first come first served per counter, synchronous and
// asynchronous callers in one line.
//
//   std::uint64_t seen = queue.changes();           // before the reserve, so that no settlement in between is missed
//   ... HeldBack ...
//   auto waiter = queue.join(waiting_for, seen, nullptr);
//   queue.wait(*waiter, 40);                        // or queue.on_wake(*waiter, callback)
//   if (queue.is_head(*waiter)) reserve again; ... queue.leave(waiter);
//
// Only the head of a line may reserve. Every settlement of this process wakes the heads; other processes' settlements
// are found by the heads' polling. Leaving wakes the next.
// Thread-safety: every method from any thread. Callbacks run without a lock.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace farthing::guard {

class HoldQueue {
 public:
  class Waiter {
   private:
    friend class HoldQueue;
    std::string line;
    std::uint64_t arrival = 0;
    bool waiting = false;    // is in its line
    bool signalled = false;  // woken and not waited since
    std::function<void()> wake;
    std::condition_variable woken;
  };
  using Ticket = std::shared_ptr<Waiter>;

  /// Grows with every settlement.
  std::uint64_t changes() const { return changes_.load(std::memory_order_acquire); }
  bool empty() const { return waiting_.load(std::memory_order_acquire) == 0; }
  std::size_t size() const { return waiting_.load(std::memory_order_acquire); }
  /// The line that a newcomer must queue in: the first of `lines` that has waiters; "" when none has.
  std::string busy_line(const std::vector<std::string>& lines) const;

  /// Joins a line, by time of arrival; with a ticket: moves it there, keeping its arrival. Woken at once when something
  /// was settled since `seen`.
  Ticket join(const std::string& line, std::uint64_t seen, Ticket ticket);
  bool is_head(const Waiter& waiter) const;
  /// Idempotent.
  void leave(const Ticket& ticket);

  /// Something was settled or released: the heads try again.
  void settled();
  /// Until woken or `wait_ms` of real time are over.
  void wait(Waiter& waiter, std::int64_t wait_ms);
  /// Calls `wake` once, when worth proceeding early; at once where it is already.
  void on_wake(Waiter& waiter, std::function<void()> wake);

 private:
  using Line = std::list<Ticket>;
  using Callbacks = std::vector<std::function<void()>>;

  void signal(Waiter& waiter, Callbacks& callbacks);
  void remove(Waiter& waiter, Callbacks& callbacks);

  std::atomic<std::uint64_t> changes_{0};
  std::atomic<std::size_t> waiting_{0};
  mutable std::mutex mutex_;  // guards what follows and the insides of waiters
  std::map<std::string, Line, std::less<>> lines_;
  std::uint64_t arrivals_ = 0;
};

}  // namespace farthing::guard
