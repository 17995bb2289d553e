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

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "tokens/merge.h"

namespace farthing::tokens_detail {

/// A token's bytes as numbers, and where its search begins.
struct Key {
  std::uint64_t head;  // the first eight bytes; of more than `whole` bytes a hash of all
  std::uint32_t tail;  // the next four
  std::uint32_t size;
  std::uint64_t hash;
};

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
  std::int64_t count(std::string_view piece, const char* readable) const;
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
  void add(std::uint32_t rank, std::uint32_t at);
  void note_chars(std::string_view token, std::vector<bool>& inside);
  bool crossed(char before, char first) const {
    return crossed_[static_cast<unsigned char>(before) * 256U + static_cast<unsigned char>(first)];
  }
  /// Calls `symbol(start, id)` for what a piece's merging begins with: see the source.
  template <class Symbol>
  void first_symbols(std::string_view piece, const char* readable, Symbol symbol) const;
  template <class Take>
  void merged(std::string_view piece, const char* readable, Take take) const;

  std::string_view tokens_;
  std::uint32_t size_ = 0;
  std::size_t longest_ = 0;
  std::size_t slot_count_ = 0;
  bool well_formed_ = true;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> pairs_;  // rank of two bytes
  std::vector<std::uint32_t> bytes_;  // rank of one
  std::vector<bool> crossed_;         // byte before, first byte of a character
};

}  // namespace farthing::tokens_detail
