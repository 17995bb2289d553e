// Packed form of a LedgerRow: what a hold keeps, so that any process can write the entry if its own never does (R17), and
// the ledger of a store in memory.
//
// Format 1: a bit for each field that is not empty, then those in order: numbers (zigzag) in a byte where they fit, else their
// length and their bytes; texts with their length before them; lists of amounts as a bit for each that is not 0, and those.
// An unknown format number, the first byte, is refused (R38).
// Thread-safety: free functions.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "farthing/ledger.h"

namespace farthing {

/// Appends to `out`.
void pack(const LedgerRow& row, std::string& out);
/// Nothing when the bytes are not a packed row of this format.
std::optional<LedgerRow> unpack_row(std::string_view bytes);

/// Without its context, which many rows share, and a format: for who keeps both in the same process.
void pack_own(const LedgerRow& row, std::string& out);
LedgerRow unpack_own(std::string_view bytes, std::shared_ptr<const CallContext> context);

}  // namespace farthing
