#include <algorithm>
#include <array>

#include "counting/neighbours.h"
#include "farthing/count.h"
#include "farthing/tokens.h"

namespace farthing {

bool can_bound(const CountedModel& model) {
  // Other makers put other things around messages, even where they share an encoding; so do models that search.
  constexpr std::array<std::string_view, 4> known = {"openai-chat", "openai-reasoning", "openai-completion",
                                                     "openai-embedding"};
  return std::find(known.begin(), known.end(), model.overhead) != known.end();
}

bool is_measured(const CountedModel& model) {
  return model.overhead == "claude" || model.overhead == "gemini";
}

EncodingPtr encoding_of(const CountedModel& model) {
  const bool known = can_bound(model);
  // A search model's hidden prompt is as long as what it found.
  if (!known && model.overhead.starts_with("openai")) return nullptr;
  if (model.vocabulary && !is_measured(model)) return model.vocabulary;
  return Encoding::find(known ? model.encoding : "o200k_base");
}

namespace {

/// A member by which another endpoint takes its input: whoever serves many of them may read it here too.
bool has_foreign_input(const counting::Request& request, std::string_view endpoint) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> own = {
      {{"chat.completions", "messages"}, {"responses", "input"}, {"embeddings", "input"}, {"completions", "prompt"}}};
  const auto taken =
      std::find_if(own.begin(), own.end(), [endpoint](const auto& pair) { return pair.first == endpoint; });
  if (taken == own.end()) return false;
  for (const std::string_view member : {"messages", "input", "prompt", "contents"}) {
    const bool template_of_responses = member == "prompt" && endpoint == "responses";
    if (member != taken->second && !template_of_responses && request.has(member)) return true;
  }
  return false;
}

std::optional<InputCount> counted(std::string_view endpoint, std::string_view body, const CountedModel& model) {
  const bool known = can_bound(model);
  const EncodingPtr found = encoding_of(model);
  if (!found) return std::nullopt;
  auto request = counting::Request::read(body);
  if (!request) return std::nullopt;
  if (has_foreign_input(*request, endpoint)) return std::nullopt;
  const bool chat = endpoint == "chat.completions";
  const bool reasoning = model.overhead == "openai-reasoning";
  if (endpoint == "messages" || (chat && model.overhead == "claude"))
    return counting::count_messages(*request, model.name, *found);
  if (endpoint == "generateContent" || endpoint == "streamGenerateContent" || (chat && model.overhead == "gemini"))
    return counting::count_generate(*request, *found);
  if (chat) {
    return known ? counting::count_chat(*request, *found, reasoning)
                 : counting::count_open_chat(*request, model.overhead, *found);
  }
  if (endpoint == "responses") return known ? counting::count_responses(*request, *found, reasoning) : std::nullopt;
  std::optional<InputCount> count;
  if (endpoint == "embeddings") count = counting::count_texts(request->member("input"), *found);
  if (endpoint == "completions") {
    count = counting::count_texts(request->member("prompt"), *found);
    if (count && request->has("suffix")) {  // read too, with marks that are not known
      count->exact = false;
      count->ceiling.reset();
    }
  }
  if (count && !known) {
    count->exact = false;
    count->rough = true;
    count->ceiling.reset();
  }
  return count;
}

}  // namespace

std::optional<InputCount> count_input(std::string_view endpoint, std::string_view body, const CountedModel& model) {
  auto count = counted(endpoint, body, model);
  if (count && model.vocabulary) {
    count->exact = false;
    count->ceiling.reset();
  }
  return count;
}

}  // namespace farthing
