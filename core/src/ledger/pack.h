// Packed form of a LedgerRow: what a hold keeps, so that any process can write the entry if its own never does (R17).
//
// Format 1: fields in order; numbers as LEB128 varints (zigzag), texts with their length before them. An unknown format
// number is refused (R38).
// Thread-safety: free functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "farthing/ledger.h"

namespace farthing {

/// Appends to `out`.
void pack(const LedgerRow& row, std::string& out);
/// Nothing when the bytes are not a packed row of this format.
std::optional<LedgerRow> unpack_row(std::string_view bytes);

}  // namespace farthing
