// Choice: which rate of a model holds for a call. Rows of prices are offered one after the other; for every quantity the
// most specific row that holds wins: more conditions first, then the higher context tier. The compiler refuses books in
// which that leaves two (lint `ambiguous`).
// Thread-safety: a value.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "farthing/meter.h"
#include "prices/layout.h"

namespace farthing::prices_detail {

inline constexpr std::uint16_t no_minute = 0xFFFF;

/// The terms of a call, its words as numbers of the book.
struct Wanted {
  std::int64_t at_ms = 0;
  std::int64_t context_tokens = 0;
  std::int64_t volume = -1;  // -1: not known
  std::uint32_t tier = default_tier;
  std::uint16_t minute = no_minute;  // of the day, UTC, where it is not that of `at_ms`
  std::uint16_t region = any_word, size = any_word, quality = any_word, resolution = any_word,
                search_context = any_word;
};

inline constexpr std::uint32_t no_rate = 0xFFFFFFFF;

class Choice {
 public:
  /// `priority` 1 and more for prices of a policy: they beat the book's on the quantities that they name; below 256.
  void offer(const RowRecord& row, std::span<const CellRecord> cells, const Wanted& wanted, std::uint64_t priority) {
    // Most rows are of another tier.
    if (row.tier == any_tier || row.tier == wanted.tier) consider(row, cells, wanted, priority);
  }

  /// The rate's number for a quantity, no_rate when no row gave one.
  std::uint32_t operator[](std::size_t quantity) const { return ranks_[quantity] == 0 ? no_rate : rates_[quantity]; }
  bool empty() const { return empty_; }

 private:
  void consider(const RowRecord& row, std::span<const CellRecord> cells, const Wanted& wanted, std::uint64_t priority);

  std::array<std::uint64_t, quantity_count> ranks_{};  // 0: none yet
  std::array<std::uint32_t, quantity_count> rates_;    // where there is a rank
  bool empty_ = true;
};

/// The minute of the day, UTC, of a time.
std::uint16_t minute_of(std::int64_t at_ms);
/// Whether a row holds at all hours.
bool all_day(const RowRecord& row);
/// Whether two rows have the same conditions, hours included, validity aside.
bool same_conditions(const RowRecord& a, const RowRecord& b);
/// How many conditions are set, for the row's own field.
std::uint8_t count_conditions(const RowRecord& row);

}  // namespace farthing::prices_detail
