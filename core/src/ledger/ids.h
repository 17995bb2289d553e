// IdMaker: attempt ids that grow with time and are never the same for two live processes of a store.
//
// An id has 41 bits of milliseconds since 2024, 11 bits of the process's slot in the store, 11 bits of a sequence. Rows
// of a store are kept by id, so new ones land side by side (stores: touched pages are what a call costs).
// Thread-safety: all methods may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "farthing/ledger.h"

namespace farthing {

class IdMaker {
 public:
  explicit IdMaker(std::uint32_t slot) : slot_(slot & 0x7ffU) {}
  /// Later than every id it made before, also when the clock went back.
  AttemptId next(std::int64_t now_ms);

 private:
  std::uint32_t slot_;
  std::atomic<std::uint64_t> last_{0};  // milliseconds since 2024, then the sequence
};

/// The smallest id of an instant: rows reserved since then have larger ones.
AttemptId first_id_of(std::int64_t unix_ms);
/// When an id was made.
std::int64_t made_ms(AttemptId id);

}  // namespace farthing
