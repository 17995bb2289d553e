#include "store/fork_pause.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

namespace farthing {

namespace {

constexpr auto longest_pause = std::chrono::milliseconds(100);
constexpr auto look_again = std::chrono::microseconds(50);

/// Never destroyed: a fork may come while the program ends.
struct Paused {
  std::mutex mutex;
  std::vector<const std::function<std::mutex&()>*> stores;
  std::vector<std::mutex*> held;  // by the thread that forks
};

std::atomic<bool> waiting{false};

Paused& paused() {
  static auto* const all = new Paused;
  return *all;
}

void before_fork() {
  Paused& all = paused();
  all.mutex.lock();
  waiting.store(true);
  const auto deadline = std::chrono::steady_clock::now() + longest_pause;
  for (const auto* store : all.stores) {
    std::mutex& own = (*store)();
    bool got = own.try_lock();
    while (!got && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(look_again);
      got = own.try_lock();
    }
    if (got) all.held.push_back(&own);
  }
  waiting.store(false);
}

void after_fork_in_parent() {
  Paused& all = paused();
  for (std::mutex* own : all.held)
    own->unlock();
  all.held.clear();
  all.mutex.unlock();
}

/// The child's stores make their locks anew (LocalStore::own_mutex).
void after_fork_in_child() {
  paused().held.clear();
  paused().mutex.unlock();
}

}  // namespace

bool fork_is_waiting() {
  return waiting.load(std::memory_order_relaxed);
}

ForkPause::ForkPause(std::function<std::mutex&()> mutex) : mutex_(std::move(mutex)) {
  static const int watching = pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  static_cast<void>(watching);
  Paused& all = paused();
  const std::lock_guard lock(all.mutex);
  all.stores.push_back(&mutex_);
}

ForkPause::~ForkPause() {
  Paused& all = paused();
  const std::lock_guard lock(all.mutex);
  std::erase(all.stores, &mutex_);
}

}  // namespace farthing
