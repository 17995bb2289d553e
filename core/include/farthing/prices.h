// PriceBook: dated rates by provider and model, with their sources. The built-in book is data (prices/), compiled at
// build time to a sorted table that is looked up in place; a policy lays its own prices over it.
//
//   auto book = PriceBook::builtin();
//   const Model* model = book->find("openai", "gpt-5-mini-2025-08-07");      // exact, by alias, or by dated form
//   RateSet rates = *book->rates(*model, {.at_ms = now, .service_tier = "default", .context_tokens = 1200});
//   Usd actual = *cost_of(rates, quantities);
//
// Unknown is never zero: a model without a price is not found, a quantity used without a rate is an error.
// Thread-safety: immutable after construction.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "farthing/meter.h"
#include "farthing/money.h"
#include "farthing/result.h"

namespace farthing {

/// One model as the book knows it. Strings live as long as the book.
struct Model {
  std::string_view provider;
  std::string_view name;      // canonical (R29)
  std::string_view family;    // "gpt-5", for labels and overheads
  std::string_view modality;  // text, image, embedding, ...
  std::string_view encoding;  // "o200k_base", "" when unknown
  std::string_view overhead;  // name of the overhead profile (hidden prompts), see wire data
  std::string_view image_rule;
  std::int64_t context_window = 0;           // tokens; 0 = unknown
  std::int64_t max_output_tokens = 0;        // 0 = unknown
  std::int64_t tokens_per_second_bound = 0;  // R24: the fastest that output has been seen, with a margin
  bool reasoning = false;
  bool free = false;  // a written zero, not a missing price
  bool preview = false;
  std::string_view deprecated;  // date, "" when not
  std::uint32_t index = 0;      // place in the book
};

/// What selects among a model's rates. Empty text means not known or not asked. `service_tier` is the tier as served
/// for `rates` ("" is the provider's default one) and as asked for `dearest_rates` ("" is what a request that says
/// nothing can get); the provider's other words for a tier are taken, and a word that the book does not know counts as
/// the dearest.
struct Terms {
  std::int64_t at_ms = 0;              // the store's time of the reserve (R25)
  std::int64_t until_ms = 0;           // for `dearest_rates`: it may be reserved until then, having waited (R21)
  std::string_view service_tier = {};  // "default", "flex", "priority", "batch"
  std::int64_t context_tokens = 0;     // all input: a context tier reprices the whole request
  std::string_view region = {};
  std::string_view size = {};
  std::string_view quality = {};
  std::string_view resolution = {};
  std::string_view search_context = {};
  /// What the model's `volume_cap` had counted at the reserve, in its meter; nothing: not known, so the dearest step.
  /// `dearest_rates` takes every step: the period may begin anew before the call is reserved.
  std::optional<std::int64_t> volume = {};
  // For `dearest_rates`: what of its input the request can have written into a cache, for minutes, for an hour.
  bool writes_cache = true;
  bool writes_cache_1h = true;
};

struct RateSet {
  RateSet() = default;
  /// Filled by `fill(*this)`, in place.
  template <class Fill>
    requires std::invocable<Fill, RateSet&>
  explicit RateSet(Fill fill) {
    fill(*this);
  }
  std::array<std::optional<Rate>, quantity_count> of;
  const std::optional<Rate>& operator[](Quantity q) const { return of[static_cast<std::size_t>(q)]; }
  std::optional<Rate>& operator[](Quantity q) { return of[static_cast<std::size_t>(q)]; }
  bool operator==(const RateSet&) const = default;
  /// Compact JSON for the ledger: {"input_tokens":"0.25 USD per million",...}.
  std::string to_json() const;
};

/// What to_json() wrote; empty where it is none of its texts.
std::optional<RateSet> rate_set_of(std::string_view json);

/// a > b, exactly.
bool dearer(const Rate& a, const Rate& b);

/// A quantity's own rate, else that of what it is priced as (R25): reasoning as output, a missing cache rate as uncached
/// input, code sessions and file searches as tool calls; audio and image tokens only by their own. Null: there is none.
const Rate* rate_for(const RateSet& rates, Quantity quantity);

/// The error names the quantity that has no rate.
Result<Usd> cost_of(const RateSet& rates, const Quantities& quantities);     // settlement: half-even
Result<Usd> ceiling_of(const RateSet& rates, const Quantities& quantities);  // rounded up

/// A price written in a policy (`[[price]]`), laid over the built-in book. While it is in force, and on its terms, it
/// takes the place of every price of the book for the quantities that it names, whatever the tier or context; the
/// others stay. Nothing but zeros makes the model free. `model` may be a name or alias of the book, or a dated or
/// fine-tuned form of one: that form then becomes a model of its own, with all that the known one has.
struct PriceOverlay {
  std::string provider;
  std::string model;
  std::vector<std::string> aliases;
  std::vector<std::pair<Quantity, Rate>> rates;
  std::optional<std::int64_t> from_ms;   // in force from (inclusive)
  std::optional<std::int64_t> until_ms;  // (exclusive)
  std::string service_tier;              // "" = any
  std::int64_t context_above = 0;
  std::string size, quality, resolution, search_context;  // "" = any; as a request says it
  std::string volume_cap;        // the id of the cap that counts the period's volume; "" = whatever the volume
  std::int64_t volume_from = 0;  // in force once that cap has spent so much, of this meter
  Meter volume_meter = Meter::tokens;
  std::int64_t context_window = 0;  // 0 = as the built-in model of that name, else unknown
  std::int64_t max_output_tokens = 0;
  std::optional<bool> reasoning;
  /// A discount: so many millionths less than the book's prices. Then there are no rates, `model` may be a pattern
  /// (`*`, `?`), "" is every model of the provider, and of the rest only `from_ms` and `until_ms` count.
  std::int64_t discount_ppm = 0;
  std::map<std::string, std::string> waive;  // lint -> why a person accepts what it found
  bool operator==(const PriceOverlay&) const = default;
};

/// One line of a model's prices, with the conditions under which it holds, for people and for comparing books.
struct PriceRow {
  std::string conditions;  // "tier flex, context above 272000, from 2026-12-01T00:00:00Z"; "" = always
  RateSet rates;
  std::string service_tier;              // "" = any
  bool by_what_is_said = false;          // one of them is a size, quality, resolution or search context
  std::optional<std::int64_t> from_ms;   // in force from (inclusive)
  std::optional<std::int64_t> until_ms;  // (exclusive)
};

class PriceBook;
/// Up to `most` providers of the book with a name near to this one, best first.
std::vector<std::string> near_providers(const PriceBook& book, std::string_view provider, std::size_t most);
/// Up to `most` of `names` that are near to this one, best first.
std::vector<std::string> near_names(std::string_view wanted, const std::vector<std::string_view>& names,
                                    std::size_t most);
/// By name alone: a maker's model before one of the same name at a host that sells it; "openai/gpt-4o" names both. Null when
/// unknown.
const Model* find_anywhere(const PriceBook& book, std::string_view name);

class PriceBook {
 public:
  virtual ~PriceBook() = default;

  /// The book compiled into this library.
  static std::shared_ptr<const PriceBook> builtin();
  /// The built-in book with a policy's prices over it. The version then names both. `invalid_policy` for a price
  /// without a rate (a zero must be written), two prices for one instant, an alias that another model has.
  static Result<std::shared_ptr<const PriceBook>> with_overlays(std::vector<PriceOverlay> overlays);
  /// The same over a compiled book in a file, as `farthing prices update` writes it; "" is the built-in one. Its version
  /// is its date and the beginning of its checksum. `invalid_policy` where the file is missing, damaged or of another
  /// version: then no other book takes its place.
  static Result<std::shared_ptr<const PriceBook>> open(const std::string& path, std::vector<PriceOverlay> overlays);

  /// A compiled book's bytes, without a policy's prices. `store_corrupt` or `store_newer` for others.
  static Result<std::shared_ptr<const PriceBook>> of_table(std::string bytes);

  /// Like "2026-11-21" or "2026-11-21+5f3a1c" with overlays.
  virtual std::string_view version() const = 0;
  /// By exact name, alias, or dated form ("gpt-5-mini-2025-08-07", "ft:gpt-4o-mini-2024-07-18:org::id" by its base's
  /// fine-tuning entry only if there is one); never by likeness. Null when unknown.
  virtual const Model* find(std::string_view provider, std::string_view name) const = 0;
  /// The rates that apply: in force at `at_ms`, of the rows whose conditions hold the most specific for each quantity.
  /// Empty when no rate is in force.
  virtual std::optional<RateSet> rates(const Model& model, const Terms& terms) const = 0;
  /// The dearest rate of each quantity over all that this request can still reach (R25): every context tier up to
  /// `terms.context_tokens`, every service tier that the one asked for can be served as (the book's data per provider),
  /// every hour. Its input_tokens rate is that of a cache write where that is dearer; output likewise with reasoning.
  virtual std::optional<RateSet> dearest_rates(const Model& model, const Terms& terms) const = 0;
  /// Up to `most` near names, best first, for messages about an unknown model.
  virtual std::vector<std::string> near(std::string_view provider, std::string_view name, std::size_t most) const = 0;
  /// All models, sorted by provider and name.
  virtual std::vector<const Model*> models() const = 0;
  /// Where a model's rates come from: "https://... (2026-11-20)".
  virtual std::string source(const Model& model) const = 0;
  /// All prices of a model as they are written, in the book's order, a policy's last, before any discount.
  virtual std::vector<PriceRow> rows(const Model& model) const = 0;
  /// Where processing multiplies its prices: region and factor, "11/10".
  virtual std::vector<std::pair<std::string, std::string>> regions(const Model& model) const = 0;
  /// The id of the cap whose volume a model's prices depend on; "" for nearly all.
  virtual std::string_view volume_cap(const Model& model) const = 0;
};

/// Whether a price of the model that is in force at that time, other than of tools, holds only for a size, quality, resolution or
/// search context.
bool is_priced_by_what_is_said(const PriceBook& book, const Model& model, std::int64_t at_ms);

}  // namespace farthing
