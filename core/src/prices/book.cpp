#include "prices/book.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "embedded/price_book.h"
#include "prices/names.h"

namespace farthing::prices_detail {
namespace {

Model model_of(const Table& table, const ModelRecord& record, std::uint32_t index) {
  return {.provider = table.text(table.provider(record.provider).name),
          .name = table.text(record.name),
          .family = table.text(record.family),
          .modality = table.text(record.modality),
          .encoding = table.text(record.encoding),
          .overhead = table.text(record.overhead),
          .image_rule = table.text(record.image_rule),
          .context_window = record.context_window,
          .max_output_tokens = record.max_output_tokens,
          .tokens_per_second_bound = record.tokens_per_second_bound,
          .reasoning = (record.flags & flag_reasoning) != 0,
          .free = (record.flags & flag_free) != 0,
          .preview = (record.flags & flag_preview) != 0,
          .deprecated = table.text(record.deprecated),
          .index = index};
}

/// A rate times a factor, exact; nothing when it does not fit.
std::optional<Rate> scaled(const Rate& rate, std::int64_t numerator, std::int64_t denominator) {
  Rate result;
  if (__builtin_mul_overflow(rate.atto, static_cast<Int128>(numerator), &result.atto)) return std::nullopt;
  if (result.atto % denominator == 0) return Rate{result.atto / denominator, rate.per};
  if (__builtin_mul_overflow(rate.per, denominator, &result.per)) return std::nullopt;
  return result;
}

constexpr std::int64_t whole_ppm = 1'000'000;

void raise_to(std::optional<Rate>& rate, const Rate& other) {
  if (!rate || dearer(other, *rate)) rate = other;
}

void raise_to(std::optional<Rate>& rate, const std::optional<Rate>& other) {
  if (other) raise_to(rate, *other);
}

std::uint64_t bit(std::uint32_t tier) {
  return std::uint64_t{1} << tier;
}

/// A few different numbers, the first always there. A book has at most `steps_max` - 1 others per model (a lint), a policy
/// may have any number.
class Few {
 public:
  explicit Few(std::int64_t first) { values_[0] = first; }
  void add(std::int64_t value) {
    const auto known = all();
    if (std::find(known.begin(), known.end(), value) != known.end()) return;
    if (size_ == values_.size() && more_.empty()) more_.assign(values_.begin(), values_.end());
    if (more_.empty())
      values_[size_++] = value;
    else
      more_.push_back(value);
  }
  std::span<const std::int64_t> all() const { return more_.empty() ? std::span(values_.data(), size_) : more_; }

 private:
  std::array<std::int64_t, steps_max> values_{};
  std::size_t size_ = 1;
  std::vector<std::int64_t> more_;  // all of them, where there are more
};

/// Input may be written to a cache, output may be reasoning: a ceiling that counts all of it as one takes the dearest.
void cover_what_cannot_be_told_apart(RateSet& set, const Terms& terms) {
  if (set[Quantity::input_tokens]) {
    raise_to(set[Quantity::input_tokens], set[Quantity::cache_read_tokens]);
    if (terms.writes_cache) raise_to(set[Quantity::input_tokens], set[Quantity::cache_write_tokens]);
    if (terms.writes_cache_1h) raise_to(set[Quantity::input_tokens], set[Quantity::cache_write_1h_tokens]);
  }
  if (set[Quantity::output_tokens]) raise_to(set[Quantity::output_tokens], set[Quantity::reasoning_tokens]);
}

}  // namespace

Book::Book(const Table& table) : table_(table), version_(table.version()) {
  rates_.reserve(table.rate_count());
  for (std::uint32_t i = 0; i < table.rate_count(); ++i)
    rates_.push_back(table.rate(i));
  records_.reserve(table.model_count());
  models_.reserve(table.model_count());
  for (std::uint32_t i = 0; i < table.model_count(); ++i) {
    records_.push_back(table.model(i));
    models_.push_back(model_of(table, records_.back(), i));
  }
  for (std::uint32_t i = 0; i < table.tier_count(); ++i)
    tiers_.push_back(table.tier(i));
}

std::uint32_t Book::exact(std::string_view provider, std::string_view name) const {
  if (!overlay_names_.empty()) {
    const auto found = overlay_names_.find({provider, name});
    if (found != overlay_names_.end()) return found->second;
  }
  const std::uint32_t index = table_.find(provider, name);
  return index < table_.model_count() ? index : static_cast<std::uint32_t>(models_.size());
}

std::uint32_t Book::by_dated_form(std::string_view provider, std::string_view name) const {
  for (const Undated& form : undated(name)) {
    if (form.form == 0) break;
    const std::uint32_t index = exact(provider, form.base);
    if (known(index) && (record(index).flags & form.form) != 0) return index;
  }
  return static_cast<std::uint32_t>(models_.size());
}

const Model* Book::find(std::string_view provider, std::string_view name) const {
  std::uint32_t index = exact(provider, name);
  if (!known(index)) index = by_dated_form(provider, name);
  if (!known(index)) {
    const std::string_view base = fine_tuned_base(name);
    if (base.empty()) return nullptr;
    index = exact(provider, base);
    if (!known(index)) index = by_dated_form(provider, base);
  }
  return known(index) ? &models_[index] : nullptr;
}

std::uint64_t Book::tiers_of(const ModelRecord& record, std::string_view word, bool asked) const {
  const bool own_provider = record.provider == no_provider;
  if (word.empty() && (!asked || own_provider)) return bit(default_tier);
  std::uint64_t all = own_provider ? ~std::uint64_t{0} : 0;
  if (!own_provider) {
    const ProviderRecord provider = table_.provider(record.provider);
    all = provider.tiers | bit(default_tier);
    for (std::uint32_t i = 0; i < provider.reaches_count; ++i) {
      const ReachRecord reach = table_.reach(provider.reaches_begin + i);
      if (table_.text(reach.asked) != word) continue;
      return !asked && reach.served != no_tier ? bit(reach.served) : reach.tiers;
    }
    if (word.empty()) return bit(default_tier);
  }
  // A word that only the policy's prices use.
  for (std::size_t i = own_provider ? 0 : table_.tier_count(); i < tiers_.size(); ++i) {
    if (tiers_[i] == word) return bit(static_cast<std::uint32_t>(i));
  }
  return all;  // unknown is never cheap
}

std::uint16_t Book::word_of(std::string_view word) const {
  if (word.empty()) return any_word;
  for (std::uint32_t i = 0; i < table_.word_count(); ++i) {
    if (table_.word(i) == word) return static_cast<std::uint16_t>(i + 1);
  }
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (words_[i] == word) return static_cast<std::uint16_t>(table_.word_count() + i + 1);
  }
  return unknown_word;
}

std::string_view Book::word(std::uint16_t number) const {
  if (number == any_word) return {};
  return number <= table_.word_count() ? table_.word(number - 1U) : words_[number - table_.word_count() - 1U];
}

Wanted Book::wanted(const Terms& terms) const {
  return {.at_ms = terms.at_ms,
          .context_tokens = terms.context_tokens,
          .volume = terms.volume.value_or(-1),
          .region = word_of(terms.region),
          .size = word_of(terms.size),
          .quality = word_of(terms.quality),
          .resolution = word_of(terms.resolution),
          .search_context = word_of(terms.search_context)};
}

template <class Visit>
void Book::for_each_row(std::uint32_t index, Visit visit) const {
  const ModelRecord& model = record(index);
  for (std::uint32_t i = 0; i < model.rows_count; ++i)
    visit(table_.row(model.rows_begin + i));
  if (overlay_rows_.empty()) return;
  for (const OverlayRow& overlay : overlay_rows_[index])
    visit(overlay.row);
}

Choice Book::choose(std::uint32_t index, const Wanted& wanted) const {
  Choice choice;
  const ModelRecord& model = record(index);
  for (std::uint32_t i = 0; i < model.rows_count; ++i) {
    const RowRecord row = table_.row(model.rows_begin + i);
    choice.offer(row, table_.cells(row), wanted, 0);
  }
  if (overlay_rows_.empty()) return choice;
  for (const OverlayRow& overlay : overlay_rows_[index]) {
    if (overlay.volume_from == 0 || wanted.volume >= overlay.volume_from)
      choice.offer(overlay.row, overlay.cells, wanted, overlay.priority);
  }
  return choice;
}

const std::vector<Book::Discount>& Book::discounts(std::uint32_t index) const {
  static const std::vector<Discount> none;
  return index < discounts_.size() ? discounts_[index] : none;
}

std::int64_t Book::remaining_ppm(std::uint32_t index, std::int64_t at_ms) const {
  for (const Discount& discount : discounts(index)) {
    if (at_ms >= discount.from_ms && at_ms < discount.until_ms) return whole_ppm - discount.ppm;
  }
  return whole_ppm;
}

void Book::fill(RateSet& set, const Choice& choice, std::uint32_t index, std::uint16_t region,
                std::int64_t at_ms) const {
  const ModelRecord& record = records_[index];
  const std::int64_t ppm = remaining_ppm(index, at_ms);
  std::int64_t numerator = 1;
  std::int64_t denominator = 1;
  for (std::uint32_t i = 0; region != any_word && i < record.regions_count; ++i) {
    const RegionRecord found = table_.region(record.regions_begin + i);
    if (found.word != region) continue;
    numerator = found.numerator;
    denominator = found.denominator;
  }
  for (std::size_t i = 0; i < quantity_count; ++i) {
    const std::uint32_t number = choice[i];
    if (number == no_rate) continue;
    const bool own = number >= table_.rate_count();  // a policy's price is what it says, in every region
    if (own || (numerator == denominator && ppm == whole_ppm)) {
      raise_to(set.of[i], rates_[number]);
      continue;
    }
    std::optional<Rate> rate = scaled(rates_[number], numerator, denominator);
    if (rate && ppm != whole_ppm) rate = scaled(*rate, ppm, whole_ppm);
    raise_to(set.of[i], rate);
  }
}

std::optional<RateSet> Book::rates(const Model& model, const Terms& terms) const {
  const std::uint64_t tiers = tiers_of(record(model.index), terms.service_tier, false);
  Wanted terms_wanted = wanted(terms);
  if (!std::has_single_bit(tiers) || (!terms.volume && !volume_cap(model).empty())) {
    // A word that names no one tier, or a volume that is not known, is priced at the most that it can mean.
    std::optional<RateSet> set;
    raise_over(set, model.index, terms_wanted, tiers, false, terms.at_ms);
    return set;
  }
  terms_wanted.tier = static_cast<std::uint32_t>(std::countr_zero(tiers));
  const Choice choice = choose(model.index, terms_wanted);
  if (choice.empty()) return std::nullopt;
  // Made where it is returned: a set is large, and this runs on every call.
  return std::optional<RateSet>(
      std::in_place, [&](RateSet& set) { fill(set, choice, model.index, terms_wanted.region, terms.at_ms); });
}

std::optional<RateSet> Book::dearest_rates(const Model& model, const Terms& terms) const {
  std::optional<RateSet> set;
  raise_over(set, model.index, wanted(terms), tiers_of(record(model.index), terms.service_tier, true), true,
             terms.until_ms);
  if (set) cover_what_cannot_be_told_apart(*set, terms);
  return set;
}

void Book::raise_over(std::optional<RateSet>& set, std::uint32_t index, Wanted wanted, std::uint64_t tiers,
                      bool ceiling, std::int64_t until_ms) const {
  // Only tiers with prices of their own differ; one of the others stands for all of them. Likewise the context just
  // inside each context tier, and the minutes at which a row of certain hours begins or ends.
  std::uint64_t priced = 0;
  Few contexts(ceiling ? 0 : wanted.context_tokens);
  Few minutes(minute_of(wanted.at_ms));
  Few instants(wanted.at_ms);
  const bool any_volume = ceiling || wanted.volume < 0;
  Few volumes(any_volume ? 0 : wanted.volume);
  if (any_volume && !overlay_rows_.empty()) {
    for (const OverlayRow& overlay : overlay_rows_[index])
      volumes.add(overlay.volume_from);
  }
  for_each_row(index, [&](const RowRecord& row) {
    if (row.tier != any_tier) priced |= bit(row.tier);
    if (!ceiling) return;
    for (const std::int64_t change : {row.from_ms, row.until_ms}) {
      if (change > wanted.at_ms && change <= until_ms) instants.add(change);
    }
    if (row.context_above != 0 && row.context_above < wanted.context_tokens) contexts.add(row.context_above + 1);
    if (all_day(row)) return;
    minutes.add(row.minute_from);
    minutes.add(row.minute_until);
  });
  for (const Discount& discount : discounts(index)) {
    for (const std::int64_t change : {discount.from_ms, discount.until_ms}) {
      if (ceiling && change > wanted.at_ms && change <= until_ms) instants.add(change);
    }
  }
  if (const std::uint64_t others = tiers & ~priced; others != 0) tiers = (tiers & priced) | (others & (~others + 1));

  for (; tiers != 0; tiers &= tiers - 1) {
    wanted.tier = static_cast<std::uint32_t>(std::countr_zero(tiers));
    for (const std::int64_t context : contexts.all()) {
      wanted.context_tokens = context;
      for (const std::int64_t minute : minutes.all()) {
        wanted.minute = static_cast<std::uint16_t>(minute);
        for (const std::int64_t instant : instants.all()) {
          wanted.at_ms = instant;
          for (const std::int64_t volume : volumes.all()) {
            wanted.volume = volume;
            const Choice choice = choose(index, wanted);
            if (choice.empty()) continue;
            if (!set) set.emplace();
            fill(*set, choice, index, wanted.region, instant);
          }
        }
      }
    }
  }
}

std::vector<std::string> Book::near(std::string_view provider, std::string_view name, std::size_t most) const {
  std::vector<std::string_view> names;
  for (std::uint32_t i = 0; i < table_.name_count(); ++i) {
    const NameRecord record = table_.name(i);
    if (table_.text(table_.provider(record.provider).name) == provider) names.push_back(table_.text(record.name));
  }
  for (const auto& [key, index] : overlay_names_) {
    if (key.first == provider) names.push_back(key.second);
  }
  return nearest(name, names, most);
}

std::vector<const Model*> Book::models() const {
  std::vector<const Model*> all;
  all.reserve(models_.size());
  for (const Model& model : models_)
    all.push_back(&model);
  std::sort(all.begin(), all.end(), [](const Model* a, const Model* b) {
    return a->provider != b->provider ? a->provider < b->provider : a->name < b->name;
  });
  return all;
}

std::string_view Book::volume_cap(const Model& model) const {
  if (overlay_rows_.empty()) return {};
  for (const OverlayRow& overlay : overlay_rows_[model.index]) {
    if (overlay.volume_from != 0) return overlay.volume_cap;
  }
  return {};
}

std::string Book::source(const Model& model) const {
  const ModelRecord& found = record(model.index);
  const bool own = !overlay_rows_.empty() && !overlay_rows_[model.index].empty();
  if (found.rows_count == 0) return "policy";
  const std::string table_source(table_.text(found.source));
  return own ? "policy, over " + table_source : table_source;
}

}  // namespace farthing::prices_detail

namespace farthing {

bool dearer(const Rate& a, const Rate& b) {
  if (a.per == b.per) return a.atto > b.atto;
  // Quotients first, then the remainders crosswise: the products of those fit.
  const Int128 whole_a = a.atto / a.per;
  const Int128 whole_b = b.atto / b.per;
  if (whole_a != whole_b) return whole_a > whole_b;
  return (a.atto % a.per) * b.per > (b.atto % b.per) * a.per;
}

std::shared_ptr<const PriceBook> PriceBook::builtin() {
  static const std::shared_ptr<const PriceBook> book = [] {
    auto table = prices_detail::Table::open(embedded::price_book());
    // A damaged binary knows no prices: every call with a money cap is refused, none passes for free.
    return std::make_shared<const prices_detail::Book>(table ? *table : prices_detail::Table());
  }();
  return book;
}

Result<std::shared_ptr<const PriceBook>> PriceBook::with_overlays(std::vector<PriceOverlay> overlays) {
  return open("", std::move(overlays));
}

Result<std::shared_ptr<const PriceBook>> PriceBook::open(const std::string& path, std::vector<PriceOverlay> overlays) {
  if (!path.empty()) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream content;
    content << in.rdbuf();
    const auto refused = [&path](const std::string& why) {
      return Error{Code::invalid_policy, "price_book: " + path + " " + why +
                                             "; make it with: farthing prices update FILE, or remove `price_book`"};
    };
    if (!in) return refused("cannot be read");
    auto bytes = std::make_shared<const std::string>(std::move(content).str());
    if (const auto table = prices_detail::Table::open(*bytes); !table)
      return refused("is not a compiled price book of this version (" + table.error().message + ")");
    return prices_detail::Book::make(std::move(bytes), overlays);
  }
  if (overlays.empty()) return builtin();
  auto table = prices_detail::Table::open(embedded::price_book());
  if (!table) return table.error();
  return prices_detail::Book::make(*table, overlays);
}

Result<std::shared_ptr<const PriceBook>> PriceBook::of_table(std::string bytes) {
  return prices_detail::Book::make(std::make_shared<const std::string>(std::move(bytes)), {});
}

}  // namespace farthing
