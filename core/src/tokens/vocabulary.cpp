#include "tokens/vocabulary.h"

#include <cassert>

#include "tokens/kinds.h"

namespace farthing::tokens_detail {

std::uint64_t hash_of_long(const char* begin, std::size_t size) {
  std::uint64_t hash = size * mix_a;
  std::uint64_t eight;
  const char* end = begin + size;
  for (const char* at = begin; end - at > 8; at += 8) {
    std::memcpy(&eight, at, sizeof(eight));
    hash = (hash ^ eight) * mix_b;
    hash ^= hash >> 29;
  }
  std::memcpy(&eight, end - 8, sizeof(eight));  // overlaps what was read: there are at least 13 bytes
  hash = (hash ^ eight) * mix_b;
  return hash ^ hash >> 32;
}

namespace {

/// The code point of a complete character.
std::uint32_t code_point(const unsigned char* at, unsigned size) {
  if (size == 2) return (at[0] & 0x1FU) << 6 | (at[1] & 0x3FU);
  if (size == 3) return (at[0] & 0x0FU) << 12 | (at[1] & 0x3FU) << 6 | (at[2] & 0x3FU);
  return (at[0] & 0x07U) << 18 | (at[1] & 0x3FU) << 12 | (at[2] & 0x3FU) << 6 | (at[3] & 0x3FU);
}

}  // namespace

class RankRule {
 public:
  RankRule(const Vocabulary& vocabulary, const char* readable, Pairs& pairs)
      : vocabulary_(vocabulary), readable_(readable), pairs_(pairs) {}
  std::uint32_t join(std::uint32_t left, std::uint32_t right, const char* begin, std::size_t size) const {
    if (size == 2) {
      return vocabulary_.pairs_[static_cast<unsigned char>(begin[0]) * 256U + static_cast<unsigned char>(begin[1])];
    }
    if (size > vocabulary_.longest_) return no_rank;
    const auto look_up = [&] {
      const Key key = vocabulary_.key_of(begin, size, readable_);
      return vocabulary_.possible(key) ? vocabulary_.rank(key, begin) : no_rank;
    };
    // Behind a letter of two bytes: scripts of these have few letters. Of others too many pairs are met only once.
    return static_cast<unsigned char>(begin[size - 2]) >= 0xC0 ? pairs_.rank(left, right, look_up) : look_up();
  }
  std::uint32_t joined(std::uint32_t rank) const { return rank; }

 private:
  const Vocabulary& vocabulary_;
  const char* readable_;
  Pairs& pairs_;
};

Vocabulary::Vocabulary(std::string_view tokens)
    : tokens_(tokens),
      pairs_(256 * 256, no_rank),
      bytes_(256, no_rank),
      alone_of_two_(0x800, no_rank),
      crossed_(256 * 256) {
  const auto size_at = [&](std::size_t at) { return static_cast<unsigned char>(tokens_[at]); };
  for (std::size_t at = 0; at < tokens_.size(); at += 1U + size_at(at)) {
    ++size_;
    longest_ = std::max<std::size_t>(longest_, size_at(at));
    if (at + 1 + size_at(at) > tokens_.size()) well_formed_ = false;
  }
  if (size_ > rank_mask || tokens_.size() > no_rank) well_formed_ = false;
  if (!well_formed_) return;
  // Half full at most; what is behind the last place is for searches that begin there, and ends with an empty slot.
  slot_count_ = std::size_t{2} * size_;
  slots_.resize(slot_count_ + 1024);
  filter_.resize(std::bit_ceil(std::size_t{size_} / 8 + 1));
  std::vector<bool> inside(0x110000);
  std::uint32_t rank = 0;
  for (std::size_t at = 0; well_formed_ && at < tokens_.size(); at += 1U + size_at(at)) {
    if (size_at(at) > 0) add(rank, static_cast<std::uint32_t>(at));
    if (well_formed_) note_chars(tokens_.substr(at + 1, size_at(at)), inside);
    ++rank;
  }
  for (const std::uint32_t byte : bytes_)
    well_formed_ = well_formed_ && byte != no_rank;
}

void Vocabulary::add(std::uint32_t rank, std::uint32_t at) {
  const char* begin = tokens_.data() + at + 1;
  const std::size_t size = static_cast<unsigned char>(tokens_[at]);
  const Key key = key_of(begin, size, tokens_.data() + tokens_.size());
  std::size_t place_at = place(key.hash);
  while (place_at < slots_.size() && slots_[place_at].entry != 0)
    ++place_at;
  if (place_at + 1 >= slots_.size() || find(key, begin) != nullptr) {
    well_formed_ = false;
    return;
  }
  const auto size_bits = static_cast<std::uint32_t>(std::min<std::size_t>(size, whole + 1));
  filter_[key.hash >> filter_shift & (filter_.size() - 1)] |= std::uint64_t{1} << (key.hash & 63);
  slots_[place_at] = {key.head, size > whole ? at : key.tail, rank | size_bits << rank_bits};
  if (size == 1) bytes_[static_cast<unsigned char>(*begin)] = rank;
  if (size == 2) pairs_[static_cast<unsigned char>(begin[0]) * 256U + static_cast<unsigned char>(begin[1])] = rank;
}

// Merging begins with bytes. Most characters of several bytes become one token first, whatever stands around them; to
// begin with that token is then the same, and much shorter: three bytes of Chinese are one symbol, not three.
// It is the same for a character c under three conditions:
//   1. No token that has bytes of c and bytes of a neighbour has c or the neighbour in part only. (`crossed`: such a token
//      exists for the byte before a border between characters and the byte after it.) So c's bytes merge with each other
//      only, until c is whole.
//   2. c's bytes alone merge to one token, by joins of ranks up to c's own.
//   3. All tokens that have c and more have higher ranks than c's. So no join with c as a whole comes before what would
//      have come before c was whole.
// 2 and 3 are the bit `alone` of c's slot. Tokens are added in order of rank, so what is in the table is what is lower.
void Vocabulary::note_chars(std::string_view token, std::vector<bool>& inside) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(token.data());
  const std::size_t size = token.size();
  bool all_ascii = true;
  for (std::size_t i = 0; i < size; ++i)
    all_ascii = all_ascii && bytes[i] < 0x80;
  if (all_ascii) return;
  const auto continues = [&](std::size_t i) { return (bytes[i] & 0xC0) == 0x80; };
  // Where the character at `i` ends; `whole_one` when all its bytes are there.
  const auto end_of = [&](std::size_t i, bool& whole_one) {
    std::size_t to = i + 1;
    while (to < size && continues(to))
      ++to;
    whole_one = !continues(i) && to - i == size_of_char(bytes[i]);
    return to;
  };
  bool before_whole = false;
  for (std::size_t i = 0; i < size;) {
    bool whole_one = false;
    const std::size_t to = end_of(i, whole_one);
    if (i > 0 && !(before_whole && whole_one)) crossed_[bytes[i - 1] * 256U + bytes[i]] = true;
    if (whole_one && bytes[i] >= 0x80) {
      const std::uint32_t code = code_point(bytes + i, size_of_char(bytes[i])) % 0x110000;
      if (i > 0 || to < size) {
        inside[code] = true;
      } else if (!inside[code]) {
        ShortSymbols symbols;
        for (std::uint32_t b = 0; b <= size; ++b)
          symbols.at[b] = {b, 0, no_rank};
        symbols.count = size;
        Pairs none;
        merge_short(RankRule(*this, token.data() + size, none), token.data(), symbols);
        const Key key = key_of(token.data(), size, token.data() + size);
        if (symbols.count == 1) {
          auto* slot = const_cast<Slot*>(find(key, token.data()));
          slot->entry |= alone;
          if (size == 2) alone_of_two_[code] = slot->entry & rank_mask;
        }
      }
    }
    before_whole = whole_one;
    i = to;
  }
}

template <class Symbol>
void Vocabulary::first_symbols(std::string_view piece, const char* readable, Symbol symbol) const {
  const char* begin = piece.data();
  const char* end = begin + piece.size();
  for (const char* at = begin; at < end;) {
    const auto first = static_cast<unsigned char>(*at);
    if (first < 0x80) {
      symbol(static_cast<std::uint32_t>(at - begin), bytes_[first]);
      ++at;
      continue;
    }
    const unsigned size = size_of_char(first);
    const char* next = at + size;
    assert(next <= end);
    if ((at == begin || !crossed(at[-1], *at)) && (next == end || !crossed(next[-1], *next))) {
      const std::uint32_t rank = size == 2 ? alone_of_two_[code_point(reinterpret_cast<const unsigned char*>(at), 2)]
                                           : rank_alone(key_of(at, size, readable), at);
      if (rank != no_rank) {
        symbol(static_cast<std::uint32_t>(at - begin), rank);
        at = next;
        continue;
      }
    }
    for (; at < next; ++at)
      symbol(static_cast<std::uint32_t>(at - begin), bytes_[static_cast<unsigned char>(*at)]);
  }
}

/// Calls `take(id)` with each token of the piece.
template <class Take>
void Vocabulary::merged(std::string_view piece, const char* readable, Pairs& pairs, Take take) const {
  const RankRule rule(*this, readable, pairs);
  if (piece.size() <= short_piece) {
    ShortSymbols symbols;
    first_symbols(piece, readable,
                  [&](std::uint32_t start, std::uint32_t id) { symbols.at[symbols.count++] = {start, id, no_rank}; });
    symbols.at[symbols.count].start = static_cast<std::uint32_t>(piece.size());
    merge_short(rule, piece.data(), symbols);
    for (std::size_t i = 0; i < symbols.count; ++i)
      take(symbols.at[i].id);
    return;
  }
  while (!piece.empty()) {
    std::size_t size = std::min(piece.size(), longest_piece);
    while (size < piece.size() && (piece[size] & 0xC0) == 0x80)
      --size;
    LongSymbols symbols;
    first_symbols(piece.substr(0, size), readable, [&](std::uint32_t start, std::uint32_t id) {
      symbols.start.push_back(start);
      symbols.id.push_back(id);
    });
    symbols.start.push_back(static_cast<std::uint32_t>(size));
    merge_long(rule, piece.data(), symbols);
    for (const std::uint32_t id : symbols.id)
      take(id);
    piece.remove_prefix(size);
  }
}

std::int64_t Vocabulary::count(std::string_view piece, const char* readable, Pairs& pairs) const {
  std::int64_t tokens = 0;
  merged(piece, readable, pairs, [&](std::uint32_t) { ++tokens; });
  return tokens;
}

void Vocabulary::encode(std::string_view piece, const char* readable, std::vector<std::uint32_t>& ids) const {
  Pairs none;
  merged(piece, readable, none, [&](std::uint32_t id) { ids.push_back(id); });
}

}  // namespace farthing::tokens_detail
