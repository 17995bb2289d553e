// Calls to endpoints that the policy describes (`[[endpoint]]`, R31): what a request asks for is all that it can cost, as far as the
// policy and the request say it.
//
//   Sized sized = size_described({.facts = facts, .dialect = *route.dialect, ...});   // of a dialect with a `rule`
//
// Thread-safety: a free function.
#pragma once

#include "guard/sizing.h"

namespace farthing::guard {

Sized size_described(const SizeInput& input);

}  // namespace farthing::guard
