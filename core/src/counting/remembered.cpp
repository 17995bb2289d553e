#include "counting/remembered.h"

#include <algorithm>

namespace farthing::counting {
namespace {

class Use {
 public:
  explicit Use(std::atomic_flag& busy) : busy_(busy), mine_(!busy.test_and_set(std::memory_order_acquire)) {}
  ~Use() {
    if (mine_) busy_.clear(std::memory_order_release);
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  explicit operator bool() const { return mine_; }

 private:
  std::atomic_flag& busy_;
  const bool mine_;
};

}  // namespace

Remembered& Remembered::of_process() {
  static Remembered all;
  return all;
}

Remembered::Set& Remembered::set_of(const Place& place) {
  // The low bits of a product of two words are not even; the high ones of this are.
  constexpr std::uint64_t odd = 0x9E37'79B9'7F4A'7C15U;
  const std::uint64_t mixed = (place.hashed.low ^ place.hashed.high ^ place.rule) * odd;
  return sets_[mixed >> 52U];
}

std::optional<Sum> Remembered::find(const Place& place) {
  Set& set = set_of(place);
  const Use use(set.busy);
  if (!use) return std::nullopt;
  const auto found =
      std::find_if(set.entries.begin(), set.entries.end(), [&](const Entry& entry) { return entry.place == place; });
  return found == set.entries.end() ? std::nullopt : std::optional(found->sum);
}

void Remembered::keep(const Place& place, const Sum& sum) {
  Set& set = set_of(place);
  const Use use(set.busy);
  if (!use) return;
  set.entries[set.next] = {place, sum};
  set.next = static_cast<std::uint8_t>((set.next + 1) % ways);
}

}  // namespace farthing::counting
