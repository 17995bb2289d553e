// A hold as bytes of its row: amounts, then the counters that it stands on. Thread-safety: free functions.
#pragma once

#include <string>
#include <string_view>

#include "store/tables.h"

namespace farthing {

void pack_hold(const HoldRow& hold, std::string& out);
/// False: of a format that this version does not know.
bool unpack_hold(std::string_view bytes, HoldRow& hold);

}  // namespace farthing
