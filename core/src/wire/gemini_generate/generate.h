// Google's generateContent and streamGenerateContent, of the Gemini API and of Vertex AI.
// Source: the API references of both, the pages on thinking, grounding, caching and service tiers, and the recorded traffic,
// 2026-11.
#pragma once

#include "wire/wire.h"

namespace farthing::wire {

Result<RequestFacts> scan_generate(std::string_view body);
Result<RequestFacts> scan_stream_generate(std::string_view body);
/// A body is one answer, or, of a stream without `alt=sse`, the list of its chunks.
AnswerFacts read_generate(std::string_view body);
std::unique_ptr<StreamReader> stream_generate(bool strip_usage);

/// Google reads members as lowerCamelCase and as they are named in its protocol: `max_output_tokens`.
bool is_named(std::string_view name, std::string_view camel);
/// A service tier in the price book's words: `SERVICE_TIER_FLEX` and `flex` are flex, `standard` is the default.
std::string tier_word(std::string_view told);

}  // namespace farthing::wire
