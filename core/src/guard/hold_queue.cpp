#include "guard/hold_queue.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace farthing::guard {

std::string HoldQueue::busy_line(const std::vector<std::string>& lines) const {
  const std::lock_guard lock(mutex_);
  for (const std::string& line : lines) {
    if (lines_.contains(line)) return line;
  }
  return "";
}

HoldQueue::Ticket HoldQueue::join(const std::string& line, std::uint64_t seen, Ticket ticket) {
  Callbacks callbacks;
  {
    const std::lock_guard lock(mutex_);
    if (ticket && ticket->waiting && ticket->line == line) {
      // Still where it was; what was settled meanwhile woke it.
      if (changes() != seen) signal(*ticket, callbacks);
    } else {
      if (!ticket) {
        ticket = std::make_shared<Waiter>();
        ticket->arrival = ++arrivals_;
      }
      if (ticket->waiting) remove(*ticket, callbacks);
      ticket->line = line;
      ticket->waiting = true;
      ticket->signalled = changes() != seen;
      Line& there = lines_[line];
      const auto later = std::find_if(there.begin(), there.end(),
                                      [&](const Ticket& other) { return other->arrival > ticket->arrival; });
      there.insert(later, ticket);
      waiting_.fetch_add(1, std::memory_order_acq_rel);
    }
  }
  for (const auto& callback : callbacks)
    callback();
  return ticket;
}

bool HoldQueue::is_head(const Waiter& waiter) const {
  const std::lock_guard lock(mutex_);
  if (!waiter.waiting) return true;
  const auto line = lines_.find(waiter.line);
  return line == lines_.end() || line->second.empty() || line->second.front().get() == &waiter;
}

void HoldQueue::leave(const Ticket& ticket) {
  Callbacks callbacks;
  std::function<void()> forgotten;  // its captures may need a lock of the binding's to die: not under ours
  {
    const std::lock_guard lock(mutex_);
    forgotten = std::exchange(ticket->wake, nullptr);
    if (ticket->waiting) remove(*ticket, callbacks);
  }
  for (const auto& callback : callbacks)
    callback();
}

void HoldQueue::settled() {
  changes_.fetch_add(1, std::memory_order_acq_rel);
  if (empty()) return;  // a waiter that joins now sees the change
  Callbacks callbacks;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [name, line] : lines_) {
      if (!line.empty()) signal(*line.front(), callbacks);
    }
  }
  for (const auto& callback : callbacks)
    callback();
}

void HoldQueue::wait(Waiter& waiter, std::int64_t wait_ms) {
  std::unique_lock lock(mutex_);
  waiter.woken.wait_for(lock, std::chrono::milliseconds(std::max<std::int64_t>(0, wait_ms)),
                        [&] { return waiter.signalled || !waiter.waiting; });
  waiter.signalled = false;
}

void HoldQueue::on_wake(Waiter& waiter, std::function<void()> wake) {
  {
    const std::lock_guard lock(mutex_);
    if (waiter.waiting && !waiter.signalled) {
      waiter.wake = std::move(wake);
      return;
    }
    waiter.signalled = false;
  }
  wake();
}

void HoldQueue::signal(Waiter& waiter, Callbacks& callbacks) {
  if (waiter.wake) {
    callbacks.push_back(std::exchange(waiter.wake, nullptr));
    return;
  }
  waiter.signalled = true;
  waiter.woken.notify_all();
}

void HoldQueue::remove(Waiter& waiter, Callbacks& callbacks) {
  waiter.waiting = false;
  waiter.woken.notify_all();
  waiting_.fetch_sub(1, std::memory_order_acq_rel);
  const auto line = lines_.find(waiter.line);
  if (line == lines_.end()) return;
  const bool was_head = !line->second.empty() && line->second.front().get() == &waiter;
  line->second.remove_if([&](const Ticket& other) { return other.get() == &waiter; });
  if (line->second.empty()) {
    lines_.erase(line);
  } else if (was_head) {
    signal(*line->second.front(), callbacks);
  }
}

}  // namespace farthing::guard
