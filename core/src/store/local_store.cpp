// LocalStore's life: its lock, what a forked child makes anew (R36), its ids and its time (R12). The path of every call is in
// reserve.cpp and settle.cpp, the rest in registry.cpp, reading.cpp, jobs.cpp and housekeeping.cpp.
#include "store/local_store.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "ledger/fork.h"
#include "store/patience.h"
#include "store/step.h"

namespace farthing {

namespace {

std::atomic<std::uint64_t> next_serial{1};

}  // namespace

LocalStore::LocalStore(StoreInfo info, StoreOptions options, std::unique_ptr<Tables> tables)
    : info_(std::move(info)),
      options_(std::move(options)),
      serial_(next_serial.fetch_add(1)),
      mutex_of_(fork_generation()),
      remaking_(fork_generation()),
      mutex_(new std::mutex),
      owner_(fork_generation()),
      tables_(std::move(tables)) {}

LocalStore::~LocalStore() {
  LocalStore::close();
  delete mutex_.load();
}

void LocalStore::forget_rows() {
  serial_ = next_serial.fetch_add(1);
}

std::mutex& LocalStore::own_mutex() {
  const std::uint64_t generation = fork_generation();
  while (mutex_of_.load(std::memory_order_acquire) != generation) {
    // A child's first call. The lock may be held by a thread that does not live on here, and to destroy a held lock is
    // undefined: it is leaked, and one of the threads that come first makes another. Whoever was making one when this
    // process was forked has an earlier generation.
    std::uint64_t seen = remaking_.load();
    if (seen == generation || !remaking_.compare_exchange_strong(seen, generation)) {
      std::this_thread::yield();
      continue;
    }
    mutex_.store(new std::mutex, std::memory_order_relaxed);
    mutex_of_.store(generation, std::memory_order_release);
  }
  return *mutex_.load(std::memory_order_relaxed);
}

std::unique_lock<std::mutex> LocalStore::lock() {
  std::unique_lock held(own_mutex(), std::try_to_lock);
  if (held.owns_lock()) return held;
  const auto start = std::chrono::steady_clock::now();
  const auto wait = [&] {
    if (!Patience::set()) return held.lock();
    while (!held.try_lock() && !Patience::over())
      std::this_thread::sleep_for(std::chrono::microseconds(50));
  };
  while (!held.owns_lock()) {
    if (std::chrono::steady_clock::now() - start < std::chrono::microseconds(100)) {
      static_cast<void>(held.try_lock());
    } else if (Patience::over()) {
      break;
    } else if (options_.blocking) {
      options_.blocking(wait);
    } else {
      wait();
    }
  }
  return held;
}

Status LocalStore::take_over_after_fork() {
  if (const Status done = tables_->after_fork(); !done) return done;
  process_ = 0;  // the parent's slot is the parent's
  registry_.reset();
  untold_alerts_.clear();  // the parent tells them
  owner_.store(fork_generation());
  return success();
}

void LocalStore::take_slot(StoreState& state) {
  process_ = state.next_process++;
  told_process_ms_ = INT64_MIN / 2;
  // The lock of the parent's may be held by a thread that is not here: leaked as well.
  if (ids_of_.load() != 0) static_cast<void>(ids_.release());  // NOLINT(bugprone-unused-return-value)
  ids_of_.store(0);
  ids_ = std::make_unique<IdMaker>(process_);
}

AttemptId LocalStore::next_id() {
  if (ids_of_.load(std::memory_order_acquire) != fork_generation()) {
    Step step(*this);
    if (!step.status() || !step.commit()) return {};
  }
  return ids_->next(options_.clock->rough_wall_ms());
}

std::int64_t LocalStore::store_time(StoreState& state) const {
  // R12: never back. Within one boot it runs on with the boot clock from where it was last written, so a wall clock that was
  // set back and stays there does not freeze it. It is written again once a second, and where the wall clock was set forward;
  // in between every process works out the same time, and the row stays as it is (dirty pages are what a call costs).
  constexpr std::int64_t write_every_ms = 1'000;
  constexpr std::int64_t rounding_ms = 1;  // of two clocks cut to milliseconds
  const std::int64_t boot = options_.clock->boot_ms();
  const std::uint64_t boot_id = options_.clock->boot_id();
  std::int64_t now = 0;
  if (boot_id == state.boot_id) {
    const std::int64_t elapsed = std::max<std::int64_t>(boot - state.boot_ms, 0);
    now = state.time_ms + elapsed;
    if (elapsed < write_every_ms && options_.clock->rough_wall_ms() <= now + rounding_ms) return now;
  } else if (state.time_ms != 0) {
    now =
        state.time_ms + write_every_ms;  // the machine was started again: what passed since the last write is not known
  }
  now = std::max(now, options_.clock->wall_ms());
  state.time_ms = now;
  state.boot_ms = boot;
  state.boot_id = boot_id;
  return now;
}

}  // namespace farthing
