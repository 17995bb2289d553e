#include <algorithm>
#include <array>
#include <iostream>

#include "../books.h"
#include "../commands.h"
#include "../json.h"
#include "../terminal.h"
#include "farthing/prices.h"

namespace farthing::cli {

namespace {

struct Found {
  const Model* model;
  RateSet rates;
};

bool fits(const Model& model, const PricesOptions& options) {
  if (!options.provider.empty() && model.provider != options.provider) return false;
  return options.name.empty() || model.name.find(options.name) != std::string_view::npos;
}

/// As JSON writes it: of a time per second.
std::string rate_cell(const RateSet& rates, Quantity quantity) {
  if (!rates[quantity]) return "";
  RateSet one;
  one[quantity] = rates[quantity];
  return parse_json(one.to_json()).front().get<std::string>();
}

constexpr std::array<Quantity, 3> columns = {Quantity::input_tokens, Quantity::cache_read_tokens,
                                             Quantity::output_tokens};
constexpr std::size_t few = 3;  // so many models have all their prices listed

/// The columns say what most calls of this model cost.
bool in_columns(const RateSet& rates) {
  return rates[Quantity::input_tokens] || rates[Quantity::output_tokens];
}

/// What of it is not in a column: "characters 15.00 USD per million".
std::string other_rates(const RateSet& rates) {
  std::string text;
  for (std::size_t i = 0; i < quantity_count; ++i) {
    const auto quantity = static_cast<Quantity>(i);
    if (!rates[quantity] || std::find(columns.begin(), columns.end(), quantity) != columns.end()) continue;
    text += (text.empty() ? "" : ", ") + std::string(quantity_text(quantity)) + " " + rate_cell(rates, quantity);
  }
  return text;
}

std::vector<std::vector<std::string>> every_rate(const PriceBook& book, const std::vector<Found>& found) {
  std::vector<std::vector<std::string>> rows;
  for (const Found& one : found) {
    for (const PriceRow& row : book.rows(*one.model)) {
      for (std::size_t i = 0; i < quantity_count; ++i) {
        const auto quantity = static_cast<Quantity>(i);
        if (!row.rates[quantity]) continue;
        rows.push_back({std::string(one.model->name), std::string(quantity_text(quantity)),
                        rate_cell(row.rates, quantity), row.conditions});
      }
    }
    for (const auto& [region, factor] : book.regions(*one.model))
      rows.push_back({std::string(one.model->name), "all", "times " + factor, "processed in " + region});
  }
  return rows;
}

Json prices_json(const PriceBook& book, const Model& model) {
  Json list = Json::array();
  for (const PriceRow& row : book.rows(model))
    list.push_back({{"where", row.conditions}, {"rates", parse_json(row.rates.to_json())}});
  return list;
}

std::string listed(const std::vector<std::string>& near) {
  std::string text;
  for (const std::string& name : near)
    text += (text.empty() ? "; near names: " : ", ") + name;
  return text;
}

std::string nothing_found(const PriceBook& book, const PricesOptions& options) {
  const auto models = book.models();
  const bool known = options.provider.empty() || std::any_of(models.begin(), models.end(), [&](const Model* model) {
                       return model->provider == options.provider;
                     });
  const std::string in_book = " in the price book " + std::string(book.version());
  if (!known)
    return "no provider \"" + options.provider + "\"" + in_book + listed(near_providers(book, options.provider, 3));
  return "no model \"" + options.name + "\"" + (options.provider.empty() ? "" : " of " + options.provider) + in_book +
         near_models(book, options.provider, options.name);
}

std::string count_cell(std::int64_t value) {
  return value == 0 ? "" : std::to_string(value);
}

}  // namespace

int prices(const PricesOptions& options) {
  const auto opened = open_book(options.policy);
  if (!opened) return fail(opened.error());
  const std::shared_ptr<const PriceBook>& book = *opened;

  Terms terms;
  terms.at_ms = system_clock()->wall_ms();
  std::vector<Found> found;
  const auto add = [&](const Model* model) {
    const auto rates = book->rates(*model, terms);
    if (rates || is_priced_by_what_is_said(*book, *model, terms.at_ms))
      found.push_back({model, rates.value_or(RateSet{})});
  };
  for (const Model* model : book->models()) {
    if (fits(*model, options)) add(model);
  }
  if (found.empty() && !options.name.empty()) {
    // A dated form or an alias is no entry of its own.
    for (const Model* model : book->models()) {
      if (!options.provider.empty() && model->provider != options.provider) continue;
      if (book->find(model->provider, options.name) == model) add(model);
    }
  }
  if (found.empty()) return fail(not_found, nothing_found(*book, options));

  if (options.json) {
    Json list = Json::array();
    for (const auto& [model, rates] : found) {
      list.push_back({{"provider", model->provider},
                      {"model", model->name},
                      {"modality", model->modality},
                      {"context_window", model->context_window},
                      {"max_output_tokens", model->max_output_tokens},
                      {"reasoning", model->reasoning},
                      {"free", model->free},
                      {"rates", parse_json(rates.to_json())},
                      {"prices", prices_json(*book, *model)},
                      {"source", book->source(*model)},
                      {"book", book->version()}});
    }
    std::cout << dump_json(list) << "\n";
    return ok;
  }
  const bool any_other =
      std::any_of(found.begin(), found.end(), [](const Found& one) { return !in_columns(one.rates); });
  std::vector<std::string> head = {"provider", "model", "input", "cached input", "output"};
  if (any_other) head.emplace_back("other");
  head.insert(head.end(), {">context", ">max output"});
  std::vector<std::vector<std::string>> rows;
  for (const auto& [model, rates] : found) {
    std::vector<std::string> row = {std::string(model->provider), std::string(model->name)};
    for (const Quantity quantity : columns)
      row.push_back(rate_cell(rates, quantity));
    const bool by_words = rates == RateSet{};
    if (any_other) row.push_back(in_columns(rates) ? "" : by_words ? "by what is asked for" : other_rates(rates));
    row.insert(row.end(), {count_cell(model->context_window), count_cell(model->max_output_tokens)});
    rows.push_back(std::move(row));
  }
  std::cout << table(head, rows);
  if (found.size() <= few)
    std::cout << "\n" << table({"model", "quantity", "price", "where"}, every_rate(*book, found)) << "\n";
  if (found.size() == 1) std::cout << "source " << book->source(*found[0].model) << "\n";
  std::cout << rows.size() << (rows.size() == 1 ? " model" : " models") << ", price book " << book->version() << "\n";
  return ok;
}

}  // namespace farthing::cli
