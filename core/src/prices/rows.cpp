// A model's prices as they are written, for people and for comparing books.
#include <cstdio>

#include "farthing/time_text.h"
#include "prices/book.h"
#include "prices/fees.h"

namespace farthing::prices_detail {
namespace {

std::string time_of_day(std::uint16_t minute) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%02d:%02d", minute / 60, minute % 60);
  return text.data();
}

void add(std::string& out, std::string_view word, std::string_view value) {
  if (value.empty()) return;
  out.append(out.empty() ? "" : ", ").append(word).append(" ").append(value);
}

}  // namespace

std::vector<PriceRow> Book::rows(const Model& model) const {
  std::vector<PriceRow> all;
  const auto add_row = [&](const RowRecord& row, std::span<const CellRecord> cells, const std::string& volume = {}) {
    PriceRow& out = all.emplace_back();
    if (row.tier != any_tier) out.service_tier = tiers_[row.tier];
    add(out.conditions, "tier", out.service_tier);
    if (row.context_above > 0) add(out.conditions, "context above", std::to_string(row.context_above));
    add(out.conditions, "volume from", volume);
    add(out.conditions, "region", word(row.region));
    add(out.conditions, "size", word(row.size));
    add(out.conditions, "quality", word(row.quality));
    add(out.conditions, "resolution", word(row.resolution));
    add(out.conditions, "search context", word(row.search_context));
    out.by_what_is_said =
        row.size != any_word || row.quality != any_word || row.resolution != any_word || row.search_context != any_word;
    if (!all_day(row))
      add(out.conditions, "hours", time_of_day(row.minute_from) + "-" + time_of_day(row.minute_until) + " UTC");
    if (row.from_ms != always_from) out.from_ms = row.from_ms;
    if (row.until_ms != always_until) out.until_ms = row.until_ms;
    if (out.from_ms) add(out.conditions, "from", iso_utc(*out.from_ms));
    if (out.until_ms) add(out.conditions, "until", iso_utc(*out.until_ms));
    for (const CellRecord& cell : cells)
      out.rates.of[cell.quantity] = rates_[cell.rate];
  };
  const ModelRecord& found = record(model.index);
  for (std::uint32_t i = 0; i < found.rows_count; ++i) {
    const RowRecord row = table_.row(found.rows_begin + i);
    add_row(row, table_.cells(row));
  }
  if (overlay_rows_.empty()) return all;
  for (const OverlayRow& overlay : overlay_rows_[model.index]) {
    add_row(overlay.row, overlay.cells,
            overlay.volume_from == 0
                ? ""
                : std::to_string(overlay.volume_from) + " of cap " + std::string(overlay.volume_cap));
  }
  return all;
}

std::vector<std::pair<std::string, std::string>> Book::regions(const Model& model) const {
  std::vector<std::pair<std::string, std::string>> all;
  const ModelRecord& found = record(model.index);
  for (std::uint32_t i = 0; i < found.regions_count; ++i) {
    const RegionRecord region = table_.region(found.regions_begin + i);
    all.emplace_back(table_.word(region.word - 1U),
                     std::to_string(region.numerator) + "/" + std::to_string(region.denominator));
  }
  return all;
}

}  // namespace farthing::prices_detail

namespace farthing {

bool is_priced_by_what_is_said(const PriceBook& book, const Model& model, std::int64_t at_ms) {
  for (const PriceRow& row : book.rows(model)) {
    if (!row.by_what_is_said || at_ms < row.from_ms.value_or(at_ms) || at_ms >= row.until_ms.value_or(at_ms + 1))
      continue;
    RateSet rates = row.rates;
    for (const Quantity fee : tool_fees)
      rates[fee].reset();
    if (rates != RateSet{}) return true;
  }
  return false;
}

}  // namespace farthing
