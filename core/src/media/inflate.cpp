#include "media/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>

namespace farthing::media {

std::optional<std::string> inflate_zlib(std::string_view data, std::size_t most) {
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));  // zlib's own type; it only reads
  stream.avail_in = static_cast<uInt>(std::min<std::size_t>(data.size(), std::numeric_limits<uInt>::max()));
  if (inflateInit(&stream) != Z_OK) return std::nullopt;
  std::string out;
  std::array<char, std::size_t{16} << 10U> part;
  int state = Z_OK;
  while (state == Z_OK && out.size() <= most) {
    stream.next_out = reinterpret_cast<Bytef*>(part.data());
    stream.avail_out = static_cast<uInt>(part.size());
    state = inflate(&stream, Z_NO_FLUSH);
    out.append(part.data(), part.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (state != Z_STREAM_END || out.size() > most) return std::nullopt;
  return out;
}

}  // namespace farthing::media
