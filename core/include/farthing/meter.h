// Meter: what a cap counts (R10). Amounts: one int64 per meter.
//
// Units: `usd` in nano-USD, seconds in whole milliseconds, everything else in ones.
// Thread-safety: values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace farthing {

enum class Meter : std::uint8_t {
  usd,
  requests,
  input_tokens,   // all input, cache reads and writes included
  output_tokens,  // reasoning included
  tokens,         // input and output
  images,
  video_seconds,
  audio_seconds,
  characters,
  concurrent,  // reserved, never spent; takes no window
  actions,
  runs,
};
inline constexpr std::size_t meter_count = 12;

std::string_view meter_text(Meter meter);
std::optional<Meter> meter_of(std::string_view text);

struct Amounts {
  std::array<std::int64_t, meter_count> of{};
  std::int64_t& operator[](Meter m) { return of[static_cast<std::size_t>(m)]; }
  std::int64_t operator[](Meter m) const { return of[static_cast<std::size_t>(m)]; }
  bool operator==(const Amounts&) const = default;
};

/// What a provider bills by, disjoint: a token is in exactly one of them. Rates are per quantity; meters are sums
/// of quantities (`meters_of`).
enum class Quantity : std::uint8_t {
  input_tokens,  // uncached text input
  cache_read_tokens,
  cache_write_tokens,     // 5 minutes (or the provider's only kind)
  cache_write_1h_tokens,  // the provider's long-lived kind: Anthropic's hour, OpenAI's 12 hours
  input_audio_tokens,
  input_image_tokens,
  output_tokens,     // text output without reasoning
  reasoning_tokens,  // priced as output where no own rate is given
  output_audio_tokens,
  output_image_tokens,
  requests,
  images,
  video_ms,
  audio_ms,
  characters,
  web_searches,
  tool_calls,     // of server tools that are billed per call, other than those that follow
  code_sessions,  // containers of the provider's that code ran in; priced as a tool call where no own rate is given
  file_searches,  // likewise
};
inline constexpr std::size_t quantity_count = 19;

std::string_view quantity_text(Quantity quantity);
std::optional<Quantity> quantity_of(std::string_view text);

struct Quantities {
  std::array<std::int64_t, quantity_count> of{};
  std::int64_t& operator[](Quantity q) { return of[static_cast<std::size_t>(q)]; }
  std::int64_t operator[](Quantity q) const { return of[static_cast<std::size_t>(q)]; }
  bool operator==(const Quantities&) const = default;
};

/// What one of several models used.
struct ModelUse {
  std::string model;
  Quantities quantities;
  bool operator==(const ModelUse&) const = default;
};
/// Of `all` what none of `others` used.
Quantities without(Quantities all, const std::vector<ModelUse>& others);

/// The meters that quantities add up to (R10); `usd`, `concurrent`, `actions`, `runs` stay 0. Saturates.
Amounts meters_of(const Quantities& quantities);

}  // namespace farthing
