// Near names, for messages about an unknown model or provider: never used to match one.
#include <algorithm>
#include <vector>

#include "prices/book.h"

namespace farthing::prices_detail {
namespace {

constexpr std::size_t name_bytes_max = 64;  // of a hostile name no more is compared

bool letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Capitals as small letters.
std::string folded(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

/// "gpt-4o-mini" as gpt, 4o, mini.
std::vector<std::string_view> tokens_of(std::string_view name) {
  std::vector<std::string_view> tokens;
  for (std::size_t i = 0; i < name.size();) {
    std::size_t end = i;
    while (end < name.size() && letter_or_digit(name[end]))
      ++end;
    if (end > i) tokens.push_back(name.substr(i, end - i));
    i = end + 1;
  }
  return tokens;
}

/// Insertions, deletions, replacements and swaps of neighbours between two names.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

struct Ranked {
  std::size_t score;  // less is nearer
  std::string_view name;
  auto operator<=>(const Ranked&) const = default;
};

/// Edits, less for every word that both have. Nothing for names that have neither much text nor half their words in common.
std::optional<std::size_t> score_of(std::string_view wanted, const std::vector<std::string_view>& wanted_tokens,
                                    std::string_view name) {
  const auto tokens = tokens_of(name);
  std::size_t shared = 0;
  for (const std::string_view token : wanted_tokens) {
    shared += std::find(tokens.begin(), tokens.end(), token) != tokens.end() ? 1 : 0;
  }
  std::size_t distance = edits(wanted, name.substr(0, name_bytes_max));
  // "gpt-5-mini-latest" is gpt-5-mini with a word too many, whatever its length.
  if (wanted.starts_with(name) || name.starts_with(wanted)) distance = std::min<std::size_t>(distance, 2);
  const bool near_text = distance <= std::max<std::size_t>(2, wanted.size() / 4);
  const bool near_words = shared >= 2 && 2 * shared >= std::max(wanted_tokens.size(), tokens.size());
  if (!near_text && !near_words) return std::nullopt;
  return 4 * distance + 8 - std::min<std::size_t>(8, 2 * shared);
}

}  // namespace

std::vector<std::string> nearest(std::string_view wanted, const std::vector<std::string_view>& names,
                                 std::size_t most) {
  const std::string wanted_folded = folded(wanted.substr(0, name_bytes_max));
  wanted = wanted_folded;
  const auto wanted_tokens = tokens_of(wanted);
  std::vector<Ranked> ranked;
  for (const std::string_view name : names) {
    if (const auto score = score_of(wanted, wanted_tokens, folded(name))) ranked.push_back({*score, name});
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<std::string> best;
  for (const Ranked& entry : ranked) {
    if (best.size() == most) break;
    if (best.empty() || best.back() != entry.name) best.emplace_back(entry.name);
  }
  return best;
}

}  // namespace farthing::prices_detail

namespace farthing {

std::vector<std::string> near_names(std::string_view wanted, const std::vector<std::string_view>& names,
                                    std::size_t most) {
  return prices_detail::nearest(wanted, names, most);
}

const Model* find_anywhere(const PriceBook& book, std::string_view name) {
  // Makers with an API of their own, then hosts that sell others' models.
  for (const std::string_view provider :
       {"openai", "anthropic", "gemini", "mistral", "deepseek", "xai", "perplexity", "cohere", "moonshot", "groq",
        "cerebras", "together", "fireworks", "openrouter"}) {
    if (const Model* found = book.find(provider, name)) return found;
  }
  std::string_view last;
  for (const Model* each : book.models()) {
    if (each->provider == last) continue;
    last = each->provider;
    if (const Model* found = book.find(last, name)) return found;
  }
  if (const std::size_t slash = name.find('/'); slash != std::string_view::npos)
    return book.find(name.substr(0, slash), name.substr(slash + 1));
  return nullptr;
}

std::vector<std::string> near_providers(const PriceBook& book, std::string_view provider, std::size_t most) {
  std::vector<std::string_view> names;
  for (const Model* model : book.models()) {  // sorted by provider
    if (names.empty() || names.back() != model->provider) names.push_back(model->provider);
  }
  return prices_detail::nearest(provider, names, most);
}

}  // namespace farthing
