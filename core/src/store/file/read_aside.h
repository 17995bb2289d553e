// read_aside: the ledger of a file, read by a connection of its own: a snapshot that nobody waits for.
//
//   read_aside(path, filter, std::nullopt, [](const LedgerRow& row) { return true; })   // false: stop
//
// Thread-safety: from any thread. A fork waits until the row is read (R36).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "store/store.h"

namespace farthing {

Status read_aside(const std::string& path, const LedgerFilter& filter, std::optional<AttemptId> before,
                  const std::function<bool(const LedgerRow&)>& visit);

}  // namespace farthing
