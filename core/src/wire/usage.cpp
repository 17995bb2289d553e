#include "wire/usage.h"

#include <algorithm>

namespace farthing::wire {

void UsageFields::take(std::string_view detail, std::string_view name, const Scalar& scalar) {
  reported_.take(detail, name, scalar);
  const auto number = [&](auto& out) {
    // Beyond 2^53 other readers of this JSON see another number: no bill can mean it.
    if (scalar.kind == Scalar::Kind::integer && scalar.integer >= 0 && scalar.integer <= (1LL << 53))
      out = scalar.integer;
    else if (!scalar.is_null())
      broken_ = true;
  };
  if (detail.empty()) {
    if (name == "prompt_tokens" || name == "input_tokens")
      number(input_);
    else if (name == "completion_tokens" || name == "output_tokens")
      number(output_);
    else if (name == "total_tokens")
      number(total_);
    else if (name == "prompt_cache_hit_tokens")
      number(cached_);  // DeepSeek, inside prompt_tokens
    else if (name == "reasoning_tokens")
      number(reasoning_apart_);
    else if (name == "citation_tokens")
      number(citations_);
    else if (name == "num_search_queries")
      number(searches_);
    else if (name == "search_context_size" && scalar.is_text())
      search_context_ = scalar.text;
  } else if (detail == "prompt_tokens_details" || detail == "input_tokens_details") {
    if (name == "cached_tokens")
      number(cached_);
    else if (name == "cache_write_tokens")
      number(cache_write_);  // OpenRouter, OpenAI since gpt-5.6, inside prompt_tokens
    else if (name == "ttl_12h_tokens")
      number(long_lived_write_);  // OpenAI, in cache_write_tokens_details
    else if (name == "audio_tokens")
      number(input_audio_);
    else if (name == "image_tokens")
      number(input_image_);
  } else if (detail == "completion_tokens_details" || detail == "output_tokens_details") {
    if (name == "reasoning_tokens")
      number(reasoning_);
    else if (name == "audio_tokens")
      number(output_audio_);
    else if (name == "image_tokens")
      number(output_image_);
  }
}

std::optional<Quantities> UsageFields::quantities(bool has_output) const {
  // No model reads nothing: zero input is a gateway that does not count (promise 5).
  if (broken_ || input_.value_or(0) == 0) return std::nullopt;
  if (has_output && !output_) return std::nullopt;
  const std::int64_t output = output_.value_or(0);
  // xAI tells reasoning beside the completion, Gemini in the total only; everybody else inside. The total says which.
  const std::int64_t beyond = total_ ? *total_ - *input_ - output : 0;
  const bool beside = beyond > 0;
  std::int64_t reasoning = beside ? std::max(beyond, reasoning_) : reasoning_;
  const std::int64_t inside = beside ? 0 : reasoning;
  const std::int64_t spoken = output_audio_.value_or(0);
  const std::int64_t painted = output_image_.value_or(0);
  if (beyond < 0 || inside + spoken + painted > output) return std::nullopt;
  if (long_lived_write_ > cache_write_) return std::nullopt;
  if (cached_ > *input_ || cache_write_ > *input_ - cached_ || input_audio_ + input_image_ > *input_)
    return std::nullopt;
  Quantities quantities;
  const std::int64_t uncached = *input_ - cached_ - cache_write_;
  quantities[Quantity::cache_read_tokens] = cached_;
  quantities[Quantity::cache_write_tokens] = cache_write_ - long_lived_write_;
  quantities[Quantity::cache_write_1h_tokens] = long_lived_write_;
  // What of the audio and image was cached is not told apart; the cached part is counted as cached.
  quantities[Quantity::input_audio_tokens] = std::min(input_audio_, uncached);
  quantities[Quantity::input_image_tokens] =
      std::min(input_image_, uncached - quantities[Quantity::input_audio_tokens]);
  quantities[Quantity::input_tokens] =
      uncached - quantities[Quantity::input_audio_tokens] - quantities[Quantity::input_image_tokens];
  // Perplexity's research tells what it searched, read and thought in numbers of their own, beside all others.
  if (searches_ || citations_) {
    quantities[Quantity::input_tokens] += citations_.value_or(0);
    quantities[Quantity::web_searches] = searches_.value_or(0);
    reasoning += reasoning_apart_.value_or(0);
  }
  quantities[Quantity::reasoning_tokens] = reasoning;
  quantities[Quantity::output_audio_tokens] = spoken;
  quantities[Quantity::output_image_tokens] = painted;
  quantities[Quantity::output_tokens] = output - inside - spoken - painted;
  quantities[Quantity::requests] = 1;
  return quantities;
}

}  // namespace farthing::wire
