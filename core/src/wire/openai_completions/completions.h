// OpenAI's completions before the chat, and hosts that speak them. Their answers are chat's, with `choices[].text`.
// Source: the API reference of completions and the recorded traffic, 2026-11.
#pragma once

#include "wire/wire.h"

namespace farthing::wire {

Result<RequestFacts> scan_completions(std::string_view body);

}  // namespace farthing::wire
