#include "prices/table.h"

#include <cstddef>
#include <string>

#include "farthing/meter.h"
#include "prices/names.h"

namespace farthing::prices_detail {
namespace {

constexpr std::size_t checksum_end = offsetof(Header, checksum) + sizeof(Header::checksum);

Error damaged(std::string_view what) {
  return {Code::store_corrupt, "the price book is damaged (" + std::string(what) + "): build or download it again."};
}

}  // namespace

std::uint64_t checksum_of(std::string_view table) {
  // Eight bytes at a time. Every step can be undone, so a change within one word always changes the sum.
  std::uint64_t sum = table.size() * 0x9E37'79B9'7F4A'7C15ULL;
  std::string_view rest = table.substr(std::min(table.size(), checksum_end));
  while (!rest.empty()) {
    std::uint64_t word = 0;
    const std::size_t size = std::min(rest.size(), sizeof(word));
    std::memcpy(&word, rest.data(), size);
    rest.remove_prefix(size);
    sum = (sum ^ word) * 0xBF58'476D'1CE4'E5B9ULL;
    sum ^= sum >> 29;
  }
  return sum;
}

Result<Table> Table::open(std::string_view bytes) {
  Header header;
  if (bytes.size() < sizeof(Header)) return damaged("it ends in its head");
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 != 0) return damaged("it begins at an odd address");
  std::memcpy(&header, bytes.data(), sizeof(Header));
  if (std::memcmp(header.magic, magic, sizeof(magic)) != 0) return damaged("it is not a price book");
  if (header.format != format_number) {
    return Error{Code::store_newer, "the price book has format " + std::to_string(header.format) +
                                        ", this version reads " + std::to_string(format_number) +
                                        ": use the Farthing that it was made for."};
  }
  if (header.bytes != bytes.size()) return damaged("its length is not what its head says");
  if (header.checksum != checksum_of(bytes)) return damaged("its checksum is wrong");
  const Table table(bytes, header);
  if (const char* problem = table.problem()) return damaged(problem);
  return table;
}

Rate Table::rate(std::uint32_t i) const {
  const auto record = at<RateRecord>(header_.rates, i);
  return {(static_cast<Int128>(record.atto_high) << 64) | static_cast<Int128>(record.atto_low), record.per};
}

std::uint32_t Table::find(std::string_view provider, std::string_view name) const {
  if (header_.slots.count == 0) return model_count();
  const std::uint32_t mask = header_.slots.count - 1;
  auto slot = static_cast<std::uint32_t>(hash_of(provider, name)) & mask;
  // Bounded: a table without an empty slot must not hang.
  for (std::uint32_t probes = 0; probes <= mask; ++probes, slot = (slot + 1) & mask) {
    const auto entry = at<SlotRecord>(header_.slots, slot);
    if (entry == 0) break;
    const NameRecord record = this->name(entry - 1);
    if (text(record.name) == name && text(this->provider(record.provider).name) == provider) return record.model;
  }
  return model_count();
}

const char* Table::problem() const {
  if (const char* found = sections_problem()) return found;
  if (const char* found = prices_problem()) return found;
  if (const char* found = models_problem()) return found;
  if (const char* found = names_problem()) return found;
  return providers_problem();
}

const char* Table::sections_problem() const {
  const auto outside = [this](const Section& section, std::size_t record) {
    return section.offset > bytes_.size() || section.count > (bytes_.size() - section.offset) / record;
  };
  const Header& h = header_;
  if (outside(h.rates, sizeof(RateRecord)) || outside(h.rows, sizeof(RowRecord)) ||
      outside(h.models, sizeof(ModelRecord)) || outside(h.names, sizeof(NameRecord)) ||
      outside(h.providers, sizeof(ProviderRecord)) || outside(h.reaches, sizeof(ReachRecord)) ||
      outside(h.regions, sizeof(RegionRecord)) || outside(h.slots, sizeof(SlotRecord)) ||
      outside(h.cells, sizeof(CellRecord)) || outside(h.tiers, sizeof(TextRef)) || outside(h.words, sizeof(TextRef)) ||
      outside(h.text, 1)) {
    return "a section lies outside";
  }
  if (h.cells.offset % 8 != 0) return "a section begins at an odd place";
  if (!std::has_single_bit(h.slots.count)) return "the names have no index";
  if (h.tiers.count == 0 || h.tiers.count > tiers_max) return "the number of service tiers";
  if (bad(h.version)) return "a text lies outside";
  for (std::uint32_t i = 0; i < h.tiers.count; ++i) {
    if (bad(at<TextRef>(h.tiers, i))) return "a text lies outside";
  }
  for (std::uint32_t i = 0; i < h.words.count; ++i) {
    if (bad(at<TextRef>(h.words, i))) return "a text lies outside";
  }
  return nullptr;
}

const char* Table::prices_problem() const {
  for (std::uint32_t i = 0; i < rate_count(); ++i) {
    const Rate found = rate(i);
    if (found.per < 1 || found.atto < 0) return "a rate";
  }
  for (std::uint32_t i = 0; i < header_.cells.count; ++i) {
    const auto cell = at<CellRecord>(header_.cells, i);
    if (cell.quantity >= quantity_count || cell.rate >= rate_count()) return "a price";
  }
  for (std::uint32_t i = 0; i < header_.rows.count; ++i) {
    const RowRecord found = row(i);
    if (bad(found.cells_begin, found.cells_count, header_.cells)) return "a row of prices";
    if (found.tier != any_tier && found.tier >= tier_count()) return "a service tier";
    for (const std::uint16_t word : {found.region, found.size, found.quality, found.resolution, found.search_context}) {
      if (word > word_count()) return "a condition";
    }
  }
  for (std::uint32_t i = 0; i < header_.regions.count; ++i) {
    const RegionRecord found = region(i);
    if (found.word > word_count() || found.numerator < 1 || found.denominator < 1) return "a region";
  }
  return nullptr;
}

const char* Table::models_problem() const {
  for (std::uint32_t i = 0; i < model_count(); ++i) {
    const ModelRecord found = model(i);
    for (const TextRef ref : {found.name, found.family, found.modality, found.encoding, found.overhead,
                              found.image_rule, found.deprecated, found.source}) {
      if (bad(ref)) return "a text lies outside";
    }
    if (found.provider >= provider_count()) return "a model's provider";
    if (bad(found.rows_begin, found.rows_count, header_.rows)) return "a model's rows";
    if (bad(found.regions_begin, found.regions_count, header_.regions)) return "a model's regions";
  }
  return nullptr;
}

const char* Table::names_problem() const {
  for (std::uint32_t i = 0; i < name_count(); ++i) {
    const NameRecord found = name(i);
    if (bad(found.name) || found.provider >= provider_count() || found.model >= model_count()) return "a name";
  }
  for (std::uint32_t i = 0; i < header_.slots.count; ++i) {
    if (at<SlotRecord>(header_.slots, i) > name_count()) return "the index of names";
  }
  return nullptr;
}

const char* Table::providers_problem() const {
  const std::uint64_t known = tier_count() == 64 ? ~0ULL : (1ULL << tier_count()) - 1;
  for (std::uint32_t i = 0; i < provider_count(); ++i) {
    const ProviderRecord found = provider(i);
    if (bad(found.name) || bad(found.reaches_begin, found.reaches_count, header_.reaches)) return "a provider";
    if ((found.tiers & ~known) != 0) return "a provider's service tiers";
  }
  for (std::uint32_t i = 0; i < header_.reaches.count; ++i) {
    const ReachRecord found = reach(i);
    if (bad(found.asked) || (found.tiers & ~known) != 0) return "a service tier";
    if (found.served != no_tier && found.served >= tier_count()) return "a service tier";
  }
  return nullptr;
}

}  // namespace farthing::prices_detail
