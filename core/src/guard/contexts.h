// Contexts: what is the same for many calls, worked out once: labels, the model in the book, the plan of caps, the texts
// of ledger rows. Found again by what they depend on; thrown away when the registry changes (R6).
//
//   CalledBy by{.binding = *binding, .scope = *scope, .host = "api.openai.com", .dialect = dialect, .asked = "gpt-5-mini", ...};
//   std::shared_ptr<const CallPlan> plan = *contexts.find(by);
//   store.reserve({.plan = &plan->plan, ...}) -> PolicyChanged -> contexts.reload(), find again
//
// Thread-safety: every method from any thread; a CallPlan is immutable but for its cache, which locks.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "farthing/ledger.h"
#include "farthing/policy.h"
#include "farthing/prices.h"
#include "farthing/scope.h"
#include "guard/client.h"
#include "policy/plan.h"
#include "store/store.h"
#include "wire/wire.h"

namespace farthing::guard {

/// Everything that a call's labels, plan and price depend on.
struct CalledBy {
  const Binding& binding;
  const Scope& scope;
  std::string_view host;
  const HostFacts& host_facts;
  const Dialect& dialect;
  std::string_view asked;          // the model or deployment as asked
  std::string_view key_id;         // "" = no key
  const Pieces* pieces = nullptr;  // of images and videos: the labels size, quality, resolution
  bool retry = false;              // attempt_kind
};

class CallPlan {
 public:
  std::shared_ptr<const CallContext> context;  // without rates
  const Model* model = nullptr;                // null: not in the book
  Plan plan;
  bool money_capped = false;   // runs aside: a cap on usd matches
  bool output_capped = false;  // ... on usd, output_tokens or tokens

  /// A cap with a counter matches that counts this.
  bool counts(Meter meter) const;
  bool counts_tokens() const;
  /// Why the store need not be asked: a halt, a label that a cap wants, too many counters.
  std::optional<Error> barred() const;
  /// The context with the rates that a settlement used; made once for each set of rates.
  std::shared_ptr<const CallContext> priced_by(const RateSet& rates) const;

 private:
  mutable std::mutex mutex_;
  mutable std::vector<std::pair<RateSet, std::shared_ptr<const CallContext>>> priced_;
};

/// Which `[[api_key]]` of the policy a key id belongs to, by place.
using KeyNames = std::unordered_map<std::string, std::size_t>;

class Contexts {
 public:
  Contexts(std::shared_ptr<Store> store, const Policy& policy, std::shared_ptr<const PriceBook> book,
           const KeyNames& key_names);

  /// The error is the store's: the registry could not be read.
  Result<std::shared_ptr<const CallPlan>> find(const CalledBy& by);
  /// Reads the registry again. True where its revision is another than before.
  Result<bool> reload();
  /// The registry as it was read last; null before the first time.
  std::shared_ptr<const CapIndex> index() const;

  /// The model that a text asks for: deployments of the client, then of the host, then the book.
  const Model* model_of(const CalledBy& by, std::string* resolved = nullptr) const;
  /// All labels of a call: bound, ambient, of the key, of the policy, then those that Farthing sets (R29).
  Labels labels_of(const CalledBy& by) const;

 private:
  struct Key {
    std::uint64_t binding = 0;
    Labels labels;  // the scope's
    std::string host, asked, key_id;
    std::string size, quality, resolution;
    const Dialect* dialect = nullptr;
    bool retry = false;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Key& key) const;
    std::size_t operator()(const CalledBy& by) const;
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Key& a, const Key& b) const;
    bool operator()(const CalledBy& by, const Key& key) const;
    bool operator()(const Key& key, const CalledBy& by) const { return (*this)(by, key); }
  };

  std::shared_ptr<const CallPlan> make(const CalledBy& by, const CapIndex& index, std::int64_t now_ms) const;

  const std::shared_ptr<Store> store_;
  const Policy& policy_;
  const std::shared_ptr<const PriceBook> book_;
  const KeyNames& key_names_;

  mutable std::shared_mutex mutex_;  // guards what follows
  std::shared_ptr<const CapIndex> index_;
  std::int64_t index_now_ms_ = 0;
  std::unordered_map<Key, std::shared_ptr<const CallPlan>, Hash, Equal> plans_;
};

}  // namespace farthing::guard
