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

/// Newest first; time and id are filtered here, the rest by the caller. `before`: only lower ids.
Status scan_ledger(Connection& connection, const LedgerFilter& filter, std::optional<AttemptId> before,
                   const std::function<bool(const LedgerRow&)>& visit);

}  // namespace farthing
