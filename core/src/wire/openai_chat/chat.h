// OpenAI's chat completions, and hosts that speak them.
// Source: the API reference of chat completions and the recorded traffic, 2026-11.
#pragma once

#include "wire/wire.h"

namespace farthing::wire {

Result<RequestFacts> scan_chat(std::string_view body);
AnswerFacts read_chat(std::string_view body);
std::unique_ptr<StreamReader> stream_chat(bool strip_usage);

}  // namespace farthing::wire
