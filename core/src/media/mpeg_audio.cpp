// MP3 and AAC by their frames, one after the other. What Xing and VBRI headers say of the number of frames is not believed;
// their own frame counts as one more. Sources: ISO 11172-3, 13818-3 and 13818-7.
#include <array>
#include <optional>

#include "media/bytes.h"
#include "media/readers.h"

namespace farthing::media {
namespace {

struct Frame {
  std::uint64_t length = 0;  // bytes
  std::uint64_t time = 0;    // nanoseconds
};

// kbit/s, by index; 0 is "free": its frames have no length.
constexpr std::array<std::array<std::uint16_t, 15>, 5> bitrates = {{
    {0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},  // MPEG 1, layer I
    {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},     // MPEG 1, layer II
    {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},      // MPEG 1, layer III
    {0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},     // MPEG 2, layer I
    {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},          // MPEG 2, layers II and III
}};
/// The slowest of them all: a byte that is no frame's could be a millisecond.
constexpr std::uint64_t time_per_byte = nanoseconds_per_second * 8 / 8'000;

std::optional<Frame> mp3_frame(Bytes& bytes, std::uint64_t at) {
  const std::uint64_t head = bytes.big(at, 4);
  const std::uint64_t version = head >> 19U & 3U;  // 0: 2.5, 2: 2, 3: 1
  const std::uint64_t layer = 4 - (head >> 17U & 3U);
  const std::uint64_t index = head >> 12U & 15U;
  const std::uint64_t rate_index = head >> 10U & 3U;
  if (bytes.cut() || head >> 21U != 0x7FF || version == 1 || layer == 4 || index == 0 || index == 15 || rate_index == 3)
    return std::nullopt;
  const bool first = version == 3;
  constexpr std::array<std::uint64_t, 3> rates = {44'100, 48'000, 32'000};
  const std::uint64_t rate = rates[rate_index] >> (first ? 0U : version == 2 ? 1U : 2U);
  const std::uint64_t bits = 1'000U * bitrates[first ? layer - 1 : layer == 1 ? 3 : 4][index];
  const std::uint64_t padding = head >> 9U & 1U;
  if (layer == 1) return Frame{(12 * bits / rate + padding) * 4, nanoseconds(384, rate)};
  const std::uint64_t samples = layer == 3 && !first ? 576 : 1'152;
  return Frame{samples / 8 * bits / rate + padding, nanoseconds(samples, rate)};
}

std::optional<Frame> aac_frame(Bytes& bytes, std::uint64_t at) {
  const std::uint64_t head = bytes.big(at, 7);
  constexpr std::array<std::uint64_t, 13> rates = {96'000, 88'200, 64'000, 48'000, 44'100, 32'000, 24'000,
                                                   22'050, 16'000, 12'000, 11'025, 8'000,  7'350};
  const std::uint64_t rate = head >> 34U & 15U;
  const std::uint64_t length = head >> 13U & 0x1FFFU;
  if (bytes.cut() || head >> 44U != 0xFFF || (head >> 41U & 3U) != 0 || rate >= rates.size() || length < 7)
    return std::nullopt;
  return Frame{length, nanoseconds(1'024 * ((head & 3U) + 1), rates[rate])};
}

/// Where the sound begins: after ID3 tags.
std::uint64_t after_tags(Bytes& bytes) {
  std::uint64_t at = 0;
  while (bytes.is(at, "ID3") && !bytes.cut()) {
    const std::uint64_t size = bytes.big(at + 6, 4);
    const bool footer = (bytes.big(at + 5, 1) & 0x10U) != 0;
    at += 10 + (footer ? 10U : 0U) +
          ((size >> 24U & 0x7FU) << 21U | (size >> 16U & 0x7FU) << 14U | (size >> 8U & 0x7FU) << 7U | (size & 0x7FU));
  }
  while (at < bytes.size() && bytes.big(at, 1) == 0)
    ++at;  // a tag's filling
  return at;
}

MediaFacts mp3(Bytes bytes, std::uint64_t begin) {
  // Two frames: one alone could be chance.
  const auto first = mp3_frame(bytes, begin);
  if (!first || !mp3_frame(bytes, begin + first->length)) return {};
  std::uint64_t time = 0;
  for (std::uint64_t at = begin; at < bytes.size();) {
    Bytes here = bytes;
    if (const auto frame = mp3_frame(here, at)) {
      time += frame->time;
      at += frame->length;
    } else if (bytes.size() - at == 128 && bytes.is(at, "TAG")) {
      break;
    } else {
      time += time_per_byte;
      ++at;
    }
  }
  return sound_of(time);
}

MediaFacts aac(Bytes bytes, std::uint64_t begin) {
  std::uint64_t time = 0;
  for (std::uint64_t at = begin; at < bytes.size();) {
    Bytes here = bytes;
    const auto frame = aac_frame(here, at);
    if (!frame) return {};
    time += frame->time;
    at += frame->length;
  }
  return sound_of(time);
}

}  // namespace

MediaFacts read_mpeg_audio(std::string_view given) {
  Bytes bytes(given);
  const std::uint64_t begin = after_tags(bytes);
  if (bytes.cut() || begin >= bytes.size()) return {};
  const bool is_aac = (bytes.big(begin, 2) & 0xFFF6U) == 0xFFF0U;
  if (bytes.cut()) return {};
  return is_aac ? aac(bytes, begin) : mp3(bytes, begin);
}

}  // namespace farthing::media
