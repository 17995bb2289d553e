// Ogg by its packets (RFC 3533): of Opus each says how long it is (RFC 6716), of Vorbis none is longer than half the larger
// block. Where the pages tell a later position, that one counts. Streams in one file, chained or side by side, are added up.
#include <algorithm>
#include <array>
#include <map>

#include "media/bytes.h"
#include "media/readers.h"

namespace farthing::media {
namespace {

constexpr std::uint64_t longest_opus = 120'000'000;  // nanoseconds of a packet

std::uint64_t opus_time(std::string_view packet) {
  if (packet.empty()) return longest_opus;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(packet[i]); };
  const unsigned config = byte(0) >> 3U;
  // Microseconds: SILK, both, CELT.
  constexpr std::array<std::uint64_t, 4> silk = {10'000, 20'000, 40'000, 60'000};
  const std::uint64_t frame = config < 12   ? silk[config % 4]
                              : config < 16 ? silk[config % 2]
                                            : std::uint64_t{2'500} << (config % 4);
  const unsigned code = byte(0) & 3U;
  if (code == 3 && packet.size() < 2) return longest_opus;
  const std::uint64_t frames = code == 0 ? 1 : code < 3 ? 2 : byte(1) & 0x3FU;
  return frame * 1'000 * frames;
}

struct Stream {
  enum class Codec : std::uint8_t { unknown, opus, vorbis } codec = Codec::unknown;
  std::uint64_t packets = 0;
  std::uint64_t time = 0;     // nanoseconds of all packets
  std::uint64_t longest = 0;  // nanoseconds of a Vorbis packet
  std::uint64_t rate = 0;     // positions in a second
  std::uint64_t skipped = 0;  // positions before the first sound
  std::uint64_t last = 0;     // the largest position

  void head(std::string_view packet) {
    Bytes bytes(packet);
    if (bytes.is(0, "OpusHead")) {
      codec = Codec::opus;
      rate = 48'000;  // whatever was recorded (RFC 7845)
      skipped = bytes.little(10, 2);
      if (bytes.cut()) skipped = 0;
    } else if (bytes.is(0, "\x01vorbis")) {
      rate = bytes.little(12, 4);
      const std::uint64_t block = std::uint64_t{1} << (bytes.big(28, 1) >> 4U);
      if (bytes.cut() || rate == 0) return;
      codec = Codec::vorbis;
      longest = nanoseconds(block / 2, rate);
    }
  }
  std::uint64_t time_of(std::string_view packet) const {
    if (codec == Codec::opus) return packets < 2 ? 0 : opus_time(packet);
    return packets < 3 ? 0 : longest;
  }
  void position(std::uint64_t granule) {
    constexpr std::uint64_t none = ~std::uint64_t{0};  // no packet ends on the page
    if (granule != none) last = std::max(last, granule);
  }
  /// Nanoseconds; beyond `longest_sound` where it is not known.
  std::uint64_t length() const {
    const std::uint64_t positions = last - std::min(last, skipped);
    if (positions == 0) return time;
    if (rate == 0 || positions / rate > longest_sound / nanoseconds_per_second) return longest_sound + 1;
    return std::max(time, positions / rate * nanoseconds_per_second + nanoseconds(positions % rate, rate));
  }
};

}  // namespace

MediaFacts read_ogg(std::string_view given) {
  Bytes bytes(given);
  if (!bytes.is(0, "OggS")) return {};
  constexpr std::size_t most_streams = 64;
  std::map<std::uint64_t, Stream> streams;
  std::uint64_t time = 0;
  for (std::uint64_t at = 0; at < given.size();) {
    if (!bytes.is(at, "OggS")) return {};
    const std::uint64_t flags = bytes.big(at + 5, 1);
    const std::uint64_t segments = bytes.big(at + 26, 1);
    Stream& stream = streams[bytes.little(at + 14, 4)];
    if ((flags & 2U) != 0) {  // a stream begins
      add_time(time, stream.length());
      stream = {};
    }
    stream.position(bytes.little(at + 6, 8));
    if (streams.size() > most_streams) return {};
    bool inside = (flags & 1U) != 0;  // the first packet goes on from the page before
    std::uint64_t begin = at + 27 + segments;
    for (std::uint64_t i = 0; i < segments; ++i) {
      const std::uint64_t length = bytes.big(at + 27 + i, 1);
      if (bytes.cut()) return {};
      if (!inside) {
        const std::string_view packet = begin < given.size() ? given.substr(begin, length) : std::string_view();
        if (stream.packets == 0) stream.head(packet);
        if (stream.codec == Stream::Codec::unknown) return {};
        add_time(stream.time, stream.time_of(packet));
        ++stream.packets;
      }
      inside = length == 255;
      begin += length;
    }
    at = begin;
  }
  for (const auto& each : streams)
    add_time(time, each.second.length());
  return sound_of(time);
}

}  // namespace farthing::media
