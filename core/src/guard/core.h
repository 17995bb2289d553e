// Core: what all attempts of one guard share: store, policy, price book, hosts, keys, caches, the line of waiters, the
// background thread.
// Thread-safety: every member from any thread.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "farthing/guard.h"
#include "guard/client.h"
#include "guard/contexts.h"
#include "guard/hold_queue.h"
#include "guard/housekeeping.h"
#include "guard/keys.h"
#include "guard/receipts.h"
#include "store/store.h"
#include "wire/wire.h"

namespace farthing::guard {

/// Ids that were counted once: of actions and runs, for the meters of these names (R10). Forgets the oldest half when full.
class SeenOnce {
 public:
  bool first(const std::string& id);

 private:
  std::mutex mutex_;
  std::unordered_set<std::string> ids_;
};

struct Core {
  Core(Policy own_policy, GuardOptions own_options, std::shared_ptr<Store> own_store,
       std::shared_ptr<const PriceBook> own_book, const std::string& secret);

  const Policy policy;
  const GuardOptions options;
  const std::shared_ptr<Clock> clock;
  const std::shared_ptr<Store> store;
  const std::shared_ptr<const PriceBook> book;
  const HostTable hosts;
  const KeyHasher keys;
  Contexts contexts;
  HoldQueue queue;
  Receipts receipts;
  SeenOnce seen;
  Housekeeping housekeeping;
  std::atomic<std::uint64_t> serial{1};
};

}  // namespace farthing::guard
