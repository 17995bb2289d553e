// Calls that are billed by the piece or whose tokens no output limit can bound: images, speech, transcriptions. What they can
// cost is fixed by what they ask for (R31).
//
//   Sized sized = size_pieces({.facts = facts, .dialect = *route.dialect, ...});   // of a dialect with `pieces`
//
// Thread-safety: a free function.
#pragma once

#include "guard/sizing.h"

namespace farthing::guard {

Sized size_pieces(const SizeInput& input);

}  // namespace farthing::guard
