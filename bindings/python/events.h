// Events: alerts and warnings on their way from the core to Python. The core may tell of them while it holds a lock of its
// own, so nothing of Python is touched then: they are queued here, and a thread of Python's takes them out.
// Thread-safety: every method from any thread.
#pragma once

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace farthing::python {

struct Event {
  std::string kind;  // "alert", "warning"
  std::string text;  // JSON of an alert, words of a warning
};

class Events {
 public:
  void put(Event event) {
    const std::shared_ptr<Queue> queue = queue_of_this_process();
    {
      const std::lock_guard lock(queue->mutex);
      if (queue->closed || queue->waiting.size() >= most_waiting) return;
      queue->waiting.push_back(std::move(event));
    }
    queue->ready.notify_one();
  }

  /// The next one; nothing after close(), or when none came for `wait_ms`.
  std::optional<Event> next(int wait_ms) {
    const std::shared_ptr<Queue> queue = queue_of_this_process();
    std::unique_lock lock(queue->mutex);
    queue->ready.wait_for(lock, std::chrono::milliseconds(wait_ms),
                          [&] { return queue->closed || !queue->waiting.empty(); });
    if (queue->waiting.empty()) return std::nullopt;
    Event event = std::move(queue->waiting.front());
    queue->waiting.pop_front();
    return event;
  }

  bool closed() {
    const std::shared_ptr<Queue> queue = queue_of_this_process();
    const std::lock_guard lock(queue->mutex);
    return queue->closed && queue->waiting.empty();
  }

  void close() {
    const std::shared_ptr<Queue> queue = queue_of_this_process();
    {
      const std::lock_guard lock(queue->mutex);
      queue->closed = true;
    }
    queue->ready.notify_all();
  }

 private:
  static constexpr std::size_t most_waiting = 10'000;

  struct Queue {
    std::mutex mutex;
    std::condition_variable ready;
    std::deque<Event> waiting;
    bool closed = false;
    pid_t pid = getpid();
  };

  // A forked child may have got the mutex locked by a thread that it has not: it begins with an empty queue.
  std::shared_ptr<Queue> queue_of_this_process() {
    std::shared_ptr<Queue> queue = std::atomic_load(&queue_);
    if (queue->pid != getpid()) {
      // The parent's is kept for ever: destroying a locked mutex is not allowed.
      static_cast<void>(new std::shared_ptr<Queue>(queue));
      queue = std::make_shared<Queue>();
      std::atomic_store(&queue_, queue);
    }
    return queue;
  }

  std::shared_ptr<Queue> queue_ = std::make_shared<Queue>();
};

}  // namespace farthing::python
