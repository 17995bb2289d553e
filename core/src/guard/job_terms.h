// JobTerms: what the settlement of a job is priced by, kept with the job as JSON, so that any process's poll can settle it
// (R17, R25). No prompt is in it.
// Thread-safety: values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "farthing/meter.h"
#include "farthing/prices.h"
#include "wire/wire.h"

namespace farthing::guard {

struct JobTerms {
  std::string tier, region, size, quality, resolution;  // as asked
  std::optional<std::int64_t> video_ms;                 // of one video
  std::int64_t videos = 1;
  std::int64_t requests = 1;                  // of a batch
  std::optional<std::int64_t> largest_input;  // of a batch: of one request, at most
  std::optional<Quantities> counted;          // what is booked where a done job need not tell its usage
  std::optional<std::int64_t> volume;         // R25: what the model's volume cap had counted
  /// Of what was asked for, as the ledger writes them, by the least tokens of context that they are for; none: it had no price.
  std::map<std::int64_t, std::string> rates;
  std::string dearest;           // that it was held at
  bool free = false;             // host or model
  bool reports_cost = false;     // the host's, in the policy that reserved it
  bool release_unknown = false;  // the same
  bool untold = false;           // its usage leaves out what costs: the hold is charged

  std::string to_json() const;
  std::optional<RateSet> rates_with(std::int64_t context_tokens) const;
};
/// Fields that are missing are as nothing was said.
JobTerms job_terms_of(std::string_view json);

}  // namespace farthing::guard
