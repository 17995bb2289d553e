// Google's batches of the Gemini API: requests of generateContent in one, answered within a day; requests in a file are not read.
// Source: the API reference of the Batch API and its guide, 2026-11.
#pragma once

#include "wire/wire.h"

namespace farthing::wire {

Result<RequestFacts> scan_generate_batch(std::string_view body);
/// What a batch is when it was asked for, and at each poll: an operation, with the answers once it is done.
AnswerFacts read_generate_batch(std::string_view body);

}  // namespace farthing::wire
