// The counters of a set as the bytes of one value.
//
//   pack_entries(entries, bytes);
//   unpack_entries(bytes, entries)   // false: of a format that this version does not know
//
// Thread-safety: functions of their arguments.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "store/file/packed.h"
#include "store/tables.h"

namespace farthing {

inline void pack_entries(const Tables::Entries& entries, std::string& out) {
  out.clear();
  append(out, &packed_format, sizeof packed_format);
  append(out, entries.data(), entries.size() * sizeof(engine::Entry));
}

inline bool unpack_entries(std::string_view bytes, Tables::Entries& entries) {
  std::uint32_t format = 0;
  if (bytes.size() < sizeof format) return false;
  std::memcpy(&format, bytes.data(), sizeof format);
  bytes.remove_prefix(sizeof format);
  if (format != packed_format || bytes.size() % sizeof(engine::Entry) != 0) return false;
  entries.resize(bytes.size() / sizeof(engine::Entry));
  if (!entries.empty()) std::memcpy(entries.data(), bytes.data(), bytes.size());
  return true;
}

}  // namespace farthing
