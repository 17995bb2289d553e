#include "prices/compiler/lint.h"

#include <algorithm>
#include <array>
#include <map>

#include "prices/names.h"

namespace farthing::prices_detail {
namespace {

constexpr std::array<std::string_view, 14> known_lints = {
    "digits",
    "absurd",
    "zero",
    "read_at_most_input",
    "read_at_most_write",
    "write_at_most_1h",
    "write_at_most_3_inputs",
    "tier_order",
    "tier_within_10",
    "context_order",
    "change_over_5",
    "dated_equals_undated",
    "future_date",
    "output_at_most_context",
};

constexpr std::array<std::string_view, 9> modalities = {"text",  "image",     "video",      "speech", "transcription",
                                                        "music", "embedding", "moderation", "other"};

bool one_of(std::string_view word, const auto& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// A price for a call on the most ordinary terms.
bool has_plain_price(const SourceModel& model, Quantity quantity) {
  return std::any_of(model.rows.begin(), model.rows.end(),
                     [&](const SourceRow& row) { return row.price(quantity) != nullptr && narrows(SourceRow{}, row); });
}

void lint_facts(Lint& lint) {
  const SourceModel& model = lint.model();
  if (!one_of(model.modality, modalities)) {
    lint.wrong(model.place, "modality is \"" + model.modality + "\"",
               "text, image, video, speech, transcription, music, embedding, moderation or other");
  }
  const bool text = model.modality == "text";
  if (text || model.modality == "embedding") {
    // The public tables do not have every model's limits: 0 is unknown, and bounds nothing.
    if (model.context == 0 && !model.imported)
      lint.wrong(model.place, "context is missing", "the context window in tokens");
    if (!has_plain_price(model, Quantity::input_tokens)) {
      lint.wrong(model.place, "there is no input_tokens price without a condition", "one");
    }
  }
  if (text) {
    if (model.output == 0 && !model.imported)
      lint.wrong(model.place, "output is missing", "the most output tokens of one answer");
    if (!has_plain_price(model, Quantity::output_tokens)) {
      lint.wrong(model.place, "there is no output_tokens price without a condition", "one");
    }
    if (model.output > model.context && model.context > 0) {
      lint.finding("output_at_most_context", model.place, "output is above context", "at most that");
    }
  }
  if (model.rows.empty()) lint.wrong(model.place, "there are no rates", "at least one row");
  if (model.source.empty() || model.date.empty())
    lint.wrong(model.place, "source or date is missing", "where the prices were read, and when");
  if (model.date > lint.source().date) {
    lint.finding("future_date", model.place, "date " + model.date + " is after the book's " + lint.source().date,
                 "a date up to the book's");
  }
  for (const std::string& form : model.dated) {
    if (dated_form_of(form) == 0)
      lint.wrong(model.place, "dated has \"" + form + "\"", "-YYYY-MM-DD, -YYYYMMDD, -MMDD, -YYMM");
  }
  for (const std::string& kind : model.accepts) {
    if (kind != "text" && kind != "image" && kind != "audio")
      lint.wrong(model.place, "accepts has \"" + kind + "\"", "text, image, audio");
  }
  for (const auto& [region, factor] : model.regions) {
    const auto atto = decimal_atto(factor);
    if (region.empty() || !atto || *atto <= 0) {
      lint.wrong(model.place, "region " + region + " is \"" + factor + "\"", "a factor as decimal text, \"1.1\"");
    }
  }
}

void lint_tiers_known(Lint& lint) {
  const SourceModel& model = lint.model();
  const auto provider = std::find_if(lint.source().providers.begin(), lint.source().providers.end(),
                                     [&](const SourceProvider& other) { return other.name == model.provider; });
  if (provider == lint.source().providers.end()) return;
  for (const SourceRow& row : model.rows) {
    if (row.tier.empty()) continue;
    const bool served = std::any_of(provider->tiers.begin(), provider->tiers.end(),
                                    [&](const auto& entry) { return one_of(row.tier, entry.second); });
    if (!served || row.tier == "default") {
      lint.wrong(row.place, "tier is \"" + row.tier + "\"",
                 "a tier that [provider.tiers] says can be served, other than default");
    }
  }
}

using Priced = std::map<std::pair<Quantity, std::string>, std::pair<Int128, std::int64_t>>;

/// All prices with their conditions, in one order.
Priced priced(const SourceModel& model) {
  Priced all;
  for (const SourceRow& row : model.rows) {
    const std::string conditions = row.tier + "|" + row.region + "|" + row.size + "|" + row.quality + "|" +
                                   row.resolution + "|" + row.search_context + "|" + std::to_string(row.context_above) +
                                   "|" + std::to_string(row.minute_from) + "|" + std::to_string(row.from_ms);
    for (const SourcePrice& price : row.prices)
      all[{price.quantity, conditions}] = {price.atto, row.per};
  }
  return all;
}

void lint_dated(Lint& lint) {
  const SourceModel& model = lint.model();
  for (const Undated& form : undated(model.name)) {
    if (form.form == 0) continue;
    for (const SourceModel& other : lint.source().models) {
      if (other.provider != model.provider || other.name != form.base) continue;
      if (priced(other) == priced(model)) continue;
      lint.finding("dated_equals_undated", model.place, "its prices are not those of " + other.name,
                   "the same prices, or a person who waives it with a reason");
    }
  }
}

/// Over all models: a name belongs to one of them.
void lint_names(const Source& source, Problems& problems) {
  std::map<std::pair<std::string, std::string>, Place> names;
  const auto add = [&](const SourceModel& model, const std::string& name) {
    const auto [known, added] = names.emplace(std::pair{model.provider, name}, model.place);
    if (!added || name.empty()) {
      problems.push_back(at(model.place) + ": model " + model.name + ": the name \"" + name + "\" is also that of " +
                         at(known->second) + "; accepted: a name or alias that no other model has");
    }
  };
  for (const SourceModel& model : source.models) {
    add(model, model.name);
    for (const std::string& alias : model.aliases)
      add(model, alias);
  }
}

}  // namespace

void Lint::wrong(const Place& place, const std::string& found, std::string_view accepted) {
  problems_.push_back(at(place) + ": model " + model_.name + ": " + found + "; accepted: " + std::string(accepted));
}

void Lint::finding(std::string_view lint, const Place& place, const std::string& found, std::string_view accepted) {
  const auto waiver = model_.waive.find(std::string(lint));
  if (waiver != model_.waive.end() && !waiver->second.empty()) {
    used_.insert(std::string(lint));
    return;
  }
  wrong(place, found + " [" + std::string(lint) + "]", accepted);
}

void Lint::finish() {
  for (const auto& [name, why] : model_.waive) {
    if (!one_of(name, known_lints)) {
      std::string known;
      for (const std::string_view lint : known_lints)
        known.append(known.empty() ? "" : ", ").append(lint);
      wrong(model_.place, "waive names the lint \"" + name + "\"", known);
    } else if (why.empty()) {
      wrong(model_.place, "waive " + name + " gives no reason", "why a person accepts it");
    } else if (!used_.contains(name)) {
      wrong(model_.place, "waive " + name + " waives nothing", "no waiver that is not needed");
    }
  }
}

void lint_model(Lint& lint) {
  lint_facts(lint);
  lint_tiers_known(lint);
  lint_dated(lint);
}

void lint(const Source& source, Problems& problems) {
  lint_names(source, problems);
  for (const SourceModel& model : source.models) {
    if (model.copied) continue;
    Lint rules(source, model, problems);
    lint_model(rules);
    lint_rows(rules);
    lint_prices(rules);
    rules.finish();
  }
}

}  // namespace farthing::prices_detail
