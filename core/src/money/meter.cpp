#include "farthing/meter.h"

#include <limits>

namespace farthing {
namespace {

// In the order of the enums.
constexpr std::array<std::string_view, meter_count> meter_names = {
    "usd",           "requests",      "input_tokens", "output_tokens", "tokens",  "images",
    "video_seconds", "audio_seconds", "characters",   "concurrent",    "actions", "runs",
};

constexpr std::array<std::string_view, quantity_count> quantity_names = {
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "input_audio_tokens",
    "input_image_tokens",
    "output_tokens",
    "reasoning_tokens",
    "output_audio_tokens",
    "output_image_tokens",
    "requests",
    "images",
    "video_ms",
    "audio_ms",
    "characters",
    "web_searches",
    "tool_calls",
    "code_sessions",
    "file_searches",
};

template <class Names>
std::optional<std::size_t> place_in(const Names& names, std::string_view text) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == text) return i;
  }
  return std::nullopt;
}

std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
}

}  // namespace

std::string_view meter_text(Meter meter) {
  return meter_names[static_cast<std::size_t>(meter)];
}

std::optional<Meter> meter_of(std::string_view text) {
  const auto place = place_in(meter_names, text);
  if (!place) return std::nullopt;
  return static_cast<Meter>(*place);
}

std::string_view quantity_text(Quantity quantity) {
  return quantity_names[static_cast<std::size_t>(quantity)];
}

std::optional<Quantity> quantity_of(std::string_view text) {
  const auto place = place_in(quantity_names, text);
  if (!place) return std::nullopt;
  return static_cast<Quantity>(*place);
}

Quantities without(Quantities all, const std::vector<ModelUse>& others) {
  for (const ModelUse& use : others) {
    for (std::size_t i = 0; i < quantity_count; ++i)
      all.of[i] -= use.quantities.of[i];
  }
  return all;
}

Amounts meters_of(const Quantities& quantities) {
  const auto sum = [&quantities](std::initializer_list<Quantity> parts) {
    std::int64_t total = 0;
    for (const Quantity part : parts)
      total = saturating_add(total, quantities[part]);
    return total;
  };
  Amounts amounts;
  amounts[Meter::requests] = quantities[Quantity::requests];
  // R10: input is all input, cache reads and writes included; output includes reasoning.
  amounts[Meter::input_tokens] =
      sum({Quantity::input_tokens, Quantity::cache_read_tokens, Quantity::cache_write_tokens,
           Quantity::cache_write_1h_tokens, Quantity::input_audio_tokens, Quantity::input_image_tokens});
  amounts[Meter::output_tokens] = sum({Quantity::output_tokens, Quantity::reasoning_tokens,
                                       Quantity::output_audio_tokens, Quantity::output_image_tokens});
  amounts[Meter::tokens] = saturating_add(amounts[Meter::input_tokens], amounts[Meter::output_tokens]);
  amounts[Meter::images] = quantities[Quantity::images];
  amounts[Meter::video_seconds] = quantities[Quantity::video_ms];
  amounts[Meter::audio_seconds] = quantities[Quantity::audio_ms];
  amounts[Meter::characters] = quantities[Quantity::characters];
  return amounts;
}

}  // namespace farthing
