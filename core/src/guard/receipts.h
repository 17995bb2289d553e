// Receipts: the newest ones of this process, by the provider's response and request ids and by the attempt's id.
// Thread-safety: every method from any thread.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "farthing/receipt.h"

namespace farthing::guard {

class Receipts {
 public:
  static constexpr std::size_t max_kept = 10'000;

  void put(std::shared_ptr<const Receipt> receipt);
  std::optional<Receipt> find(std::string_view id) const;

 private:
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const Receipt>> kept_;  // oldest first
  std::unordered_map<std::string, std::shared_ptr<const Receipt>> by_id_;
};

}  // namespace farthing::guard
