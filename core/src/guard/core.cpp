#include "guard/core.h"

#include <algorithm>

#include "guard/process.h"
#include "report/spenders.h"

namespace farthing::guard {

bool SeenOnce::first(const std::string& id) {
  constexpr std::size_t most = 100'000;
  const std::lock_guard lock(mutex_);
  if (ids_.size() >= most) ids_.clear();
  return ids_.insert(id).second;
}

bool SeenOnce::has(const std::string& id) {
  const std::lock_guard lock(mutex_);
  return ids_.contains(id);
}

void SeenOnce::forget(const std::string& id) {
  const std::lock_guard lock(mutex_);
  ids_.erase(id);
}

Core::OfProcess::OfProcess(const Core& core)
    : generation(fork_generation()),
      store(core.store),
      routes(core.hosts, core.endpoints),
      contexts(core.store, core.policy, core.book, core.key_names),
      learning(core.keys, core.store),
      alerts_wanted(core.options.on_alert != nullptr),
      housekeeping(core.store, core.options, [this](const std::vector<AlertFired>& alerts) {
        tell(alerts);
        queue.settled();
      }) {}

void Core::OfProcess::tell(const std::vector<AlertFired>& alerts) {
  if (alerts.empty() || !alerts_wanted) return;
  auto index = contexts.index();
  if (!index && contexts.reload()) index = contexts.index();
  for (const AlertFired& fired : alerts) {
    AlertEvent event;
    event.cap_id = fired.cap_id;
    event.meter = fired.meter;
    event.threshold = fired.threshold;
    event.limit = fired.limit;
    event.spent = fired.spent;
    event.reserved = fired.reserved;
    event.resets_at_ms = fired.resets_at_ms;
    std::optional<Cap> counted;  // nothing: not registered any more
    if (index) {
      for (const RegisteredCap& registered : index->registry().caps) {
        const Cap& cap = registered.cap;
        if (cap.id != fired.cap_id) continue;
        counted = cap;
        event.words = cap.words();
        event.match = cap.match;
        event.message = cap.message;
        event.help_url = cap.help_url;
        event.owner = cap.owner;
        for (std::size_t i = 0; i < cap.each.size() && i < fired.each_values.size(); ++i)
          event.counter.emplace_back(cap.each[i], fired.each_values[i]);
      }
    }
    housekeeping.alert(
        [ledger = store, event = std::move(event), counted = std::move(counted), fired](bool with_spenders) mutable {
          if (counted && with_spenders)
            event.top_spenders = report::top_spenders(*ledger, *counted, fired.each_values, fired.window_start_ms);
          return std::move(event);
        });
  }
}

std::int64_t Core::OfProcess::stale_streams(std::int64_t now_ms) {
  constexpr std::int64_t look_every_ms = 1'000;
  std::int64_t seen_ms = stale_seen_ms.load();
  if (now_ms - seen_ms < look_every_ms || !stale_seen_ms.compare_exchange_strong(seen_ms, now_ms))
    return stale_seen.load();
  if (const auto holds = store->holds()) {
    stale_seen.store(
        std::count_if(holds->begin(), holds->end(), [&](const HoldView& hold) { return is_stale(hold, now_ms); }));
  }
  return stale_seen.load();
}

Core::Core(Policy own_policy, GuardOptions own_options, std::shared_ptr<Store> own_store,
           std::shared_ptr<const PriceBook> own_book, const std::string& secret)
    : policy(std::move(own_policy)),
      options(std::move(own_options)),
      clock(options.clock),
      store(std::move(own_store)),
      book(std::move(own_book)),
      hosts(policy.hosts),
      endpoints(policy.endpoints),
      tokenizers(policy.tokenizer_files()),
      keys(secret) {}

Core::~Core() {
  OfProcess* mine = here_.load(std::memory_order_acquire);
  // One of a parent is left as it is: its thread is not ours to join, its locks may be held for ever.
  if (mine != nullptr && mine->generation == fork_generation()) delete mine;
}

Core::OfProcess& Core::here() const {
  OfProcess* known = here_.load(std::memory_order_acquire);
  const std::uint64_t generation = fork_generation();
  if (known != nullptr && known->generation == generation) return *known;
  auto made = std::make_unique<OfProcess>(*this);
  if (here_.compare_exchange_strong(known, made.get(), std::memory_order_acq_rel)) return *made.release();
  return *known;  // another thread was first
}

}  // namespace farthing::guard
