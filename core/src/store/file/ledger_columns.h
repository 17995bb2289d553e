// A LedgerRow as columns of the table `ledger`, and back (R41).
// Thread-safety: one thread at a time.
#pragma once

#include "farthing/ledger.h"
#include "store/file/database.h"

namespace farthing {

extern const char* const insert_ledger_row;
/// Column list in the order of `read_ledger_row`.
extern const char* const ledger_columns;

/// Binds and steps; false on an error.
bool insert(Statement& statement, const LedgerRow& row);
LedgerRow read_ledger_row(const Statement& statement);

/// How much later than its id a row may be reserved before the file has to say so: longer than calls wait (R21).
inline constexpr std::int64_t usual_lag_ms = 1 << 17;
/// What the file says of that, "" being nothing.
std::int64_t lag_of(std::string_view text);
/// Rows by time and id, the newest first, from before an id.
Status scan_ledger(Connection& connection, const LedgerFilter& filter, std::optional<AttemptId> before,
                   const std::function<bool(const LedgerRow&)>& visit);

}  // namespace farthing
