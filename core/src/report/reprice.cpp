#include "farthing/reprice.h"

#include <algorithm>
#include <unordered_map>

#include "prices/fees.h"
#include "report/text.h"

namespace farthing {

namespace {

constexpr std::string_view by_reprice = "reprice ";  // begins `why` of its corrections

/// What was corrected later.
struct Corrections {
  std::int64_t nano = 0;
  bool by_hand = false;
};

bool same(const std::optional<Rate>& a, const std::optional<Rate>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return !dearer(*a, *b) && !dearer(*b, *a);
}

bool same(const RateSet& a, const RateSet& b) {
  for (std::size_t i = 0; i < quantity_count; ++i) {
    if (!same(a.of[i], b.of[i])) return false;
  }
  return true;
}

bool told_alike(const Quantities& used, const RateSet& a, const RateSet& b) {
  return same(rates_used(a, used), rates_used(b, used));
}

class Repricer {
 public:
  Repricer(const PriceBook& book, RepriceReport& report) : book_(book), report_(report) {}

  Status add(const LedgerRow& row, const Corrections& corrections) {
    if (row.how == How::hold || row.how == How::expired) return left_out("charged holds, their usage is not known");
    if (row.how == How::counted) return left_out("charged bounds, their usage is not known");
    if (row.how == How::ended) return left_out("ended by hand");
    if (row.how != How::usage || !row.context) return success();  // they cost nothing
    if (corrections.by_hand) return left_out("corrected by hand");
    if (row.error_class == untold_usage) return left_out("what was used is not known in full");
    if (row.context->endpoint.ends_with("batches")) return left_out("batches, whose requests were priced one by one");
    const auto rates = rate_set_of(row.context->rates_json);
    const bool unpriced = !row.actual || row.error_class == unpriced_usage;
    if (!unpriced && !rates) return left_out("free");
    const Quantities own = without(row.quantities, row.others);
    // A provider that says what it charges is believed; then rates and quantities do not give the amount. Of several models
    // the entry has the rates of one, and nothing that the provider says (LedgerRow::others).
    if (!unpriced && row.others.empty()) {
      const auto by_rates = cost_of(*rates, own);
      if (!by_rates || *by_rates != *row.actual) return left_out("priced by the provider itself");
    }
    const Model* model = model_of(row);
    // A host that chooses among providers may have gone from a free model to one that nobody knows.
    const bool elsewhere = unpriced && !row.model_served.empty() && model != nullptr && model->free &&
                           book_.find(row.context->provider, row.model_served) == nullptr;
    if (model == nullptr || elsewhere) return left_out("the model is not in the book");
    const auto region = rates ? region_of(*model, row, own, *rates) : region_without_rates(*model);
    auto after = part(row, *model, region, own);
    for (const ModelUse& use : row.others) {
      if (!after) break;
      const Model* other = book_.find(row.context->provider, use.model);
      if (other == nullptr) return left_out("the model is not in the book");
      // Processed where the answer was; without rates by region nobody knows where that is.
      const bool told = region && (book_.regions(*other).empty() || !book_.regions(*model).empty());
      const auto more = part(row, *other, told ? region : region_without_rates(*other), use.quantities);
      if (!more) return left_out(more.error().message);
      const auto sum = checked_add(after->nano, more->nano);
      if (!sum) return overflow();
      after->nano = *sum;
    }
    if (!after) return left_out(after.error().message);
    std::optional<Usd> before;
    if (row.actual) {
      const auto booked = checked_add(row.actual->nano, corrections.nano);
      if (!booked) return overflow();
      before = Usd{*booked};
    } else if (corrections.nano != 0) {
      before = Usd{corrections.nano};
    }
    return count(row, before, *after);
  }

  void finish() {
    for (auto& [name, model] : models_)
      report_.models.push_back(std::move(model));
  }

 private:
  Status left_out(const std::string& reason) {
    ++report_.left_out[reason];
    return success();
  }
  static Status overflow() { return Error{Code::overflow, "a sum of repriced entries does not fit"}; }

  /// What one of the models costs by the book; an error says why that is not known.
  Result<Usd> part(const LedgerRow& row, const Model& model, const std::optional<std::string>& region,
                   const Quantities& used) const {
    const auto unknown = [](const char* why) { return Error{Code::unpriced_model, why}; };
    if (!book_.volume_cap(model).empty()) return unknown("priced by a volume, which the ledger does not keep");
    if (by_what_was_said(model, used)) return unknown("priced by a size, quality or search context, which is not kept");
    if (!region) return unknown("the region, by which the price differs, is not known");
    const auto now = book_.rates(model, terms_of(row, used, *region));
    if (!now) return unknown("the book has no price for that time");
    const auto cost = model.free ? Result<Usd>(Usd{}) : cost_of(*now, used);
    return cost ? cost : unknown("the book has no price for what was used");
  }

  /// The entry does not say what the call said: the price of a call that says nothing would be another one.
  bool by_what_was_said(const Model& model, const Quantities& used) const {
    const auto rows = book_.rows(model);
    return std::any_of(rows.begin(), rows.end(), [&used](const PriceRow& row) {
      if (!row.by_what_is_said) return false;
      for (std::size_t i = 0; i < quantity_count; ++i) {
        if (used.of[i] > 0 && row.rates[static_cast<Quantity>(i)]) return true;
      }
      return false;
    });
  }

  /// R29: the served model makes the price.
  const Model* model_of(const LedgerRow& row) const {
    const Model* served = row.model_served.empty() ? nullptr : book_.find(row.context->provider, row.model_served);
    return served != nullptr ? served : book_.find(row.context->provider, row.context->model);
  }

  static Terms terms_of(const LedgerRow& row, const Quantities& used, const std::string& region) {
    return {.at_ms = row.reserved_ms,
            .service_tier = row.tier_served.empty() ? row.tier_asked : row.tier_served,
            .context_tokens = meters_of(used)[Meter::input_tokens],
            .region = region};
  }

  std::optional<std::string> region_without_rates(const Model& model) const {
    return book_.regions(model).empty() ? std::optional<std::string>("") : std::nullopt;
  }

  /// The ledger does not say in which region a call was processed. Where the price differs by it, the rates of the entry
  /// tell: they are those of one region in the book that priced it.
  std::optional<std::string> region_of(const Model& model, const LedgerRow& row, const Quantities& own,
                                       const RateSet& rates) const {
    if (book_.regions(model).empty()) return "";
    const auto builtin = PriceBook::builtin();
    for (const PriceBook* book : {&book_, builtin.get()}) {
      if (book->version() != row.context->book_version) continue;
      const Model* known = book->find(model.provider, model.name);
      if (known == nullptr) continue;
      std::vector<std::string> words = {""};
      for (const auto& [word, factor] : book->regions(*known))
        words.push_back(word);
      for (const std::string& word : words) {
        const auto then = book->rates(*known, terms_of(row, own, word));
        if (then && told_alike(own, *then, rates)) return word;
      }
    }
    // Priced by a book that is not here: as it is in one of the regions, nothing changed.
    const auto plain = book_.rates(model, terms_of(row, own, ""));
    if (plain && told_alike(own, *plain, rates)) return "";
    return std::nullopt;
  }

  Status count(const LedgerRow& row, const std::optional<Usd>& before, Usd after) {
    RepricedModel& model = models_[{row.context->provider, row.context->model}];
    model.provider = row.context->provider;
    model.model = row.context->model;
    ++model.entries;
    if (!before) ++model.unknown;
    const auto sum_before = checked_add(model.before.nano, before ? before->nano : 0);
    const auto sum_after = checked_add(model.after.nano, after.nano);
    if (!sum_before || !sum_after) return overflow();
    model.before.nano = *sum_before;
    model.after.nano = *sum_after;
    if (before == after) return success();
    ++model.changed;
    report_.changed.push_back({row.id, model.provider, model.model, before, after});
    return success();
  }

  const PriceBook& book_;
  RepriceReport& report_;
  std::map<std::pair<std::string, std::string>, RepricedModel> models_;
};

}  // namespace

Result<RepriceReport> reprice(const Control& control, const PriceBook& book, const RepriceFilter& filter) {
  // Corrections are later than what they correct: read without `until`, they are all met. Newest first, so before it.
  LedgerFilter wanted;
  wanted.since_ms = filter.since_ms;
  std::unordered_map<std::uint64_t, Corrections> corrections;
  Status read = control.ledger(wanted, [&](const LedgerRow& row) {
    if (row.kind != RowKind::adjust) return true;
    Corrections& known = corrections[row.of.value];
    known.nano += row.booked[Meter::usd];
    known.by_hand = known.by_hand || !row.why.starts_with(by_reprice);
    return true;
  });
  if (!read) return read.error();

  RepriceReport report;
  report.book = book.version();
  Repricer repricer(book, report);
  wanted.until_ms = filter.until_ms;
  wanted.model = filter.model;
  Status counted = success();
  read = control.ledger(wanted, [&](const LedgerRow& row) {
    if (row.kind != RowKind::attempt) return true;
    const auto known = corrections.find(row.id.value);
    counted = repricer.add(row, known == corrections.end() ? Corrections{} : known->second);
    return counted.ok();
  });
  if (!read) return read.error();
  if (!counted) return counted.error();
  repricer.finish();
  return report;
}

Result<std::int64_t> apply_reprice(Control& control, const RepriceReport& report, const ChangeNote& note) {
  if (note.why.empty()) return Error{Code::invalid_argument, "a correction says why"};
  const ChangeNote marked{note.who, std::string(by_reprice) + report.book + ": " + note.why};
  std::int64_t done = 0;
  for (const RepricedEntry& entry : report.changed) {
    if (const auto adjusted = control.adjust(entry.attempt, entry.after, marked); !adjusted) return adjusted.error();
    ++done;
  }
  return done;
}

}  // namespace farthing
