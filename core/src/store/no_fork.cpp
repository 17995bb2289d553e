#include "store/no_fork.h"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "ledger/fork.h"

namespace farthing {

namespace {

/// A disk that stands still does not hold up a fork for good; such a child's first call may then stand still as well.
constexpr auto longest_wait = std::chrono::seconds(10);
constexpr auto look_again = std::chrono::microseconds(50);

std::atomic<int> threads_inside{0};
std::atomic<bool> forking{false};
thread_local int depth = 0;

/// Of threads that fork at the same time. Never destroyed: a fork may come while the program ends.
std::mutex& forks() {
  static auto* const mutex = new std::mutex;
  return *mutex;
}

void before_fork() {
  forks().lock();
  // Whoever comes after sees it, or whoever came is seen here: both are in the one order of all such operations.
  forking.store(true);
  const auto deadline = std::chrono::steady_clock::now() + longest_wait;
  const int own = depth > 0 ? 1 : 0;
  while (threads_inside.load() > own && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(look_again);
}

void after_fork_in_parent() {
  forking.store(false);
  forks().unlock();
}

void after_fork_in_child() {
  depth = 0;
  threads_inside.store(0);
  after_fork_in_parent();
}

}  // namespace

NoFork::NoFork() : generation_(fork_generation()) {
  static const int watching = pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  static_cast<void>(watching);
  if (depth++ > 0) return;
  for (;;) {
    threads_inside.fetch_add(1);
    if (!forking.load()) return;
    threads_inside.fetch_sub(1);
    while (forking.load())
      std::this_thread::sleep_for(look_again);
  }
}

NoFork::~NoFork() {
  if (generation_ == fork_generation() && --depth == 0) threads_inside.fetch_sub(1);
}

}  // namespace farthing
