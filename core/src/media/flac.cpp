// FLAC by its frames (RFC 9639): each says how long it is, with a checksum over it. The number of samples in the header counts
// where it is larger.
#include <algorithm>
#include <array>
#include <optional>

#include "media/bytes.h"
#include "media/readers.h"

namespace farthing::media {
namespace {

std::uint64_t crc8(std::string_view bytes) {
  unsigned crc = 0;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc & 0x80U) != 0 ? (crc << 1U ^ 0x07U) & 0xFFU : crc << 1U;
  }
  return crc;
}

/// The time of the frame that begins here; nothing where none does.
std::optional<std::uint64_t> frame_time(std::string_view rest, std::uint64_t usual_rate) {
  Bytes bytes(rest);
  const std::uint64_t block = bytes.big(2, 1) >> 4U;
  const std::uint64_t rate_code = bytes.big(2, 1) & 15U;
  if (block == 0 || rate_code == 15 || (bytes.big(3, 1) & 1U) != 0) return std::nullopt;
  // The frame's number, of one to seven bytes as UTF-8 has them.
  const std::uint64_t lead = bytes.big(4, 1);
  std::uint64_t at = 5;
  for (std::uint64_t bit = 0x40; lead >= 0xC0 && bit != 0 && (lead & bit) != 0; bit >>= 1U)
    ++at;
  std::uint64_t samples = block == 1   ? 192
                          : block <= 5 ? std::uint64_t{576} << (block - 2)
                                       : std::uint64_t{256} << (block >= 8 ? block - 8 : 0);
  if (block == 6 || block == 7) {
    samples = bytes.big(at, block - 5) + 1;
    at += block - 5;
  }
  constexpr std::array<std::uint64_t, 12> rates = {0,      88'200, 176'400, 192'000, 8'000,  16'000,
                                                   22'050, 24'000, 32'000,  44'100,  48'000, 96'000};
  std::uint64_t rate = rate_code == 0 ? usual_rate : rate_code < rates.size() ? rates[rate_code] : 0;
  if (rate_code >= 12) {
    const std::uint64_t width = rate_code == 12 ? 1 : 2;
    rate = bytes.big(at, width) * (rate_code == 12 ? 1'000 : rate_code == 14 ? 10 : 1);
    at += width;
  }
  if (bytes.cut() || rate == 0 || bytes.big(at, 1) != crc8(rest.substr(0, at)) || bytes.cut()) return std::nullopt;
  return nanoseconds(samples, rate);
}

}  // namespace

MediaFacts read_flac(std::string_view given) {
  Bytes bytes(given);
  constexpr std::uint64_t info_length = 34;
  if (!bytes.is(0, "fLaC") || (bytes.big(4, 1) & 0x7FU) != 0 || bytes.big(5, 3) != info_length) return {};
  const std::uint64_t rate = bytes.big(18, 3) >> 4U;
  const std::uint64_t total = bytes.big(21, 5) & 0xF'FFFF'FFFFU;
  std::uint64_t at = 4;
  for (bool last = false; !last && !bytes.cut();) {
    last = (bytes.big(at, 1) & 0x80U) != 0;
    at += 4 + bytes.big(at + 1, 3);
  }
  if (bytes.cut() || rate == 0) return {};
  std::uint64_t time = 0;
  for (at = given.find('\xFF', at); at != std::string_view::npos; at = given.find('\xFF', at + 1)) {
    if ((bytes.big(at + 1, 1) & 0xFEU) != 0xF8) continue;
    add_time(time, frame_time(given.substr(at, 24), rate).value_or(0));
  }
  // Not one frame: nothing stands behind the header.
  if (time == 0 || total / rate > longest_sound / nanoseconds_per_second) return {};
  return sound_of(std::max(time, total / rate * nanoseconds_per_second + nanoseconds(total % rate, rate)));
}

}  // namespace farthing::media
