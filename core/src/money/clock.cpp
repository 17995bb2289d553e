#include "farthing/clock.h"

#include <ctime>
#include <fstream>
#include <random>
#include <string>

namespace farthing {
namespace {

std::int64_t read_ms(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000 + now.tv_nsec / 1'000'000;
}

std::uint64_t read_boot_id() {
  std::string text;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> text;
  if (text.empty()) {
    // No way to tell one boot from the next: an id that no other process has. Store time is then the clock or the
    // highest time seen, never a boot clock of another boot (R12).
    std::random_device random;
    return (static_cast<std::uint64_t>(random()) << 32) | random();
  }
  std::uint64_t hash = 14'695'981'039'346'656'037ULL;  // FNV-1a
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211ULL;
  return hash;
}

class SystemClock final : public Clock {
 public:
  std::int64_t wall_ms() override { return read_ms(CLOCK_REALTIME); }
  std::int64_t rough_wall_ms() override { return read_ms(CLOCK_REALTIME_COARSE); }
  std::int64_t boot_ms() override { return read_ms(CLOCK_BOOTTIME); }
  std::uint64_t boot_id() override { return boot_id_; }

 private:
  const std::uint64_t boot_id_ = read_boot_id();
};

}  // namespace

std::shared_ptr<Clock> system_clock() {
  static const std::shared_ptr<Clock> clock = std::make_shared<SystemClock>();
  return clock;
}

}  // namespace farthing
