// OpenAI's responses.
// Source: the API reference of responses and the recorded traffic, 2026-11.
#pragma once

#include "wire/wire.h"

namespace farthing::wire {

Result<RequestFacts> scan_responses(std::string_view body);
AnswerFacts read_responses(std::string_view body);
std::unique_ptr<StreamReader> stream_responses(bool strip_usage);

}  // namespace farthing::wire
