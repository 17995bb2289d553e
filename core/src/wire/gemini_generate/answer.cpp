#include <algorithm>
#include <array>

#include "wire/gemini_generate/generate.h"
#include "wire/json_walk.h"
#include "wire/sse.h"

namespace farthing::wire {

namespace {

enum class Modality : std::uint8_t { other, image, audio };

/// As a word, or as the number that gateways over gRPC write. Video, documents and input images cost as text does; what
/// is produced as an image does not (Google's price page, 2026-11).
Modality modality_of(const Scalar& scalar) {
  constexpr std::int64_t image = 2;
  constexpr std::int64_t audio = 4;
  const bool number = scalar.kind == Scalar::Kind::integer;
  if ((scalar.is_text() && scalar.text == "AUDIO") || (number && scalar.integer == audio)) return Modality::audio;
  if ((scalar.is_text() && scalar.text == "IMAGE") || (number && scalar.integer == image)) return Modality::image;
  return Modality::other;
}

constexpr std::array<std::string_view, 6> finish_words = {"", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER"};

/// Why an answer ended; "" when it did not.
std::string finish_word(const Scalar& scalar) {
  if (scalar.is_text()) return scalar.text == "FINISH_REASON_UNSPECIFIED" ? std::string() : std::string(scalar.text);
  if (scalar.kind != Scalar::Kind::integer || scalar.integer == 0) return {};
  if (scalar.integer > 0 && scalar.integer < static_cast<std::int64_t>(finish_words.size()))
    return std::string(finish_words[static_cast<std::size_t>(scalar.integer)]);
  return std::to_string(scalar.integer);
}

/// Tiers as usage tells them: `serviceTier` of the Gemini API, `trafficType` of Vertex (1 = ON_DEMAND).
std::string traffic_word(const Scalar& scalar) {
  if (scalar.kind == Scalar::Kind::integer) return scalar.integer == 1 ? "default" : std::string();
  if (!scalar.is_text()) return {};
  if (scalar.text == "ON_DEMAND") return "default";
  if (scalar.text == "ON_DEMAND_PRIORITY") return "priority";
  if (scalar.text == "ON_DEMAND_FLEX") return "flex";
  if (scalar.text == "TRAFFIC_TYPE_UNSPECIFIED") return {};
  return tier_word(scalar.text);
}

/// usageMetadata: running totals, the last one counts. A count that is zero is left out (protocol buffers do so), except
/// the prompt's, which is never zero.
class GenerateUsage {
 public:
  /// A member of usageMetadata, which stands at `depth` keys from the top.
  void take(std::size_t depth, const Path& path, const Scalar& scalar) {
    const std::string_view own = path.own();
    const std::size_t below = path.depth() - depth;
    if (below == 1) {
      if (is_named(own, "promptTokenCount"))
        number(prompt_, scalar);
      else if (is_named(own, "cachedContentTokenCount"))
        number(cached_, scalar);
      else if (is_named(own, "toolUsePromptTokenCount"))
        number(tools_, scalar);
      else if (is_named(own, "candidatesTokenCount"))
        number(candidates_, scalar);
      else if (is_named(own, "thoughtsTokenCount"))
        number(thoughts_, scalar);
      else if (is_named(own, "totalTokenCount"))
        number(total_, scalar);
      else if (is_named(own, "serviceTier"))
        tier = scalar.is_text() ? tier_word(scalar.text) : std::string();
      else if (is_named(own, "trafficType") && tier.empty())
        tier = traffic_word(scalar);
    } else if (below == 3) {
      if (own == "modality") modality_ = modality_of(scalar);
      if (is_named(own, "tokenCount")) number(tokens_, scalar);
    }
  }
  /// The end of an element of `list`.
  void end_detail(std::string_view list) {
    const std::int64_t tokens = tokens_.value_or(0);
    const bool audio = modality_ == Modality::audio;
    if (is_named(list, "promptTokensDetails") || is_named(list, "toolUsePromptTokensDetails"))
      input_audio_ += audio ? tokens : 0;
    else if (is_named(list, "cacheTokensDetails"))
      cached_audio_ += audio ? tokens : 0;
    else if (is_named(list, "candidatesTokensDetails")) {
      (audio ? output_audio_ : output_image_) += modality_ == Modality::other ? 0 : tokens;
      kinds_told = true;
    }
    modality_ = Modality::other;
    tokens_.reset();
  }
  /// Chunks before the last one may only tell the kind of traffic.
  bool counted() const { return broken_ || prompt_ || candidates_ || total_; }

  std::optional<Quantities> quantities() const {
    const std::int64_t prompt = prompt_.value_or(0);
    const std::int64_t candidates = candidates_.value_or(0);
    const std::int64_t cached = cached_.value_or(0);
    // No model reads nothing: zero input is a gateway that does not count (promise 5).
    if (broken_ || prompt == 0 || cached > prompt) return std::nullopt;
    if (total_ && *total_ < prompt + candidates) return std::nullopt;
    // The prompt includes what was cached; what tools there brought in stands beside it, thoughts beside the candidates.
    const std::int64_t uncached = prompt - cached + tools_.value_or(0);
    // Sound that was cached has a price of its own, which no quantity is for: it is taken for sound that was not.
    const std::int64_t cached_audio = std::min({cached_audio_, input_audio_, cached});
    const std::int64_t unnamed = total_.value_or(0) - prompt - candidates - tools_.value_or(0) - thoughts_.value_or(0);
    if (input_audio_ > prompt + tools_.value_or(0) || output_audio_ + output_image_ > candidates) return std::nullopt;
    Quantities quantities;
    const std::int64_t audio = std::min(input_audio_ - cached_audio, uncached);
    quantities[Quantity::cache_read_tokens] = cached - cached_audio;
    quantities[Quantity::input_audio_tokens] = audio + cached_audio;
    quantities[Quantity::input_tokens] = uncached - audio;
    quantities[Quantity::output_audio_tokens] = output_audio_;
    quantities[Quantity::output_image_tokens] = output_image_;
    quantities[Quantity::output_tokens] = candidates - output_audio_ - output_image_;
    quantities[Quantity::reasoning_tokens] = thoughts_.value_or(0) + std::max<std::int64_t>(unnamed, 0);
    quantities[Quantity::requests] = 1;
    return quantities;
  }

  std::string tier;
  bool kinds_told = false;  // of the output: text, speech, images

 private:
  void number(std::optional<std::int64_t>& out, const Scalar& scalar) {
    // Beyond 2^53 other readers of this JSON see another number: no bill can mean it.
    if (scalar.kind == Scalar::Kind::integer && scalar.integer >= 0 && scalar.integer <= (1LL << 53))
      out = scalar.integer;
    else if (!scalar.is_null())
      broken_ = true;
  }

  std::optional<std::int64_t> prompt_, cached_, tools_, candidates_, thoughts_, total_;
  std::optional<std::int64_t> tokens_;  // of the detail that is being read
  Modality modality_ = Modality::other;
  std::int64_t input_audio_ = 0;
  std::int64_t cached_audio_ = 0;
  std::int64_t output_audio_ = 0;
  std::int64_t output_image_ = 0;
  bool broken_ = false;
};

/// Which candidates were seen and which of them ended.
class Candidates {
 public:
  void told(std::int64_t index, bool ended) {
    if (index < 0 || index >= 64) {
      beyond_ = true;  // more than any model makes
      return;
    }
    seen_ |= 1ULL << index;
    if (ended) ended_ |= 1ULL << index;
  }
  void blocked() { blocked_ = true; }
  /// Searches that a chunk tells of; each chunk tells of all so far.
  void searched(std::int64_t times) { searches_ = std::max(searches_, times); }
  /// As they are billed: before Gemini 3 once for a prompt, since then each (Google's price page, 2026-11).
  std::int64_t searches(std::string_view model) const {
    const std::string_view generation = model.substr(0, 8);
    return generation == "gemini-1" || generation == "gemini-2" ? std::min<std::int64_t>(searches_, 1) : searches_;
  }
  /// What was found on a map is billed once for a prompt.
  void mapped() { mapped_ = true; }
  bool used_maps() const { return mapped_; }
  bool all_ended() const { return !beyond_ && (blocked_ || (seen_ != 0 && seen_ == ended_)); }

 private:
  std::uint64_t seen_ = 0;
  std::uint64_t ended_ = 0;
  std::int64_t searches_ = 0;
  bool mapped_ = false;
  bool blocked_ = false;
  bool beyond_ = false;
};

/// Reads an answer, a chunk of one, or a list of chunks.
struct GenerateAnswer : Ignore {
  AnswerFacts& facts;
  Candidates& candidates;
  bool list = false;
  bool has_usage = false;  // with counts
  std::int64_t output_bytes = 0;

  GenerateAnswer(AnswerFacts& out, Candidates& seen) : facts(out), candidates(seen) {}

  void value(const Path& path, const Scalar& scalar) {
    if (path.depth() <= at_) return;
    const std::string_view own = path.own();
    const std::string_view first = path.key(at_);
    const std::size_t depth = path.depth() - at_;
    if (is_named(first, "usageMetadata")) {
      if (depth > 1) usage_.take(at_ + 1, path, scalar);
    } else if (first == "candidates") {
      candidate(path, depth, scalar);
    } else if (is_named(first, "promptFeedback")) {
      if (const std::string word = is_named(own, "blockReason") ? finish_word(scalar) : ""; !word.empty()) {
        facts.finish_reason = word;
        candidates.blocked();
      }
    } else if (first == "error" && depth == 2 && scalar.is_text()) {
      // Google's `status` is the word for what its `code` is the number of.
      if (own == "status" || (own == "code" && !status_) || (own == "type" && facts.error_code.empty()))
        facts.error_code = scalar.text;
      status_ = status_ || own == "status";
    } else if (depth == 1 && scalar.is_text()) {
      if (is_named(own, "responseId"))
        facts.id = scalar.text;
      else if (is_named(own, "modelVersion") && !scalar.text.empty())
        facts.model = scalar.text;
    }
  }
  void open(const Path& path, bool array, std::size_t) {
    if (path.depth() == 0 && array) {
      list = true;
      at_ = 1;
    }
    if (array) return;
    if (path.depth() == at_) searches_ = 0;
    if (path.depth() <= at_) return;
    const std::size_t depth = path.depth() - at_;
    if (depth == 1 && is_named(path.own(), "usageMetadata")) usage_ = GenerateUsage();
    if (depth == 1 && path.own() == "error") facts.error = true;
    if (depth == 6 && is_named(path.key(at_ + 2), "groundingMetadata") &&
        is_named(path.key(at_ + 3), "groundingChunks") && path.own() == "maps")
      candidates.mapped();
    if (depth == 2 && path.key(at_) == "candidates") {
      index_ = 0;
      ended_ = false;
    }
  }
  void close(const Path& path, bool array, std::size_t) {
    if (array) return;
    if (path.depth() == at_) candidates.searched(searches_);
    if (path.depth() <= at_) return;
    const std::size_t depth = path.depth() - at_;
    const std::string_view first = path.key(at_);
    if (depth == 2 && first == "candidates") candidates.told(index_, ended_);
    if (depth == 3 && is_named(first, "usageMetadata")) usage_.end_detail(path.key(at_ + 1));
    if (depth != 1 || !is_named(first, "usageMetadata")) return;
    if (!usage_.tier.empty()) facts.service_tier = usage_.tier;
    if (!usage_.counted()) return;
    has_usage = true;
    facts.quantities = usage_.quantities();
    facts.speech_told = facts.images_told = usage_.kinds_told;
  }
  void key(const Path& path) {
    if (in_parts(path)) output_bytes += static_cast<std::int64_t>(path.own().size());
  }

 private:
  std::size_t at_ = 0;  // keys before a chunk's own members: 1 in a list
  GenerateUsage usage_;
  std::int64_t index_ = 0;  // of the candidate that is being read; 0 is left out
  bool ended_ = false;
  bool status_ = false;
  std::int64_t searches_ = 0;  // of this chunk

  /// The arguments of a call are an object, not a text: their names and numbers are output too.
  bool in_parts(const Path& path) const {
    return path.depth() > at_ + 5 && path.key(at_) == "candidates" && path.key(at_ + 2) == "content";
  }
  void candidate(const Path& path, std::size_t depth, const Scalar& scalar) {
    if (depth == 3 && path.own() == "index" && scalar.kind == Scalar::Kind::integer) index_ = scalar.integer;
    if (depth == 3 && is_named(path.own(), "finishReason")) {
      const std::string word = finish_word(scalar);
      ended_ = !word.empty();
      if (ended_) facts.finish_reason = word;
    }
    if (depth == 5 && is_named(path.key(at_ + 2), "groundingMetadata") &&
        is_named(path.key(at_ + 3), "webSearchQueries")) {
      ++searches_;
    }
    constexpr std::int64_t longest_number = 24;
    if (in_parts(path))
      output_bytes += scalar.is_text() ? static_cast<std::int64_t>(scalar.text.size()) : longest_number;
  }
};

void count_searches(AnswerFacts& facts, const Candidates& candidates) {
  if (!facts.quantities) return;
  (*facts.quantities)[Quantity::web_searches] = candidates.searches(facts.model);
  (*facts.quantities)[Quantity::tool_calls] = candidates.used_maps() ? 1 : 0;
}

class GenerateStream final : public EventStream {
 public:
  GenerateStream() : EventStream(false) {}

 private:
  Fate event(std::string_view data) override {
    GenerateAnswer answer(facts_, candidates_);
    if (!walk(data, answer).empty()) return Fate::pass;
    output_seen_ += answer.output_bytes;
    count_searches(facts_, candidates_);
    if (answer.has_usage) facts_.final = candidates_.all_ended() && facts_.quantities.has_value();
    return Fate::pass;
  }

  Candidates candidates_;
};

}  // namespace

AnswerFacts read_generate(std::string_view body) {
  AnswerFacts facts;
  Candidates candidates;
  GenerateAnswer answer(facts, candidates);
  if (!walk(body, answer).empty()) return {};
  count_searches(facts, candidates);
  facts.final = facts.quantities.has_value() && (!answer.list || candidates.all_ended());
  return facts;
}

std::unique_ptr<StreamReader> stream_generate(bool) {
  return std::make_unique<GenerateStream>();
}

}  // namespace farthing::wire
