#include "guard/process.h"

#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>

#include "farthing/ledger.h"

namespace farthing::guard {
namespace {

std::uint64_t seed() {
  std::uint64_t value = 0;
  if (getrandom(&value, sizeof(value), 0) != static_cast<ssize_t>(sizeof(value))) {
    value = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) ^
            (static_cast<std::uint64_t>(getpid()) << 40U);
  }
  return value;
}

}  // namespace

std::uint64_t random_u64() {
  // splitmix64 over a seed of the kernel's, taken again in a forked child: ids must not repeat there.
  thread_local std::uint64_t state = 0;
  thread_local std::uint64_t seeded_in = 0;
  const std::uint64_t now = fork_generation();
  if (seeded_in != now) {
    state = seed();
    seeded_in = now;
  }
  state += 0x9E3779B97F4A7C15U;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
  return mixed ^ (mixed >> 31U);
}

std::string random_id() {
  return to_text(AttemptId{random_u64()});
}

const std::string& process_name() {
  // Made again in a child; the parent's text stays alive for those who still point at it.
  static std::atomic<const std::string*> name{nullptr};
  static std::atomic<std::uint64_t> made_in{0};
  const std::uint64_t now = fork_generation();
  if (made_in.load(std::memory_order_acquire) != now) {
    std::array<char, 256> host{};
    if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
    name.store(new std::string(std::to_string(getpid()) + "@" + host.data()), std::memory_order_release);
    made_in.store(now, std::memory_order_release);
  }
  return *name.load(std::memory_order_acquire);
}

}  // namespace farthing::guard
