#include <algorithm>

#include "media/bytes.h"
#include "media/readers.h"

namespace farthing::media {

/// By the bytes that are there after the header: what it says of their number is not believed.
MediaFacts read_wav(std::string_view given, std::int64_t size) {
  Bytes bytes(given);
  if (!bytes.is(0, "RIFF") || !bytes.is(8, "WAVE")) return {};
  std::uint64_t per_second = 0;
  std::uint64_t frame = 0;  // bytes of one sample of all channels
  bool described = false;
  for (std::uint64_t at = 12; !bytes.cut();) {
    const std::uint64_t length = bytes.little(at + 4, 4);
    if (bytes.is(at, "fmt ")) {
      if (described) return {};  // a second time: which one counts is not known
      described = true;
      constexpr std::uint64_t extensible = 0xFFFE;
      std::uint64_t format = bytes.little(at + 8, 2);
      if (format == extensible) format = bytes.little(at + 32, 2);
      // PCM, floating point, A-law, mu-law: each sample has its place. Anything else is compressed.
      if (format != 1 && format != 3 && format != 6 && format != 7) return {};
      per_second = bytes.little(at + 12, 4);
      const std::uint64_t aligned = bytes.little(at + 20, 2);
      const std::uint64_t packed = bytes.little(at + 10, 2) * (bytes.little(at + 22, 2) / 8);
      frame = std::min(aligned, packed);
    } else if (bytes.is(at, "data")) {
      constexpr std::uint64_t slowest = 1'000;
      constexpr std::uint64_t fastest = 1'000'000;
      if (bytes.cut() || frame == 0 || per_second < slowest || per_second > fastest) return {};
      const std::uint64_t begin = at + 8;
      if (size < 0 || static_cast<std::uint64_t>(size) <= begin) return {};
      const std::uint64_t frames = (static_cast<std::uint64_t>(size) - begin + frame - 1) / frame;
      return frames >> 32U != 0 ? MediaFacts{} : sound_of(nanoseconds(frames, per_second));
    }
    at += 8 + length + length % 2;
  }
  return {};
}

}  // namespace farthing::media
