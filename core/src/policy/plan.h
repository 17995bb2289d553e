// Plan: the counters that one set of labels is held on, worked out once and reused until the registry changes.
//
//   CapIndex index(registry);                    // compiled from a Registry
//   Plan plan = index.plan(labels, now_ms);      // match, each, limits, overrides, halts
//
// All caps that share `match` and the same `each` values share one counter set: one row in a store (stores keep
// windows and meters of a set together, since touched rows are what a reserve costs).
// Thread-safety: immutable after construction.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "farthing/cap.h"
#include "policy/registry.h"

namespace farthing {

/// R9: at most this many counters for one reserve.
inline constexpr std::size_t max_counters_per_call = 64;
/// The value of a missing label in `each` (R5).
inline constexpr std::string_view none_value = "(none)";

struct PlannedCap {
  std::uint32_t number = 0;  // RegisteredCap::number
  Meter meter = Meter::usd;
  std::int64_t limit = 0;  // in force: file, `limits`, override
  std::int64_t limit_before_override = 0;
  const RegisteredCap* registered = nullptr;  // owned by the CapIndex
  std::uint32_t order = 0;                    // R3: place in a refusal's headline order
};

struct PlannedSet {
  std::string key;  // match + each kinds + each values, canonical
  std::vector<std::string> each_values;
  std::vector<PlannedCap> caps;
  /// The store's own handle of this set's row once it has found it (an integer row id, an index); 0 = not looked up.
  mutable std::int64_t row = 0;
};

struct Plan {
  std::uint64_t revision = 0;
  std::int64_t valid_until_ms = 0;
  std::vector<PlannedSet> sets;
  std::vector<PlannedCap> per_call;                  // per = "call": no counter, summed in the call
  std::vector<const Halt*> halts;                    // that match these labels
  std::vector<const RegisteredCap*> label_required;  // absent = "refuse" and the label is missing
  bool too_many_caps = false;
  bool usd_capped = false;           // some cap on `usd` matches: a price is needed (R31)
  std::shared_ptr<const void> keep;  // keeps what the pointers point at alive
};

class CapIndex {
 public:
  explicit CapIndex(Registry registry);
  ~CapIndex();
  CapIndex(CapIndex&&) noexcept;

  const Registry& registry() const;
  /// `now_ms` decides which overrides are in force.
  Plan plan(const Labels& labels, std::int64_t now_ms) const;

 private:
  struct Inside;
  std::shared_ptr<const Inside> inside_;
};

/// R3: per call before window, and within each api_key, project, org, the rest (by policy order).
std::uint32_t headline_rank(const Cap& cap);
/// The `level` of a refusal: "org", "project", "api_key", "task", ... the kind that names the cap best.
std::string level_of(const Cap& cap);

}  // namespace farthing
