#include <array>
#include <charconv>

#include "wire/wire.h"

namespace farthing {

namespace {

/// What a provider takes where a request for a video does not say it.
struct VideoDefaults {
  std::string_view provider;
  std::string_view model;
  std::int64_t ms;
  std::string_view size;
};
// Source: OpenAI's API reference of videos (openai 2.x, 2026-11): sora-2, 4 seconds, 720x1280; Azure has the same API
// (https://learn.microsoft.com/azure/foundry/openai/concepts/video-generation, 2026-11), its deployments name the model.
constexpr std::array<VideoDefaults, 2> defaults = {{
    {"openai", "sora-2", 4'000, "720x1280"},
    {"azure", "", 4'000, "720x1280"},
}};

}  // namespace

std::string resolution_of(std::string_view size) {
  std::int64_t width = 0;
  std::int64_t height = 0;
  const char* const end = size.data() + size.size();
  const auto [times, bad_width] = std::from_chars(size.data(), end, width);
  if (bad_width != std::errc() || times == end || (*times != 'x' && *times != '*')) return {};
  const auto [stop, bad_height] = std::from_chars(times + 1, end, height);
  if (bad_height != std::errc() || stop != end || width <= 0 || height <= 0) return {};
  return std::to_string(std::min(width, height)) + "p";
}

void fill_video_defaults(std::string_view provider, RequestFacts& facts) {
  Pieces& pieces = facts.pieces;
  if (pieces.videos == 0) return;
  for (const VideoDefaults& known : defaults) {
    if (known.provider != provider || !pieces.video_of.empty()) continue;
    if (facts.model.empty()) facts.model = known.model;
    if (!pieces.video_ms) pieces.video_ms = known.ms;
    if (pieces.size.empty() && pieces.resolution.empty()) pieces.size = known.size;
  }
  if (pieces.resolution.empty()) pieces.resolution = resolution_of(pieces.size);
}

}  // namespace farthing
