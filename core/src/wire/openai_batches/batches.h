// OpenAI's batches, and hosts that speak them: an uploaded file has a request in each line, and a batch names the file.
// Source: the guide to the batch API and the API references of batches and files, 2026-11.
#pragma once

#include "wire/wire.h"

namespace farthing::wire {

Result<RequestFacts> scan_batch(std::string_view body);
AnswerFacts read_batch(std::string_view body);

}  // namespace farthing::wire
