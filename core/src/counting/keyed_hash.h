// KeyedHash: 128 bits that stand for a text in a table, under a key that this process draws. Two different texts have the
// same ones with a chance of about 2^-120, however they were chosen: nobody who does not know the key can make them (UMAC-128,
// RFC 4418, with one nonce for all, since nobody sees a hash). Many times as fast as counting.
//
//   const Hashed hashed = KeyedHash::of_process()(text);
//
// Thread-safety: immutable after construction.
#pragma once

#include <nettle/umac.h>

#include <array>
#include <cstdint>
#include <string_view>

namespace farthing::counting {

struct Hashed {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::uint64_t size = 0;  // of the text, in bytes
  bool operator==(const Hashed&) const = default;
};

class KeyedHash {
 public:
  using Key = std::array<std::uint8_t, UMAC_KEY_SIZE>;

  explicit KeyedHash(const Key& key);
  static const KeyedHash& of_process();

  Hashed operator()(std::string_view text) const;

 private:
  umac128_ctx keyed_{};  // copied for each hash
};

}  // namespace farthing::counting
