#include "guard/siphash.h"

#include <bit>
#include <cstring>

namespace farthing::guard {

namespace {

std::uint64_t word_at(const void* bytes) {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

}  // namespace

SipHash::SipHash(const SipKey& key) : state_{} {
  const std::uint64_t k0 = word_at(key.data());
  const std::uint64_t k1 = word_at(key.data() + 8);
  state_ = {.v0 = k0 ^ 0x736f6d6570736575U,
            .v1 = k1 ^ 0x646f72616e646f6dU,
            .v2 = k0 ^ 0x6c7967656e657261U,
            .v3 = k1 ^ 0x7465646279746573U};
}

void SipHash::State::round() {
  v0 += v1;
  v2 += v3;
  v1 = std::rotl(v1, 13) ^ v0;
  v3 = std::rotl(v3, 16) ^ v2;
  v0 = std::rotl(v0, 32);
  v2 += v1;
  v0 += v3;
  v1 = std::rotl(v1, 17) ^ v2;
  v3 = std::rotl(v3, 21) ^ v0;
  v2 = std::rotl(v2, 32);
}

void SipHash::State::take(std::uint64_t word) {
  v3 ^= word;
  round();
  round();
  v0 ^= word;
}

void SipHash::add(std::string_view bytes) {
  std::size_t at = 0;
  const auto one = [&] {
    pending_ |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[at++])) << (length_ % 8 * 8);
    if (++length_ % 8 != 0) return;
    state_.take(pending_);
    pending_ = 0;
  };
  while (at < bytes.size() && length_ % 8 != 0)
    one();
  for (; at + 8 <= bytes.size(); at += 8, length_ += 8)
    state_.take(word_at(bytes.data() + at));
  while (at < bytes.size())
    one();
}

std::uint64_t SipHash::value() const {
  State last = state_;
  last.take(pending_ | length_ << 56U);
  last.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i)
    last.round();
  return last.v0 ^ last.v1 ^ last.v2 ^ last.v3;
}

}  // namespace farthing::guard
