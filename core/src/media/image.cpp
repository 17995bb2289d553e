// Sizes of images. Sources: the formats' own descriptions (PNG 3rd edition, ITU T.81, GIF89a, RFC 9649 for WebP).
#include <algorithm>

#include "media/bytes.h"
#include "media/readers.h"

namespace farthing::media {
namespace {

MediaFacts png(Bytes bytes) {
  // The header is the first chunk, and is 13 bytes long.
  if (bytes.big(8, 4) != 13 || !bytes.is(12, "IHDR")) return {};
  const MediaFacts facts = image_of(bytes.big(16, 4), bytes.big(20, 4));
  return bytes.cut() ? MediaFacts{} : facts;
}

/// The first frame header; the thumbnail in a note of the camera stands inside a segment and is stepped over.
MediaFacts jpeg(Bytes bytes) {
  std::uint64_t at = 2;
  while (!bytes.cut()) {
    if (bytes.big(at, 1) != 0xFF) return {};
    const std::uint64_t marker = bytes.big(at + 1, 1);
    if (marker == 0xFF) {  // filling
      ++at;
      continue;
    }
    const bool alone = marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7);
    if (alone) {
      at += 2;
      continue;
    }
    const std::uint64_t length = bytes.big(at + 2, 2);
    if (length < 2 || marker == 0xD9 || marker == 0xDA) return {};  // the picture begins, or ends, without a header
    const bool frame = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (frame) {
      const MediaFacts facts = image_of(bytes.big(at + 7, 2), bytes.big(at + 5, 2));
      return bytes.cut() || length < 8 ? MediaFacts{} : facts;
    }
    at += 2 + length;
  }
  return {};
}

std::uint64_t colours(std::uint64_t flags) {
  return (flags & 0x80U) != 0 ? std::uint64_t{3} << ((flags & 7U) + 1) : 0;
}

/// The screen, or the first picture where that reaches beyond it.
MediaFacts gif(Bytes bytes) {
  const std::uint64_t width = bytes.little(6, 2);
  const std::uint64_t height = bytes.little(8, 2);
  std::uint64_t at = 13 + colours(bytes.big(10, 1));
  while (!bytes.cut()) {
    const std::uint64_t kind = bytes.big(at, 1);
    if (kind == 0x2C) {
      const std::uint64_t right = bytes.little(at + 1, 2) + bytes.little(at + 5, 2);
      const std::uint64_t bottom = bytes.little(at + 3, 2) + bytes.little(at + 7, 2);
      return bytes.cut() ? MediaFacts{} : image_of(std::max(width, right), std::max(height, bottom));
    }
    if (kind != 0x21) return {};
    at += 2;
    while (const std::uint64_t length = bytes.big(at, 1))
      at += 1 + length;
    ++at;
  }
  return {};
}

MediaFacts webp(Bytes bytes) {
  MediaFacts facts;
  if (bytes.is(12, "VP8X")) {
    facts = image_of(bytes.little(24, 3) + 1, bytes.little(27, 3) + 1);
  } else if (bytes.is(12, "VP8L") && bytes.big(20, 1) == 0x2F) {
    const std::uint64_t bits = bytes.little(21, 4);
    facts = image_of((bits & 0x3FFFU) + 1, (bits >> 14U & 0x3FFFU) + 1);
  } else if (bytes.is(12, "VP8 ") && bytes.big(23, 3) == 0x9D012A) {
    facts = image_of(bytes.little(26, 2) & 0x3FFFU, bytes.little(28, 2) & 0x3FFFU);
  }
  return bytes.cut() ? MediaFacts{} : facts;
}

}  // namespace

MediaFacts read_image(std::string_view given) {
  const Bytes bytes(given);
  if (bytes.is(0, "\x89PNG\r\n\x1a\n")) return png(bytes);
  if (bytes.is(0, "\xFF\xD8\xFF")) return jpeg(bytes);
  if (bytes.is(0, "GIF87a") || bytes.is(0, "GIF89a")) return gif(bytes);
  if (bytes.is(0, "RIFF") && bytes.is(8, "WEBP")) return webp(bytes);
  return {};
}

}  // namespace farthing::media
