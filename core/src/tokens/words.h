// Words: how many tokens the words had that are no token themselves. Texts repeat their words, and so do the calls of one
// program; merging one takes several times as long as finding it here. Each thread keeps some thousand short words of the
// encoding that it counted with last, in no order: never a text.
//
//   Words& words = Words::of_thread(encoding.id(), text.size());
//   if (const unsigned tokens = words.find(key, word)) ...
//   words.keep(key, word, tokens);
//
// Thread-safety: of one thread.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "tokens/vocabulary.h"

namespace farthing::tokens_detail {

class Words {
 public:
  /// For a text of so many bytes. What another encoding left is forgotten.
  static Words& of_thread(std::uint64_t encoding, std::size_t text_size) {
    static thread_local Words words;
    if (words.encoding_ != encoding) words = Words(encoding);
    words.pairs_.grow(text_size);
    return words;
  }
  Pairs& pairs() { return pairs_; }
  /// 0: not here.
  unsigned find(const Key& key, const char* begin) const {
    if (key.size > longest) return 0;
    const std::size_t first = first_of(key);
    for (const std::size_t at : {first, first + 1}) {
      if (places_[at].is(key, begin)) return places_[at].tokens;
    }
    return 0;
  }
  void keep(const Key& key, const char* begin, std::int64_t tokens) {
    if (key.size > longest) return;
    const std::size_t first = first_of(key);
    places_[first + 1] = places_[first];
    Place& place = places_[first];
    place.size = static_cast<std::uint8_t>(key.size);
    place.tokens = static_cast<std::uint8_t>(tokens);  // at most one a byte
    std::memcpy(place.bytes, begin, key.size);
  }

 private:
  Words() = default;
  explicit Words(std::uint64_t encoding) : encoding_(encoding), places_(4096) {}

  static constexpr std::size_t longest = 30;
  struct Place {
    char bytes[longest] = {};
    std::uint8_t size = 0;
    std::uint8_t tokens = 0;
    bool is(const Key& key, const char* word) const {
      return size == key.size && std::memcmp(bytes, word, key.size) == 0;
    }
  };
  /// A word has two places: what it finds in the first moves to the second.
  std::size_t first_of(const Key& key) const { return key.hash & (places_.size() - 2); }

  std::uint64_t encoding_ = 0;  // none has this id
  std::vector<Place> places_;
  Pairs pairs_;
};

}  // namespace farthing::tokens_detail
