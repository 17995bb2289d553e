// Table: a compiled price book in memory, read in place. Opening checks the checksum and every reference once; after that
// no lookup can leave the bytes, whatever they are.
//
//   Result<Table> table = Table::open(embedded::price_book());
//   table->text(table->model(0).name)
//
// Thread-safety: immutable. The bytes must outlive it.
#pragma once

#include <cstring>
#include <span>
#include <string_view>

#include "farthing/money.h"
#include "farthing/result.h"
#include "prices/layout.h"

namespace farthing::prices_detail {

class Table {
 public:
  /// A table without models.
  Table() = default;
  /// `store_corrupt` for bytes that are no table or a damaged one, `store_newer` for another format. The bytes must begin
  /// at a multiple of 8.
  static Result<Table> open(std::string_view bytes);

  std::string_view version() const { return text(header_.version); }
  std::string_view text(TextRef ref) const { return {bytes_.data() + header_.text.offset + ref.offset, ref.length}; }

  std::uint32_t rate_count() const { return header_.rates.count; }
  Rate rate(std::uint32_t i) const;
  std::uint32_t model_count() const { return header_.models.count; }
  ModelRecord model(std::uint32_t i) const { return at<ModelRecord>(header_.models, i); }
  std::uint32_t name_count() const { return header_.names.count; }
  NameRecord name(std::uint32_t i) const { return at<NameRecord>(header_.names, i); }
  RowRecord row(std::uint32_t i) const { return at<RowRecord>(header_.rows, i); }
  std::span<const CellRecord> cells(const RowRecord& row) const {
    const char* first = bytes_.data() + header_.cells.offset + std::size_t{row.cells_begin} * sizeof(CellRecord);
    return {reinterpret_cast<const CellRecord*>(first), row.cells_count};
  }
  std::uint32_t provider_count() const { return header_.providers.count; }
  ProviderRecord provider(std::uint32_t i) const { return at<ProviderRecord>(header_.providers, i); }
  ReachRecord reach(std::uint32_t i) const { return at<ReachRecord>(header_.reaches, i); }
  RegionRecord region(std::uint32_t i) const { return at<RegionRecord>(header_.regions, i); }
  std::uint32_t tier_count() const { return header_.tiers.count; }
  std::string_view tier(std::uint32_t i) const { return text(at<TextRef>(header_.tiers, i)); }
  std::uint32_t word_count() const { return header_.words.count; }
  std::string_view word(std::uint32_t i) const { return text(at<TextRef>(header_.words, i)); }

  /// The model with exactly this name or alias; `model_count()` when there is none.
  std::uint32_t find(std::string_view provider, std::string_view name) const;

 private:
  Table(std::string_view bytes, const Header& header) : bytes_(bytes), header_(header) {}

  template <class Record>
  Record at(const Section& section, std::uint32_t i) const {
    // memcpy is a load here, and right whatever the bytes were written as.
    Record record;
    std::memcpy(&record, bytes_.data() + section.offset + std::size_t{i} * sizeof(Record), sizeof(Record));
    return record;
  }

  const char* problem() const;
  const char* sections_problem() const;
  const char* prices_problem() const;
  const char* models_problem() const;
  const char* names_problem() const;
  const char* providers_problem() const;
  bool bad(TextRef ref) const {
    return ref.offset > header_.text.count || ref.length > header_.text.count - ref.offset;
  }
  static bool bad(std::uint32_t begin, std::uint32_t count, const Section& section) {
    return begin > section.count || count > section.count - begin;
  }

  std::string_view bytes_;
  Header header_{};
};

/// Of the bytes after the header's checksum field; also used by the compiler.
std::uint64_t checksum_of(std::string_view table);

}  // namespace farthing::prices_detail
