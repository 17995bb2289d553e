// Vocabulary: the tokens of an encoding and their ranks, found by their bytes in one flat table. A token's rank is its id
// and the order in which it is merged.
//
//   Vocabulary vocabulary(tokens);                  // embedded::o200k_base(): one byte of length and the bytes, each
//   vocabulary.rank(" word")                       // or no_rank
//   vocabulary.count(piece, text_end)              // tokens of a piece; encode gives them
//
// Memory: 16 bytes for every half a token, that is 6.4 MB for o200k_base, besides the bytes themselves.
// Thread-safety: immutable after construction. The bytes must outlive it.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "tokens/merge.h"
#include "tokens/pairs.h"

namespace farthing::tokens_detail {

/// A token's bytes as numbers, and where its search begins.
struct Key {
  std::uint64_t head;  // the first eight bytes; of more than `whole` bytes a hash of all
  std::uint32_t tail;  // the next four
  std::uint32_t size;
  std::uint64_t hash;
};

inline constexpr std::uint64_t mix_a = 0x9E3779B97F4A7C15;
inline constexpr std::uint64_t mix_b = 0xC2B2AE3D27D4EB4F;
inline constexpr std::uint64_t mix_c = 0xD6E8FEB86659FD93;

inline std::uint64_t mixed(std::uint64_t head, std::uint64_t tail_and_size) {
  std::uint64_t hash = head * mix_a ^ tail_and_size * mix_b;
  hash ^= hash >> 32;
  return hash * mix_c;
}

std::uint64_t hash_of_long(const char* begin, std::size_t size);

inline std::uint64_t low_bytes(std::size_t count) {
  return count >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (count * 8)) - 1;
}

class Vocabulary {
 public:
  /// The longest token, in bytes.
  static constexpr std::size_t longest = 255;

  /// Tokens in order of rank, each as one byte of length and its bytes; length 0 where a rank has no token. Each byte
  /// alone must be a token, and none twice: `well_formed` says so.
  explicit Vocabulary(std::string_view tokens);
  bool well_formed() const { return well_formed_; }
  std::uint32_t size() const { return size_; }

  std::uint32_t rank(std::string_view bytes) const {
    return rank(key_of(bytes.data(), bytes.size(), bytes.data() + bytes.size()), bytes.data());
  }

  /// Of a piece of valid UTF-8, not empty. `readable` is the end of the memory that the piece stands in: reading a little
  /// beyond the piece is faster.
  Key key_of(const char* begin, std::size_t size, const char* readable) const;
  void prefetch(const Key& key) const { __builtin_prefetch(&slots_[place(key.hash)]); }
  std::uint32_t rank(const Key& key, const char* begin) const;

  /// The tokens of a piece that is none itself.
  std::int64_t count(std::string_view piece, const char* readable, Pairs& pairs) const;
  void encode(std::string_view piece, const char* readable, std::vector<std::uint32_t>& ids) const;

 private:
  static constexpr std::uint32_t whole = 12;  // bytes that a slot holds itself
  struct Slot {
    std::uint64_t head;
    std::uint32_t tail;  // of more than `whole` bytes: where the token stands in `tokens_`
    // 27 bits rank; 4 bits size, where `whole` + 1 is any larger one and 0 an empty slot; 1 bit: merges on its own.
    std::uint32_t entry;
  };
  static constexpr std::uint32_t rank_bits = 27;
  static constexpr std::uint32_t rank_mask = (1U << rank_bits) - 1;
  static constexpr std::uint32_t alone = 1U << 31;
  friend class RankRule;

  std::size_t place(std::uint64_t hash) const {
    __extension__ typedef unsigned __int128 Wide;
    return static_cast<std::size_t>(Wide{hash} * slot_count_ >> 64);
  }
  const Slot* find(const Key& key, const char* begin) const;
  /// The rank of a character that merges on its own, or `no_rank`.
  std::uint32_t rank_alone(const Key& key, const char* begin) const {
    const Slot* slot = find(key, begin);
    return slot != nullptr && (slot->entry & alone) != 0 ? slot->entry & rank_mask : no_rank;
  }
  /// False: there is no such token. Most neighbours cannot be joined, and this is much smaller than the table.
  bool possible(const Key& key) const {
    return (filter_[key.hash >> filter_shift & (filter_.size() - 1)] >> (key.hash & 63) & 1) != 0;
  }
  void add(std::uint32_t rank, std::uint32_t at);
  void note_chars(std::string_view token, std::vector<bool>& inside);
  bool crossed(char before, char first) const {
    return crossed_[static_cast<unsigned char>(before) * 256U + static_cast<unsigned char>(first)];
  }
  /// Calls `symbol(start, id)` for what a piece's merging begins with: see the source.
  template <class Symbol>
  void first_symbols(std::string_view piece, const char* readable, Symbol symbol) const;
  template <class Take>
  void merged(std::string_view piece, const char* readable, Pairs& pairs, Take take) const;

  std::string_view tokens_;
  std::uint32_t size_ = 0;
  std::size_t longest_ = 0;
  std::size_t slot_count_ = 0;
  bool well_formed_ = true;
  std::vector<Slot> slots_;
  static constexpr unsigned filter_shift = 8;
  std::vector<std::uint64_t> filter_;
  std::vector<std::uint32_t> pairs_;         // rank of two bytes
  std::vector<std::uint32_t> bytes_;         // rank of one
  std::vector<std::uint32_t> alone_of_two_;  // `rank_alone` of a character of two bytes, by its code point
  std::vector<bool> crossed_;                // byte before, first byte of a character
};

inline Key Vocabulary::key_of(const char* begin, std::size_t size, const char* readable) const {
  Key key;
  key.size = static_cast<std::uint32_t>(size);
  if (size > whole) {
    key.head = hash_of_long(begin, size);
    key.tail = 0;
    key.hash = key.head * mix_c;
    return key;
  }
  std::uint64_t head = 0;
  std::uint32_t tail = 0;
  if (readable - begin >= static_cast<std::ptrdiff_t>(whole)) {
    std::memcpy(&head, begin, sizeof(head));
    std::memcpy(&tail, begin + sizeof(head), sizeof(tail));
    head &= low_bytes(size);
    tail = size > 8 ? tail & static_cast<std::uint32_t>(low_bytes(size - 8)) : 0;
  } else {
    std::memcpy(&head, begin, std::min<std::size_t>(size, 8));
    if (size > 8) std::memcpy(&tail, begin + 8, size - 8);
  }
  key.head = head;
  key.tail = tail;
  key.hash = mixed(head, std::uint64_t{tail} << 8 | size);
  return key;
}

inline const Vocabulary::Slot* Vocabulary::find(const Key& key, const char* begin) const {
  std::size_t at = place(key.hash);
  const std::uint32_t size = std::min(key.size, whole + 1) << rank_bits;
  for (;; ++at) {
    const Slot& slot = slots_[at];
    if (slot.entry == 0) return nullptr;
    if (slot.head != key.head || (slot.entry & (15U << rank_bits)) != size) continue;
    if (key.size <= whole) {
      if (slot.tail == key.tail) return &slot;
    } else {
      const char* token = tokens_.data() + slot.tail;
      if (static_cast<unsigned char>(*token) == key.size && std::memcmp(token + 1, begin, key.size) == 0) return &slot;
    }
  }
}

inline std::uint32_t Vocabulary::rank(const Key& key, const char* begin) const {
  const Slot* slot = find(key, begin);
  return slot == nullptr ? no_rank : slot->entry & rank_mask;
}

}  // namespace farthing::tokens_detail
