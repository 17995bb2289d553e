// Merging: byte pair encoding of one piece. Of all neighbours that can be joined, those of the lowest rank are joined
// first, the leftmost of these first, until none can be. Short pieces by looking through them, long ones in near linear
// time: a piece of 200,000 equal letters is an attack, not a text.
//
//   Symbols symbols;
//   symbols.start = {0, 1, 2, ...}; symbols.id = {...};     // where each begins, what it is
//   merge(rule, piece, symbols);                            // now the tokens
//
// A rule has `join(left_id, right_id, begin, size)`: the rank of joining two neighbours that are `size` bytes at `begin`
// together, or `no_rank`; and `joined(rank)`: the id of what comes of it.
//
// Thread-safety: functions of their arguments.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace farthing::tokens_detail {

inline constexpr std::uint32_t no_rank = std::numeric_limits<std::uint32_t>::max();

/// Pieces with no more symbols than this are merged in place, without memory of their own.
inline constexpr std::size_t short_piece = 96;

/// Longer pieces than this are cut (16 MiB): no provider takes them, and they must not take the memory of a machine.
inline constexpr std::size_t longest_piece = std::size_t{1} << 24;

struct ShortSymbols {
  struct Symbol {
    std::uint32_t start;
    std::uint32_t id;
    std::uint32_t rank;  // of joining it with the next
  };
  std::array<Symbol, short_piece + 1> at;  // one more than `count`, which starts where the piece ends
  std::size_t count = 0;
};

/// Merges in place.
template <class Rule>
void merge_short(const Rule& rule, const char* piece, ShortSymbols& symbols) {
  auto& at = symbols.at;
  auto& count = symbols.count;
  const auto rank_at = [&](std::size_t i) {
    return rule.join(at[i].id, at[i + 1].id, piece + at[i].start, at[i + 2].start - at[i].start);
  };
  for (std::size_t i = 0; i + 1 < count; ++i)
    at[i].rank = rank_at(i);
  if (count > 0) at[count - 1].rank = no_rank;
  while (count > 1) {
    std::size_t best = 0;
    std::uint32_t lowest = at[0].rank;
    for (std::size_t i = 1; i + 1 < count; ++i) {
      const bool lower = at[i].rank < lowest;
      lowest = lower ? at[i].rank : lowest;
      best = lower ? i : best;
    }
    if (lowest == no_rank) return;
    at[best].id = rule.joined(lowest);
    for (std::size_t i = best + 1; i < count; ++i)
      at[i] = at[i + 1];
    --count;
    at[best].rank = best + 1 < count ? rank_at(best) : no_rank;
    if (best > 0) at[best - 1].rank = rank_at(best - 1);
  }
}

struct LongSymbols {
  std::vector<std::uint32_t> start;  // one more than `id`: the piece's size
  std::vector<std::uint32_t> id;
};

/// The joins that are possible, by rank; of one rank those on the left first. A heap of single joins would do, but takes
/// several times as long: here only the ranks are in one.
class Joins {
 public:
  void add(std::uint32_t rank, std::uint32_t place) {
    Bucket& bucket = buckets_[rank];
    if (bucket.next == bucket.places.size()) {
      bucket.places.clear();
      bucket.next = 0;
      push(rank);
    } else if (bucket.places.back() > place) {
      bucket.sorted = false;
    }
    bucket.places.push_back(place);
  }
  bool empty() const { return ranks_.empty(); }
  std::uint32_t lowest() const { return ranks_.front(); }
  /// Calls `join(place)` for those of the lowest rank, and stops when a lower one was added meanwhile: that one is next.
  template <class Join>
  void take_lowest(Join join) {
    const std::uint32_t rank = lowest();
    Bucket& bucket = buckets_[rank];  // stays where it is when others are added
    if (!bucket.sorted)
      std::sort(bucket.places.begin() + static_cast<std::ptrdiff_t>(bucket.next), bucket.places.end());
    bucket.sorted = true;
    // What is added here has the token of this rank in it, so it is longer and of another rank: the bucket only shrinks.
    while (bucket.next < bucket.places.size() && lowest() == rank)
      join(bucket.places[bucket.next++]);
    if (lowest() != rank) return;  // an emptied bucket too may stay in the heap: it comes up again, and joins nothing
    std::pop_heap(ranks_.begin(), ranks_.end(), std::greater<>());
    ranks_.pop_back();
  }

 private:
  struct Bucket {
    std::vector<std::uint32_t> places;
    std::size_t next = 0;
    bool sorted = true;
  };
  void push(std::uint32_t rank) {
    ranks_.push_back(rank);
    std::push_heap(ranks_.begin(), ranks_.end(), std::greater<>());
  }
  std::unordered_map<std::uint32_t, Bucket> buckets_;
  std::vector<std::uint32_t> ranks_;  // a heap: of the buckets that are not empty
};

/// The same with the joins ordered and the symbols as a list.
template <class Rule>
void merge_long(const Rule& rule, const char* piece, LongSymbols& symbols) {
  auto& start = symbols.start;
  auto& id = symbols.id;
  const auto count = static_cast<std::uint32_t>(id.size());
  struct Link {
    std::uint32_t before;
    std::uint32_t after;  // `count` at the end
    std::uint32_t rank;   // of joining with `after`: what `joins` has of other ranks is outdated
  };
  std::vector<Link> links(count);
  Joins joins;
  const auto renew = [&](std::uint32_t i) {
    const std::uint32_t next = links[i].after;
    links[i].rank =
        next >= count ? no_rank : rule.join(id[i], id[next], piece + start[i], start[links[next].after] - start[i]);
    if (links[i].rank != no_rank) joins.add(links[i].rank, i);
  };
  for (std::uint32_t i = 0; i < count; ++i)
    links[i] = {i == 0 ? count : i - 1, i + 1, no_rank};
  for (std::uint32_t i = 0; i < count; ++i)
    renew(i);
  while (!joins.empty()) {
    const std::uint32_t rank = joins.lowest();
    joins.take_lowest([&](std::uint32_t i) {
      if (links[i].rank != rank) return;
      const std::uint32_t gone = links[i].after;
      id[i] = rule.joined(rank);
      links[gone].rank = no_rank;
      links[i].after = links[gone].after;
      if (links[i].after < count) links[links[i].after].before = i;
      renew(i);
      if (i != 0) renew(links[i].before);
    });
  }
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < count; i = links[i].after) {
    start[kept] = start[i];
    id[kept] = id[i];
    ++kept;
  }
  start[kept] = start[count];
  start.resize(kept + 1);
  id.resize(kept);
}

}  // namespace farthing::tokens_detail
