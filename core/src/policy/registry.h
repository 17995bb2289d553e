// What the store keeps for all processes besides amounts (R6, R8, R34): documents, the caps registered by them,
// overrides and halts, under one revision. Row types only; the store reads and writes them.
//
// Thread-safety: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "farthing/cap.h"
#include "farthing/policy.h"

namespace farthing {

/// A cap as registered: `number` is the store's short name for it, never used again for another.
struct RegisteredCap {
  std::uint32_t number = 0;
  Cap cap;                             // with the lowest limit over all documents that hold it
  std::vector<std::string> documents;  // names of the documents that hold it now; none: no longer binding
  std::int64_t registered_ms = 0;
  std::optional<std::int64_t> counted_since_ms;  // R7: what could not be proved
};

/// R8: absolute, keyed by cap and counter (empty = all), the last one wins.
struct Override {
  std::string cap_id;
  std::vector<std::string> each_values;  // empty = every counter
  std::int64_t limit = 0;
  std::int64_t baseline = 0;  // what it replaced
  std::string who;
  std::string why;
  std::int64_t at_ms = 0;
  std::optional<std::int64_t> until_ms;
  // What the cap counted, and for whom, when it was set; a limit in another unit would mean another thing. No meter: the
  // cap was not known.
  std::optional<Meter> meter = std::nullopt;
  std::vector<std::string> each = {};
};

/// The limit of the counter with these values, or of all that have none of their own (no values).
struct LimitInForce {
  std::int64_t limit = 0;
  std::int64_t of_policy = 0;
  const Override* change = nullptr;  // that set it, one of `overrides`; null: the policy's is in force
};
/// R8: absolute, the last one wins, whether it was for one counter or for all.
LimitInForce limit_in_force(const Cap& cap, const std::vector<Override>& overrides,
                            const std::vector<std::string>& values, std::int64_t now_ms);

/// R34: everything, or the calls that match.
struct Halt {
  std::int64_t id = 0;
  Match match;
  std::string who;
  std::string why;
  std::int64_t at_ms = 0;
};

struct Document {
  std::string name;
  Origin origin = Origin::code;
  std::string json;  // canonical
  std::int64_t at_ms = 0;
  bool current = true;
};

struct Registry {
  std::uint64_t revision = 0;
  /// The earliest `until` of an override in force: from then on this copy is stale.
  std::int64_t valid_until_ms = 0;
  std::vector<RegisteredCap> caps;
  std::vector<Override> overrides;
  std::vector<Override> resting;  // R8: as long as the cap of their id counts something else, or for others
  std::vector<Halt> halts;
  std::vector<Document> documents;  // current ones
};

}  // namespace farthing
