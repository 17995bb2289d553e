// Which stores can be named. Thread-safety: constants.
#pragma once

#include <array>
#include <string_view>

namespace farthing::policy {

inline constexpr std::array<std::string_view, 2> store_words = {"memory:", "file:farthing.db"};
/// How those begin that a later version has.
inline constexpr std::array<std::string_view, 4> stores_later = {"redis://", "rediss://", "valkey://", "valkeys://"};

}  // namespace farthing::policy
