// Lints of prices against each other. Each was a real mistake in a public table.
#include <algorithm>
#include <set>

#include "prices/compiler/lint.h"

namespace farthing::prices_detail {
namespace {

constexpr std::size_t digits_max = 9;
constexpr Int128 million_max = 1'000 * atto_per_usd;  // for a million tokens
constexpr int change_max = 5;
constexpr int tier_max = 10;

std::size_t significant_digits(const std::string& amount) {
  std::string digits;
  for (const char c : amount) {
    if (c != '.') digits += c;
  }
  const std::size_t first = digits.find_first_not_of('0');
  if (first == std::string::npos) return 1;
  return digits.find_last_not_of('0') - first + 1;
}

void lint_amounts(Lint& lint) {
  for (const SourceRow& row : lint.model().rows) {
    for (const SourcePrice& price : row.prices) {
      const std::string what = shown(row, price);
      if (significant_digits(price.amount) > digits_max) {
        lint.finding("digits", row.place, what + " has more than 9 significant digits", "prices as they are published");
      }
      if (is_tokens(price.quantity) && row.per > 0 && price.atto > million_max / 1'000'000 * row.per) {
        lint.finding("absurd", row.place, what + " is above 1000 USD per million tokens", "at most that");
      }
      if ((price.atto == 0) != lint.model().free) {
        lint.finding("zero", row.place, what + (price.atto == 0 ? " is zero" : " is not zero in a free model"),
                     "free = true with all prices 0, or no price of 0");
      }
      if (is_time(price.quantity) != (row.per_text == "second" || row.per_text == "minute" || row.per_text == "hour")) {
        lint.wrong(row.place, what + " has the wrong kind of unit",
                   "second, minute or hour for video_ms and audio_ms, and for nothing else");
      }
    }
  }
}

/// `low` must not be above `high`, for a call with the conditions of each row that gives either.
void lint_order(Lint& lint, std::string_view name, Quantity low, Quantity high, int times) {
  for (const SourceRow& call : lint.model().rows) {
    if (call.price(low) == nullptr && call.price(high) == nullptr) continue;
    const SourceRow* low_row = row_for(lint.model(), call, low);
    const SourceRow* high_row = row_for(lint.model(), call, high);
    if (low_row == nullptr || high_row == nullptr) continue;
    const SourcePrice& low_price = *low_row->price(low);
    const SourcePrice& high_price = *high_row->price(high);
    if (compare(*low_row, low_price, *high_row, high_price, times) <= 0) continue;
    lint.finding(name, call.place,
                 shown(*low_row, low_price) + " is above " + shown(*high_row, high_price) +
                     (times == 1 ? "" : " times " + std::to_string(times)),
                 "at most that");
  }
}

void lint_caches(Lint& lint) {
  lint_order(lint, "read_at_most_input", Quantity::cache_read_tokens, Quantity::input_tokens, 1);
  lint_order(lint, "read_at_most_write", Quantity::cache_read_tokens, Quantity::cache_write_tokens, 1);
  lint_order(lint, "write_at_most_1h", Quantity::cache_write_tokens, Quantity::cache_write_1h_tokens, 1);
  lint_order(lint, "write_at_most_3_inputs", Quantity::cache_write_tokens, Quantity::input_tokens, 3);
  lint_order(lint, "write_at_most_3_inputs", Quantity::cache_write_1h_tokens, Quantity::input_tokens, 3);
}

/// The same call without a tier.
SourceRow standard_of(const SourceRow& row) {
  SourceRow call = row;
  call.tier.clear();
  return call;
}

/// batch and flex < standard < the faster ones; none more than ten times away.
void lint_tiers(Lint& lint) {
  for (const SourceRow& row : lint.model().rows) {
    if (row.tier.empty()) continue;
    const SourceRow call = standard_of(row);
    const bool cheaper = row.tier == "batch" || row.tier == "flex";
    for (const SourcePrice& price : row.prices) {
      const SourceRow* standard_row = row_for(lint.model(), call, price.quantity);
      if (standard_row == nullptr) continue;
      const SourcePrice& standard = *standard_row->price(price.quantity);
      const std::string both = shown(row, price) + " against " + shown(*standard_row, standard);
      const int order = compare(row, price, *standard_row, standard);
      if (cheaper ? order >= 0 : order <= 0) {
        lint.finding("tier_order", row.place, both,
                     "batch and flex below the standard price, all other tiers above it");
      }
      if (compare(row, price, *standard_row, standard, tier_max) > 0 ||
          compare(*standard_row, standard, row, price, tier_max) > 0) {
        lint.finding("tier_within_10", row.place, both, "at most ten times more or less");
      }
    }
  }
}

/// A longer context is never cheaper.
void lint_contexts(Lint& lint) {
  std::set<std::int64_t> contexts;
  for (const SourceRow& row : lint.model().rows) {
    if (row.context_above == 0) continue;
    contexts.insert(row.context_above);
    SourceRow call = row;
    call.context_above = row.context_above - 1;
    for (const SourcePrice& price : row.prices) {
      const SourceRow* below = row_for(lint.model(), call, price.quantity);
      if (below == nullptr || compare(row, price, *below, *below->price(price.quantity)) >= 0) continue;
      lint.finding("context_order", row.place,
                   shown(row, price) + " is below " + shown(*below, *below->price(price.quantity)),
                   "at least the price of a shorter context");
    }
  }
  if (contexts.size() >= steps_max) lint.wrong(lint.model().place, "there are more than 7 context tiers", "at most 7");
}

/// From one validity to the next, under the same conditions.
void lint_changes(Lint& lint) {
  for (const SourceRow& later : lint.model().rows) {
    if (later.from_ms == always_from) continue;
    for (const SourceRow& earlier : lint.model().rows) {
      if (earlier.until_ms != later.from_ms || !narrows(earlier, later) || !narrows(later, earlier)) continue;
      for (const SourcePrice& price : later.prices) {
        const SourcePrice* before = earlier.price(price.quantity);
        if (before == nullptr) continue;
        if (compare(later, price, earlier, *before, change_max) > 0 ||
            compare(earlier, *before, later, price, change_max) > 0) {
          lint.finding("change_over_5", later.place, shown(later, price) + " after " + shown(earlier, *before),
                       "a change of at most 5 times, or a person who waives it with a reason");
        }
      }
    }
  }
}

}  // namespace

bool is_tokens(Quantity quantity) {
  return quantity_text(quantity).ends_with("_tokens");
}

bool is_time(Quantity quantity) {
  return quantity == Quantity::video_ms || quantity == Quantity::audio_ms;
}

std::string shown(const SourceRow& row, const SourcePrice& price) {
  std::string out = row.tier.empty() ? "" : row.tier + " ";
  out += std::string(quantity_text(price.quantity)) + " " + price.amount +
         (row.per_text == "each" ? " each" : " per " + row.per_text);
  if (row.context_above > 0) out += " above " + std::to_string(row.context_above) + " tokens";
  return out;
}

int compare(const SourceRow& row_a, const SourcePrice& a, const SourceRow& row_b, const SourcePrice& b, int times) {
  // Amounts are at most 10^27 and units 10^12, so the products would not fit: quotients first, then what is left of each.
  const Int128 other = b.atto * times;
  const Int128 whole_a = a.atto / row_a.per;
  const Int128 whole_b = other / row_b.per;
  if (whole_a != whole_b) return whole_a < whole_b ? -1 : 1;
  const Int128 rest_a = a.atto % row_a.per * row_b.per;
  const Int128 rest_b = other % row_b.per * row_a.per;
  return rest_a < rest_b ? -1 : (rest_a > rest_b ? 1 : 0);
}

void lint_prices(Lint& lint) {
  for (const SourceRow& row : lint.model().rows) {
    if (row.per <= 0) return;  // reported when it was read
  }
  lint_amounts(lint);
  lint_caches(lint);
  lint_tiers(lint);
  lint_contexts(lint);
  lint_changes(lint);
}

}  // namespace farthing::prices_detail
