#include "guard/pieces.h"

#include <algorithm>

namespace farthing::guard {
namespace {

/// A form's images each bring tokens of text with them: 32 were billed (OpenAI's developer forum, 2025-06); twice that.
constexpr std::int64_t hidden_tokens_per_image = 64;

// Likely is heuristic.
constexpr std::int64_t spoken_characters_per_second = 15;
constexpr std::int64_t spoken_tokens_per_second = 4;

class Sizing {
 public:
  explicit Sizing(const SizeInput& input) : in_(input), asked_(input.facts.pieces) {}

  Sized size() {
    find_rates();
    most(Quantity::requests, 1);
    if (asked_.audio)
      transcription();
    else if (asked_.videos > 0)
      videos();
    else if (asked_.images > 0)
      images();
    else
      speech();
    if (!asked_.endless.empty()) unbounded(asked_.endless);
    sized_.likely[Quantity::requests] = 1;
    judge();
    demand();
    sized_.no_ceiling = sized_.unbounded_count > 0 && !allowed() && !free_;
    if (sized_.problem == Sized::Problem::none) price();
    const bool unpriced = !sized_.priced && in_.money_capped;
    if (sized_.problem == Sized::Problem::none && unpriced) sized_.problem = Sized::Problem::unpriced;
    return sized_;
  }

 private:
  Terms terms() const {
    Terms asked = terms_asked(in_.facts, in_.host);
    asked.at_ms = in_.at_ms;
    asked.until_ms = in_.until_ms;
    return asked;
  }
  void find_rates() {
    free_ = in_.host.free || (in_.model != nullptr && in_.model->free);
    if (!free_ && in_.model != nullptr) rates_ = in_.book.dearest_rates(*in_.model, terms());
  }
  /// Whether a quantity is billed, as far as anybody knows.
  bool billed(Quantity quantity) const { return !rates_ || (*rates_)[quantity].has_value(); }

  void most(Quantity quantity, std::int64_t count) { sized_.pieces[quantity] = count; }
  void unbounded(std::string_view what) {
    if (sized_.unbounded_count < sized_.unbounded_by.size()) sized_.unbounded_by[sized_.unbounded_count++] = what;
  }
  std::string_view model_name() const {
    return in_.model != nullptr ? in_.model->name : std::string_view(in_.facts.model);
  }

  /// The prompt, where it is billed.
  void text() {
    if (!billed(Quantity::input_tokens)) return;
    sized_.text_tokens = in_.facts.input_bytes;
    const std::string_view profile = in_.model != nullptr ? in_.model->overhead : std::string_view();
    sized_.hidden_tokens = hidden_tokens_bound(profile, in_.facts) + hidden_tokens_per_image * asked_.input_images;
    most(Quantity::input_tokens, sized_.text_tokens + sized_.hidden_tokens);
    sized_.likely[Quantity::input_tokens] = in_.facts.input_bytes / likely_bytes_per_token + 1;
    by_tokens_ = true;
  }

  void images() {
    most(Quantity::images, asked_.images);
    sized_.likely[Quantity::images] = asked_.images;
    text();
    if (asked_.input_images > 0 && (billed(Quantity::input_tokens) || billed(Quantity::input_image_tokens))) {
      by_tokens_ = true;
      const auto tokens = input_image_tokens_bound(model_name(), asked_);
      most(Quantity::input_image_tokens, tokens.value_or(0));
      sized_.likely[Quantity::input_image_tokens] = tokens.value_or(0);
      if (!tokens) unbounded("the tokens of the images that go in");
    }
    if (!billed(Quantity::output_image_tokens)) {
      // Painted into what is billed as text, nobody says how much of it.
      if (billed(Quantity::output_tokens)) unbounded("the tokens of images of this model");
      return;
    }
    by_tokens_ = true;
    text_beside_images();
    if (const auto tokens = image_tokens_bound(model_name(), asked_)) {
      most(Quantity::output_image_tokens, *tokens);
      Pieces usual = asked_;
      if (usual.quality.empty() || usual.quality == "auto") usual.quality = "medium";
      if (usual.size.empty() || usual.size == "auto") usual.size = "1024x1024";
      sized_.likely[Quantity::output_image_tokens] = image_tokens_bound(model_name(), usual).value_or(*tokens);
    } else {
      unbounded("the tokens of images of this model");
    }
  }

  /// Of models that bill the text of an answer apart from its images, for they write some whether it is shown or not.
  void text_beside_images() {
    if (!rates_) return;
    const auto& text = (*rates_)[Quantity::output_tokens];
    const auto& image = (*rates_)[Quantity::output_image_tokens];
    if (!text || !image || (!dearer(*text, *image) && !dearer(*image, *text))) return;
    most(Quantity::output_tokens, asked_.images * text_beside_image.most);
    sized_.likely[Quantity::output_tokens] = asked_.images * text_beside_image.likely;
  }

  /// Their length is billed; what else of them is billed by some, nobody can bound here.
  void videos() {
    const auto ms = asked_.video_ms ? checked_mul(*asked_.video_ms, asked_.videos) : std::nullopt;
    most(Quantity::video_ms, ms.value_or(0));
    sized_.likely[Quantity::video_ms] = ms.value_or(0);
    if (!ms) unbounded(asked_.video_of.empty() ? "a video of unknown length" : "a video made of another, unknown one");
    if (!rates_) return;
    for (const Quantity other : {Quantity::input_tokens, Quantity::input_image_tokens, Quantity::output_tokens,
                                 Quantity::output_image_tokens, Quantity::images}) {
      if (!billed(other)) continue;
      unbounded("videos of this model, which are not billed by the second alone");
      break;
    }
  }

  void speech() {
    most(Quantity::characters, asked_.characters);
    sized_.likely[Quantity::characters] = asked_.characters;
    text();
    if (!billed(Quantity::output_audio_tokens)) return;
    by_tokens_ = true;
    if (const auto tokens = speech_tokens_bound(model_name(), asked_)) {
      most(Quantity::output_audio_tokens, *tokens);
      sized_.likely[Quantity::output_audio_tokens] = *tokens / spoken_characters_per_second + 1;
    } else {
      unbounded("the length of speech of this model");
    }
  }

  void transcription() {
    std::optional<std::int64_t> audio_ms = asked_.audio_ms;
    if (audio_ms) audio_ms = std::max(*audio_ms, least_audio_ms(in_.host.provider));
    most(Quantity::audio_ms, audio_ms.value_or(0));
    sized_.likely[Quantity::audio_ms] = audio_ms.value_or(0);
    if (!audio_ms) unbounded("audio of unknown length");
    unknown_audio_ = !audio_ms;
    text();
    if (!billed(Quantity::input_audio_tokens)) return;
    by_tokens_ = true;
    const std::int64_t window = in_.model != nullptr ? in_.model->context_window : 0;
    const std::int64_t output = in_.model != nullptr ? in_.model->max_output_tokens : 0;
    std::int64_t tokens = audio_ms ? audio_tokens_bound(*audio_ms) : window;
    if (window > 0) tokens = std::min(tokens, window);
    most(Quantity::input_audio_tokens, tokens);
    most(Quantity::output_tokens, output);
    sized_.likely[Quantity::input_audio_tokens] = audio_ms ? tokens / 2 : tokens;
    sized_.likely[Quantity::output_tokens] =
        audio_ms ? std::min(output, *audio_ms / 1000 * spoken_tokens_per_second + 1) : output;
    if (output == 0) unbounded("the length of transcriptions of this model");
    // The context window bounds what no length does, if only that is unknown.
    within_window_ = window > 0 && output > 0 && asked_.endless.empty();
  }

  /// R31: what has no bound is refused where a cap would not hold, unless the policy says otherwise.
  void judge() {
    if (sized_.unbounded_count == 0) {
      sized_.confidence = by_tokens_ ? "heuristic" : "exact";
      return;
    }
    sized_.confidence = "unbounded";
    // Of a model that nobody knows, or has a price for, no amount for the rest would help.
    if ((in_.model == nullptr || !rates_) && asked_.video_of.empty() && in_.money_capped && !free_) {
      sized_.problem = Sized::Problem::unpriced;
      return;
    }
    const bool matters = (in_.money_capped && !free_) || in_.tokens_capped;
    if ((matters && !allowed()) || (in_.audio_capped && unknown_audio_)) sized_.problem = Sized::Problem::unbounded;
  }

  /// The policy says what is held for what nothing bounds.
  bool allowed() const {
    return in_.policy.unbounded.kind == Unbounded::Kind::amount ||
           (in_.policy.unbounded.kind == Unbounded::Kind::context_window && within_window_);
  }

  void demand() {
    // An answer need not tell usage where nothing of it is billed by the token.
    if (!(rates_ && by_tokens_) && sized_.unbounded_count == 0) sized_.counted = sized_.pieces;
    Demand& demand = sized_.demand;
    demand.fixed = meters_of(sized_.pieces);
    demand.fixed[Meter::concurrent] = 1;
    sized_.input_tokens = demand.fixed[Meter::input_tokens];
  }

  void price() {
    if (free_) {
      sized_.priced = true;
      sized_.likely_usd = Usd{};
      return;
    }
    if (!rates_ && !asked_.video_of.empty() && in_.policy.unbounded.kind == Unbounded::Kind::amount) {
      // Its model is the other video's, and told when it is done.
      sized_.input_usd = in_.policy.unbounded.amount;
      sized_.demand.fixed[Meter::usd] = sized_.input_usd.nano;
      sized_.priced = true;
      if (in_.bill != nullptr) in_.bill->amount = sized_.input_usd;
    }
    if (!rates_) return;
    sized_.dearest = *rates_;
    const auto ceiling = ceiling_of(*rates_, sized_.pieces);
    if (!ceiling) {
      if (ceiling.error().code == Code::overflow) sized_.problem = Sized::Problem::overflow;
      return;
    }
    sized_.input_usd = *ceiling;
    if (in_.bill != nullptr) put_lines(*in_.bill, *rates_, sized_.pieces);
    if (sized_.unbounded_count > 0 && in_.policy.unbounded.kind == Unbounded::Kind::amount) {
      sized_.input_usd = in_.policy.unbounded.amount;  // the policy's word for what nothing bounds
      if (in_.bill != nullptr) *in_.bill = {.lines = {}, .amount = sized_.input_usd, .usual = {}};
    }
    sized_.demand.fixed[Meter::usd] = sized_.input_usd.nano;
    sized_.priced = true;
    // Without what nobody knows it would be too little, however likely the rest is.
    if (sized_.unbounded_count > 0 && !within_window_) return;
    if (const auto usual = in_.book.rates(*in_.model, terms())) {
      if (const auto cost = cost_of(*usual, sized_.likely)) sized_.likely_usd = std::min(*cost, sized_.input_usd);
      if (in_.bill != nullptr) in_.bill->usual = *usual;
    }
  }

  const SizeInput& in_;
  const Pieces& asked_;
  std::optional<RateSet> rates_;  // the dearest (R25)
  bool free_ = false;
  bool by_tokens_ = false;
  bool unknown_audio_ = false;
  bool within_window_ = false;
  Sized sized_;
};

}  // namespace

Sized size_pieces(const SizeInput& input) {
  return Sizing(input).size();
}

}  // namespace farthing::guard
