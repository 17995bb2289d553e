// TurnWord: whose turn it is, and the one thing that was asked for meanwhile. One thread at a time works; `ask` comes from any
// thread, finalizers in the middle of their own thread's turn included: it never blocks, and what it asks is never lost.
//
//   word.take();  ... work ...  word.give_back([&](unsigned asked) { ... });
//   if (word.ask(3)) { ... do it ... word.give_back(...); }     // else who has the turn does it when giving it back
//
// Thread-safety: take from one thread at a time, ask from any.
#pragma once

#include <atomic>
#include <cstdint>

namespace farthing::guard {

class TurnWord {
 public:
  /// Waits for what an asker does.
  void take() {
    for (;;) {
      std::uint32_t free = 0;
      if (word_.compare_exchange_weak(free, taken, std::memory_order_acquire)) return;
      if (free != 0) word_.wait(free, std::memory_order_relaxed);
    }
  }

  /// True: the turn is now the asker's, who does it. False: who has the turn will. The first who asks counts.
  bool ask(std::uint32_t what) {
    std::uint32_t seen = word_.load(std::memory_order_relaxed);
    for (;;) {
      if ((seen & taken) == 0) {
        if (word_.compare_exchange_weak(seen, taken, std::memory_order_acquire)) return true;
      } else if (seen != taken ||
                 word_.compare_exchange_weak(seen, taken | ((what + 1) << shift), std::memory_order_release)) {
        return false;
      }
    }
  }

  /// Ends the turn; what was asked during it is done before.
  template <class Do>
  void give_back(const Do& work) {
    std::uint32_t seen = taken;
    while (!word_.compare_exchange_strong(seen, 0, std::memory_order_acq_rel)) {
      // It stays asked while it is done: what is asked again is the same end.
      work((seen >> shift) - 1);
      word_.store(taken, std::memory_order_relaxed);
      seen = taken;
    }
    word_.notify_one();
  }

 private:
  static constexpr std::uint32_t taken = 1;
  static constexpr unsigned shift = 8;
  std::atomic<std::uint32_t> word_{0};
};

}  // namespace farthing::guard
