// Pairs: the ranks of joining two tokens that were looked up while texts are merged. They repeat their letters: finding a
// pair here, or that it has no rank, is faster than hashing its bytes and searching the vocabulary.
//
//   Pairs pairs;                                    // of one encoding; remembers nothing until it has grown
//   pairs.grow(text.size());
//   std::uint32_t rank = pairs.rank(left, right, [&] { return vocabulary.rank(bytes); });
//
// Thread-safety: of one thread.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace farthing::tokens_detail {

class Pairs {
 public:
  /// For a text of so many bytes.
  void grow(std::size_t text_size) {
    const std::size_t wanted = std::bit_floor(std::clamp<std::size_t>(text_size / 8, 1024, 8192));
    if (places_.size() < wanted) places_.assign(wanted, Place{});
  }
  /// Of two tokens by their ids: `look_up` is called where it is not known.
  template <class LookUp>
  std::uint32_t rank(std::uint32_t left, std::uint32_t right, LookUp look_up) {
    if (places_.empty()) return look_up();
    Place& place = places_[(left * 0x9E3779B1U ^ right * 0x85EBCA6BU) >> 16 & (places_.size() - 1)];
    if (place.left != left || place.right != right) place = {left, right, look_up()};
    return place.rank;
  }

 private:
  struct Place {
    std::uint32_t left = 0xFFFFFFFF;  // no id
    std::uint32_t right = 0;
    std::uint32_t rank = 0;
  };
  std::vector<Place> places_;
};

}  // namespace farthing::tokens_detail
