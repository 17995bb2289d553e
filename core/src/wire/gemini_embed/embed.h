// Gemini's embedContent and batchEmbedContents, on the Gemini API and on Vertex AI.
// Source: the API reference of embeddings and the types of google-genai 3.4, 2026-11.
#pragma once

#include "wire/wire.h"

namespace farthing::wire {

Result<RequestFacts> scan_embed(std::string_view body);
Result<RequestFacts> scan_batch_embed(std::string_view body);
AnswerFacts read_embed(std::string_view body);

}  // namespace farthing::wire
