// Book: a compiled table, and the prices of a policy laid over it, as a PriceBook.
// Thread-safety: immutable after construction.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "farthing/prices.h"
#include "prices/choose.h"
#include "prices/table.h"

namespace farthing::prices_detail {

class Book final : public PriceBook {
 public:
  /// The bytes of the table must outlive the book.
  static Result<std::shared_ptr<const PriceBook>> make(const Table& table, std::span<const PriceOverlay> overlays);
  /// The same, keeping the bytes; its version names their checksum too.
  static Result<std::shared_ptr<const PriceBook>> make(std::shared_ptr<const std::string> bytes,
                                                       std::span<const PriceOverlay> overlays);

  explicit Book(const Table& table);

  std::string_view version() const override { return version_; }
  const Model* find(std::string_view provider, std::string_view name) const override;
  std::optional<RateSet> rates(const Model& model, const Terms& terms) const override;
  std::optional<RateSet> dearest_rates(const Model& model, const Terms& terms) const override;
  std::vector<std::string> near(std::string_view provider, std::string_view name, std::size_t most) const override;
  std::vector<const Model*> models() const override;
  std::string source(const Model& model) const override;
  std::vector<PriceRow> rows(const Model& model) const override;
  std::vector<std::pair<std::string, std::string>> regions(const Model& model) const override;
  std::string_view volume_cap(const Model& model) const override;

 private:
  /// One row of a policy's prices.
  struct OverlayRow {
    RowRecord row;
    std::vector<CellRecord> cells;
    std::size_t number;  // of the policy's prices
    std::string_view volume_cap = {};
    std::int64_t volume_from = 0;
    std::uint64_t priority = 1;  // a higher step of the volume beats a lower one
  };
  struct Discount {
    std::int64_t from_ms, until_ms;
    std::int64_t ppm;
    std::size_t number;
  };

  // Laying over (overlay.cpp).
  Status lay_all(std::span<const PriceOverlay> overlays);
  Status lay(const PriceOverlay& overlay, std::size_t number);
  Status lay_step(const PriceOverlay& overlay, OverlayRow& added, std::vector<OverlayRow>& rows);
  Status lay_discount(std::span<const PriceOverlay> overlays, std::size_t number);
  Status check_keyed(std::uint32_t index, std::span<const PriceOverlay> overlays) const;  // keyed.cpp
  static Status check_winner(const std::vector<OverlayRow>& rows, const OverlayRow& a, const OverlayRow& b);
  Status check_unsaid(std::uint32_t index, const OverlayRow& own) const;
  Result<std::uint16_t> word_for(std::string_view text);
  Status lay_aliases(const PriceOverlay& overlay, std::uint32_t index);
  Result<std::uint32_t> model_for(const PriceOverlay& overlay);
  Result<std::uint8_t> tier_for(const PriceOverlay& overlay, std::uint32_t index);
  bool is_free(std::uint32_t index) const;
  std::uint32_t add_model(const PriceOverlay& overlay);
  Status check_instants(const std::vector<OverlayRow>& rows, const OverlayRow& added) const;
  const std::vector<Discount>& discounts(std::uint32_t index) const;
  /// What is left of a price at an instant, in millionths.
  std::int64_t remaining_ppm(std::uint32_t index, std::int64_t at_ms) const;
  std::string_view keep(std::string_view text);

  // Looking up (book.cpp).
  std::uint32_t exact(std::string_view provider, std::string_view name) const;
  std::uint32_t by_dated_form(std::string_view provider, std::string_view name) const;
  bool known(std::uint32_t index) const { return index < models_.size(); }
  const ModelRecord& record(std::uint32_t index) const { return records_[index]; }
  /// The tiers that a word can mean, as bits.
  std::uint64_t tiers_of(const ModelRecord& record, std::string_view word, bool asked) const;
  std::uint16_t word_of(std::string_view word) const;
  std::string_view word(std::uint16_t number) const;
  Wanted wanted(const Terms& terms) const;
  Choice choose(std::uint32_t index, const Wanted& wanted) const;
  /// The dearer rate of each quantity, over some tiers; for a ceiling also over every context tier and hour.
  void raise_over(std::optional<RateSet>& set, std::uint32_t index, Wanted wanted, std::uint64_t tiers, bool ceiling,
                  std::int64_t until_ms) const;
  /// Puts the chosen rates into a set, or the dearer ones of both.
  void fill(RateSet& set, const Choice& choice, std::uint32_t index, std::uint16_t region, std::int64_t at_ms) const;
  template <class Visit>
  void for_each_row(std::uint32_t index, Visit visit) const;

  std::shared_ptr<const std::string> bytes_;  // of the table, where it is not built in
  Table table_;
  std::string version_;
  std::vector<Rate> rates_;                            // the table's, then the policy's
  std::vector<ModelRecord> records_;                   // the same
  std::vector<Model> models_;                          // the same
  std::deque<std::string> texts_;                      // what the policy's models point to
  std::vector<std::string_view> tiers_;                // the table's, then the policy's
  std::vector<std::string_view> words_;                // the policy's, whose numbers follow those of the table
  std::vector<std::vector<OverlayRow>> overlay_rows_;  // by model; empty without a policy
  std::vector<std::vector<Discount>> discounts_;       // the same
  std::map<std::pair<std::string_view, std::string_view>, std::uint32_t> overlay_names_;
};

/// Near names, best first (near.cpp).
std::vector<std::string> nearest(std::string_view wanted, const std::vector<std::string_view>& names, std::size_t most);

/// A word that no row has as its condition.
inline constexpr std::uint16_t unknown_word = 0xFFFF;

/// Provider of a model that the table knows nothing about.
inline constexpr std::uint32_t no_provider = 0xFFFFFFFF;

}  // namespace farthing::prices_detail
