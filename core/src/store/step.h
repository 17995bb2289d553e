// LocalStore::Step: the store's lock, one atomic step of its tables, and the store's time in it (R12).
// Thread-safety: one thread.
#pragma once

#include <mutex>
#include <optional>

#include "ledger/fork.h"
#include "store/local_store.h"
#include "store/no_fork.h"

namespace farthing {

class LocalStore::Step {
 public:
  explicit Step(LocalStore& store) : store_(store), lock_(store.lock()) {
    if (!lock_.owns_lock()) {
      status_ = Error{Code::store_busy, "another thread has the store " + store.info_.location + " just now"};
      return;
    }
    if (store.closed_) {
      status_ = Error{Code::closed, "the store " + store.info_.location + " was closed"};
      return;
    }
    const bool forked = store.owner_.load() != fork_generation();
    if (forked) status_ = store.take_over_after_fork();
    if (status_) status_ = store.tables_->begin();
    if (!status_) return;
    if (store.tables_->is_for_children())
      no_fork_.emplace();  // what is kept beside the tables, a child takes over as well
    open_ = true;
    auto state = store.tables_->state();
    if (!state) {
      status_ = state.error();
      return;
    }
    state_ = stored_ = *state;
    now_ms_ = store.store_time(state_);
    if (store.process_ == 0) {
      store.take_slot(state_);
      took_slot_ = true;
    }
  }
  ~Step() {
    if (open_) store_.tables_->rollback();
    if (took_slot_) store_.process_ = 0;  // rolled back with the step: another process may take it
  }
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

  const Status& status() const { return status_; }
  std::int64_t now_ms() const { return now_ms_; }
  /// Only to go back (reset_clock).
  void set_now(std::int64_t now_ms) { now_ms_ = now_ms; }
  StoreState& state() { return state_; }
  Tables& tables() { return *store_.tables_; }

  Status commit() {
    if (state_ != stored_) {
      if (const Status saved = tables().set_state(state_); !saved) return saved;
    }
    open_ = false;
    const Status done = tables().commit();
    if (done && took_slot_) {
      took_slot_ = false;
      store_.ids_of_.store(fork_generation(), std::memory_order_release);
    }
    return done;
  }

 private:
  LocalStore& store_;
  std::unique_lock<std::mutex> lock_;
  std::optional<NoFork> no_fork_;
  Status status_ = success();
  StoreState state_;
  StoreState stored_;
  std::int64_t now_ms_ = 0;
  bool open_ = false;
  bool took_slot_ = false;
};

}  // namespace farthing
