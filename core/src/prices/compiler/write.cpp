// From the source to the bytes of layout.h. Sorted and interned, so that the same source gives the same bytes.
#include <algorithm>
#include <cstring>
#include <map>

#include "prices/choose.h"
#include "prices/compiler/source.h"
#include "prices/names.h"
#include "prices/table.h"

namespace farthing::prices_detail {
namespace {

class Writer {
 public:
  Writer(const Source& source, Problems& problems) : source_(source), problems_(problems) {
    tiers_.emplace_back("default");
  }

  std::string write() {
    Header header{};
    std::memcpy(header.magic, magic, sizeof(magic));
    header.format = format_number;
    header.version = text(source_.date);
    add_providers();
    add_models();
    add_names();
    for (const std::string& tier : tiers_)
      tier_texts_.push_back(text(tier));
    for (const std::string& word : words_)
      word_texts_.push_back(text(word));
    if (tiers_.size() > tiers_max)
      problems_.emplace_back("price book: more than 64 service tiers; accepted: at most that");
    return lay_out(header);
  }

 private:
  TextRef text(const std::string& wanted) {
    const auto [place, added] = text_places_.try_emplace(wanted, static_cast<std::uint32_t>(heap_.size()));
    if (added) heap_ += wanted;
    return {place->second, static_cast<std::uint32_t>(wanted.size())};
  }

  static std::uint32_t place_in(std::vector<std::string>& list, const std::string& wanted) {
    const auto place = static_cast<std::uint32_t>(std::find(list.begin(), list.end(), wanted) - list.begin());
    if (place == list.size()) list.push_back(wanted);
    return place;
  }

  std::uint32_t tier(const std::string& name) { return place_in(tiers_, name); }
  std::uint16_t word(const std::string& name) {
    return name.empty() ? any_word : static_cast<std::uint16_t>(place_in(words_, name) + 1);
  }

  std::uint32_t rate(Int128 atto, std::int64_t per) {
    const auto [place, added] = rate_places_.try_emplace({atto, per}, static_cast<std::uint32_t>(rates_.size()));
    if (added) rates_.push_back({static_cast<std::uint64_t>(atto), static_cast<std::int64_t>(atto >> 64), per});
    return place->second;
  }

  void add_providers() {
    std::vector<const SourceProvider*> sorted;
    for (const SourceProvider& provider : source_.providers)
      sorted.push_back(&provider);
    std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
    for (const SourceProvider* provider : sorted) {
      provider_places_[provider->name] = static_cast<std::uint32_t>(providers_.size());
      providers_.push_back(provider_record(*provider));
    }
  }

  ProviderRecord provider_record(const SourceProvider& provider) {
    ProviderRecord record{.name = text(provider.name),
                          .reaches_begin = static_cast<std::uint32_t>(reaches_.size()),
                          .reaches_count = 0,
                          .tiers = 0};
    std::map<std::string, std::vector<std::string>> asked = provider.tiers;
    for (const auto& [word, served] : provider.tier_names) {
      if (!asked.contains(word)) asked[word] = asked[served];
    }
    for (const auto& [word, served] : asked) {
      ReachRecord reach{.asked = text(word), .tiers = 0, .served = no_tier, .padding = 0};
      for (const std::string& name : served)
        reach.tiers |= std::uint64_t{1} << (tier(name) % tiers_max);
      record.tiers |= reach.tiers;
      reaches_.push_back(reach);
    }
    // Which of the words an answer can say too.
    auto reach = reaches_.begin() + record.reaches_begin;
    for (const auto& [word, served] : asked) {
      const auto renamed = provider.tier_names.find(word);
      const std::string& meant = renamed == provider.tier_names.end() ? word : renamed->second;
      const auto known = std::find(tiers_.begin(), tiers_.end(), meant);
      if (known != tiers_.end()) reach->served = static_cast<std::uint32_t>(known - tiers_.begin());
      ++reach;
    }
    record.reaches_count = static_cast<std::uint32_t>(reaches_.size()) - record.reaches_begin;
    return record;
  }

  void add_models() {
    for (const SourceModel& model : source_.models)
      sorted_.push_back(&model);
    std::sort(sorted_.begin(), sorted_.end(), [](const auto* a, const auto* b) {
      return a->provider != b->provider ? a->provider < b->provider : a->name < b->name;
    });
    for (const SourceModel* model : sorted_)
      models_.push_back(model_record(*model));
  }

  ModelRecord model_record(const SourceModel& model) {
    ModelRecord record{};
    record.name = text(model.name);
    record.family = text(model.family);
    record.modality = text(model.modality);
    record.encoding = text(model.encoding);
    record.overhead = text(model.overhead);
    record.image_rule = text(model.image_rule);
    record.deprecated = text(model.deprecated);
    record.source = text(model.source + " (" + model.date + ")");
    record.context_window = model.context;
    record.max_output_tokens = model.output;
    record.tokens_per_second_bound = model.tokens_per_second;
    record.provider = provider_places_[model.provider];
    if (model.reasoning) record.flags |= flag_reasoning;
    if (model.free) record.flags |= flag_free;
    if (model.preview) record.flags |= flag_preview;
    for (const std::string& form : model.dated)
      record.flags |= dated_form_of(form);
    record.rows_begin = static_cast<std::uint32_t>(rows_.size());
    for (const SourceRow& row : model.rows)
      rows_.push_back(row_record(model, row));
    record.rows_count = static_cast<std::uint32_t>(rows_.size()) - record.rows_begin;
    record.regions_begin = static_cast<std::uint32_t>(regions_.size());
    for (const auto& [region, factor] : model.regions)
      regions_.push_back(region_record(region, factor));
    record.regions_count = static_cast<std::uint32_t>(regions_.size()) - record.regions_begin;
    return record;
  }

  RegionRecord region_record(const std::string& region, const std::string& factor) {
    Int128 numerator = decimal_atto(factor).value_or(atto_per_usd);
    Int128 denominator = atto_per_usd;
    while (numerator % 10 == 0 && denominator > 1) {
      numerator /= 10;
      denominator /= 10;
    }
    return {word(region), 0, static_cast<std::int64_t>(numerator), static_cast<std::int64_t>(denominator)};
  }

  RowRecord row_record(const SourceModel& model, const SourceRow& row) {
    RowRecord record{};
    record.from_ms = row.from_ms;
    record.until_ms = row.until_ms;
    record.context_above = row.context_above;
    record.minute_from = row.minute_from;
    record.minute_until = row.minute_until;
    record.region = word(row.region);
    record.size = word(row.size);
    record.quality = word(row.quality);
    record.resolution = word(row.resolution);
    record.search_context = word(row.search_context);
    record.tier = row.tier.empty() ? any_tier : static_cast<std::uint8_t>(tier(row.tier));
    record.conditions = count_conditions(record);
    record.cells_begin = static_cast<std::uint32_t>(cells_.size());
    for (const SourcePrice& price : row.prices) {
      cells_.push_back({static_cast<std::uint32_t>(price.quantity), rate(price.atto, row.per)});
    }
    // A model that reads images bills their tokens as text unless it says otherwise.
    const SourcePrice* input = row.price(Quantity::input_tokens);
    const bool images = std::find(model.accepts.begin(), model.accepts.end(), "image") != model.accepts.end();
    const bool own = std::any_of(model.rows.begin(), model.rows.end(), [](const SourceRow& any) {
      return any.price(Quantity::input_image_tokens) != nullptr;
    });
    if (images && !own && input != nullptr) {
      cells_.push_back({static_cast<std::uint32_t>(Quantity::input_image_tokens), rate(input->atto, row.per)});
    }
    record.cells_count = static_cast<std::uint16_t>(cells_.size() - record.cells_begin);
    return record;
  }

  void add_names() {
    struct Named {
      std::string provider, name;
      std::uint32_t model;
    };
    std::vector<Named> all;
    for (std::size_t i = 0; i < sorted_.size(); ++i) {
      all.push_back({sorted_[i]->provider, sorted_[i]->name, static_cast<std::uint32_t>(i)});
      for (const std::string& alias : sorted_[i]->aliases)
        all.push_back({sorted_[i]->provider, alias, static_cast<std::uint32_t>(i)});
    }
    std::sort(all.begin(), all.end(), [](const Named& a, const Named& b) {
      return a.provider != b.provider ? a.provider < b.provider : a.name < b.name;
    });
    std::size_t slots = 1;
    while (slots < 2 * all.size() + 1)
      slots *= 2;
    slots_.assign(slots, 0);
    for (const Named& named : all) {
      names_.push_back({text(named.name), provider_places_[named.provider], named.model});
      auto slot = static_cast<std::uint32_t>(hash_of(named.provider, named.name)) & (slots - 1);
      while (slots_[slot] != 0)
        slot = (slot + 1) & (slots - 1);
      slots_[slot] = static_cast<SlotRecord>(names_.size());
    }
  }

  template <class Record>
  static Section append(std::string& out, const std::vector<Record>& records) {
    out.append((8 - out.size() % 8) % 8, '\0');
    const Section section{static_cast<std::uint32_t>(out.size()), static_cast<std::uint32_t>(records.size())};
    out.append(reinterpret_cast<const char*>(records.data()), records.size() * sizeof(Record));
    return section;
  }

  std::string lay_out(Header header) const {
    std::string out(sizeof(Header), '\0');
    header.rates = append(out, rates_);
    header.rows = append(out, rows_);
    header.models = append(out, models_);
    header.names = append(out, names_);
    header.providers = append(out, providers_);
    header.reaches = append(out, reaches_);
    header.regions = append(out, regions_);
    header.slots = append(out, slots_);
    header.cells = append(out, cells_);
    header.tiers = append(out, tier_texts_);
    header.words = append(out, word_texts_);
    header.text = append(out, std::vector<char>(heap_.begin(), heap_.end()));
    header.bytes = static_cast<std::uint32_t>(out.size());
    std::memcpy(out.data(), &header, sizeof(Header));
    header.checksum = checksum_of(out);
    std::memcpy(out.data(), &header, sizeof(Header));
    return out;
  }

  const Source& source_;
  Problems& problems_;
  std::vector<const SourceModel*> sorted_;
  std::string heap_;
  std::map<std::string, std::uint32_t> text_places_;
  std::map<std::pair<Int128, std::int64_t>, std::uint32_t> rate_places_;
  std::map<std::string, std::uint32_t> provider_places_;
  std::vector<std::string> tiers_, words_;
  std::vector<TextRef> tier_texts_, word_texts_;
  std::vector<RateRecord> rates_;
  std::vector<RowRecord> rows_;
  std::vector<ModelRecord> models_;
  std::vector<NameRecord> names_;
  std::vector<ProviderRecord> providers_;
  std::vector<ReachRecord> reaches_;
  std::vector<RegionRecord> regions_;
  std::vector<SlotRecord> slots_;
  std::vector<CellRecord> cells_;
};

}  // namespace

std::string write_table(const Source& source, Problems& problems) {
  std::string table = Writer(source, problems).write();
  if (auto opened = Table::open(table); !opened)
    problems.push_back("price book: what was written cannot be read: " + opened.error().message);
  return table;
}

std::string compile_book(const std::vector<SourceFile>& files, Problems& problems) {
  const Source source = read_source(files, problems);
  lint(source, problems);
  if (!problems.empty()) return {};
  std::string table = write_table(source, problems);
  return problems.empty() ? table : std::string();
}

}  // namespace farthing::prices_detail
