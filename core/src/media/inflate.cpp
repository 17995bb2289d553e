#include "media/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>

namespace farthing::media {

std::optional<std::string> inflate_zlib(std::string_view& data, std::size_t most) {
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));  // zlib's own type; it only reads
  const auto given = static_cast<uInt>(std::min<std::size_t>(data.size(), std::numeric_limits<uInt>::max()));
  stream.avail_in = given;
  if (inflateInit(&stream) != Z_OK) return std::nullopt;
  std::string out;
  std::array<char, std::size_t{16} << 10U> part;
  int state = Z_OK;
  while (state == Z_OK && out.size() <= most) {
    stream.next_out = reinterpret_cast<Bytef*>(part.data());
    const auto room = static_cast<uInt>(std::min(part.size(), most - out.size() + 1));
    stream.avail_out = room;
    state = inflate(&stream, Z_NO_FLUSH);
    out.append(part.data(), room - stream.avail_out);
  }
  inflateEnd(&stream);
  if (state != Z_STREAM_END || out.size() > most) return std::nullopt;
  data.remove_prefix(given - stream.avail_in);
  return out;
}

}  // namespace farthing::media
