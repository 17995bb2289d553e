// Clock: where time comes from; injected, so that tests and the simulator own it.
// Thread-safety: all methods may be called from any thread.
#pragma once

#include <cstdint>
#include <memory>

namespace farthing {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Unix time in ms; may jump.
  virtual std::int64_t wall_ms() = 0;
  /// The same as of the kernel's last tick, some ms ago at most, for a fifth of the time.
  virtual std::int64_t rough_wall_ms() { return wall_ms(); }
  /// Milliseconds on a clock that only goes forward, suspended time included (CLOCK_BOOTTIME).
  virtual std::int64_t boot_ms() = 0;
  /// Changes at each boot of the machine (a hash of the kernel's boot id).
  virtual std::uint64_t boot_id() = 0;
};

std::shared_ptr<Clock> system_clock();

}  // namespace farthing
