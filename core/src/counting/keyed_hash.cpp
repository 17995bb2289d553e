#include "counting/keyed_hash.h"

#include <algorithm>
#include <cstring>
#include <random>

namespace farthing::counting {
namespace {

__extension__ typedef unsigned __int128 Wide;

constexpr std::size_t block_words = 128;
constexpr std::size_t block_bytes = block_words * sizeof(std::uint64_t);
/// The field of the polynomial: 2^127 - 1, a prime.
constexpr Wide prime = (Wide{1} << 127U) - 1;

Wide reduced(Wide value) {
  return (value & prime) + (value >> 127U);
}

/// a × b in the field; both below 2^127. The result is below 2^127 + 1, and may be the prime itself for 0.
Wide product(Wide a, Wide b) {
  const auto low = [](Wide value) { return static_cast<Wide>(static_cast<std::uint64_t>(value)); };
  const Wide a_high = a >> 64U;
  const Wide b_high = b >> 64U;
  const Wide middle = low(a) * b_high + a_high * low(b);  // below 2^128: the high halves are below 2^63
  // 2^127 is 1, so 2^128 is 2.
  Wide sum = reduced(reduced(low(a) * low(b)) + reduced(middle << 64U));
  sum = reduced(sum + 2 * (middle >> 64U));
  return reduced(sum + 2 * (a_high * b_high));
}

std::uint64_t word_at(const char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

/// Pairs of words, each with a word of the key: NH.
Wide of_pairs(const char* at, std::size_t words, const std::uint64_t* key) {
  Wide sum = 0;
  for (std::size_t i = 0; i < words; i += 2)
    sum += static_cast<Wide>(word_at(at + 8 * i) + key[i]) * (word_at(at + 8 * i + 8) + key[i + 1]);
  return sum;
}

}  // namespace

const KeyedHash& KeyedHash::of_process() {
  static const KeyedHash hash = [] {
    std::random_device random;
    Key key;
    for (std::uint64_t& word : key)
      word = std::uint64_t{random()} << 32U | random();
    return KeyedHash(key);
  }();
  return hash;
}

Hashed KeyedHash::operator()(std::string_view text) const {
  constexpr Wide mask = (Wide{1} << 126U) - 1;
  const Wide point = reduced((static_cast<Wide>(key_[128] >> 1U) << 64U) | key_[129]);
  Wide hash = 0;
  std::string_view rest = text;
  for (; rest.size() >= block_bytes; rest.remove_prefix(block_bytes))
    hash = reduced(product(hash, point) + (of_pairs(rest.data(), block_words, key_.data()) & mask));
  if (!rest.empty()) {
    // Zeros behind the end: texts of one length have them at the same places.
    alignas(8) std::array<char, block_bytes> padded;
    const std::size_t words = (rest.size() + 15) / 16 * 2;
    std::memcpy(padded.data(), rest.data(), rest.size());
    std::fill(padded.begin() + static_cast<std::ptrdiff_t>(rest.size()),
              padded.begin() + static_cast<std::ptrdiff_t>(words * sizeof(std::uint64_t)), '\0');
    hash = reduced(product(hash, point) + (of_pairs(padded.data(), words, key_.data()) & mask));
  }
  if (hash == prime) hash = 0;
  return {static_cast<std::uint64_t>(hash >> 64U), static_cast<std::uint64_t>(hash), text.size()};
}

}  // namespace farthing::counting
