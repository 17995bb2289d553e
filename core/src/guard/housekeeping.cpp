#include "guard/housekeeping.h"

#include <chrono>

#include "guard/process.h"

namespace farthing::guard {

namespace {

constexpr std::size_t max_queued = 100'000;
constexpr std::size_t max_denials_waiting = 1'000;
constexpr std::int64_t renew_every_ms = 30'000;  // R17
constexpr auto turn = std::chrono::milliseconds(500);

}  // namespace

struct Housekeeping::Inside {
  std::shared_ptr<Store> store;
  std::shared_ptr<Clock> clock;
  bool threaded = true;
  std::function<void(const AlertEvent&)> on_alert;

  mutable std::mutex mutex;
  std::condition_variable changed;
  std::thread thread;
  std::uint64_t generation = 0;  // of the process that the thread lives in
  bool stopping = false;
  std::int64_t open_holds = 0;
  std::int64_t renewed_ms = 0;
  std::deque<Settlement> settlements;
  std::vector<DenialEntry> denials;
  std::deque<AlertEvent> alerts;
  std::size_t busy = 0;  // being written outside of the lock
};

Housekeeping::Housekeeping(std::shared_ptr<Store> store, std::shared_ptr<Clock> clock, bool threaded,
                           std::function<void(const AlertEvent&)> on_alert)
    : inside_(std::make_shared<Inside>()) {
  inside_->store = std::move(store);
  inside_->clock = std::move(clock);
  inside_->threaded = threaded;
  inside_->on_alert = std::move(on_alert);
  inside_->generation = fork_generation();
}

Housekeeping::~Housekeeping() {
  stop();
}

void Housekeeping::ensure_thread() {
  if (inside_->generation != fork_generation()) {
    // R36: the parent's thread, lock and queue are the parent's. They are left where they are: the lock may be held for ever.
    auto fresh = std::make_shared<Inside>();
    fresh->store = inside_->store;
    fresh->clock = inside_->clock;
    fresh->threaded = inside_->threaded;
    fresh->on_alert = inside_->on_alert;
    fresh->generation = fork_generation();
    static_cast<void>(new std::shared_ptr<Inside>(inside_));  // never destroyed: its thread is not ours to join
    inside_ = fresh;
  }
  const std::lock_guard lock(inside_->mutex);
  if (!inside_->threaded || inside_->stopping || inside_->thread.joinable()) return;
  inside_->renewed_ms = inside_->clock->boot_ms();
  inside_->thread = std::thread([inside = inside_] { run(inside); });
}

void Housekeeping::run(const std::shared_ptr<Inside>& inside) {
  std::unique_lock lock(inside->mutex);
  while (!inside->stopping) {
    inside->changed.wait_for(lock, turn, [&] { return inside->stopping || !inside->alerts.empty(); });
    if (inside->stopping) break;
    work(*inside, lock);
    if (inside->open_holds > 0 && inside->clock->boot_ms() - inside->renewed_ms >= renew_every_ms) {
      inside->renewed_ms = inside->clock->boot_ms();
      lock.unlock();
      static_cast<void>(inside->store->renew());
      lock.lock();
    }
    lock.unlock();
    static_cast<void>(inside->store->checkpoint());
    lock.lock();
  }
}

/// One round over everything that waits; false when the store still refuses. Nothing is done under the lock.
bool Housekeeping::work(Inside& inside, std::unique_lock<std::mutex>& lock) {
  auto alerts = std::exchange(inside.alerts, {});
  auto denials = std::exchange(inside.denials, {});
  ++inside.busy;
  lock.unlock();
  if (inside.on_alert) {
    for (const AlertEvent& event : alerts)
      inside.on_alert(event);
  }
  bool good = denials.empty() || inside.store->add_denials(denials).ok();
  lock.lock();
  if (!good && inside.denials.empty()) inside.denials = std::move(denials);
  while (good && !inside.settlements.empty()) {
    Settlement next = std::move(inside.settlements.front());
    inside.settlements.pop_front();
    lock.unlock();
    const auto settled = inside.store->settle(next);
    lock.lock();
    if (settled || settled.error().code == Code::unknown_attempt) continue;
    inside.settlements.push_front(std::move(next));
    good = false;
  }
  --inside.busy;
  inside.changed.notify_all();
  return good;
}

void Housekeeping::hold_opened() {
  ensure_thread();
  const std::lock_guard lock(inside_->mutex);
  ++inside_->open_holds;
}

void Housekeeping::hold_ended() {
  const std::lock_guard lock(inside_->mutex);
  if (inside_->open_holds > 0) --inside_->open_holds;
}

void Housekeeping::denied(DenialEntry entry) {
  ensure_thread();
  const std::lock_guard lock(inside_->mutex);
  if (inside_->denials.size() < max_denials_waiting) inside_->denials.push_back(std::move(entry));
}

void Housekeeping::alert(AlertEvent event) {
  ensure_thread();
  const std::lock_guard lock(inside_->mutex);
  inside_->alerts.push_back(std::move(event));
  inside_->changed.notify_all();
}

void Housekeeping::queue(Settlement settlement) {
  ensure_thread();
  const std::lock_guard lock(inside_->mutex);
  // Beyond this the hold expires and is charged, which is what happens to a settlement that is lost.
  if (inside_->settlements.size() < max_queued) inside_->settlements.push_back(std::move(settlement));
}

std::size_t Housekeeping::queued() const {
  const std::lock_guard lock(inside_->mutex);
  return inside_->settlements.size();
}

Status Housekeeping::flush(std::int64_t wait_ms) {
  ensure_thread();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
  std::unique_lock lock(inside_->mutex);
  for (;;) {
    const bool good = work(*inside_, lock);
    if (inside_->settlements.empty() && inside_->denials.empty() && inside_->alerts.empty() && inside_->busy == 0)
      return success();
    if (std::chrono::steady_clock::now() >= deadline) break;
    inside_->changed.wait_for(lock, good ? std::chrono::milliseconds(1) : std::chrono::milliseconds(50));
  }
  return Error{Code::store_unavailable, std::to_string(inside_->settlements.size()) +
                                            " settlements could not be written; their holds expire and are charged"};
}

void Housekeeping::stop() {
  if (inside_->generation != fork_generation()) return;
  std::thread thread;
  {
    const std::lock_guard lock(inside_->mutex);
    inside_->stopping = true;
    thread.swap(inside_->thread);
    inside_->changed.notify_all();
  }
  if (!thread.joinable()) return;
  if (thread.get_id() == std::this_thread::get_id())
    thread.detach();
  else
    thread.join();
}

}  // namespace farthing::guard
