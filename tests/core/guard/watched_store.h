// WatchedStore: a real store whose steps a test looks at: it may do something in the middle of a call, or take the store away.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "store/store.h"

namespace farthing::test {

class WatchedStore : public Store {
 public:
  explicit WatchedStore(std::shared_ptr<Store> inner) : inner_(std::move(inner)) {}

  /// What is called before each step with its name; an error is the step's answer, and the step is not taken. A test may change
  /// it while a thread of the guard asks.
  class Watch {
   public:
    using Function = std::function<std::optional<Error>(const char* step)>;
    Watch& operator=(Function function) {
      const std::lock_guard lock(mutex_);
      function_ = std::move(function);
      return *this;
    }
    std::optional<Error> operator()(const char* step) {
      Function function;
      {
        const std::lock_guard lock(mutex_);
        function = function_;
      }
      return function ? function(step) : std::nullopt;
    }

   private:
    std::mutex mutex_;
    Function function_;
  };
  Watch before;

  const StoreInfo& info() const override { return inner_->info(); }
  AttemptId next_id() override { return inner_->next_id(); }
  ReserveAnswer reserve(const ReserveRequest& request) override {
    if (auto error = before("reserve")) return std::move(*error);
    return inner_->reserve(request);
  }
  Result<Settled> settle(Settlement& settlement) override {
    if (auto error = before("settle")) return std::move(*error);
    return inner_->settle(settlement);
  }
  Result<std::optional<Learned>> learned(std::uint64_t key) override {
    if (auto error = before("learned")) return std::move(*error);
    return inner_->learned(key);
  }
  Result<std::optional<JobView>> find_job(const std::string& host, const std::string& id) override {
    if (auto error = before("find_job")) return std::move(*error);
    return inner_->find_job(host, id);
  }
  Result<std::optional<std::string>> find_batch_file(const std::string& host, const std::string& id) override {
    if (auto error = before("find_batch_file")) return std::move(*error);
    return inner_->find_batch_file(host, id);
  }
  Result<std::vector<JobView>> jobs(const JobFilter& filter) override { return inner_->jobs(filter); }
  Result<Settled> end_job(const std::string& host, const std::string& id, std::optional<Usd> actual,
                          const std::string& who, const std::string& why) override {
    return inner_->end_job(host, id, actual, who, why);
  }
  Result<Settled> adjust(const Adjustment& adjustment) override { return inner_->adjust(adjustment); }
  Result<Settled> book(const LedgerRow& row, const Plan& plan) override { return inner_->book(row, plan); }
  Result<Registry> registry() override {
    if (auto error = before("registry")) return std::move(*error);
    return inner_->registry();
  }
  Result<Applied> apply(const Policy& policy, bool force, const std::string& who, const std::string& why,
                        bool look_only) override {
    if (auto error = before("apply")) return std::move(*error);
    return inner_->apply(policy, force, who, why, look_only);
  }
  Result<PolicyChange> remove_document(const std::string& name, const std::string& who, const std::string& why,
                                       bool look_only) override {
    return inner_->remove_document(name, who, why, look_only);
  }
  Status set_override(const Override& change) override { return inner_->set_override(change); }
  Status clear_override(const std::string& cap_id, const std::vector<std::string>& each_values, const std::string& who,
                        const std::string& why) override {
    return inner_->clear_override(cap_id, each_values, who, why);
  }
  Result<Halt> halt(const Halt& halt) override { return inner_->halt(halt); }
  Status resume(std::optional<std::int64_t> id, const std::string& who, const std::string& why) override {
    return inner_->resume(id, who, why);
  }
  Result<std::vector<Change>> changes(std::size_t most) override { return inner_->changes(most); }
  Result<std::vector<CounterView>> counters(const std::optional<std::string>& cap_id) override {
    return inner_->counters(cap_id);
  }
  Result<std::optional<CounterView>> run(const std::string& id) override { return inner_->run(id); }
  Result<std::vector<HoldView>> holds() override { return inner_->holds(); }
  Status ledger(const LedgerFilter& filter, const std::function<bool(const LedgerRow&)>& visit) override {
    return inner_->ledger(filter, visit);
  }
  Result<std::vector<DenialEntry>> denials(std::size_t most) override { return inner_->denials(most); }
  Status add_denials(const std::vector<DenialEntry>& entries) override {
    if (auto error = before("add_denials")) return std::move(*error);
    return inner_->add_denials(entries);
  }
  Result<std::vector<AlertFired>> alerts(std::size_t most) override { return inner_->alerts(most); }
  Result<std::string> secret() override { return inner_->secret(); }
  Status renew() override {
    if (auto error = before("renew")) return std::move(*error);
    return inner_->renew();
  }
  Result<Swept> sweep() override {
    if (auto error = before("sweep")) return std::move(*error);
    return inner_->sweep();
  }
  Status checkpoint() override { return inner_->checkpoint(); }
  Result<std::int64_t> now_ms() override { return inner_->now_ms(); }
  Status reset_clock(const std::string& who, const std::string& why) override { return inner_->reset_clock(who, why); }
  void close() override { inner_->close(); }

 private:
  std::shared_ptr<Store> inner_;
};

}  // namespace farthing::test
