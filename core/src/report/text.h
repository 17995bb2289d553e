// How amounts and times are written in reports: the same words in JSON of every language and in the command.
// Thread-safety: free functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "farthing/meter.h"
#include "farthing/money.h"
#include "farthing/time_text.h"
#include "money/json_document.h"

namespace farthing::report {

/// Money as decimal text under `name` and integer nano under `name_nano`, seconds likewise with whole `name_ms`; other
/// meters as an integer.
void put_amount(OrderedJson& object, const std::string& name, Meter meter, std::int64_t value);
/// Money, null where it is not known.
void put_usd(OrderedJson& object, const std::string& name, const std::optional<Usd>& amount);
/// `name`: "2026-08-23T00:00:00Z" (milliseconds only where there are any) and `name_ms`; both null where absent.
void put_time(OrderedJson& object, const std::string& name, const std::optional<std::int64_t>& unix_ms);

/// A text that may hold JSON, as JSON; anything else as a string.
OrderedJson parsed(std::string_view text);

}  // namespace farthing::report
