#include "guard/housekeeping.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/patience.h"

namespace farthing::guard {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t max_denials_waiting = 1'000;
/// After as many turns without a call the thread sleeps until the next one.
constexpr int idle_turns = 4;
constexpr int alerts_a_turn = 20;

/// The store is away, busy, or its file was moved, and may come back; anything else will not go better another time.
bool worth_retrying(const Error& error) {
  return error.code == Code::store_unavailable || error.code == Code::store_busy || error.code == Code::store_replaced;
}

std::string key_of(const DenialEntry& entry) {
  std::string key(code_text(entry.code));
  for (const std::string* part : {&entry.cap_id, &entry.model, &entry.labels_json})
    key.append(1, '\n').append(*part);
  // Where no cap refused, the message alone tells two refusals apart; a cap's has amounts that change with every call.
  if (entry.cap_id.empty()) key.append(1, '\n').append(entry.message);
  return key;
}

}  // namespace

struct Housekeeping::Inside {
  std::shared_ptr<Store> store;
  bool threaded = true;
  std::function<void(const AlertEvent&)> on_alert;
  std::function<void(const std::string&)> on_warning;
  std::function<void(const std::vector<AlertFired>&)> ended;
  Rhythm rhythm;
  Patience::Deadline patience{Patience::forever};  // of the thread's steps

  std::atomic<std::int64_t> open_holds{0};
  std::atomic<bool> touched{false};  // a call came since the thread looked
  std::atomic<bool> asleep{true};    // the thread waits without a time, or does not run

  mutable std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::thread thread;
  bool stopping = false;
  bool orphaned = false;  // a callback let go of the guard: only this is left of it, until the thread ends
  bool urgent = false;    // a settlement came: not to wait for the next turn
  std::deque<Settlement> settlements;
  std::unordered_map<std::string, DenialEntry> denials;
  std::deque<std::function<AlertEvent(bool)>> alerts;
  EncodingPtr to_load;
  std::int64_t given_up = 0;  // settlements
  std::string given_up_why;
  bool told_of_given_up = false;
  std::size_t busy = 0;  // rounds of work that run outside of the lock

  bool waiting() const {
    return !settlements.empty() || !denials.empty() || !alerts.empty() || (given_up > 0 && !told_of_given_up);
  }
  void tell_ended(const std::vector<AlertFired>& fired, std::unique_lock<std::mutex>& lock);
  void give_up(const LedgerRow& row, const std::string& why);
  void remember(DenialEntry entry);
  bool work(std::unique_lock<std::mutex>& lock);
  bool write_settlements(std::unique_lock<std::mutex>& lock);
  void tell_alerts(std::unique_lock<std::mutex>& lock);
  void run();
};

Housekeeping::Housekeeping(std::shared_ptr<Store> store, const GuardOptions& options,
                           std::function<void(const std::vector<AlertFired>&)> ended, Rhythm rhythm)
    : inside_(std::make_shared<Inside>()) {
  inside_->store = std::move(store);
  inside_->threaded = options.background_thread;
  inside_->on_alert = options.on_alert;
  inside_->on_warning = options.on_warning;
  inside_->ended = std::move(ended);
  inside_->rhythm = rhythm;
}

Housekeeping::~Housekeeping() {
  stop();
}

void Housekeeping::Inside::run() {
  const Patience hurries(patience);
  auto renewed = SteadyClock::now();
  auto swept = SteadyClock::time_point{};
  int quiet = 0;
  std::unique_lock lock(mutex);
  while (!stopping) {
    if (quiet >= idle_turns && open_holds.load() == 0 && !waiting()) {
      asleep.store(true);
      changed.wait(lock, [&] { return stopping || touched.load() || waiting(); });
      asleep.store(false);
      quiet = 0;
    } else {
      changed.wait_for(lock, rhythm.turn, [&] { return stopping || urgent || !alerts.empty(); });
    }
    urgent = false;
    if (stopping) break;
    quiet = touched.exchange(false) ? 0 : quiet + 1;
    work(lock);

    const EncodingPtr wanted = std::exchange(to_load, nullptr);
    lock.unlock();
    if (wanted) static_cast<void>(wanted->count("a"));
    const auto now = SteadyClock::now();
    if (now - swept >= rhythm.sweep) {
      if (const auto done = store->sweep(); done && (done->expired > 0 || !done->alerts.empty())) {
        lock.lock();
        tell_ended(done->alerts, lock);
        lock.unlock();
      }
      swept = now;
    }
    if (open_holds.load() > 0 && now - renewed >= rhythm.renew) {
      static_cast<void>(store->renew());
      renewed = now;
    }
    if (quiet <= 1) static_cast<void>(store->checkpoint());  // also once after the last call
    lock.lock();
  }
}

void Housekeeping::Inside::tell_ended(const std::vector<AlertFired>& fired, std::unique_lock<std::mutex>& lock) {
  if (orphaned) return;
  lock.unlock();
  ended(fired);
  lock.lock();
}

/// The log of refusals is a service, not a promise: it is bounded, and what the store cannot take is dropped.
void Housekeeping::Inside::remember(DenialEntry entry) {
  std::string key = key_of(entry);
  if (const auto known = denials.find(key); known != denials.end()) {
    if (known->second.last_ms > entry.last_ms) std::swap(entry, known->second);  // given back by a store that was away
    entry.join(known->second);
    known->second = std::move(entry);
  } else if (denials.size() < max_denials_waiting) {
    denials.emplace(std::move(key), std::move(entry));
  }
}

/// One round over everything that waits; false when the store still refuses.
bool Housekeeping::Inside::work(std::unique_lock<std::mutex>& lock) {
  std::vector<DenialEntry> entries;
  for (auto& [key, entry] : std::exchange(denials, {}))
    entries.push_back(std::move(entry));
  ++busy;
  lock.unlock();
  bool good = true;
  if (!entries.empty()) {
    const Status added = store->add_denials(entries);
    good = added.ok() || !worth_retrying(added.error());
  }
  lock.lock();
  if (!good) {
    for (DenialEntry& entry : entries)
      remember(std::move(entry));
  }
  good = write_settlements(lock) && good;
  if (given_up > 0 && !std::exchange(told_of_given_up, true) && on_warning) {
    const std::string warning =
        "a settlement could not be written and is given up: its hold is charged in full when it expires (" +
        given_up_why + ")";
    lock.unlock();
    on_warning(warning);
    lock.lock();
  }
  tell_alerts(lock);
  --busy;
  changed.notify_all();
  return good;
}

/// After what calls wait for. Some at a time, so that holds are renewed meanwhile; at the end all, without reading for them.
void Housekeeping::Inside::tell_alerts(std::unique_lock<std::mutex>& lock) {
  for (int told = 0; !alerts.empty() && (told < alerts_a_turn || stopping); ++told) {
    const auto make = std::move(alerts.front());
    alerts.pop_front();
    const bool hurries = stopping;
    lock.unlock();
    if (on_alert) on_alert(make(!hurries));
    lock.lock();
  }
}

bool Housekeeping::Inside::write_settlements(std::unique_lock<std::mutex>& lock) {
  while (!settlements.empty()) {
    Settlement next = std::move(settlements.front());
    settlements.pop_front();
    lock.unlock();
    const auto settled = store->settle(next);
    lock.lock();
    if (settled) {
      tell_ended(settled->alerts, lock);
      continue;
    }
    if (!worth_retrying(settled.error())) {
      give_up(next.row, settled.error().message);
      continue;
    }
    settlements.push_front(std::move(next));
    return false;
  }
  return true;
}

/// Told once; the ledger shows every one of them as expired.
void Housekeeping::Inside::give_up(const LedgerRow& row, const std::string& why) {
  if (++given_up == 1) given_up_why = "attempt " + to_text(row.id) + ": " + why;
}

void Housekeeping::ensure_thread() {
  inside_->touched.store(true, std::memory_order_relaxed);
  if (!inside_->threaded || !inside_->asleep.load()) return;
  const std::lock_guard lock(inside_->mutex);
  if (inside_->stopping) return;
  if (!inside_->thread.joinable()) {
    inside_->asleep.store(false);
    inside_->thread = std::thread([inside = inside_] { inside->run(); });
  }
  inside_->changed.notify_all();
}

void Housekeeping::hold_opened() {
  inside_->open_holds.fetch_add(1, std::memory_order_relaxed);
  ensure_thread();
}

void Housekeeping::hold_ended() {
  inside_->open_holds.fetch_sub(1, std::memory_order_relaxed);
}

void Housekeeping::denied(DenialEntry entry) {
  {
    const std::lock_guard lock(inside_->mutex);
    inside_->remember(std::move(entry));
  }
  ensure_thread();
}

void Housekeeping::alert(std::function<AlertEvent(bool with_spenders)> make) {
  {
    const std::lock_guard lock(inside_->mutex);
    inside_->alerts.push_back(std::move(make));
    inside_->changed.notify_all();
  }
  ensure_thread();
}

void Housekeeping::load(EncodingPtr encoding) {
  if (!inside_->threaded) {
    static_cast<void>(encoding->count("a"));
    return;
  }
  {
    const std::lock_guard lock(inside_->mutex);
    inside_->to_load = std::move(encoding);
  }
  ensure_thread();
}

void Housekeeping::queue(Settlement settlement, const Error& why) {
  {
    const std::lock_guard lock(inside_->mutex);
    if (!worth_retrying(why)) {
      inside_->give_up(settlement.row, why.message);
    } else if (inside_->settlements.size() >= max_queued) {
      inside_->give_up(settlement.row,
                       std::to_string(max_queued) + " others wait for the store already: " + why.message);
    } else {
      inside_->settlements.push_back(std::move(settlement));
      inside_->urgent = true;
      inside_->changed.notify_all();
    }
  }
  ensure_thread();
}

std::size_t Housekeeping::queued() const {
  const std::lock_guard lock(inside_->mutex);
  return inside_->settlements.size();
}

Status Housekeeping::flush(std::int64_t wait_ms) {
  const auto deadline = SteadyClock::now() + std::chrono::milliseconds(wait_ms);
  const Patience hurries{std::chrono::milliseconds(wait_ms)};
  std::unique_lock lock(inside_->mutex);
  const std::size_t own = inside_->thread.get_id() == std::this_thread::get_id() ? 1 : 0;  // a callback flushes
  for (;;) {
    const bool good = !inside_->waiting() || inside_->work(lock);
    if (!inside_->waiting() && inside_->busy == own) return success();
    if (SteadyClock::now() >= deadline) break;
    inside_->changed.wait_for(lock, good ? std::chrono::milliseconds(1) : std::chrono::milliseconds(50));
  }
  if (inside_->settlements.empty()) return success();
  return Error{Code::store_unavailable, std::to_string(inside_->settlements.size()) +
                                            " settlements could not be written; they are tried again while this "
                                            "process lives, after it their holds expire and are charged"};
}

void Housekeeping::stop(std::int64_t wait_ms) {
  std::thread thread;
  inside_->patience.store(Patience::in(std::chrono::milliseconds(wait_ms)));
  {
    const std::lock_guard lock(inside_->mutex);
    inside_->stopping = true;
    thread.swap(inside_->thread);
    inside_->changed.notify_all();
  }
  if (!thread.joinable()) return;
  if (thread.get_id() == std::this_thread::get_id()) {
    thread.detach();
    const std::lock_guard lock(inside_->mutex);
    inside_->orphaned = true;
  } else {
    thread.join();
  }
}

}  // namespace farthing::guard
