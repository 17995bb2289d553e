// Requests by whose models they are for. OpenAI's forms are known, where they are plain. Models whose vocabulary or chat form
// is not public are counted with o200k_base, a factor, and what is known of what their providers put around texts: never
// exact and never a bound.
// Thread-safety: free functions.
#pragma once

#include <optional>
#include <string_view>

#include "counting/factors.h"
#include "counting/request.h"
#include "farthing/count.h"
#include "farthing/tokens.h"

namespace farthing::counting {

/// Of a model's texts; null where none were measured.
const Factors* factors_of(const CountedModel& model);

/// By its name: Claude 4.7 and later have another vocabulary.
const Factors& claude_factors(std::string_view model);

/// Chat completions and responses of OpenAI's models. `reasoning`: by their overhead profile.
std::optional<InputCount> count_chat(Request& body, const Encoding& encoding, bool reasoning);
std::optional<InputCount> count_responses(Request& body, const Encoding& encoding, bool reasoning);
/// Texts without anything around them, in a member: embeddings, completions.
std::optional<InputCount> count_texts(const Value* input, const Encoding& encoding);

/// Anthropic's messages, or Claude asked in OpenAI's form: what stands for the same counts the same. `model` is the book's
/// name; what the body asks for comes first.
std::optional<InputCount> count_messages(Request& body, std::string_view model, const Encoding& o200k);
/// Gemini's generateContent, or Gemini asked in OpenAI's form.
std::optional<InputCount> count_generate(Request& body, const Encoding& o200k);
/// Chat completions of open models, by the model's overhead profile.
std::optional<InputCount> count_open_chat(Request& body, std::string_view overhead, const Encoding& encoding);

}  // namespace farthing::counting
