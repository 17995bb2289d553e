// Housekeeping: what a guard does beside the path of calls: keeps its holds alive and charges expired ones (R17), writes
// settlements that the store could not take (R26) and the log of refusals (R2), hands alerts to the callback (R35), keeps
// the store's file small, and loads what counting needs.
//
// One thread, started by the first call; it sleeps while nothing is held and nothing waits.
// Thread-safety: every method from any thread. Store and callback are called without a lock.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "farthing/guard.h"
#include "farthing/tokens.h"
#include "store/store.h"

namespace farthing::guard {

/// How often the thread does what.
struct Rhythm {
  std::chrono::milliseconds turn{500};
  std::chrono::milliseconds renew{30'000};  // R17
  std::chrono::milliseconds sweep{30'000};
};

class Housekeeping {
 public:
  /// `ended`: holds were settled or expired here, off the path of their calls, and these alerts were recorded with it.
  Housekeeping(std::shared_ptr<Store> store, const GuardOptions& options,
               std::function<void(const std::vector<AlertFired>&)> ended, Rhythm rhythm = {});
  ~Housekeeping();
  Housekeeping(const Housekeeping&) = delete;
  Housekeeping& operator=(const Housekeeping&) = delete;

  void hold_opened();
  void hold_ended();
  /// Equal refusals are one entry with a count: layers above an SDK repeat them.
  void denied(DenialEntry entry);
  /// `make` runs on the thread: what an alert tells of the ledger is not read on the path of a call.
  void alert(std::function<AlertEvent(bool with_spenders)> make);
  /// Loads a vocabulary, so that no call waits for it; without a thread at once.
  void load(EncodingPtr encoding);
  /// A settlement that the store could not take. Beyond `max_queued`, or where trying again cannot help, it is left to
  /// expire, so that its hold is charged, and a warning says so.
  void queue(Settlement settlement, const Error& why);
  std::size_t queued() const;
  static constexpr std::size_t max_queued = 10'000;

  /// Writes what waits, trying for at most `wait_ms`; no step of the store is waited for longer.
  Status flush(std::int64_t wait_ms);
  /// Ends the thread, waiting at most `wait_ms` for a step of the store that it is in. Idempotent.
  void stop(std::int64_t wait_ms = 1'000);

 private:
  struct Inside;
  void ensure_thread();

  std::shared_ptr<Inside> inside_;
};

}  // namespace farthing::guard
