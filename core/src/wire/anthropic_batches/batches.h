// Anthropic's message batches: many messages in one request, answered within a day.
// Source: the API reference of message batches and the guide to batch processing, 2026-11.
#pragma once

#include "wire/wire.h"

namespace farthing::wire {

Result<RequestFacts> scan_message_batch(std::string_view body);
AnswerFacts read_message_batch(std::string_view body);
/// A line of a batch's results.
AnswerFacts read_message_result(std::string_view line);

}  // namespace farthing::wire
