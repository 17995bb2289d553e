// JobTerms: what the settlement of a job is priced by, kept with the job as JSON, so that any process's poll can settle it
// (R17, R25). No prompt is in it.
// Thread-safety: values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "farthing/meter.h"
#include "wire/wire.h"

namespace farthing::guard {

struct JobTerms {
  std::string tier, region, size, quality, resolution;  // as asked
  std::optional<std::int64_t> video_ms;                 // of one video
  std::int64_t videos = 1;
  std::optional<Quantities> counted;   // what is booked where a done job need not tell its usage
  std::optional<std::int64_t> volume;  // R25: what the model's volume cap had counted
  std::string rates;             // of what was asked, as the ledger writes them; "": it had no price, or costs nothing
  std::string dearest;           // that it was held at
  bool free = false;             // host or model
  bool reports_cost = false;     // the host's, in the policy that reserved it
  bool release_unknown = false;  // the same

  std::string to_json() const;
};
/// Fields that are missing are as nothing was said.
JobTerms job_terms_of(std::string_view json);

}  // namespace farthing::guard
