#include "store/file/read_aside.h"

#include <optional>
#include <utility>

#include "store/file/database.h"
#include "store/file/ledger_columns.h"
#include "store/no_fork.h"

namespace farthing {

Status read_aside(const std::string& path, const LedgerFilter& filter, std::optional<AttemptId> before,
                  const std::function<bool(const LedgerRow&)>& visit) {
  std::optional<NoFork> reading{std::in_place};
  Connection reader;
  if (const Status done = reader.open(path, true); !done) return done;
  return scan_ledger(reader, filter, before, [&](const LedgerRow& row) {
    reading.reset();  // whoever visits may need what a thread that forks has
    const bool more = visit(row);
    reading.emplace();
    return more;
  });
}

}  // namespace farthing
