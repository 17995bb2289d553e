// Core: what all attempts of one guard share: store, policy, price book, hosts, keys; and, for each process, caches, the
// line of waiters, receipts, what was learnt and the background thread.
// Thread-safety: every member from any thread.
#pragma once

#include <atomic>
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
#include "guard/learning.h"
#include "guard/receipts.h"
#include "guard/routes.h"
#include "store/store.h"
#include "wire/wire.h"

namespace farthing::guard {

/// Ids of actions and runs that were counted, for the meters of these names (R10). Forgets all when full: an id that old is
/// not used again.
class SeenOnce {
 public:
  bool first(const std::string& id);
  bool has(const std::string& id);
  /// What was counted was taken back.
  void forget(const std::string& id);

 private:
  std::mutex mutex_;
  std::unordered_set<std::string> ids_;
};

struct Core {
  /// What changes. A forked child has its own (R36): the parent's locks may have been held by threads that it has not.
  struct OfProcess {
    explicit OfProcess(const Core& core);

    /// Hands alerts that the store recorded to the callback (R35), from its thread.
    void tell(const std::vector<AlertFired>& alerts);
    /// R17: calls on the store that are open for so long that nobody may read them. All holds are read for it, so that those who
    /// are refused in a loop are told what was found within the last second.
    std::int64_t stale_streams(std::int64_t now_ms);

    const std::uint64_t generation;
    const std::shared_ptr<Store> store;
    Routes routes;
    Contexts contexts;
    HoldQueue queue;
    Receipts receipts;
    SeenOnce seen;
    Learning learning;
    const bool alerts_wanted;
    Housekeeping housekeeping;
    std::atomic<std::int64_t> stale_seen_ms{0};
    std::atomic<std::int64_t> stale_seen{0};
    std::atomic<bool> told_of_cut{false};  // "our output limit cut an answer": once
  };

  Core(Policy own_policy, GuardOptions own_options, std::shared_ptr<Store> own_store,
       std::shared_ptr<const PriceBook> own_book, const std::string& secret);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  /// This process's part.
  OfProcess& here() const;

  const Policy policy;
  const GuardOptions options;
  const std::shared_ptr<Clock> clock;
  const std::shared_ptr<Store> store;
  const std::shared_ptr<const PriceBook> book;
  const HostTable hosts;
  const EndpointTable endpoints;
  const Tokenizers tokenizers;
  const KeyHasher keys;
  KeyNames key_names;  // filled by open, constant after
  mutable std::atomic<std::uint64_t> serial{1};

 private:
  mutable std::atomic<OfProcess*> here_{nullptr};
};

}  // namespace farthing::guard
