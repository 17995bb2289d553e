#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

#include "../books.h"
#include "../commands.h"
#include "../json.h"
#include "../terminal.h"
#include "farthing/count.h"
#include "farthing/endpoint.h"
#include "farthing/guard.h"
#include "farthing/maker.h"
#include "farthing/time_text.h"

namespace farthing::cli {

namespace {

/// A name is that of every provider that has it; "provider/name" of one.
std::vector<const Model*> named(const PriceBook& book, const std::string& name, const std::string& provider) {
  std::set<std::string_view> providers;
  for (const Model* model : book.models())
    providers.insert(model->provider);
  std::vector<const Model*> found;
  for (const std::string_view each : providers) {
    if (!provider.empty() && each != provider) continue;
    const std::string prefix = std::string(each) + "/";
    // Before the names of those who sell it as "provider/name" themselves.
    if (name.starts_with(prefix)) {
      if (const Model* model = book.find(each, name.substr(prefix.size()))) return {model};
    }
    if (const Model* model = book.find(each, name)) found.push_back(model);
  }
  return found;
}

/// The models that were named, or all that the filters leave.
Result<std::vector<const Model*>> chosen(const PriceBook& book, const PricesCompareOptions& options,
                                         std::string_view endpoint) {
  std::vector<const Model*> models;
  const auto fits = [&](const Model& model) {
    return (options.provider.empty() || model.provider == options.provider) &&
           (options.family.empty() || model.family == options.family) &&
           (options.modality.empty() || model.modality == options.modality);
  };
  for (const std::string& name : options.models) {
    const auto found = named(book, name, options.provider);
    if (found.empty()) {
      return Error{Code::unknown_cap, "no model \"" + name + "\" in the price book " + std::string(book.version()) +
                                          near_models(book, options.provider, name)};
    }
    for (const Model* model : found) {
      if (fits(*model) && std::find(models.begin(), models.end(), model) == models.end()) models.push_back(model);
    }
  }
  if (options.models.empty()) {
    // Of what a request asks for: a model of embeddings answers no chat, however cheap it is, and a retired one nobody.
    const std::string_view made = options.modality.empty() ? modality_of(endpoint) : std::string_view();
    const std::string today = iso_utc(system_clock()->wall_ms()).substr(0, 10);
    for (const Model* model : book.models()) {
      const bool retired = !model->deprecated.empty() && model->deprecated <= today;
      if (fits(*model) && !retired && (made.empty() || model->modality == made)) models.push_back(model);
    }
  }
  if (models.empty()) {
    std::string filter, near;
    const auto add = [&](std::string_view name, std::string_view value, std::string_view Model::* member) {
      if (value.empty()) return;
      filter += (filter.empty() ? "" : ", ") + std::string(name) + " " + std::string(value);
      std::set<std::string_view> known;
      for (const Model* model : book.models())
        known.insert(model->*member);
      if (known.contains(value)) return;
      near += "; no " + std::string(name) + " is \"" + std::string(value) + "\"";
      std::vector<std::string> names = near_names(value, {known.begin(), known.end()}, 3);
      const bool few = names.empty() && known.size() <= 20;  // all of them can be told
      if (few) names.assign(known.begin(), known.end());
      for (const std::string& one : names)
        near += (&one != &names.front() ? ", " : few ? ", there are: " : ", near names: ") + one;
    };
    add("provider", options.provider, &Model::provider);
    add("family", options.family, &Model::family);
    add("modality", options.modality.empty() && options.models.empty() ? modality_of(endpoint) : options.modality,
        &Model::modality);
    return Error{Code::unknown_cap, "no model in the price book fits: " + filter + near};
  }
  return models;
}

int side_by_side(const PriceBook& book, const std::vector<const Model*>& models, bool json) {
  const Terms terms{.at_ms = system_clock()->wall_ms()};
  std::vector<std::optional<RateSet>> rates;
  for (const Model* model : models)
    rates.push_back(book.rates(*model, terms));
  if (json) {
    Json list = Json::array();
    for (std::size_t i = 0; i < models.size(); ++i) {
      const Model& model = *models[i];
      Json rows = Json::array();
      for (const PriceRow& row : book.rows(model))
        rows.push_back({{"conditions", row.conditions}, {"rates", parse_json(row.rates.to_json())}});
      list.push_back({{"provider", model.provider},
                      {"model", model.name},
                      {"modality", model.modality},
                      {"context_window", model.context_window},
                      {"max_output_tokens", model.max_output_tokens},
                      {"reasoning", model.reasoning},
                      {"deprecated", model.deprecated},
                      {"rates", rates[i] ? parse_json(rates[i]->to_json()) : Json(nullptr)},
                      {"rows", std::move(rows)},
                      {"source", book.source(model)},
                      {"book", book.version()}});
    }
    std::cout << dump_json(list) << "\n";
    return ok;
  }
  std::vector<std::string> head = {""};
  for (const Model* model : models)
    head.emplace_back(model->name);
  std::vector<std::vector<std::string>> rows;
  const auto add = [&](const std::string& what, const auto& cell) {
    std::vector<std::string> row = {what};
    bool any = false;
    for (std::size_t i = 0; i < models.size(); ++i) {
      row.push_back(cell(i));
      any = any || !row.back().empty();
    }
    if (any) rows.push_back(std::move(row));
  };
  const auto count = [](std::int64_t value) { return value == 0 ? std::string() : std::to_string(value); };
  add("provider", [&](std::size_t i) { return std::string(models[i]->provider); });
  for (std::size_t q = 0; q < quantity_count; ++q) {
    const auto quantity = static_cast<Quantity>(q);
    add(std::string(quantity_text(quantity)), [&](std::size_t i) {
      return rates[i] && (*rates[i])[quantity] ? to_text(*(*rates[i])[quantity]) : std::string();
    });
  }
  add("other prices", [&](std::size_t i) {
    const auto all = book.rows(*models[i]);
    return count(std::count_if(all.begin(), all.end(), [](const PriceRow& row) { return !row.conditions.empty(); }));
  });
  add("context", [&](std::size_t i) { return count(models[i]->context_window); });
  add("max output", [&](std::size_t i) { return count(models[i]->max_output_tokens); });
  add("reasoning", [&](std::size_t i) { return std::string(models[i]->reasoning ? "yes" : ""); });
  add("deprecated", [&](std::size_t i) { return std::string(models[i]->deprecated); });
  std::cout << table(head, rows) << "price book " << book.version() << "\n";
  return ok;
}

/// The host by which the core finds a provider; its own where that is known.
std::string host_of(std::string_view provider) {
  return provider == "openai" ? "api.openai.com" : std::string(provider) + ".estimate.invalid";
}

/// A guard whose store is its memory: nothing of the user's is opened.
Result<std::shared_ptr<Guard>> estimator(const std::string& given, const std::vector<const Model*>& models) {
  Policy policy;
  if (const std::string path = policy_path(given); !path.empty()) {
    PolicyOrProblems read = policy_from_file(path);
    if (!read.ok()) return Error{Code::invalid_policy, path + " is not a valid policy: farthing check " + path};
    policy = std::move(*read.policy);
    policy.api_keys.clear();
  }
  policy.store = "memory:";
  std::set<std::string_view> providers;
  for (const Model* model : models)
    providers.insert(model->provider);
  for (const std::string_view provider : providers) {
    HostRule host;
    host.name = host_of(provider);
    host.provider = provider;
    if (provider != "openai") policy.hosts.push_back(std::move(host));
  }
  unsetenv("FARTHING_STORE");  // NOLINT(concurrency-mt-unsafe): one thread, and it would name the user's own
  GuardOptions options;
  options.background_thread = false;
  return Guard::open(std::move(policy), std::move(options));
}

struct Ranked {
  const Model* model = nullptr;
  std::optional<Usd> likely, ceiling;
  std::int64_t output_limit = 0;
  std::string why_not;
  std::optional<bool> reasons = false;  // nothing: the book does not say it, and likely may be too low
};

/// Likely, then the ceiling; what has no price comes last.
bool cheaper(const Ranked& a, const Ranked& b) {
  if (a.likely.has_value() != b.likely.has_value()) return a.likely.has_value();
  if (a.likely != b.likely) return a.likely < b.likely;
  if (a.ceiling.has_value() != b.ceiling.has_value()) return a.ceiling.has_value();
  return a.ceiling < b.ceiling;
}

Result<Json> request_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream content;
  content << in.rdbuf();
  if (!in) return Error{Code::invalid_argument, file + " cannot be read"};
  Json body = parse_json(content.str());
  if (!body.is_object())
    return Error{Code::invalid_argument, file + " is no JSON object, such as the body of a request is"};
  return body;
}

int ranked(const PriceBook& book, const std::vector<const Model*>& models, const PricesCompareOptions& options,
           Json body, const std::string& endpoint) {
  const auto guard = estimator(options.policy, models);
  if (!guard) return fail(guard.error());
  std::vector<Ranked> all;
  for (const Model* model : models) {
    body["model"] = model->name;
    Ranked one;
    one.model = model;
    const auto estimate =
        (*guard)->estimate(endpoint, dump_json(body), Labels{}, Scope::root(), host_of(model->provider), 1);
    if (estimate) {
      one.likely = estimate->likely;
      one.ceiling = estimate->ceiling;
      one.output_limit = estimate->output_limit;
      one.why_not = estimate->no_ceiling;
      if (model->modality == "text") one.reasons = reasons(book, *model);
    } else {
      if (estimate.error().code == Code::invalid_argument && models.front() == model) return fail(estimate.error());
      one.why_not = estimate.error().message;
    }
    all.push_back(std::move(one));
  }
  (*guard)->close();
  std::stable_sort(all.begin(), all.end(), cheaper);
  const auto text = [](const std::optional<Usd>& amount) { return amount ? to_text(*amount) : std::string("unknown"); };
  if (options.json) {
    Json list = Json::array();
    for (const Ranked& one : all) {
      Json entry = {{"provider", one.model->provider}, {"model", one.model->name}};
      const auto put = [&entry](const std::string& key, const std::optional<Usd>& amount) {
        entry[key] = amount ? Json(to_text(*amount)) : Json(nullptr);
        entry[key + "_nano"] = amount ? Json(amount->nano) : Json(nullptr);
      };
      put("likely", one.likely);
      put("ceiling", one.ceiling);
      entry["output_limit"] = one.output_limit;
      entry["why_not"] = one.why_not;
      entry["reasoning"] = one.reasons ? Json(*one.reasons) : Json(nullptr);
      entry["book"] = book.version();
      list.push_back(std::move(entry));
    }
    std::cout << dump_json(list) << "\n";
    return ok;
  }
  std::vector<std::vector<std::string>> rows;
  const std::string untold = "dearer, if it reasons: the book does not say";
  for (const Ranked& one : all) {
    rows.push_back({std::string(one.model->provider), std::string(one.model->name), text(one.likely), text(one.ceiling),
                    one.output_limit == 0 ? "" : std::to_string(one.output_limit),
                    one.reasons ? one.why_not : untold + (one.why_not.empty() ? "" : "; " + one.why_not)});
  }
  std::cout << table({"provider", "model", ">likely USD", ">at most USD", ">output limit", ""}, rows) << rows.size()
            << (rows.size() == 1 ? " model" : " models") << ", price book " << book.version() << "\n";
  return ok;
}

}  // namespace

int prices_compare(const PricesCompareOptions& options) {
  const bool filtered = !options.provider.empty() || !options.family.empty() || !options.modality.empty();
  if (options.models.empty() && (options.request.empty() || !filtered)) {
    return fail(usage, "give models, or with --for a filter: --provider, --family, --modality");
  }
  const auto book = open_book(options.policy);
  if (!book) return fail(book.error());
  Json body;
  std::string endpoint = options.endpoint;
  if (!options.request.empty()) {
    auto request = request_of(options.request);
    if (!request) return fail(usage, request.error().message);
    body = std::move(*request);
    if (endpoint.empty()) endpoint = endpoint_of(dump_json(body), {}, **book);
    if (endpoint.empty()) endpoint = "chat.completions";
  }
  const auto models = chosen(**book, options, endpoint);
  if (!models) return fail(not_found, models.error().message);
  return options.request.empty() ? side_by_side(**book, *models, options.json)
                                 : ranked(**book, *models, options, std::move(body), endpoint);
}

}  // namespace farthing::cli
