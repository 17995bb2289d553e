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
#include <limits>
#include <string_view>
#include <vector>

namespace farthing::tokens_detail {

inline constexpr std::uint32_t no_rank = std::numeric_limits<std::uint32_t>::max();

/// Pieces with no more symbols than this are merged in place, without memory of their own.
inline constexpr std::size_t short_piece = 96;

/// Longer pieces than this are cut (16 MiB): no provider takes them, and they must not take the memory of a machine.
inline constexpr std::size_t longest_piece = std::size_t{1} << 24;

struct ShortSymbols {
  std::array<std::uint32_t, short_piece + 1> start;
  std::array<std::uint32_t, short_piece + 1> id;
  std::size_t count = 0;
};

/// Merges in place; `start[count]` must be the piece's size.
template <class Rule>
void merge_short(const Rule& rule, const char* piece, ShortSymbols& symbols) {
  auto& [start, id, count] = symbols;
  std::array<std::uint32_t, short_piece + 1> rank;  // of joining a symbol with the next
  const auto rank_at = [&](std::size_t i) {
    return rule.join(id[i], id[i + 1], piece + start[i], start[i + 2] - start[i]);
  };
  for (std::size_t i = 0; i + 1 < count; ++i)
    rank[i] = rank_at(i);
  if (count > 0) rank[count - 1] = no_rank;
  while (count > 1) {
    std::size_t best = 0;
    std::uint32_t lowest = rank[0];
    for (std::size_t i = 1; i + 1 < count; ++i) {
      const bool lower = rank[i] < lowest;
      lowest = lower ? rank[i] : lowest;
      best = lower ? i : best;
    }
    if (lowest == no_rank) return;
    id[best] = rule.joined(lowest);
    for (std::size_t i = best + 1; i + 1 < count; ++i) {
      start[i] = start[i + 1];
      id[i] = id[i + 1];
      rank[i] = rank[i + 1];
    }
    --count;
    start[count] = start[count + 1];
    if (best + 1 < count) rank[best] = rank_at(best);
    if (best > 0) rank[best - 1] = rank_at(best - 1);
  }
}

struct LongSymbols {
  std::vector<std::uint32_t> start;  // one more than `id`: the piece's size
  std::vector<std::uint32_t> id;
};

/// The same with a heap of the joins that are possible and a list of the symbols.
template <class Rule>
void merge_long(const Rule& rule, const char* piece, LongSymbols& symbols) {
  auto& [start, id] = symbols;
  const auto count = static_cast<std::uint32_t>(id.size());
  struct Link {
    std::uint32_t before;
    std::uint32_t after;  // `count` at the end
    std::uint32_t rank;   // of joining with `after`: what the heap says of others is outdated
  };
  std::vector<Link> links(count);
  std::vector<std::uint64_t> heap;  // rank, place
  const auto later = [](std::uint64_t a, std::uint64_t b) { return a > b; };
  const auto rank_at = [&](std::uint32_t i) {
    const std::uint32_t next = links[i].after;
    if (next >= count) return no_rank;
    return rule.join(id[i], id[next], piece + start[i], start[links[next].after] - start[i]);
  };
  for (std::uint32_t i = 0; i < count; ++i)
    links[i] = {i == 0 ? count : i - 1, i + 1, no_rank};
  for (std::uint32_t i = 0; i < count; ++i) {
    links[i].rank = rank_at(i);
    if (links[i].rank != no_rank) heap.push_back(std::uint64_t{links[i].rank} << 32 | i);
  }
  std::make_heap(heap.begin(), heap.end(), later);
  const auto renew = [&](std::uint32_t i) {
    links[i].rank = rank_at(i);
    if (links[i].rank == no_rank) return;
    heap.push_back(std::uint64_t{links[i].rank} << 32 | i);
    std::push_heap(heap.begin(), heap.end(), later);
  };
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    const auto rank = static_cast<std::uint32_t>(heap.back() >> 32);
    const auto i = static_cast<std::uint32_t>(heap.back());
    heap.pop_back();
    if (links[i].rank != rank) continue;
    const std::uint32_t gone = links[i].after;
    id[i] = rule.joined(rank);
    links[gone].rank = no_rank;
    links[i].after = links[gone].after;
    if (links[i].after < count) links[links[i].after].before = i;
    renew(i);
    if (i != 0) renew(links[i].before);
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
