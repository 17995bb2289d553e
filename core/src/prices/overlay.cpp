// A policy's prices over the built-in book: own models, discounts, locked and future rates.
#include <algorithm>
#include <iterator>
#include <limits>
#include <set>

#include "money/glob.h"
#include "prices/book.h"

namespace farthing::prices_detail {
namespace {

/// As the policy's list has it.
std::string numbered(std::size_t number, const PriceOverlay& overlay) {
  return "price[" + std::to_string(number) + "] (" + overlay.provider + (overlay.model.empty() ? "" : " ") +
         overlay.model + ")";
}

Error wrong(const std::string& problem) {
  return {Code::invalid_policy, problem};
}

bool all_zero(const PriceOverlay& overlay) {
  return std::all_of(overlay.rates.begin(), overlay.rates.end(),
                     [](const auto& rate) { return rate.second.atto == 0; });
}

Status check(const PriceOverlay& overlay) {
  if (overlay.provider.empty() || overlay.model.empty()) {
    return Error{Code::invalid_policy,
                 "a price needs a provider and a model, like provider = \"acme\", model = \"acme-7b\"."};
  }
  if (overlay.rates.empty()) {
    return wrong(
        "there are no rates. A model that costs nothing says so: "
        "rates = { input_tokens = \"0 USD each\", output_tokens = \"0 USD each\" }.");
  }
  for (std::size_t i = 0; i < overlay.rates.size(); ++i) {
    const auto& [quantity, rate] = overlay.rates[i];
    const std::string name(quantity_text(quantity));
    if (rate.atto < 0 || rate.per < 1) return wrong("the rate of " + name + " is negative or for no unit.");
    for (std::size_t j = 0; j < i; ++j) {
      if (overlay.rates[j].first == quantity) return wrong(name + " has two rates.");
    }
  }
  if (overlay.from_ms && overlay.until_ms && *overlay.from_ms >= *overlay.until_ms) {
    return wrong("it ends (until) before it begins (from).");
  }
  if (overlay.volume_cap.empty() != (overlay.volume_from == 0) || overlay.volume_from < 0) {
    return wrong("volume and volume_from belong together, and volume_from is above 0.");
  }
  if (overlay.context_above < 0 || overlay.context_window < 0 || overlay.max_output_tokens < 0) {
    return wrong("a number of tokens is negative.");
  }
  return success();
}

void add_text(std::string& out, std::string_view text) {
  out.append(text).append(1, '\x1f');
}

/// Everything that prices differ by, in order: for the version.
std::string canonical(std::span<const PriceOverlay> overlays) {
  std::string out;
  for (const PriceOverlay& overlay : overlays) {
    add_text(out, overlay.provider);
    add_text(out, overlay.model);
    for (const std::string& alias : overlay.aliases)
      add_text(out, alias);
    for (const auto& [quantity, rate] : overlay.rates) {
      add_text(out, quantity_text(quantity));
      add_text(out, to_text(rate));
    }
    add_text(out, overlay.from_ms ? std::to_string(*overlay.from_ms) : "");
    add_text(out, overlay.until_ms ? std::to_string(*overlay.until_ms) : "");
    add_text(out, overlay.service_tier);
    if (!overlay.volume_cap.empty()) {
      add_text(out, overlay.volume_cap);
      add_text(out, std::to_string(overlay.volume_from));
    }
    for (const auto& [name, word] :
         {std::pair("size", &overlay.size), std::pair("quality", &overlay.quality),
          std::pair("resolution", &overlay.resolution), std::pair("search_context", &overlay.search_context)}) {
      if (word->empty()) continue;
      add_text(out, name);
      add_text(out, *word);
    }
    if (overlay.discount_ppm != 0) add_text(out, std::to_string(overlay.discount_ppm));
    for (const std::int64_t number : {overlay.context_above, overlay.context_window, overlay.max_output_tokens}) {
      add_text(out, std::to_string(number));
    }
    add_text(out, overlay.reasoning ? (*overlay.reasoning ? "reasoning" : "plain") : "");
  }
  return out;
}

std::string six_hex(std::string_view text) {
  std::uint64_t hash = 14'695'981'039'346'656'037ULL;  // FNV-1a
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211ULL;
  std::string out;
  for (int shift = 40; shift < 64; shift += 4)
    out += "0123456789abcdef"[(hash >> shift) & 15];
  return out;
}

/// What a model of the policy's own makes: what it is paid for, where that is no tokens.
std::string_view paid_for(const PriceOverlay& overlay) {
  constexpr std::pair<Quantity, std::string_view> units[] = {{Quantity::images, "image"},
                                                             {Quantity::video_ms, "video"},
                                                             {Quantity::characters, "speech"},
                                                             {Quantity::audio_ms, "transcription"}};
  const auto has = [&overlay](Quantity quantity) {
    return std::any_of(overlay.rates.begin(), overlay.rates.end(),
                       [quantity](const auto& rate) { return rate.first == quantity; });
  };
  if (has(Quantity::input_tokens) || has(Quantity::output_tokens)) return "text";
  const auto unit = std::find_if(std::begin(units), std::end(units), [&](const auto& each) { return has(each.first); });
  return unit == std::end(units) ? "text" : unit->second;
}

}  // namespace

Result<std::shared_ptr<const PriceBook>> Book::make(const Table& table, std::span<const PriceOverlay> overlays) {
  auto book = std::make_shared<Book>(table);
  if (const Status laid = book->lay_all(overlays); !laid) return laid.error();
  return std::shared_ptr<const PriceBook>(std::move(book));
}

Result<std::shared_ptr<const PriceBook>> Book::make(std::shared_ptr<const std::string> bytes,
                                                    std::span<const PriceOverlay> overlays) {
  const auto table = Table::open(*bytes);
  if (!table) return table.error();
  auto book = std::make_shared<Book>(*table);
  // Two books of one date are not one book: an entry of the ledger must say which priced it.
  book->version_ += "/" + six_hex(*bytes);
  book->bytes_ = std::move(bytes);
  if (const Status laid = book->lay_all(overlays); !laid) return laid.error();
  return std::shared_ptr<const PriceBook>(std::move(book));
}

Status Book::lay_all(std::span<const PriceOverlay> overlays) {
  if (overlays.empty()) return success();
  const auto of_price = [overlays](std::size_t number, const Error& error) {
    return Error{error.code, numbered(number, overlays[number]) + ": " + error.message};
  };
  // Model values are handed out as pointers, and overlays refer to models of earlier ones: room for all of them first.
  models_.reserve(models_.size() + overlays.size());
  overlay_rows_.resize(models_.size());
  for (std::size_t i = 0; i < overlays.size(); ++i) {
    if (overlays[i].discount_ppm != 0) continue;
    if (const Status laid = lay(overlays[i], i); !laid) return of_price(i, laid.error());
  }
  for (std::uint32_t i = 0; i < models_.size(); ++i) {
    if (overlay_rows_[i].empty()) continue;
    if (const Status keyed = check_keyed(i, overlays); !keyed)
      return of_price(overlay_rows_[i].back().number, keyed.error());
  }
  // After them, for they add models.
  for (std::size_t i = 0; i < overlays.size(); ++i) {
    if (overlays[i].discount_ppm == 0) continue;
    if (const Status laid = lay_discount(overlays, i); !laid) return of_price(i, laid.error());
  }
  version_ += "+" + six_hex(canonical(overlays));
  return success();
}

std::string_view Book::keep(std::string_view text) {
  return texts_.emplace_back(text);
}

/// The model of exactly that name, or a new one. A dated or fine-tuned name of a known model becomes an entry of its own,
/// which has all that the known one has.
Result<std::uint32_t> Book::model_for(const PriceOverlay& overlay) {
  const std::uint32_t index = exact(overlay.provider, overlay.model);
  return known(index) ? index : add_model(overlay);
}

std::uint32_t Book::add_model(const PriceOverlay& overlay) {
  const auto index = static_cast<std::uint32_t>(models_.size());
  if (const Model* like = find(overlay.provider, overlay.model)) {
    ModelRecord inherited = record(like->index);
    inherited.flags &= flag_reasoning | flag_preview | flag_free;
    records_.push_back(inherited);
    models_.push_back(*like);
    overlay_rows_.push_back(overlay_rows_[like->index]);
  } else {
    ModelRecord own{};
    own.provider = no_provider;
    for (std::uint32_t i = 0; i < table_.provider_count(); ++i) {
      if (table_.text(table_.provider(i).name) == overlay.provider) own.provider = i;
    }
    records_.push_back(own);
    Model& added = models_.emplace_back();
    added.provider = keep(overlay.provider);
    added.modality = paid_for(overlay);
    overlay_rows_.emplace_back();
  }
  Model& model = models_.back();
  model.name = keep(overlay.model);
  if (model.family.empty()) model.family = model.name;
  model.index = index;
  overlay_names_[{model.provider, model.name}] = index;
  return index;
}

Result<std::uint8_t> Book::tier_for(const PriceOverlay& overlay, std::uint32_t index) {
  if (overlay.service_tier.empty()) return any_tier;
  const auto served = [&] { return tiers_of(record(index), overlay.service_tier, false); };
  if (!std::has_single_bit(served())) {
    if (tiers_.size() >= tiers_max) return wrong("there are more than 64 service tiers.");
    tiers_.push_back(keep(overlay.service_tier));
  }
  if (!std::has_single_bit(served())) {
    return wrong("service_tier \"" + overlay.service_tier + "\" is asked for, but no call is served as it.");
  }
  return static_cast<std::uint8_t>(std::countr_zero(served()));
}

/// Only zeros, and at any time and on any terms.
bool Book::is_free(std::uint32_t index) const {
  bool always = false;
  for (const OverlayRow& overlay : overlay_rows_[index]) {
    for (const CellRecord& cell : overlay.cells) {
      if (rates_[cell.rate].atto != 0) return false;
    }
    always |= overlay.row.conditions == 0 && overlay.volume_from == 0 && overlay.row.from_ms == always_from &&
              overlay.row.until_ms == always_until;
  }
  return record(index).rows_count > 0 ? (record(index).flags & flag_free) != 0 : always;
}

Status Book::lay_aliases(const PriceOverlay& overlay, std::uint32_t index) {
  for (const std::string& alias : overlay.aliases) {
    const std::uint32_t other = exact(overlay.provider, alias);
    if (known(other) && other != index) {
      return wrong("the alias \"" + alias + "\" is already a name of " + std::string(models_[other].name) + ".");
    }
    if (alias.empty()) return wrong("an alias is empty.");
    if (!known(other)) overlay_names_[{models_[index].provider, keep(alias)}] = index;
  }
  return success();
}

Status Book::check_instants(const std::vector<OverlayRow>& rows, const OverlayRow& added) const {
  for (const OverlayRow& other : rows) {
    if (!same_conditions(other.row, added.row) || other.volume_from != added.volume_from) continue;
    if (other.row.from_ms >= added.row.until_ms || added.row.from_ms >= other.row.until_ms) continue;
    for (const CellRecord& mine : added.cells) {
      for (const CellRecord& theirs : other.cells) {
        if (mine.quantity != theirs.quantity) continue;
        return wrong("two prices of " + std::string(quantity_text(static_cast<Quantity>(mine.quantity))) +
                     " hold at one instant, price[" + std::to_string(other.number) + "] and price[" +
                     std::to_string(added.number) +
                     "]: give them from and until so that one ends where the next begins.");
      }
    }
  }
  return success();
}

/// The volume's place among the model's steps: a higher one beats a lower one, whatever their other terms.
Status Book::lay_step(const PriceOverlay& overlay, OverlayRow& added, std::vector<OverlayRow>& rows) {
  if (overlay.volume_from == 0) return success();
  added.volume_cap = keep(overlay.volume_cap);
  added.volume_from = overlay.volume_from;
  std::set<std::int64_t> steps = {0, added.volume_from};
  for (const OverlayRow& other : rows) {
    steps.insert(other.volume_from);
    if (other.volume_from != 0 && other.volume_cap != added.volume_cap) {
      return wrong("its steps count the volume of two caps, \"" + std::string(other.volume_cap) + "\" and \"" +
                   overlay.volume_cap + "\": one cap counts the volume of a model.");
    }
  }
  if (steps.size() > steps_max) {
    return wrong("there are more than " + std::to_string(steps_max - 1) + " steps of its volume.");
  }
  const auto place = [&steps](std::int64_t from) {
    return static_cast<std::uint64_t>(1 + std::distance(steps.begin(), steps.find(from)));
  };
  added.priority = place(added.volume_from);
  for (OverlayRow& other : rows)
    other.priority = place(other.volume_from);
  return success();
}

/// On every model of the book that it fits; two at one instant are an error that names both.
Status Book::lay_discount(std::span<const PriceOverlay> overlays, std::size_t number) {
  const PriceOverlay& overlay = overlays[number];
  const Discount added{overlay.from_ms.value_or(always_from), overlay.until_ms.value_or(always_until),
                       overlay.discount_ppm, number};
  if (overlay.provider.empty() || added.from_ms >= added.until_ms || added.ppm < 0 || added.ppm >= 1'000'000 ||
      !overlay.rates.empty()) {
    return wrong("a discount has a provider, more than 0 % and less than 100 %, no rates, and ends after it begins.");
  }
  discounts_.resize(models_.size());
  bool any = false;
  // An alias is that model. A dated form that is no entry of its own is not: the whole model would be discounted.
  const std::uint32_t named = overlay.model.empty() ? ~0U : exact(overlay.provider, overlay.model);
  for (std::uint32_t i = 0; i < models_.size(); ++i) {
    const Model& model = models_[i];
    if (model.provider != overlay.provider) continue;
    if (i != named && !overlay.model.empty() && !glob_matches(overlay.model, model.name)) continue;
    any = true;
    for (const Discount& other : discounts_[i]) {
      if (other.from_ms >= added.until_ms || added.from_ms >= other.until_ms) continue;
      const PriceOverlay& theirs = overlays[other.number];
      return wrong("it and " + numbered(other.number, theirs) + " both discount " + std::string(model.name) +
                   " at one instant: give them from and until so that one ends where the next begins.");
    }
    discounts_[i].push_back(added);
  }
  if (!any) return wrong("the discount fits no model of " + overlay.provider + " in the price book.");
  return success();
}

Status Book::lay(const PriceOverlay& overlay, std::size_t number) {
  if (Status checked = check(overlay); !checked) return checked;
  const Result<std::uint32_t> index = model_for(overlay);
  if (!index) return index.error();
  if (Status laid = lay_aliases(overlay, *index); !laid) return laid;
  const Result<std::uint8_t> tier = tier_for(overlay, *index);
  if (!tier) return tier.error();

  Model& model = models_[*index];
  if (overlay.context_window > 0) model.context_window = overlay.context_window;
  if (overlay.max_output_tokens > 0) model.max_output_tokens = overlay.max_output_tokens;
  if (overlay.reasoning) model.reasoning = *overlay.reasoning;

  OverlayRow added{.row = {}, .cells = {}, .number = number};
  added.row.from_ms = overlay.from_ms.value_or(always_from);
  added.row.until_ms = overlay.until_ms.value_or(always_until);
  added.row.context_above = overlay.context_above;
  added.row.tier = *tier;
  for (const auto& [text, place] :
       {std::pair(&overlay.size, &added.row.size), std::pair(&overlay.quality, &added.row.quality),
        std::pair(&overlay.resolution, &added.row.resolution),
        std::pair(&overlay.search_context, &added.row.search_context)}) {
    const auto word = word_for(*text);
    if (!word) return word.error();
    *place = *word;
  }
  added.row.conditions = count_conditions(added.row);
  for (const auto& [quantity, rate] : overlay.rates) {
    added.cells.push_back({static_cast<std::uint32_t>(quantity), static_cast<std::uint32_t>(rates_.size())});
    rates_.push_back(rate);
  }
  if (Status laid = lay_step(overlay, added, overlay_rows_[*index]); !laid) return laid;
  if (Status checked = check_instants(overlay_rows_[*index], added); !checked) return checked;
  if (all_zero(overlay)) {
    // Nothing but zeros makes the call free: what is not named must not keep the book's price.
    const std::uint32_t rate = added.cells.front().rate;
    added.cells.clear();
    for (std::uint32_t i = 0; i < quantity_count; ++i)
      added.cells.push_back({i, rate});
  }
  overlay_rows_[*index].push_back(std::move(added));
  model.free = is_free(*index);
  return success();
}

}  // namespace farthing::prices_detail
