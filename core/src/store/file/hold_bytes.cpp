#include "store/file/hold_bytes.h"

#include <cstring>

#include "store/file/packed.h"

namespace farthing {

void pack_hold(const HoldRow& hold, std::string& out) {
  out.clear();
  append(out, &packed_format, sizeof packed_format);
  append(out, hold.held.of.data(), sizeof hold.held.of);
  for (const HeldCounter& counter : hold.counters) {
    append(out, &counter.row, sizeof counter.row);
    append(out, &counter.start_ms, sizeof counter.start_ms);
    append(out, &counter.number, sizeof counter.number);
    append(out, &counter.meter, sizeof counter.meter);
  }
}

bool unpack_hold(std::string_view bytes, HoldRow& hold) {
  std::uint32_t format = 0;
  constexpr std::size_t head = sizeof format + sizeof hold.held.of;
  constexpr std::size_t each = sizeof(std::int64_t) * 2 + sizeof(std::uint32_t) + sizeof(std::uint8_t);
  if (bytes.size() < head || (bytes.size() - head) % each != 0) return false;
  std::memcpy(&format, bytes.data(), sizeof format);
  std::memcpy(hold.held.of.data(), bytes.data() + sizeof format, sizeof hold.held.of);
  hold.counters.clear();
  const char* place = bytes.data() + head;
  for (std::size_t count = (bytes.size() - head) / each; count > 0; --count) {
    HeldCounter& counter = hold.counters.emplace_back();
    const auto take = [&place](auto& field) {
      std::memcpy(&field, place, sizeof field);
      place += sizeof field;
    };
    take(counter.row);
    take(counter.start_ms);
    take(counter.number);
    take(counter.meter);
  }
  return format == packed_format;
}

}  // namespace farthing
