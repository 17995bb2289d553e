#include "report/text.h"

#include "farthing/cap.h"

namespace farthing::report {

void put_amount(OrderedJson& object, const std::string& name, Meter meter, std::int64_t value) {
  if (meter == Meter::usd) return put_usd(object, name, Usd{value});
  if (meter == Meter::audio_seconds || meter == Meter::video_seconds) {
    object[name] = amount_text(meter, value);
    object[name + "_ms"] = value;
  } else {
    object[name] = value;
  }
}

void put_usd(OrderedJson& object, const std::string& name, const std::optional<Usd>& amount) {
  if (amount) {
    object[name] = to_text(*amount);
    object[name + "_nano"] = amount->nano;
  } else {
    object[name] = nullptr;
    object[name + "_nano"] = nullptr;
  }
}

void put_time(OrderedJson& object, const std::string& name, const std::optional<std::int64_t>& unix_ms) {
  if (unix_ms) {
    object[name] = iso_utc(*unix_ms);
    object[name + "_ms"] = *unix_ms;
  } else {
    object[name] = nullptr;
    object[name + "_ms"] = nullptr;
  }
}

OrderedJson parsed(std::string_view text) {
  OrderedJson value = parse_ordered_json(text);
  return value.is_discarded() ? OrderedJson(std::string(text)) : value;
}

}  // namespace farthing::report
