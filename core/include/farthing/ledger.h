// LedgerRow: one immutable entry: an attempt and how it ended, or a later adjustment of it (R18, R19, R41).
//
// Thread-safety: values.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "farthing/labels.h"
#include "farthing/meter.h"
#include "farthing/money.h"
#include "farthing/result.h"

namespace farthing {

/// An attempt's id: time-ordered, unique in a store. Text form: 13 characters of Crockford base 32.
struct AttemptId {
  std::uint64_t value = 0;
  auto operator<=>(const AttemptId&) const = default;
};
std::string to_text(AttemptId id);
Result<AttemptId> parse_attempt_id(std::string_view text);

enum class RowKind : std::uint8_t { attempt, adjust, book };

/// How an attempt ended.
enum class How : std::uint8_t {
  open,            // only in views of holds: not ended yet
  usage,           // final usage from the provider
  counted,         // no final usage, but an upper bound of what was seen (R24)
  hold,            // outcome unknown: the hold is charged
  ended,           // a job, by a person who said what it cost (R17)
  provider_error,  // the dialect's own error: 0 (R23)
  released,        // provably not sent
  expired,         // nobody settled it: the hold is charged (R17)
  voided,          // a release that came before its reserve (R18)
  unheld,          // spent without a hold (R26), for later
};
std::string_view how_text(How how);
std::optional<How> how_of(std::string_view text);

/// What is the same for many calls, so rows share it.
struct CallContext {
  Labels labels;
  std::string labels_json;  // labels.to_json(), made once
  std::string provider;
  std::string host;
  std::string endpoint;  // "chat.completions"
  std::string modality;
  std::string model;  // canonical
  std::string model_asked;
  std::string key_name;  // name or id of the API key
  std::string book_version;
  std::string rates_json;  // RateSet::to_json of the settlement's rates
};

/// `error_class` of an answer with usage whose cost is not known: no price is known for what was used, ...
inline constexpr std::string_view unpriced_usage = "unpriced_usage";
/// ... or not all that was used is told, such as how often a tool was.
inline constexpr std::string_view untold_usage = "untold_usage";

struct LedgerRow {
  AttemptId id;
  RowKind kind = RowKind::attempt;
  AttemptId of;            // adjust: the attempt that it corrects
  std::string adjustment;  // adjust, book: the caller's id, idempotent (R19)
  std::shared_ptr<const CallContext> context;
  std::string call;  // R27
  std::string action;
  std::vector<std::pair<std::string, std::string>> runs;  // id, task name; outermost first
  std::int64_t reserved_ms = 0;                           // the store's time of the reserve
  std::int64_t settled_ms = 0;                            // and of the settlement
  std::uint64_t policy_revision = 0;
  std::string process;  // "pid@host"
  int attempt_number = 1;

  std::optional<Usd> likely;  // nothing: no price known
  std::optional<Usd> ceiling;
  std::optional<Usd> actual;  // nothing: unknown, not 0 (R31)
  /// Where the provider told what it charged (R25): that less what the book says; nothing where one of them is not known.
  std::optional<Usd> reported_difference;
  Amounts held;    // what was set aside, per meter
  Amounts booked;  // what was booked in the end, per meter (adjust: the difference)
  How how = How::open;
  Quantities quantities;
  std::vector<ModelUse> others;         // what of them other models than `model_served` used, at their rates (R25)
  std::int64_t output_limit_asked = 0;  // 0 = none
  std::int64_t output_limit = 0;        // as sent; 0 = none
  std::string confidence;               // exact, calibrated, heuristic, unbounded
  std::string model_served;
  std::string tier_asked;
  std::string tier_served;
  std::string request_id;   // the provider's x-request-id
  std::string response_id;  // chatcmpl-..., resp_...
  int status = 0;           // HTTP, 0 = none
  std::int64_t latency_ms = 0;
  std::string finish_reason;
  std::string error_class;  // the provider's error code or type, or the transport's; or one of those above
  std::string headroom;     // rate-limit headroom from headers, compact JSON
  std::string approval;     // for later
  std::string who;          // adjust, book
  std::string why;
};

/// What rows booked, as the caps count it: a correction is a difference to what was booked. Saturates.
class BookedSum {
 public:
  void add(const LedgerRow& row) { nano_ += row.booked[Meter::usd]; }
  Usd usd() const {
    using Limits = std::numeric_limits<std::int64_t>;
    return {static_cast<std::int64_t>(std::clamp<Int128>(nano_, Limits::min(), Limits::max()))};
  }

 private:
  Int128 nano_ = 0;
};

/// Which rows to read; empty fields do not filter.
struct LedgerFilter {
  std::optional<std::int64_t> since_ms;  // by reserved_ms, inclusive
  std::optional<std::int64_t> until_ms;  // exclusive
  Labels labels;                         // each must be equal
  std::string model;
  std::string call;
  std::string run;
  std::optional<How> how;       // attempts that ended like this
  std::optional<RowKind> kind;  // attempts, or corrections
  std::optional<AttemptId> id;  // the attempt and its adjustments
  std::int64_t most = 0;        // 0 = all; the newest
  /// By a word: how an attempt ended, or `adjust` and `book` for corrections and what was booked by hand.
  Status only(std::string_view how);
};

}  // namespace farthing
