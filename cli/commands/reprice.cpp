#include <iostream>

#include "../books.h"
#include "../commands.h"
#include "../json.h"
#include "../terminal.h"
#include "farthing/reprice.h"

namespace farthing::cli {

namespace {

Json amount_json(const std::optional<Usd>& amount) {
  return amount ? Json(to_text(*amount)) : Json(nullptr);
}

Json json_of(const RepriceReport& report, std::int64_t corrected) {
  Json models = Json::array();
  for (const RepricedModel& model : report.models) {
    models.push_back({{"provider", model.provider},
                      {"model", model.model},
                      {"entries", model.entries},
                      {"changed", model.changed},
                      {"unknown", model.unknown},
                      {"before", to_text(model.before)},
                      {"before_nano", model.before.nano},
                      {"after", to_text(model.after)},
                      {"after_nano", model.after.nano}});
  }
  Json changed = Json::array();
  for (const RepricedEntry& entry : report.changed) {
    changed.push_back({{"attempt", to_text(entry.attempt)},
                       {"provider", entry.provider},
                       {"model", entry.model},
                       {"before", amount_json(entry.before)},
                       {"after", to_text(entry.after)},
                       {"after_nano", entry.after.nano}});
  }
  return {{"book", report.book},
          {"models", std::move(models)},
          {"changed", std::move(changed)},
          {"left_out", report.left_out},
          {"corrected", corrected}};
}

std::string signed_text(Usd amount) {
  return (amount.nano > 0 ? "+" : "") + to_text(amount);
}

}  // namespace

int ledger_reprice(const RepriceOptions& options) {
  if (options.apply && options.note.why.empty()) return fail(usage, "--apply needs --why TEXT, which the ledger keeps");
  if (!options.apply && !(options.note.why.empty() && options.note.who.empty()))
    return fail(usage, "--why and --who are for --apply");
  RepriceFilter filter;
  filter.model = options.model;
  for (const auto& [text, value] : {std::pair{&options.since, &filter.since_ms}, {&options.until, &filter.until_ms}}) {
    if (text->empty()) continue;
    const auto at = moment_of(*text, options.where, /*past=*/true);
    if (!at) return fail(at.error());
    *value = *at;
  }
  const auto book = options.book.empty() ? open_book(options.where.policy) : read_book(options.book);
  if (!book) return fail(book.error());
  const auto control = open_control(options.where);
  if (!control) return fail(control.error());
  const auto report = reprice(**control, **book, filter);
  if (!report) return fail(report.error());
  std::int64_t corrected = 0;
  if (options.apply) {
    const auto done = apply_reprice(**control, *report, options.note);
    if (!done) return fail(done.error());
    corrected = *done;
  }
  if (options.json) {
    std::cout << dump_json(json_of(*report, corrected)) << "\n";
    return ok;
  }
  std::vector<std::vector<std::string>> rows;
  std::int64_t entries = 0;
  for (const RepricedModel& model : report->models) {
    entries += model.entries;
    rows.push_back({model.provider, model.model, std::to_string(model.entries), std::to_string(model.changed),
                    to_text(model.before) + (model.unknown > 0 ? " and unknown" : ""), to_text(model.after),
                    signed_text(Usd{model.after.nano - model.before.nano})});
  }
  if (!rows.empty()) {
    std::cout << table({"provider", "model", ">entries", ">changed", ">booked USD", ">now USD", ">difference"}, rows);
  }
  for (const auto& [reason, count] : report->left_out)
    std::cout << "left out: " << count << (count == 1 ? " entry, " : " entries, ") << reason << "\n";
  std::cout << report->changed.size() << " of " << entries << (entries == 1 ? " entry" : " entries")
            << (report->changed.size() == 1 ? " costs" : " cost") << " something else with the price book "
            << report->book << "\n";
  if (options.apply) {
    std::cout << corrected << (corrected == 1 ? " entry" : " entries") << " corrected\n";
  } else if (!report->changed.empty()) {
    std::cout << "nothing was changed; to correct them: --apply --why TEXT\n";
  }
  return ok;
}

}  // namespace farthing::cli
