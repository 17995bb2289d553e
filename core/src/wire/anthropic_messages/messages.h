// Anthropic's messages, and hosts that speak them.
// Source: the API reference of messages, the pages on tool use, prompt caching, extended thinking, fast mode, data residency
// and compaction, and the recorded traffic, 2026-11.
#pragma once

#include "wire/wire.h"

namespace farthing::wire {

Result<RequestFacts> scan_messages(std::string_view body);
AnswerFacts read_messages(std::string_view body);
std::unique_ptr<StreamReader> stream_messages(bool strip_usage);

}  // namespace farthing::wire
