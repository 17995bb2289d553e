// Which rows hold together, and which of them wins.
#include <algorithm>
#include <array>

#include "prices/compiler/lint.h"

namespace farthing::prices_detail {
namespace {

using Conditions = std::array<std::string, 7>;

Conditions conditions_of(const SourceRow& row) {
  const std::string hours = row.minute_from == row.minute_until
                                ? ""
                                : std::to_string(row.minute_from) + "-" + std::to_string(row.minute_until);
  return {row.tier, row.region, row.size, row.quality, row.resolution, row.search_context, hours};
}

constexpr std::size_t hours_place = 6;

bool minute_in(const SourceRow& row, int minute) {
  if (row.minute_from <= row.minute_until) return minute >= row.minute_from && minute < row.minute_until;
  return minute >= row.minute_from || minute < row.minute_until;
}

bool hours_meet(const SourceRow& a, const SourceRow& b) {
  return minute_in(a, b.minute_from) || minute_in(b, a.minute_from);
}

bool valid_together(const SourceRow& a, const SourceRow& b) {
  return a.from_ms < b.until_ms && b.from_ms < a.until_ms;
}

/// A row with the conditions of both, for the time that both are valid.
bool has_row_for_both(const SourceModel& model, const SourceRow& a, const SourceRow& b, Quantity quantity) {
  const std::int64_t from = std::max(a.from_ms, b.from_ms);
  const std::int64_t until = std::min(a.until_ms, b.until_ms);
  return std::any_of(model.rows.begin(), model.rows.end(), [&](const SourceRow& row) {
    return row.price(quantity) != nullptr && narrows(row, a) && narrows(row, b) && can_meet(row, a) &&
           can_meet(row, b) && row.from_ms <= from && row.until_ms >= until;
  });
}

}  // namespace

bool narrows(const SourceRow& a, const SourceRow& b) {
  const Conditions own = conditions_of(a);
  const Conditions other = conditions_of(b);
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (!other[i].empty() && other[i] != own[i]) return false;
  }
  return a.context_above >= b.context_above;
}

bool can_meet(const SourceRow& a, const SourceRow& b) {
  const Conditions own = conditions_of(a);
  const Conditions other = conditions_of(b);
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (own[i].empty() || other[i].empty() || own[i] == other[i]) continue;
    if (i != hours_place || !hours_meet(a, b)) return false;
  }
  return valid_together(a, b);
}

const SourceRow* row_for(const SourceModel& model, const SourceRow& call, Quantity quantity) {
  const SourceRow* best = nullptr;
  for (const SourceRow& row : model.rows) {
    if (row.price(quantity) == nullptr || !narrows(call, row)) continue;
    if (call.from_ms < row.from_ms || call.from_ms >= row.until_ms) continue;
    if (best == nullptr || narrows(row, *best)) best = &row;
  }
  return best;
}

void lint_rows(Lint& lint) {
  const auto& rows = lint.model().rows;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = i + 1; j < rows.size(); ++j) {
      const SourceRow& a = rows[i];
      const SourceRow& b = rows[j];
      if (!can_meet(a, b)) continue;
      const bool same = narrows(a, b) && narrows(b, a);
      if (!same && (narrows(a, b) || narrows(b, a))) continue;
      const bool same_hours_aside = conditions_of(a)[hours_place] != conditions_of(b)[hours_place] &&
                                    !conditions_of(a)[hours_place].empty() && !conditions_of(b)[hours_place].empty();
      for (const SourcePrice& price : b.prices) {
        if (a.price(price.quantity) == nullptr) continue;
        const std::string both = std::string(quantity_text(price.quantity)) +
                                 " has two prices for one instant (the other is in line " +
                                 std::to_string(a.place.line) + ")";
        if (same || same_hours_aside) {
          lint.wrong(b.place, both,
                     "rows that differ in a condition, or one that ends (until) where the next begins (from)");
        } else if (!has_row_for_both(lint.model(), a, b, price.quantity)) {
          lint.wrong(b.place, both + ", and neither row is the more specific one",
                     "a row of its own for calls that meet the conditions of both");
        }
      }
    }
  }
}

}  // namespace farthing::prices_detail
