// Receipt: what one delivered response cost, what was estimated, and what is left. Estimate: the same before the call.
// Thread-safety: values.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "farthing/cap.h"
#include "farthing/ledger.h"
#include "farthing/meter.h"
#include "farthing/money.h"

namespace farthing {

/// A cap as it stands for one call.
struct CapLeft {
  std::string cap_id;  // "" for a run
  std::string run;     // task name and run id for a run
  std::vector<std::pair<std::string, std::string>> counter;
  Meter meter = Meter::usd;
  Per per = Per::total;
  std::int64_t limit = 0;
  std::int64_t spent = 0;
  std::int64_t reserved = 0;
  std::optional<std::int64_t> resets_at_ms;
  /// A task without a limit is counted too: then `limit` is the most that there is, and nothing is said to remain.
  bool is_limited() const { return limit != std::numeric_limits<std::int64_t>::max(); }
  std::int64_t remaining() const { return limit - spent - reserved; }
};

struct Receipt {
  std::string attempt;  // id, as in the ledger and the x-farthing-attempt header
  std::string call;
  std::string response_id;  // the provider's, "" where it gives none (embeddings)
  std::string request_id;   // of the provider's x-request-id header
  std::string model;
  std::string model_served;
  std::optional<Usd> cost;  // nothing: no price known, or not settled yet
  std::optional<Usd> likely;
  std::optional<Usd> ceiling;
  Quantities quantities;
  How how = How::open;
  std::int64_t output_limit_asked = 0;  // 0 = the caller gave none
  std::int64_t output_limit = 0;        // as sent
  std::vector<CapLeft> left;
  std::string to_json() const;
};

/// One side of an estimate, per meter, with the parts it is made of.
struct EstimatePart {
  std::string what;  // "input: bytes of the request", "fee: web_searches", "output limit"
  Quantity quantity = Quantity::input_tokens;
  std::int64_t count = 0;  // of video and audio in ms
  std::optional<Usd> cost;
  std::optional<Rate> rate;  // that `cost` is at
  /// "2.50 USD per million", of a time "0.10 USD per second"; "" where there is none.
  std::string rate_text() const;
};

struct Estimate {
  std::string model;
  std::string provider;
  std::string endpoint;
  std::optional<Usd> likely;  // nothing: not known
  std::optional<Usd> ceiling;
  std::string no_ceiling;   // why there is none, in words: no price, or what nothing bounds; "" there is one
  std::optional<Usd> hold;  // what a call holds at first: the bound of its bytes, which takes no counting
  Amounts likely_meters;
  Amounts ceiling_meters;
  std::string confidence;          // exact, calibrated, heuristic, unbounded
  std::int64_t learned_calls = 0;  // whose bills made `likely` what it is; 0 = none did
  /// Nine of ten of the learnt answers were at most this long, in tokens of one choice; nothing: none were learnt.
  std::optional<std::int64_t> output_p90;
  std::vector<std::string> unbounded_by;  // what could not be bounded: "image URL", "previous_response_id"
  std::vector<EstimatePart> likely_parts;
  std::vector<EstimatePart> ceiling_parts;
  std::int64_t output_limit = 0;  // that the ceiling assumes
  /// What a call sent now would get: `output_limit`, or less where no more has room and the policy lets limits be lowered
  /// (R20). Of several at once the largest that all of them can have. Nothing: `no_fit` says why.
  std::optional<std::int64_t> fits_output_limit;
  std::string no_fit;  // why they would not all be granted now, in words; "" they would
  /// What every matching cap would have left after `count` such calls at their ceiling.
  std::vector<CapLeft> left;
  std::int64_t count = 1;
  std::string to_json() const;
};

}  // namespace farthing
