// Requests to models whose vocabulary or chat form is not public: counted with o200k_base, a factor, and what is known of
// what their providers put around texts. Never exact and never a bound.
// Thread-safety: free functions.
#pragma once

#include <rapidjson/document.h>

#include <optional>
#include <string_view>

#include "counting/factors.h"
#include "farthing/count.h"
#include "farthing/tokens.h"

namespace farthing::counting {

/// Of a model's texts; null where none were measured.
const Factors* factors_of(const CountedModel& model);

/// By its name: Claude 4.7 and later have another vocabulary.
const Factors& claude_factors(std::string_view model);

/// Anthropic's messages. `model` is the book's name; what the body asks for comes first.
std::optional<InputCount> count_messages(const rapidjson::Value& body, std::string_view model, const Encoding& o200k);
/// Gemini's generateContent, or messages as OpenAI has them (texts only).
std::optional<InputCount> count_generate(const rapidjson::Value& body, const Encoding& o200k);
/// Chat completions of open models, by the model's overhead profile.
std::optional<InputCount> count_open_chat(const rapidjson::Value& body, std::string_view overhead,
                                          const Encoding& o200k);

}  // namespace farthing::counting
