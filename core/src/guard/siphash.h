// SipHash-2-4: a quick keyed hash. Who does not have the key cannot find out from a hash what was hashed, nor make two texts
// that have the same. Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012.
//
//   SipHash hash(key);
//   hash.add("gpt-5-mini");
//   std::uint64_t value = hash.value();
//
// Thread-safety: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace farthing::guard {

using SipKey = std::array<std::uint8_t, 16>;

class SipHash {
 public:
  explicit SipHash(const SipKey& key);
  /// What is added in two pieces is as if it were added in one.
  void add(std::string_view bytes);
  std::uint64_t value() const;

 private:
  struct State {
    std::uint64_t v0, v1, v2, v3;
    void round();
    void take(std::uint64_t word);
  } state_;
  std::uint64_t pending_ = 0;  // the bytes that do not make a word yet
  std::uint64_t length_ = 0;
};

}  // namespace farthing::guard
