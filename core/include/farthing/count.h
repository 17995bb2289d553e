// InputCount: the tokens of a request's input, as its provider counts them: what a person wrote, and what the provider puts
// around it. Exact where the provider's rule is known and held on all recorded traffic; calibrated where it is only known by
// what it cost: OpenAI's tools and schemas, Claude and Gemini; rough for other models.
//
//   auto count = count_input("chat.completions", body, {.encoding = "o200k_base", .overhead = "openai-chat"});
//   if (count) use(count->tokens, count->parts);     // nothing: files, a model of which nothing is known
//
// Images are not among them: they are counted by their size (core/src/counting/images.h).
//
// Thread-safety: a free function; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "farthing/prices.h"
#include "farthing/result.h"
#include "farthing/tokenizer.h"
#include "farthing/tokens.h"

namespace farthing {

struct CountPart {
  std::string what;  // "text", "around messages", "tools", "schema"
  std::int64_t tokens = 0;
};

struct InputCount {
  std::int64_t tokens = 0;
  bool exact = false;
  bool rough = false;  // counted with another model's encoding, for want of its own
  /// No provider was seen to count more for such a request; nothing where that is not known (tools, schemas).
  std::optional<std::int64_t> ceiling;
  bool media = false;            // images or sound stand in it, which are not among the tokens
  std::vector<CountPart> parts;  // they add up to `tokens`
};

/// What is known of how a model counts, as the price book names it.
struct CountedModel {
  std::string_view encoding = {};  // "o200k_base"; "" where it is not public
  std::string_view overhead = {};  // "openai-chat", "claude", "gemini", ...
  std::string_view name = {};      // Claude's prompts for tools differ by model
  /// The policy's own, instead of `encoding`: texts go by it, but no hold is made smaller for it. Claude and Gemini are
  /// counted by what they cost, whatever it is.
  EncodingPtr vocabulary = nullptr;
};

/// "exact", "calibrated" or "heuristic".
std::string_view confidence_of(const InputCount& count);

/// Is `ceiling` ever known for this model? Elsewhere counting cannot make a hold smaller.
bool can_bound(const CountedModel& model);

/// Claude's and Gemini's tokenizers are not public: what their texts cost was measured against one that is, whatever a
/// policy names for them.
bool is_measured(const CountedModel& model);

/// That its texts are counted with; empty where they are not counted.
EncodingPtr encoding_of(const CountedModel& model);

/// `endpoint`: as dialects are called, "chat.completions"; `body`: the request's JSON, which a dialect has read.
std::optional<InputCount> count_input(std::string_view endpoint, std::string_view body, const CountedModel& model);

/// The endpoint that a request's JSON is for: by its members, and where several endpoints have them by what the book's
/// model (`model`, or that of the body) makes; "" when it is for none.
std::string_view endpoint_of(std::string_view body, std::string_view model, const PriceBook& book);

// What a person asks. Models are known by their names in the price book, with or without a provider ("openai/gpt-4o").
// `invalid_argument` for a model whose tokens nothing is known of, for what is not counted, and for a tokenizer that is none.

/// What models are known from; a policy has its own.
struct KnownModels {
  std::shared_ptr<const PriceBook> book = PriceBook::builtin();
  Tokenizers tokenizers = {};
};

/// The tokens of a text alone.
Result<InputCount> count_text(std::string_view model, std::string_view text, const KnownModels& known = {});
/// The input of a request; `model` "" = the body's, `endpoint` "" = by its members.
Result<InputCount> count_request(std::string_view model, std::string_view body, std::string_view endpoint = {},
                                 const KnownModels& known = {});

}  // namespace farthing
