// Endpoints that a policy describes (EndpointRule): requests and answers are read at the places that it names.
// Thread-safety: free functions.
#pragma once

#include <string_view>

#include "farthing/endpoint.h"
#include "wire/wire.h"

namespace farthing::wire {

Result<RequestFacts> scan_described(const EndpointRule& rule, std::string_view body);
/// `asked`: of the request; what the answer does not tell is what was asked for.
AnswerFacts read_described(const EndpointRule& rule, std::string_view body, const Quantities& asked);

}  // namespace farthing::wire
