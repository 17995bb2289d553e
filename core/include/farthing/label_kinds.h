// The kinds of labels that Farthing sets itself for each call (R29): nobody else gives them, anybody may match them.
//
// Thread-safety: constants.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace farthing {

inline constexpr std::array<std::string_view, 12> set_by_farthing = {
    "provider",  "model",   "model_asked", "model_family", "modality",     "endpoint",
    "operation", "quality", "size",        "resolution",   "attempt_kind", "api_key",
};

constexpr bool is_set_by_farthing(std::string_view kind) {
  return std::find(set_by_farthing.begin(), set_by_farthing.end(), kind) != set_by_farthing.end();
}

}  // namespace farthing
