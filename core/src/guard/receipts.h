// Receipts: the newest ones of this process, by the provider's response and request ids and by the attempt's id.
//
// Every call puts one, few are looked at: what was left on the caps is put into words when somebody asks, and ids are
// found by going through hashes, the newest first (microseconds), so that a call pays for no index.
// Thread-safety: every method from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "farthing/receipt.h"
#include "guard/contexts.h"
#include "store/store.h"

namespace farthing::guard {

/// A receipt whose `left` is not written yet.
struct KeptReceipt {
  Receipt facts;
  std::shared_ptr<const CallContext> context;
  std::vector<Remaining> remaining;
  std::shared_ptr<const void> keep;  // the caps of `remaining`
  std::vector<std::pair<std::string, std::string>> runs;

  Receipt whole() const;
};

class Receipts {
 public:
  static constexpr std::size_t max_kept = 10'000;

  void put(std::shared_ptr<const KeptReceipt> receipt);
  std::optional<Receipt> find(std::string_view id) const;

 private:
  mutable std::mutex mutex_;
  // Rings of the same length; `next_` is the place after the newest.
  std::vector<std::shared_ptr<const KeptReceipt>> kept_;
  std::vector<std::array<std::size_t, 3>> hashes_;
  std::size_t next_ = 0;
};

}  // namespace farthing::guard
