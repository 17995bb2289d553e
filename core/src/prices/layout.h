// The compiled price book, as it lies in the binary: fixed records and one heap of text, little-endian, looked up in place.
//
//   header | rates | rows | models | names | providers | reaches | regions | slots | cells | tiers | words | text
//
// Sections begin at multiples of 8. References are indices and offsets, never pointers, all checked once when the table
// is opened (table.h). Another layout is another `format_number`.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace farthing::prices_detail {

static_assert(std::endian::native == std::endian::little, "the table is little-endian");

inline constexpr char magic[8] = {'F', 'R', 'T', 'H', 'B', 'O', 'O', 'K'};
inline constexpr std::uint32_t format_number = 1;

struct TextRef {
  std::uint32_t offset;  // in the heap of text
  std::uint32_t length;
};

struct Section {
  std::uint32_t offset;  // in the table
  std::uint32_t count;   // of records; for the heap of text: bytes
};

struct Header {
  char magic[8];
  std::uint32_t format;
  std::uint32_t bytes;     // of the whole table
  std::uint64_t checksum;  // of everything after this field
  TextRef version;         // the book's date
  Section rates, rows, models, names, providers, reaches, regions, slots, cells, tiers, words, text;
};

/// amount (10^-18 USD, 128 bits) for `per` units.
struct RateRecord {
  std::uint64_t atto_low;
  std::int64_t atto_high;
  std::int64_t per;
};

inline constexpr std::uint8_t any_tier = 255;
inline constexpr std::uint16_t any_word = 0;  // else index + 1 in `words`
inline constexpr std::int64_t always_from = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t always_until = std::numeric_limits<std::int64_t>::max();

/// Prices under one set of conditions. Conditions that are not set hold for every call.
struct RowRecord {
  std::int64_t from_ms;        // inclusive
  std::int64_t until_ms;       // exclusive
  std::int64_t context_above;  // applies when the request's input has more tokens than that
  std::uint32_t cells_begin;
  std::uint16_t cells_count;
  std::uint16_t minute_from;  // of the day, UTC: [from, until), over midnight when from > until; both 0: all day
  std::uint16_t minute_until;
  std::uint16_t region, size, quality, resolution, search_context;
  std::uint8_t tier;
  std::uint8_t conditions;  // how many are set: more beat fewer
  std::uint8_t padding[6];
};

/// A model has fewer context tiers than this, and fewer beginnings and ends of hours (lint `steps`).
inline constexpr std::size_t steps_max = 8;

struct CellRecord {
  std::uint32_t quantity;
  std::uint32_t rate;
};

enum ModelFlag : std::uint32_t {
  flag_reasoning = 1,
  flag_free = 2,
  flag_preview = 4,
  // Dated forms that this name may be followed by (names.h).
  flag_dated_iso = 16,      // -2025-08-07
  flag_dated_compact = 32,  // -20250807
  flag_dated_mmdd = 64,     // -0125
  flag_dated_yymm = 128,    // -2508
};

struct ModelRecord {
  TextRef name, family, modality, encoding, overhead, image_rule, deprecated, source;
  std::int64_t context_window;
  std::int64_t max_output_tokens;
  std::int64_t tokens_per_second_bound;
  std::uint32_t provider;
  std::uint32_t flags;
  std::uint32_t rows_begin, rows_count;
  std::uint32_t regions_begin, regions_count;
};

/// A name or an alias; sorted by provider and name.
struct NameRecord {
  TextRef name;
  std::uint32_t provider;
  std::uint32_t model;
};

struct ProviderRecord {
  TextRef name;
  std::uint32_t reaches_begin, reaches_count;
  std::uint64_t tiers;  // all that it serves, as bits
};

/// What a request that says `asked` can be served and billed as.
struct ReachRecord {
  TextRef asked;
  std::uint64_t tiers;
  std::uint32_t served;  // the tier this word means in an answer; no_tier where it is only asked
  std::uint32_t padding;
};
inline constexpr std::uint32_t no_tier = 0xFFFFFFFF;
inline constexpr std::uint32_t tiers_max = 64;
inline constexpr std::uint32_t default_tier = 0;

/// Processing in a region multiplies every rate of the model.
struct RegionRecord {
  std::uint32_t word;
  std::uint32_t padding;
  std::int64_t numerator, denominator;
};

/// Slots of an open-addressed hash of (provider, name): index + 1 in `names`, 0 = empty. A power of two.
using SlotRecord = std::uint32_t;

static_assert(sizeof(Header) == 128 && sizeof(RateRecord) == 24 && sizeof(RowRecord) == 56);
static_assert(sizeof(CellRecord) == 8 && sizeof(ModelRecord) == 112 && sizeof(NameRecord) == 16);
static_assert(sizeof(ProviderRecord) == 24 && sizeof(ReachRecord) == 24 && sizeof(RegionRecord) == 24);
static_assert(std::is_trivially_copyable_v<Header> && std::is_trivially_copyable_v<ModelRecord>);

}  // namespace farthing::prices_detail
