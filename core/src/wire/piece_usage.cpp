#include "wire/piece_usage.h"

#include <string>

namespace farthing::wire {

std::optional<std::int64_t> ms_of_seconds(std::string_view number) {
  constexpr std::int64_t longest_s = 1'000'000'000;
  std::int64_t seconds = 0;
  std::int64_t ms = 0;
  std::int64_t place = 100;  // of the next decimal, in ms
  bool decimals = false;
  bool more = false;
  if (number.empty()) return std::nullopt;
  for (const char c : number) {
    if (c == '.' && !decimals) {
      decimals = true;
      continue;
    }
    if (c < '0' || c > '9') return std::nullopt;  // a sign, an exponent
    const std::int64_t digit = c - '0';
    if (!decimals) {
      seconds = seconds * 10 + digit;
      if (seconds > longest_s) return std::nullopt;
    } else if (place > 0) {
      ms += digit * place;
      place /= 10;
    } else {
      more = more || digit > 0;
    }
  }
  return seconds * 1000 + ms + (more ? 1 : 0);
}

void PieceUsage::take(std::size_t depth, std::string_view detail, std::string_view name, const Scalar& scalar) {
  const auto count = [&](auto& out) {
    if (scalar.kind == Scalar::Kind::integer && scalar.integer >= 0 && scalar.integer <= (1LL << 53))
      out = scalar.integer;
    else if (!scalar.is_null())
      broken_ = true;
  };
  if (depth == 1 || depth == 2) reported_.take(depth == 1 ? std::string_view() : detail, name, scalar);
  if (depth == 1) {
    if (name == "input_tokens" || name == "prompt_tokens")
      count(input_);
    else if (name == "output_tokens" || name == "completion_tokens")
      count(output_);
    else if (name == "total_tokens")
      count(total_);
    else if (name == "seconds")
      seconds(scalar);
  } else if (depth != 2) {
    return;
  } else if (detail == "input_tokens_details" || detail == "input_token_details") {
    if (name == "text_tokens")
      count(input_text_);
    else if (name == "image_tokens")
      count(input_image_);
    else if (name == "audio_tokens")
      count(input_audio_);
  } else if (detail == "output_tokens_details" || detail == "output_token_details") {
    if (name == "text_tokens") count(output_text_);
  }
}

void PieceUsage::seconds(const Scalar& scalar) {
  if (scalar.is_null()) return;
  const bool whole = scalar.kind == Scalar::Kind::integer;
  audio_ms_ = ms_of_seconds(whole ? std::to_string(scalar.integer) : std::string(scalar.text));
  broken_ = broken_ || scalar.is_text() || !audio_ms_;
}

std::optional<Quantities> PieceUsage::quantities(Quantity input, Quantity output) const {
  if (broken_) return std::nullopt;
  Quantities quantities;
  quantities[Quantity::requests] = 1;
  if (audio_ms_ && !input_ && !output_) {
    if (*audio_ms_ == 0) return std::nullopt;
    quantities[Quantity::audio_ms] = *audio_ms_;
    return quantities;
  }
  if (input_.value_or(0) == 0 || !output_) return std::nullopt;
  const std::int64_t told = input_text_ + input_image_ + input_audio_;
  if (told > *input_ || output_text_ > *output_) return std::nullopt;
  if (total_ && *total_ != *input_ + *output_) return std::nullopt;
  quantities[Quantity::input_tokens] = input_text_;
  quantities[Quantity::input_image_tokens] = input_image_;
  quantities[Quantity::input_audio_tokens] = input_audio_;
  quantities[input] += *input_ - told;
  quantities[Quantity::output_tokens] = output_text_;
  quantities[output] += *output_ - output_text_;
  return quantities;
}

}  // namespace farthing::wire
