// Sizing: from what a request asks to what it can cost: quantities (likely and ceiling), their price, and the Demand
// that the store is asked for (R20, R25, R31). Pure: no I/O, no allocation of note, no prompt kept.
//
//   Sized sized = size_call({.facts = facts, .dialect = *route.dialect, ...});
//   if (sized.problem != Sized::Problem::none) deny(...);
//   request.demand = sized.demand;
//
// Thread-safety: free functions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "farthing/count.h"
#include "farthing/meter.h"
#include "farthing/money.h"
#include "farthing/policy.h"
#include "farthing/prices.h"
#include "ledger/learned.h"
#include "store/store.h"
#include "wire/wire.h"

namespace farthing::guard {

// R20's numbers. Where the caller gave no output limit:
inline constexpr std::int64_t default_output = 16'384;
inline constexpr std::int64_t default_output_reasoning = 32'768;
/// ... and at most this share of limit - spent of any cap.
inline constexpr std::int64_t default_output_share = 16;
/// What an output limit is never lowered below.
inline constexpr std::int64_t min_output = 256;
inline constexpr std::int64_t min_output_reasoning = 2'048;

/// Likely where nothing was counted and nothing learnt: English prose and JSON.
inline constexpr std::int64_t likely_bytes_per_token = 4;

struct BatchSize;

/// What a size was priced by, for who explains it.
struct Bill {
  struct Line {
    Quantity quantity;
    std::int64_t count = 0;
    Rate rate;
  };
  std::vector<Line> lines;  // of the ceiling, with the rates really used: one for each quantity
  Usd amount{};             // of it: the policy's, for what nothing bounds
  RateSet usual;            // what is likely was priced with these
  void add(Quantity quantity, std::int64_t count, const Rate& rate);
};

/// What a price depends on, as far as a request says it; without time and tokens. Its texts live as long as both.
Terms terms_asked(const RequestFacts& facts, const HostFacts& host);
/// Why a model that has prices has none for a request, in words; "" where that is not it.
std::string_view why_unpriced(const PriceBook& book, const Model& model, const RequestFacts& facts,
                              const HostFacts& host, std::int64_t at_ms);

struct SizeInput {
  const RequestFacts& facts;
  const Dialect& dialect;
  const HostFacts& host;
  const Policy& policy;
  const PriceBook& book;
  const Model* model = nullptr;  // null: not in the book
  std::int64_t at_ms = 0;
  std::int64_t until_ms = 0;   // the latest that it may be granted
  bool money_capped = false;   // a cap on usd matches: a price is needed (R31)
  bool output_capped = false;  // a cap on usd, output_tokens or tokens matches: an output limit may be inserted
  bool tokens_capped = false;  // a cap on tokens matches
  bool audio_capped = false;   // a cap on audio_seconds matches
  bool rewritable = true;      // false: signed body
  const InputCount* counted = nullptr;  // the input's tokens, where they were counted
  const Learned* learned = nullptr;     // what calls like it taught: changes what is likely, never a ceiling
  const BatchSize* batch = nullptr;     // of a batch: what its requests ask for together
  Bill* bill = nullptr;                 // filled where somebody wants to know
};

/// Of `unbounded_by`: a tool of the provider's costs what no rate says.
inline constexpr std::string_view unknown_fee = "a tool whose fee is not known";
/// ... or its searches do, where it searches by itself.
inline constexpr std::string_view unknown_search_fee = "what the model searches by itself, whose fee is not known";
/// ... and speech or images that the answer may bring.
inline constexpr std::string_view unknown_output_rate = "speech or images of the answer, whose price is not known";

struct Sized {
  enum class Problem : std::uint8_t { none, unpriced, unbounded, overflow } problem = Problem::none;

  Demand demand;
  std::int64_t input_tokens = 0;   // ceiling
  std::int64_t text_tokens = 0;    // of it: the byte bound
  std::int64_t hidden_tokens = 0;  // of it: what the provider adds by itself
  std::int64_t media_tokens = 0;   // of it: images, sound, pages of documents
  std::int64_t media_likely = 0;
  std::int64_t pages = 0;     // of the documents in it
  std::int64_t requests = 1;  // of a batch
  /// Of a batch: the most input of one request, which decides the step of a price by context; else it is `input_tokens`.
  std::optional<std::int64_t> largest_input;
  std::int64_t input_steps = 1;   // how often the context window counts (server tools)
  bool input_is_counted = false;  // text_tokens are counted, hidden_tokens the count's margin
  bool input_is_window = false;   // the context window is the bound
  bool priced = false;            // `likely`, `ceiling()` and the usd of the demand mean something
  Usd input_usd{};                // the ceiling of the input and of what is billed per request
  /// Nothing bounds its money, and the policy has no amount for it: it has no ceiling, whatever is held.
  bool no_ceiling = false;
  /// An output limit that the request has by itself: the caller's, else the model's maximum; 0 = none known.
  std::int64_t own_output_limit = 0;
  /// Calls that are billed by the piece (pieces.h): the most that is asked for.
  Quantities pieces;
  /// What is booked where an answer need not tell its usage: what was asked for.
  std::optional<Quantities> counted;
  Quantities likely;
  std::int64_t input_correction = 0;                 // of its input: what was learnt
  std::int64_t reread_tokens = 0;                    // of its input: what a tool's use has the model read again
  Quantity likely_output = Quantity::output_tokens;  // what its output is
  bool learned_output = false;                       // its output is what was learnt
  std::optional<Usd> likely_usd;
  std::string_view confidence = "heuristic";
  RateSet dearest;  // what the ceiling was priced with
  /// What could not be bounded: "image or file", "server tools", ...
  std::array<std::string_view, 9> unbounded_by{};
  std::size_t unbounded_count = 0;
};

Sized size_call(const SizeInput& input);

/// The money of what `sized` has in tokens: its ceiling at the dearest rates that the request can reach (R25).
void price(const SizeInput& input, const std::optional<OwnSearches>& own, Sized& sized);
/// What the model searches by itself.
std::optional<OwnSearches> searches_of(const SizeInput& input);
/// Whether sound may be in its input; a video has sound too.
bool may_have_sound(const RequestFacts& facts);

/// Quantities at the rates that they are billed at.
void put_lines(Bill& bill, const RateSet& rates, const Quantities& quantities);

/// How the input of a model is counted.
inline CountedModel counted_model(const Model& model) {
  return {.encoding = model.encoding, .overhead = model.overhead, .name = model.name};
}

/// input + output: the most that a call with this output limit costs. Nothing: no price, or no bound.
std::optional<Usd> ceiling_with(const Sized& sized, std::int64_t output_limit);

}  // namespace farthing::guard
