#include <algorithm>

#include "wire/wire.h"

namespace farthing {

namespace {

struct ModelThatSearches {
  std::string_view profile;
  OwnSearches searches;
};
/// OpenAI's price page of 2026-11: a chat search model searches once before it answers, for a fee; what it finds is free with
/// the previews of gpt-4o and input like any other since. Perplexity's of 2026-11: the fee of an answer covers its searches;
/// research is billed for each of them, and for what it read and thought. Who sells these models on has fees of his own.
/// Models made for research, and those that are several agents (xAI's), call tools of their own until they are done.
constexpr ModelThatSearches models_that_search[] = {
    {"openai-search", {.billed = 1}},
    {"openai-search-input", {.billed = 1, .unseen = true}},
    {"perplexity", {.fee = true}},
    {"perplexity-research", {.unseen = true, .endless = true}},
    {"deep-research", {.unseen = true, .endless = true}},
    {"grok-multi-agent", {.unseen = true, .endless = true}},
};

}  // namespace

std::optional<OwnSearches> own_searches(std::string_view overhead_profile) {
  const auto* row = std::find_if(std::begin(models_that_search), std::end(models_that_search),
                                 [&](const ModelThatSearches& known) { return known.profile == overhead_profile; });
  return row == std::end(models_that_search) ? std::nullopt : std::optional(row->searches);
}

}  // namespace farthing
