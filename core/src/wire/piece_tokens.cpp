#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "wire/wire.h"

namespace farthing {

namespace {

constexpr std::int64_t most = std::int64_t{1} << 53;

std::int64_t times(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? most : std::min(product, most);
}

// ---- images

/// Image output tokens of one image: 1024x1024, 1024x1536, 1536x1024.
/// Source: OpenAI's image generation guide, table of sizes and qualities, 2026-11. gpt-image-1-mini takes more than that
/// table says: its rows are its model page's prices per image at 8 USD per million.
struct ImageRow {
  std::string_view model;
  std::array<std::int64_t, 3> low, medium, high;
};
constexpr ImageRow image_rows[] = {
    {"gpt-image-1", {272, 408, 400}, {1056, 1584, 1568}, {4160, 6240, 6208}},
    {"gpt-image-1.5", {272, 408, 400}, {1056, 1584, 1568}, {4160, 6240, 6208}},
    {"gpt-image-1-mini", {625, 750, 750}, {1375, 1875, 1875}, {4500, 6500, 6500}},
};
constexpr std::array<std::string_view, 3> image_sizes = {"1024x1024", "1024x1536", "1536x1024"};

/// gpt-image-2 and 2.5 make images of any size. Source: the calculator of OpenAI's image generation guide, as worked out in its
/// developer forum (2026-06); 1024x1024 and 1536x1024 at high are the 7024 and 5488 tokens that the guide shows. 2.5 has
/// steps of its own: what fal.ai asks for its images in six sizes and five qualities (litellm 1.109.1, 2026-11) is these
/// tokens at the 30 USD per million of both.
struct Axis {
  std::string_view quality;  // "": any other, which may be the dearest
  std::int64_t tokens;
};
constexpr Axis axes_2[] = {{"low", 16}, {"medium", 48}, {"", 96}};
constexpr Axis axes_2_5[] = {{"low", 16}, {"medium", 24}, {"high", 48}, {"xhigh", 64}, {"", 96}};
constexpr std::int64_t area_offset = 2'000'000;
constexpr std::int64_t area_scale = 4'000'000;
constexpr std::int64_t pixels_max = 8'294'400;  // 3840x2160

/// What the image generation guide said; the page could not be read again in 2026-11.
constexpr std::int64_t partial_image_tokens = 100;

/// Input images of gpt-image-1: scaled until the shorter side is 512 pixels, then counted in tiles of 512; at high fidelity 6,240
/// more, or 4,160 where they are square. Source: what OpenAI's guide to images and vision said, not read again in
/// 2026-11; 194 tokens of one tile were billed (its developer forum, 2025-06). For later models nothing is published.
constexpr std::int64_t input_image_tokens = 65;
constexpr std::int64_t input_tile_tokens = 129;
constexpr std::int64_t input_closely_tokens = 6'240;

struct Size {
  std::int64_t width, height;
};

/// "1536x1024"; nothing for words, and for what no provider makes.
std::optional<Size> size_of(std::string_view text) {
  Size size{};
  const char* const end = text.data() + text.size();
  const auto width = std::from_chars(text.data(), end, size.width);
  if (width.ec != std::errc() || width.ptr == end || *width.ptr != 'x') return std::nullopt;
  const auto height = std::from_chars(width.ptr + 1, end, size.height);
  if (height.ec != std::errc() || height.ptr != end) return std::nullopt;
  constexpr std::int64_t edge_max = 1 << 16;
  if (size.width < 1 || size.height < 1 || size.width > edge_max || size.height > edge_max) return std::nullopt;
  return size;
}

std::int64_t tokens_in(const ImageRow& row, const Pieces& asked) {
  const auto& quality = asked.quality == "low" ? row.low : asked.quality == "medium" ? row.medium : row.high;
  for (std::size_t i = 0; i < image_sizes.size(); ++i) {
    if (asked.size == image_sizes[i]) return quality[i];
  }
  return *std::max_element(quality.begin(), quality.end());
}

std::int64_t tokens_of_any_size(std::span<const Axis> axes, const Pieces& asked) {
  const std::int64_t axis = std::find_if(axes.begin(), axes.end() - 1, [&](const Axis& each) {
                              return each.quality == asked.quality;
                            })->tokens;
  std::int64_t short_axis = axis;  // of a square, which costs the most
  std::int64_t pixels = pixels_max;
  if (const auto size = size_of(asked.size)) {
    const std::int64_t longer = std::max(size->width, size->height);
    const std::int64_t shorter = std::min(size->width, size->height);
    short_axis = (2 * axis * shorter + longer) / (2 * longer);
    pixels = size->width * size->height;
  }
  return (axis * short_axis * (area_offset + pixels) + area_scale - 1) / area_scale;
}

/// Images that Gemini paints: 1K, 2K, 4K. Source: Google's price page of the Gemini API as it is quoted in 2026-03 (0.067, 0.101
/// and 0.151 USD at 60 USD per million; 0.134 and 0.24 at 120; 1,290 tokens of gemini-2.5-flash-image), not read again in 2026-11. Others: the most of them.
struct PaintedRow {
  std::string_view model;  // its beginning
  std::array<std::int64_t, 3> tokens;
};
constexpr PaintedRow painted_rows[] = {
    {"gemini-2.", {1290, 1290, 1290}},
    {"gemini-3-pro-image", {1120, 1120, 2000}},
    {"gemini-3.1-flash-image", {1120, 1680, 2520}},
};
constexpr std::array<std::int64_t, 3> painted_by_others = {1290, 1680, 2520};
constexpr std::array<std::string_view, 3> painted_sizes = {"1K", "2K", "4K"};

// ---- audio

/// gpt-4o-mini-tts: OpenAI gives 0.015 USD per minute of speech, at 12 USD per million 1,250 tokens (pricing page, 2026-11). It
/// publishes no length of speech; the bound takes a second for every character, fifteen times what speech takes, and four
/// where the request slows it down (0.25 is the slowest `speed`).
constexpr std::int64_t speech_tokens_per_second = 21;
constexpr std::int64_t slowest = 4;

/// Ten tokens a second (what OpenAI's guide to the costs of its realtime API said, not read again in 2026-11), and as much again.
constexpr std::int64_t audio_tokens_per_second = 20;

}  // namespace

std::optional<std::int64_t> image_tokens_bound(std::string_view model, const Pieces& asked) {
  model = model.substr(model.rfind('/') + 1);  // "openai/gpt-image-1" of a gateway
  std::optional<std::int64_t> each;
  for (const ImageRow& row : image_rows) {
    if (row.model == model) each = tokens_in(row, asked);
  }
  if (model == "gpt-image-2") each = tokens_of_any_size(axes_2, asked);
  if (model == "gpt-image-2.5-flare" || model == "gpt-image-2.5-sunburst") each = tokens_of_any_size(axes_2_5, asked);
  if (!each) return std::nullopt;
  return times(asked.images, *each + times(asked.partial_images, partial_image_tokens));
}

std::optional<std::int64_t> input_image_tokens_bound(std::string_view model, const Pieces& asked) {
  model = model.substr(model.rfind('/') + 1);
  if (asked.input_images == 0) return 0;
  if (asked.input_unread || model != "gpt-image-1") return std::nullopt;
  const std::int64_t each = input_image_tokens + (asked.input_closely ? input_closely_tokens : 0);
  return times(asked.input_images, each) + times(asked.input_squares, input_tile_tokens);
}

PaintedTokens painted_tokens(std::string_view model, std::string_view size) {
  model = model.substr(model.rfind('/') + 1);
  const auto* row = std::find_if(std::begin(painted_rows), std::end(painted_rows),
                                 [&](const PaintedRow& known) { return model.starts_with(known.model); });
  const auto named = std::find(painted_sizes.begin(), painted_sizes.end(), size);
  const auto place = named == painted_sizes.end() ? 0 : static_cast<std::size_t>(named - painted_sizes.begin());
  const auto& tokens = row == std::end(painted_rows) ? painted_by_others : row->tokens;
  return {.likely = tokens[place], .most = tokens.back()};
}

std::optional<std::int64_t> speech_tokens_bound(std::string_view model, const Pieces& asked) {
  model = model.substr(model.rfind('/') + 1);
  if (model != "gpt-4o-mini-tts") return std::nullopt;
  return times(asked.characters + 1, speech_tokens_per_second * (asked.slow ? slowest : 1));
}

std::int64_t least_audio_ms(std::string_view provider) {
  return provider == "groq" ? 10'000 : 0;  // what its guide to speech to text said, not read again in 2026-11
}

std::int64_t audio_tokens_bound(std::int64_t audio_ms) {
  return times(audio_ms / 1000 + 1, audio_tokens_per_second);
}

}  // namespace farthing
