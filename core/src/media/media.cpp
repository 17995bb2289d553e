#include "media/media.h"

#include "media/base64.h"
#include "media/readers.h"

namespace farthing {
namespace {

/// Where almost every image has told its size; notes and thumbnails of cameras stand before it.
constexpr std::size_t beginning = std::size_t{64} << 10U;

}  // namespace

namespace media {

MediaFacts image_of(std::uint64_t width, std::uint64_t height) {
  constexpr std::uint64_t longest_side = 1U << 20U;
  if (width == 0 || height == 0 || width > longest_side || height > longest_side) return {};
  return {.kind = MediaFacts::Kind::image,
          .width = static_cast<std::int64_t>(width),
          .height = static_cast<std::int64_t>(height)};
}

MediaFacts sound_of(std::uint64_t nanoseconds, MediaFacts::Kind kind) {
  constexpr std::uint64_t nanoseconds_per_ms = 1'000'000;
  if (nanoseconds == 0 || nanoseconds > longest_sound) return {};
  return {.kind = kind,
          .duration_ms = static_cast<std::int64_t>((nanoseconds + nanoseconds_per_ms - 1) / nanoseconds_per_ms)};
}

}  // namespace media

MediaFacts media_facts(std::string_view bytes, std::int64_t size) {
  for (const MediaFacts& facts :
       {media::read_image(bytes), media::read_boxed_image(bytes), media::read_wav(bytes, size)}) {
    if (facts.kind != MediaFacts::Kind::unknown) return facts;
  }
  if (size < 0 || bytes.size() != static_cast<std::uint64_t>(size)) return {};
  for (const auto read :
       {media::read_ogg, media::read_flac, media::read_mp4, media::read_pdf, media::read_mpeg_audio}) {
    if (const MediaFacts facts = read(bytes); facts.kind != MediaFacts::Kind::unknown) return facts;
  }
  return {};
}

MediaFacts media_facts_of_base64(std::string_view text) {
  const std::string_view inside = media::without_data_url(text);
  // Beginning first: of an image nothing more is looked at.
  const auto first = media::from_base64(inside, beginning);
  if (!first) return {};
  if (const MediaFacts facts = media::read_image(*first); facts.kind != MediaFacts::Kind::unknown) return facts;
  const auto whole = media::from_base64(inside, inside.size());
  return whole ? media_facts(*whole, static_cast<std::int64_t>(whole->size())) : MediaFacts{};
}

}  // namespace farthing
