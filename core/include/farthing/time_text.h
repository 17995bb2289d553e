// How instants and spans are written for people, the same in messages, reports and the command.
//
//   iso_utc(1787443200000)         // "2026-08-23T00:00:00Z"
//   duration_words(11'520'000)     // "3 h 12 min"
//
// Thread-safety: free functions.
#pragma once

#include <cstdint>
#include <string>

namespace farthing {

/// With milliseconds only where there are any.
std::string iso_utc(std::int64_t unix_ms);
/// The two largest units, rounded up to a whole second: "45 s", "3 h 12 min", "2 d 4 h".
std::string duration_words(std::int64_t ms);

}  // namespace farthing
