// The readers of each kind of file. Each answers `unknown` for what is not its own.
// Thread-safety: free functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "media/media.h"

namespace farthing::media {

/// From the beginning of a file.
MediaFacts read_image(std::string_view bytes);
MediaFacts read_wav(std::string_view bytes, std::int64_t size);
/// Of whole files.
MediaFacts read_mpeg_audio(std::string_view bytes);  // MP3, AAC
MediaFacts read_flac(std::string_view bytes);
MediaFacts read_ogg(std::string_view bytes);
MediaFacts read_mp4(std::string_view bytes);
MediaFacts read_pdf(std::string_view bytes);

/// AVIF, HEIC: images in the boxes of MP4.
MediaFacts read_boxed_image(std::string_view bytes);

/// Unknown where a side is zero or beyond what anybody sends.
MediaFacts image_of(std::uint64_t width, std::uint64_t height);
/// Unknown where it is nothing, or beyond a year.
MediaFacts sound_of(std::uint64_t nanoseconds, MediaFacts::Kind kind = MediaFacts::Kind::audio);

inline constexpr std::uint64_t nanoseconds_per_second = 1'000'000'000;
/// A year: nobody sends more.
inline constexpr std::uint64_t longest_sound = std::uint64_t{365} * 86'400 * nanoseconds_per_second;

/// Stays beyond `longest_sound` once it is there.
inline void add_time(std::uint64_t& time, std::uint64_t more) {
  if (time <= longest_sound) time += more;
}

/// Whole nanoseconds, rounded up; for counts below 2^32.
constexpr std::uint64_t nanoseconds(std::uint64_t count, std::uint64_t per_second) {
  return (count * nanoseconds_per_second + per_second - 1) / per_second;
}

}  // namespace farthing::media
