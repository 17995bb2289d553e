#include "farthing/maker.h"

#include <algorithm>
#include <array>
#include <string>

namespace farthing {

namespace {

constexpr std::array<std::string_view, 14> makers = {"openai", "anthropic", "gemini",      "mistral",    "deepseek",
                                                     "xai",    "cohere",    "moonshot",    "zai",        "minimax",
                                                     "meta",   "ai21",      "amazon_nova", "xiaomi_mimo"};

const Model* of_makers(const PriceBook& book, std::string_view name) {
  for (const std::string_view maker : makers) {
    if (const Model* found = book.find(maker, name)) return found;
  }
  return nullptr;
}

}  // namespace

const Model* maker_model(const PriceBook& book, const Model& model) {
  if (std::find(makers.begin(), makers.end(), model.provider) != makers.end()) return &model;
  // "@cf/deepseek-ai/DeepSeek-R1", "openai/gpt-5-mini:batch"
  std::string_view name = model.name;
  name.remove_prefix(name.rfind('/') + 1);
  name = name.substr(0, name.find(':'));
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  for (const std::string_view one : {name, std::string_view(lower)}) {
    if (const Model* found = of_makers(book, one)) return found;
  }
  const auto without = [&lower](std::string_view prefix) {
    const bool has = lower.size() > prefix.size() + 1 && lower.starts_with(prefix) &&
                     (lower[prefix.size()] == '.' || lower[prefix.size()] == '-');
    return has ? std::string_view(lower).substr(prefix.size() + 1) : std::string_view();
  };
  for (const std::string_view maker : makers) {  // "openai.gpt-5.4", "openai-gpt-5-mini"
    if (const std::string_view rest = without(maker); !rest.empty()) {
      if (const Model* found = book.find(maker, rest)) return found;
    }
  }
  // "databricks-gpt-5-mini"
  if (const std::string_view rest = without(model.provider); !rest.empty()) return of_makers(book, rest);
  return nullptr;
}

std::optional<bool> reasons(const PriceBook& book, const Model& model) {
  if (model.reasoning) return true;
  const Model* own = maker_model(book, model);
  return own == nullptr ? std::nullopt : std::optional(own->reasoning);
}

}  // namespace farthing
