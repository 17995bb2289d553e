// Reading and bounding the facts of one kind (facts.h).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "money/json_document.h"
#include "store/tables.h"

namespace farthing::facts {

/// Reads a list of facts, skipping none: a broken one is a corrupt store.
template <class Fill>
Status each_fact(Tables& tables, std::string_view kind, const Fill& fill) {
  const auto rows = tables.facts(kind);
  if (!rows) return rows.error();
  for (const auto& [key, value] : *rows) {
    const Json json = parse_json(value);
    bool good = !json.is_discarded();
    if (good) {
      try {
        fill(key, json);
      } catch (const Json::exception&) {  // a field that is missing or of another type
        good = false;
      }
    }
    if (!good) return tables.damaged("its record " + std::string(kind) + " " + key + " cannot be read");
  }
  return success();
}

/// Counts an addition to a kind; true when it is time to look. Kinds share their numbers, so those do not tell.
Result<bool> time_to_trim(Tables& tables, std::string_view kind);
/// Drops the oldest of a kind, by key, beyond `most`, when it is time to.
Status trim(Tables& tables, std::string_view kind, std::size_t most);

}  // namespace farthing::facts
