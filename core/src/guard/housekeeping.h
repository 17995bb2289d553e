// Housekeeping: what a guard does beside the path of calls: keeps its holds alive (R17), writes settlements that the store
// could not take (R26), the log of refusals (R2), alerts to the callback (R35), checkpoints.
//
// One thread, started with the first call, again in a forked child.
// Thread-safety: every method from any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "farthing/guard.h"
#include "store/store.h"

namespace farthing::guard {

class Housekeeping {
 public:
  Housekeeping(std::shared_ptr<Store> store, std::shared_ptr<Clock> clock, bool threaded,
               std::function<void(const AlertEvent&)> on_alert);
  ~Housekeeping();

  void hold_opened();
  void hold_ended();
  void denied(DenialEntry entry);
  void alert(AlertEvent event);
  /// A settlement that the store refused for now.
  void queue(Settlement settlement);
  std::size_t queued() const;

  /// Writes what waits, for at most `wait_ms`.
  Status flush(std::int64_t wait_ms);
  void stop();

 private:
  struct Inside;
  void ensure_thread();
  static void run(const std::shared_ptr<Inside>& inside);
  static bool work(Inside& inside, std::unique_lock<std::mutex>& lock);

  std::shared_ptr<Inside> inside_;
};

}  // namespace farthing::guard
