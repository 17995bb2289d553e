#include "store/file/read_aside.h"

#include <atomic>
#include <mutex>
#include <thread>

#include "ledger/fork.h"
#include "store/file/database.h"
#include "store/file/ledger_columns.h"
#include "store/fork_pause.h"

namespace farthing {

namespace {

/// Held by who reads aside, for a row at a time: a fork in the middle of one would leave SQLite's allocator locked in the child,
/// which would stand still for good (R36).
std::mutex& reading() {
  struct Own {
    std::uint64_t generation;
    std::mutex mutex;
  };
  static std::atomic<Own*> own{nullptr};
  const std::uint64_t generation = fork_generation();
  Own* now = own.load(std::memory_order_acquire);
  if (now != nullptr && now->generation == generation) return now->mutex;
  // A child's first: that of the parent may be held by a thread that does not live on here, and is left.
  auto* made = new Own{generation, {}};
  if (own.compare_exchange_strong(now, made, std::memory_order_acq_rel)) return made->mutex;
  delete made;
  return now->mutex;
}

}  // namespace

Status read_aside(const std::string& path, const LedgerFilter& filter, std::optional<AttemptId> before,
                  const std::function<bool(const LedgerRow&)>& visit) {
  static const auto* const pause = new ForkPause(reading);  // never destroyed: a fork may come while the program ends
  static_cast<void>(pause);
  std::unique_lock step(reading());
  Connection reader;
  if (const Status done = reader.open(path, true); !done) return done;
  return scan_ledger(reader, filter, before, [&](const LedgerRow& row) {
    step.unlock();
    while (fork_is_waiting())
      std::this_thread::yield();
    const bool more = visit(row);
    step.lock();
    return more;
  });
}

}  // namespace farthing
