// Media: what the first bytes of an image, a recording or a document say about its size: what it costs follows from that.
// No pixel is decoded and nothing is kept. What cannot be read, or is absurd, is unknown: never a small number.
//
//   MediaFacts facts = media_facts(bytes, bytes.size());
//   if (facts.kind == MediaFacts::Kind::image) use(facts.width, facts.height);
//   MediaFacts inside = media_facts_of_base64(text);           // also "data:image/png;base64,..."
//
// Thread-safety: free functions; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace farthing {

struct MediaFacts {
  enum class Kind : std::uint8_t {
    unknown,
    image,     // PNG, JPEG, GIF, WebP, AVIF, HEIC
    audio,     // WAV, MP3, AAC, FLAC, Ogg (Opus, Vorbis), M4A
    video,     // MP4
    document,  // PDF
  } kind = Kind::unknown;
  // Images: pixels, as stored; a note that turns the picture is not followed.
  std::int64_t width = 0;
  std::int64_t height = 0;
  /// Audio and video: milliseconds that no player plays beyond. It rests on the sound that is there, not on what a header
  /// says of it: the bytes of a WAV, the frames of MP3, AAC and FLAC, the packets of Ogg; of MP4 on its tables of samples.
  std::int64_t duration_ms = 0;
  /// Documents: no reader finds more. Unknown where they are encrypted, damaged or their objects compressed in a rare way.
  std::int64_t pages = 0;
  /// Of those, the ones that are written out: as a rule all there are, while lists of contents can tell larger numbers.
  std::int64_t likely_pages = 0;
  bool operator==(const MediaFacts&) const = default;
};

/// A piece of media in a request's input.
struct MediaInput {
  MediaFacts facts;  // unknown: an image whose size is not known: by URL, by id, or bytes that do not tell it
  // OpenAI's `detail`, where it is told.
  bool low = false;
  bool high = false;
  /// Of a document: its text may be read beside its pages, or in their place.
  bool as_text = false;
};

/// `bytes`: the file or its beginning; `size`: of the whole file. Images and WAV are read from their beginning, all else needs
/// the whole.
MediaFacts media_facts(std::string_view bytes, std::int64_t size);

/// The same of base64, in either alphabet, with or without padding, line ends or a data URL before it.
MediaFacts media_facts_of_base64(std::string_view text);

}  // namespace farthing
