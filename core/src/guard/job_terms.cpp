#include "guard/job_terms.h"

#include <charconv>

#include "money/json_document.h"

namespace farthing::guard {

std::string JobTerms::to_json() const {
  Json json = Json::object();
  const auto put = [&](const char* name, const std::string& value) {
    if (!value.empty()) json[name] = value;
  };
  put("tier", tier);
  put("region", region);
  put("size", size);
  put("quality", quality);
  put("resolution", resolution);
  if (video_ms) json["video_ms"] = *video_ms;
  if (videos != 1) json["videos"] = videos;
  if (requests != 1) json["requests"] = requests;
  if (largest_input) json["largest_input"] = *largest_input;
  if (volume) json["volume"] = *volume;
  for (const auto& [tokens, set] : rates)
    json["rates"][std::to_string(tokens)] = set;
  put("dearest", dearest);
  if (free) json["free"] = true;
  if (reports_cost) json["reports_cost"] = true;
  if (release_unknown) json["release_unknown"] = true;
  if (untold) json["untold"] = true;
  if (counted) {
    Json& quantities = json["counted"] = Json::object();
    for (std::size_t i = 0; i < quantity_count; ++i) {
      const auto quantity = static_cast<Quantity>(i);
      if ((*counted)[quantity] != 0) quantities[std::string(quantity_text(quantity))] = (*counted)[quantity];
    }
  }
  return dump_json(json);
}

std::optional<RateSet> JobTerms::rates_with(std::int64_t context_tokens) const {
  auto found = rates.upper_bound(context_tokens);
  if (found == rates.begin()) return std::nullopt;
  return rate_set_of((--found)->second);
}

JobTerms job_terms_of(std::string_view text) {
  JobTerms terms;
  const Json json = parse_json(text);
  if (!json.is_object()) return terms;
  const auto take = [&](const char* name, std::string& value) {
    if (const auto found = json.find(name); found != json.end() && found->is_string()) value = *found;
  };
  take("tier", terms.tier);
  take("region", terms.region);
  take("size", terms.size);
  take("quality", terms.quality);
  take("resolution", terms.resolution);
  if (const auto ms = json.find("video_ms"); ms != json.end() && ms->is_number_integer())
    terms.video_ms = ms->get<std::int64_t>();
  if (const auto videos = json.find("videos"); videos != json.end() && videos->is_number_integer())
    terms.videos = videos->get<std::int64_t>();
  if (const auto requests = json.find("requests"); requests != json.end() && requests->is_number_integer())
    terms.requests = requests->get<std::int64_t>();
  if (const auto largest = json.find("largest_input"); largest != json.end() && largest->is_number_integer())
    terms.largest_input = largest->get<std::int64_t>();
  if (const auto volume = json.find("volume"); volume != json.end() && volume->is_number_integer())
    terms.volume = volume->get<std::int64_t>();
  if (const auto rates = json.find("rates"); rates != json.end() && rates->is_object()) {
    for (const auto& [tokens, set] : rates->items()) {
      std::int64_t least = 0;
      const auto read = std::from_chars(tokens.data(), tokens.data() + tokens.size(), least);
      if (read.ec == std::errc() && set.is_string()) terms.rates[least] = set;
    }
  }
  take("dearest", terms.dearest);
  const auto take_flag = [&](const char* name, bool& value) {
    if (const auto found = json.find(name); found != json.end() && found->is_boolean()) value = *found;
  };
  take_flag("free", terms.free);
  take_flag("reports_cost", terms.reports_cost);
  take_flag("release_unknown", terms.release_unknown);
  take_flag("untold", terms.untold);
  const auto counted = json.find("counted");
  if (counted == json.end() || !counted->is_object()) return terms;
  terms.counted.emplace();
  for (const auto& [name, count] : counted->items()) {
    const auto quantity = quantity_of(name);
    if (quantity && count.is_number_integer()) (*terms.counted)[*quantity] = count.get<std::int64_t>();
  }
  return terms;
}

}  // namespace farthing::guard
