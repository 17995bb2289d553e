// Denial: a refusal as a value. It says which cap, its limit, spent, reserved, what was asked, when it resets, and
// what would still fit (promise 9). On the wire it is HTTP 402 in the dialect's own error shape.
//
// Thread-safety: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "farthing/cap.h"
#include "farthing/result.h"

namespace farthing {

/// One cap that refused, as of that instant. Amounts in the meter's unit.
struct RefusedCap {
  std::string cap_id;
  std::string level;  // org, project, api_key, task, ...
  Match match;
  std::vector<std::pair<std::string, std::string>> counter;  // each kind and value
  Meter meter = Meter::usd;
  Per per = Per::total;
  std::int64_t limit = 0;
  std::optional<std::int64_t> baseline;  // the limit that an override replaced (R8)
  std::int64_t spent = 0;
  std::int64_t reserved = 0;
  std::int64_t requested = 0;  // the least that this call needs
  std::int64_t wanted = 0;     // what it asked for at the most
  std::int64_t unknown = 0;    // how much of spent is for calls of unknown outcome (R23)
  std::optional<std::int64_t> resets_at_ms;
  std::int64_t max_counters = 0;  // too_many_counters: the cap's
  bool held = false;              // would pass if all holds settled (R21)
  std::string message;            // the cap's own
  std::string help_url;
  std::string owner;
  std::int64_t remaining() const { return limit - spent - reserved; }
};

/// A refusal does not list all that a busy store may have; `farthing jobs` does.
inline constexpr std::size_t max_slot_jobs = 20;

struct Denial {
  Code code = Code::cap_exceeded;
  std::string message;           // the whole sentence for a person
  std::vector<RefusedCap> caps;  // headline first (R3); empty where no cap refused
  std::string set_by;            // the policy that the first cap's limit is of, where it is not this guard's
  bool held = false;
  std::int64_t stale_streams = 0;  // held: calls open for more than 120 s, which may be streams that nobody reads (R17)
  std::vector<std::string> slot_jobs;  // of a cap on concurrency: ids of the jobs that hold its slots (R17), the oldest
  bool more_slot_jobs = false;         // than the `max_slot_jobs` that are named
  std::int64_t at_ms = 0;              // the store's time
  std::int64_t clock_ahead_ms = 0;     // R12: how far that is ahead of this machine's clock, which was once wrong
  std::string model;
  std::string attempt;                            // id, for `farthing why ID`
  std::optional<std::int64_t> fits_output_limit;  // R22: the output limit that would pass now
  std::string output_limit_name;                  // how this request spells it ("max_completion_tokens")
  std::vector<std::string> fits_models;
  std::vector<std::string> near;  // near names, for unpriced_model
  std::string paste;              // lines of policy to add, where that would mend it (R31)

  /// The body of the 402 in OpenAI's error shape.
  std::string to_json() const;
};

/// Builds `message` from the rest: the wording every language shows.
std::string denial_message(const Denial& denial);

}  // namespace farthing
