// Own prices by size, quality, resolution or search context: one of them has to win, and what says none is never cheaper.
#include <algorithm>

#include "prices/book.h"

namespace farthing::prices_detail {
namespace {

constexpr std::array words = {&RowRecord::size, &RowRecord::quality, &RowRecord::resolution,
                              &RowRecord::search_context};

bool has_words(const RowRecord& row) {
  return std::any_of(words.begin(), words.end(), [&row](const auto word) { return row.*word != any_word; });
}

/// Every call of `a` is one of `b`.
bool narrows(const RowRecord& a, const RowRecord& b) {
  const auto fits = [&](const auto word) { return b.*word == any_word || a.*word == b.*word; };
  return std::all_of(words.begin(), words.end(), fits) && (b.tier == any_tier || a.tier == b.tier) &&
         a.context_above >= b.context_above;
}

bool can_meet(const RowRecord& a, const RowRecord& b) {
  const auto fits = [&](const auto word) { return a.*word == any_word || b.*word == any_word || a.*word == b.*word; };
  return std::all_of(words.begin(), words.end(), fits) &&
         (a.tier == any_tier || b.tier == any_tier || a.tier == b.tier) && a.from_ms < b.until_ms &&
         b.from_ms < a.until_ms;
}

bool prices(const std::vector<CellRecord>& cells, std::uint32_t quantity) {
  return std::any_of(cells.begin(), cells.end(), [quantity](const auto& cell) { return cell.quantity == quantity; });
}

std::string named(std::size_t number) {
  return "price[" + std::to_string(number) + "]";
}

Error not_right(const std::string& problem) {
  return {Code::invalid_policy, problem};
}

}  // namespace

Result<std::uint16_t> Book::word_for(std::string_view text) {
  const std::uint16_t known = word_of(text);
  if (known != unknown_word) return known;
  const std::size_t number = table_.word_count() + words_.size() + 1;
  if (number >= unknown_word) return not_right("there are too many sizes, qualities, resolutions and search contexts.");
  words_.push_back(keep(text));
  return static_cast<std::uint16_t>(number);
}

Status Book::check_keyed(std::uint32_t index, std::span<const PriceOverlay> overlays) const {
  const std::vector<OverlayRow>& rows = overlay_rows_[index];
  for (auto a = rows.begin(); a != rows.end(); ++a) {
    for (auto b = a + 1; b != rows.end(); ++b) {
      if (const Status wins = check_winner(rows, *a, *b); !wins) return wins;
    }
    if (!has_words(a->row) || overlays[a->number].waive.contains("unsaid")) continue;
    if (const Status dear = check_unsaid(index, *a); !dear) return dear;
  }
  return success();
}

/// Two of which neither is the narrower one need a third for the calls of both, as in the book.
Status Book::check_winner(const std::vector<OverlayRow>& rows, const OverlayRow& a, const OverlayRow& b) {
  if (a.volume_from != b.volume_from || (!has_words(a.row) && !has_words(b.row)) || !can_meet(a.row, b.row) ||
      narrows(a.row, b.row) || narrows(b.row, a.row))
    return success();
  for (const CellRecord& cell : a.cells) {
    if (!prices(b.cells, cell.quantity)) continue;
    const bool both = std::any_of(rows.begin(), rows.end(), [&](const OverlayRow& row) {
      return row.volume_from == a.volume_from && prices(row.cells, cell.quantity) && narrows(row.row, a.row) &&
             narrows(row.row, b.row) && row.row.from_ms <= std::max(a.row.from_ms, b.row.from_ms) &&
             row.row.until_ms >= std::min(a.row.until_ms, b.row.until_ms);
    });
    if (both) continue;
    return not_right("a call can be of " + named(a.number) + " and of " + named(b.number) + ", and neither price of " +
                     std::string(quantity_text(static_cast<Quantity>(cell.quantity))) +
                     " is for fewer calls than the other: write one for calls of both.");
  }
  return success();
}

/// Unknown is never cheap: a call that leaves out a word, or says one that has no price, costs no less than those that have.
Status Book::check_unsaid(std::uint32_t index, const OverlayRow& own) const {
  std::vector<std::int64_t> instants = {own.row.from_ms, own.row.until_ms - 1};
  for (const OverlayRow& other : overlay_rows_[index]) {
    for (const std::int64_t change : {other.row.from_ms, other.row.until_ms}) {
      if (change > own.row.from_ms && change < own.row.until_ms) instants.push_back(change);
    }
  }
  Wanted unsaid;
  unsaid.context_tokens = own.row.context_above + 1;
  unsaid.tier = own.row.tier == any_tier ? default_tier : own.row.tier;
  unsaid.volume = own.volume_from;
  for (const std::int64_t instant : instants) {
    unsaid.at_ms = instant;
    for (unsigned said = 0; said + 1 < 1U << words.size(); ++said) {
      const auto word = [&](std::size_t i) { return (said >> i & 1U) != 0 ? own.row.*words[i] : any_word; };
      unsaid.size = word(0);
      unsaid.quality = word(1);
      unsaid.resolution = word(2);
      unsaid.search_context = word(3);
      const Choice choice = choose(index, unsaid);
      for (const CellRecord& cell : own.cells) {
        const std::uint32_t number = choice[cell.quantity];
        if (number == no_rate || !dearer(rates_[cell.rate], rates_[number])) continue;
        return not_right("a call that does not say which it is costs " + to_text(rates_[number]) + " of " +
                         std::string(quantity_text(static_cast<Quantity>(cell.quantity))) + ", less than the " +
                         to_text(rates_[cell.rate]) + " of " + named(own.number) +
                         "; accepted: at least the dearest of them, or none, or waive = { unsaid = \"why\" }.");
      }
    }
  }
  return success();
}

}  // namespace farthing::prices_detail
