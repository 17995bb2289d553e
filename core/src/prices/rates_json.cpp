// A set of rates as the ledger keeps it, and read again.

#include "farthing/prices.h"

#include "money/json_document.h"

namespace farthing {
namespace {

bool is_time(Quantity quantity) {
  return quantity == Quantity::video_ms || quantity == Quantity::audio_ms;
}

}  // namespace

std::string RateSet::to_json() const {
  std::string json = "{";
  for (std::size_t i = 0; i < quantity_count; ++i) {
    const auto quantity = static_cast<Quantity>(i);
    const auto& rate = (*this)[quantity];
    if (!rate) continue;
    std::string text = to_text(*rate);
    if (is_time(quantity) && rate->per == 1'000) text.replace(text.rfind("thousand"), 8, "second");
    json.append(json.size() > 1 ? ",\"" : "\"")
        .append(quantity_text(quantity))
        .append("\":\"")
        .append(text)
        .append("\"");
  }
  return json + "}";
}

std::optional<RateSet> rate_set_of(std::string_view text) {
  const auto json = parse_json(text);
  if (!json.is_object()) return std::nullopt;
  RateSet rates;
  for (const auto& [name, value] : json.items()) {
    const auto quantity = quantity_of(name);
    const auto rate = value.is_string() ? parse_rate(value.get<std::string>()) : Error{Code::invalid_money, ""};
    if (!quantity || !rate) return std::nullopt;
    rates[*quantity] = *rate;
  }
  return rates;
}

}  // namespace farthing
