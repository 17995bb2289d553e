// Cap: a limit on one meter, for the calls it matches, over a window. What the user sets.
//
//   Cap cap;
//   cap.limit = parse_usd("5 USD")->nano;
//   cap.each = {"api_key"};
//   cap.window.per = Per::day;
//   cap.words()       // "5.00 USD per day for each api_key"
//   cap.identity()    // usd;match={};each=["api_key"];per=day;zone=UTC;billing_day=1
//
// A cap is plain data; `policy.h` reads it from TOML, JSON or code and validates it. Its identity is R4.
// Thread-safety: values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "farthing/labels.h"
#include "farthing/meter.h"
#include "farthing/money.h"
#include "farthing/result.h"

namespace farthing {

enum class Per : std::uint8_t { call, minute, hour, day, week, month, total };
std::string_view per_text(Per per);
std::optional<Per> per_of(std::string_view text);

/// Over what a cap counts. Calendar windows have a zone (R13: UTC unless written), months a billing day.
struct Window {
  Per per = Per::total;
  std::string zone = "UTC";
  int billing_day = 1;  // 1..31; 31 is the month's last day
  bool operator==(const Window&) const = default;
};

/// The window around an instant, [start, end) in Unix ms. `total` is [0, max). `call` has none: [0, 0).
struct WindowBounds {
  std::int64_t start_ms = 0;
  std::int64_t end_ms = 0;
  bool operator==(const WindowBounds&) const = default;
};
/// Windows of one kind tile time: the end of one is the start of the next (docs/windows.md).
WindowBounds window_around(const Window& window, std::int64_t at_ms);

/// Which calls a cap is for: every kind must be present and match one of its globs (`*` any text, `?` one
/// character; case-sensitive).
struct Match {
  std::vector<std::pair<std::string, std::vector<std::string>>> of;  // sorted by kind, globs sorted
  bool matches(const Labels& labels) const;
  bool operator==(const Match&) const = default;
  /// Canonical text: {"model":["gpt-5*"],"project":["marketing"]}.
  std::string to_json() const;
  /// For a person: "model=gpt-5*|o3, project=marketing"; "" for all calls.
  std::string words() const;
};

/// Later versions add ask, wait, downgrade and shadow (`not_in_this_version` until then, R43).
enum class OnExceed : std::uint8_t { block };

struct Cap {
  std::string id;  // given, or the default of R4
  bool id_given = false;
  std::string was;  // renaming: the old id
  Meter meter = Meter::usd;
  std::int64_t limit = 0;                                   // in the meter's unit (nano-USD, ms, ones)
  std::map<std::vector<std::string>, std::int64_t> limits;  // by `each` values, in the order of `each`
  Match match;
  std::vector<std::string> each;  // kinds, sorted
  bool refuse_absent = false;     // absent = "refuse"
  Window window;                  // a `concurrent` cap takes none: total
  std::vector<int> alert;         // percent of the limit, ascending
  OnExceed on_exceed = OnExceed::block;
  std::string message;  // the cap's own words in a refusal
  std::string help_url;
  std::string owner;
  std::int64_t max_counters = 1'000'000;

  /// Puts what was built by hand into canonical form: `match` and `each` sorted without repetition, `limits` in the
  /// order of `each`, zone and billing day only where the window has them, the default id. Validated policies are.
  void normalise();
  /// What R4 makes an id of: usd;match={...};each=[...];per=day;zone=Europe/Berlin;billing_day=1
  std::string identity() const;
  /// For people: "5.00 USD per day for each api_key, project=marketing".
  std::string words() const;
  /// In a sentence: `cap "marketing-daily"`, or without an id of its own `the cap of 5.00 USD per day`.
  std::string name() const;
  bool operator==(const Cap&) const = default;
};

/// An id that was made of what the cap says, because nobody gave one (R4): its words say the same better.
bool is_made_id(std::string_view id);

struct Limit {
  Meter meter;
  std::int64_t value;
};
/// Units of money that a policy names (R10): {"credit": 0.01 USD}.
using Units = std::map<std::string, Usd, std::less<>>;
/// "5 USD", "2 concurrent", "1000 requests", "20_000 tokens", "1.5 video_seconds", "1 request", or in a named unit:
/// "500 credits". At most 9 * 10^9 USD, and as many of the smallest unit of another meter.
Result<Limit> parse_limit(std::string_view text, const Units& units = {});
/// "5.00 USD", "1000 requests", "1.5 video_seconds".
std::string limit_text(Meter meter, std::int64_t value);
/// The same without its word: "5.00", "1000", "1.5".
std::string amount_text(Meter meter, std::int64_t value);
/// "5.00 USD per day", "2 concurrent", "0.50 USD per month from day 15 (Europe/Berlin)".
std::string limit_words(Meter meter, std::int64_t value, const Window& window);

}  // namespace farthing
