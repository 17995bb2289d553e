#include "counting/keyed_hash.h"

#include <cstddef>
#include <cstring>
#include <random>

namespace farthing::counting {

KeyedHash::KeyedHash(const Key& key) {
  constexpr std::uint8_t nonce = 0;
  umac128_set_key(&keyed_, key.data());
  umac128_set_nonce(&keyed_, sizeof nonce, &nonce);
}

const KeyedHash& KeyedHash::of_process() {
  static const KeyedHash hash = [] {
    std::random_device random;
    Key key;
    for (std::uint8_t& byte : key)
      byte = static_cast<std::uint8_t>(random());
    return KeyedHash(key);
  }();
  return hash;
}

Hashed KeyedHash::operator()(std::string_view text) const {
  umac128_ctx hash;
  std::memcpy(&hash, &keyed_, offsetof(umac128_ctx, block));  // the rest is for a text's bytes
  umac128_update(&hash, text.size(), reinterpret_cast<const std::uint8_t*>(text.data()));
  std::array<std::uint8_t, UMAC128_DIGEST_SIZE> digest;
  umac128_digest(&hash, digest.size(), digest.data());
  Hashed hashed{.size = text.size()};
  std::memcpy(&hashed.high, digest.data(), sizeof hashed.high);
  std::memcpy(&hashed.low, digest.data() + sizeof hashed.high, sizeof hashed.low);
  return hashed;
}

}  // namespace farthing::counting
