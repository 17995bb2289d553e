// A moment as people write it, the same in the command and in every language: until when a limit holds, from when on the
// ledger is shown.
//
//   parse_moment("friday", {.now_ms = now, .zone = "Europe/Berlin"})              // the coming one's midnight there
//   parse_moment("2h", {.now_ms = now, .past = true})                             // two hours ago
//
// Thread-safety: free functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "farthing/result.h"

namespace farthing {

/// What a text that is no full date and time is read against.
struct Today {
  std::int64_t now_ms = 0;
  std::string_view zone =
      "UTC";          // IANA name: whose midnight a day begins with, and what a time without an offset means
  bool past = false;  // spans and weekdays count backwards
};

/// Unix ms of "now", "today", "yesterday", "tomorrow", a weekday ("friday", "fri": a coming one is never today, a past one
/// may be), a span ("90s", "30min", "2h", "3d", "1w"), "2026-08-21", "2026-08-21T18:00", with seconds, a fraction of them
/// and an offset ("Z", "+02:00") where given. Case does not matter. invalid_argument says what is accepted.
Result<std::int64_t> parse_moment(std::string_view text, const Today& today);

}  // namespace farthing
