// OpenAI's embeddings, and hosts that speak them.
// Source: the API reference of embeddings and the recorded traffic, 2026-11.
#pragma once

#include "wire/wire.h"

namespace farthing::wire {

Result<RequestFacts> scan_embeddings(std::string_view body);
AnswerFacts read_embeddings(std::string_view body);

}  // namespace farthing::wire
