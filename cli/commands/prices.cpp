#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "../books.h"
#include "../commands.h"
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

std::string rate_cell(const RateSet& rates, Quantity quantity) {
  const auto& rate = rates[quantity];
  return rate ? to_text(*rate) : "";
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
    if (const auto rates = book->rates(*model, terms)) found.push_back({model, *rates});
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
  if (found.empty()) {
    std::string message = "no model \"" + options.name + "\" in the price book " + std::string(book->version());
    const auto near = book->near(options.provider.empty() ? "openai" : options.provider, options.name, 3);
    for (std::size_t i = 0; i < near.size(); ++i)
      message += (i == 0 ? "; near names: " : ", ") + near[i];
    return fail(not_found, message);
  }

  if (options.json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const auto& [model, rates] : found) {
      list.push_back({{"provider", model->provider},
                      {"model", model->name},
                      {"modality", model->modality},
                      {"context_window", model->context_window},
                      {"max_output_tokens", model->max_output_tokens},
                      {"reasoning", model->reasoning},
                      {"free", model->free},
                      {"rates", nlohmann::ordered_json::parse(rates.to_json())},
                      {"source", book->source(*model)},
                      {"book", book->version()}});
    }
    std::cout << list.dump() << "\n";
    return ok;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& [model, rates] : found) {
    rows.push_back({std::string(model->provider), std::string(model->name), rate_cell(rates, Quantity::input_tokens),
                    rate_cell(rates, Quantity::cache_read_tokens), rate_cell(rates, Quantity::output_tokens),
                    count_cell(model->context_window), count_cell(model->max_output_tokens)});
  }
  std::cout << table({"provider", "model", "input", "cached input", "output", ">context", ">max output"}, rows);
  if (found.size() == 1) std::cout << "source " << book->source(*found[0].model) << "\n";
  std::cout << rows.size() << (rows.size() == 1 ? " model" : " models") << ", price book " << book->version() << "\n";
  return ok;
}

}  // namespace farthing::cli
