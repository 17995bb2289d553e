#include "prices/choose.h"

namespace farthing::prices_detail {
namespace {

constexpr std::int64_t day_ms = 86'400'000;
constexpr std::int64_t minute_ms = 60'000;

bool within_hours(const RowRecord& row, std::uint16_t minute) {
  if (row.minute_from <= row.minute_until) return minute >= row.minute_from && minute < row.minute_until;
  return minute >= row.minute_from || minute < row.minute_until;
}

bool fits(std::uint16_t condition, std::uint16_t wanted) {
  return condition == any_word || condition == wanted;
}

bool holds(const RowRecord& row, const Wanted& wanted) {
  if (wanted.at_ms < row.from_ms || wanted.at_ms >= row.until_ms) return false;
  if (row.context_above != 0 && wanted.context_tokens <= row.context_above) return false;
  if (!fits(row.region, wanted.region) || !fits(row.size, wanted.size) || !fits(row.quality, wanted.quality) ||
      !fits(row.resolution, wanted.resolution) || !fits(row.search_context, wanted.search_context)) {
    return false;
  }
  if (all_day(row)) return true;
  return within_hours(row, wanted.minute != no_minute ? wanted.minute : minute_of(wanted.at_ms));
}

}  // namespace

std::uint16_t minute_of(std::int64_t at_ms) {
  const std::int64_t of_day = ((at_ms % day_ms) + day_ms) % day_ms;
  return static_cast<std::uint16_t>(of_day / minute_ms);
}

bool all_day(const RowRecord& row) {
  return row.minute_from == row.minute_until;
}

std::uint8_t count_conditions(const RowRecord& row) {
  int count = 0;
  count += row.tier != any_tier ? 1 : 0;
  count += row.context_above != 0 ? 1 : 0;
  count += all_day(row) ? 0 : 1;
  for (const std::uint16_t word : {row.region, row.size, row.quality, row.resolution, row.search_context}) {
    count += word != any_word ? 1 : 0;
  }
  return static_cast<std::uint8_t>(count);
}

bool same_conditions(const RowRecord& a, const RowRecord& b) {
  return a.tier == b.tier && a.context_above == b.context_above && a.region == b.region && a.size == b.size &&
         a.quality == b.quality && a.resolution == b.resolution && a.search_context == b.search_context &&
         a.minute_from == b.minute_from && a.minute_until == b.minute_until;
}

void Choice::consider(const RowRecord& row, std::span<const CellRecord> cells, const Wanted& wanted,
                      std::uint64_t priority) {
  if (!holds(row, wanted)) return;
  constexpr std::int64_t context_max = (std::int64_t{1} << 48) - 2;
  const auto context = static_cast<std::uint64_t>(row.context_above < context_max ? row.context_above : context_max);
  // 0 is "none yet", so the rank of a row without conditions is 1.
  const std::uint64_t rank = (priority << 56) + (std::uint64_t{row.conditions} << 48) + context + 1;
  for (const CellRecord& cell : cells) {
    if (rank <= ranks_[cell.quantity]) continue;
    ranks_[cell.quantity] = rank;
    rates_[cell.quantity] = cell.rate;
    empty_ = false;
  }
}

}  // namespace farthing::prices_detail
