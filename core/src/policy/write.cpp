// The document as canonical JSON: what is registered in the store and compared (R6). Keys in one order, what is the
// default left out: so a key that a later version adds does not change the text of older documents. No secrets.
#include "farthing/policy.h"
#include "farthing/time_text.h"
#include "policy/reading.h"
#include "policy/text.h"

namespace farthing {
namespace {

/// Writes one JSON object; a value that is the default is not written.
class Object {
 public:
  void raw(std::string_view key, std::string_view json) {
    if (text_.size() > 1) text_ += ',';
    policy::append_json(text_, key);
    text_ += ':';
    text_ += json;
  }
  void text(std::string_view key, std::string_view value, std::string_view standard = "") {
    if (value == standard) return;
    std::string json;
    policy::append_json(json, policy::kept(value));
    raw(key, json);
  }
  void number(std::string_view key, std::int64_t value, std::int64_t standard) {
    if (value != standard) raw(key, std::to_string(value));
  }
  void truth(std::string_view key, bool value, bool standard) {
    if (value != standard) raw(key, value ? "true" : "false");
  }
  void truth(std::string_view key, const std::optional<bool>& value) {
    if (value) raw(key, *value ? "true" : "false");
  }
  void list(std::string_view key, const std::vector<std::string>& values) {
    if (values.empty()) return;
    std::vector<std::string> safe;
    for (const std::string& value : values)
      safe.push_back(policy::kept(value));
    std::string json;
    policy::append_json(json, safe);
    raw(key, json);
  }
  void object(std::string_view key, const Object& value) {
    if (value.text_.size() > 1) raw(key, value.done());
  }
  template <class List, class Write>
  void objects(std::string_view key, const List& values, Write write) {
    if (values.empty()) return;
    std::string json;
    for (const auto& value : values)
      json += (json.empty() ? "[" : ",") + write(value).done();
    raw(key, json + "]");
  }
  std::string done() const { return text_ + "}"; }

 private:
  std::string text_ = "{";
};

Object written(const Labels& labels) {
  Object out;
  for (const auto& [kind, value] : labels.entries())
    out.text(kind, value);
  return out;
}

Object written(const Cap& cap, const std::string& timezone) {
  Object out;
  if (cap.id_given) out.text("id", cap.id);
  out.text("was", cap.was);
  out.text("limit", limit_text(cap.meter, cap.limit));
  if (cap.meter != Meter::concurrent) out.text("per", per_text(cap.window.per));
  Object match;
  for (const auto& [kind, globs] : cap.match.of)
    match.list(kind, globs);
  out.object("match", match);
  out.list("each", cap.each);
  Object limits;
  for (const auto& [values, limit] : cap.limits) {
    std::string key;
    if (values.size() == 1) {
      key = values.front();
    } else {
      policy::append_json(key, values);
    }
    limits.text(key, limit_text(cap.meter, limit));
  }
  out.object("limits", limits);
  if (cap.refuse_absent) out.text("absent", "refuse");
  if (!cap.alert.empty()) {
    std::string alert;
    for (const int percent : cap.alert)
      alert += (alert.empty() ? "[" : ",") + std::to_string(percent);
    out.raw("alert", alert + "]");
  }
  out.text("message", cap.message);
  out.text("help_url", cap.help_url);
  out.text("owner", cap.owner);
  out.number("max_counters", cap.max_counters, Cap{}.max_counters);
  // Where a window has no zone, `normalise` left UTC there.
  const Per per = cap.window.per;
  const bool zoned = per == Per::hour || per == Per::day || per == Per::week || per == Per::month;
  if (zoned) out.text("timezone", cap.window.zone, timezone);
  out.number("billing_day", cap.window.billing_day, 1);
  return out;
}

Object written(const ApiKeyName& key) {
  Object out;
  out.text("name", key.name);
  out.list("env", key.env);
  out.list("ids", key.ids);
  out.object("labels", written(key.labels));
  return out;
}

Object written(const HostRule& host) {
  Object out;
  out.text("name", host.name);
  out.text("provider", host.provider, host.free || !host.guard ? host.name : "");
  out.truth("free", host.free, false);
  out.truth("guard", host.guard, true);
  Object deployments;
  for (const auto& [name, model] : host.deployments)
    deployments.text(name, model);
  out.object("deployments", deployments);
  if (host.release_unknown) out.text("unknown", "release");
  out.truth("usage_in_streams", host.usage_in_streams);
  out.truth("stops_on_disconnect", host.stops_on_disconnect);
  return out;
}

Object written(const EndpointRule& endpoint) {
  Object out;
  out.text("name", endpoint.name);
  out.text("host", endpoint.host);
  out.text("path", endpoint.path);
  out.text("provider", endpoint.provider);
  out.text("modality", endpoint.modality);
  out.text("operation", endpoint.operation);
  out.text("model", endpoint.model);
  Object asks;
  Object otherwise;
  for (const AskedQuantity& ask : endpoint.asks) {
    const bool timed = ask.quantity == Quantity::video_ms || ask.quantity == Quantity::audio_ms;
    const std::string_view name = policy::quantity_word(ask.quantity);
    const auto amount = [&](Object& in) { in.raw(name, std::to_string(*ask.amount / (timed ? 1000 : 1))); };
    if (!ask.at.empty()) asks.text(name, ask.at);
    if (ask.amount) amount(ask.at.empty() ? asks : otherwise);
  }
  out.object("asks", asks);
  out.object("default", otherwise);
  Object usage;
  for (const auto& [quantity, at] : endpoint.usage)
    usage.text(policy::quantity_word(quantity), at);
  out.object("usage", usage);
  out.text("cost", endpoint.cost);
  out.text("error", endpoint.error, EndpointRule{}.error);
  return out;
}

Object written(const TokenizerRule& rule) {
  Object out;
  out.list("model", rule.models);
  out.text("file", rule.file);
  out.text("like", rule.like);
  return out;
}

/// A rate of a quantity in ms: 1000 of it are a second.
std::string rate_text(Quantity quantity, const Rate& rate) {
  const std::string text = to_text(rate);
  const bool timed = quantity == Quantity::video_ms || quantity == Quantity::audio_ms;
  return timed && rate.per == 1000 ? text.substr(0, text.rfind(' ')) + " second" : text;
}

Object written(const PriceOverlay& price) {
  Object out;
  out.text("provider", price.provider);
  out.text("model", price.model);
  out.list("aliases", price.aliases);
  Object rates;
  for (const auto& [quantity, rate] : price.rates)
    rates.text(quantity_text(quantity), rate_text(quantity, rate));
  out.object("rates", rates);
  if (price.from_ms) out.text("from", iso_utc(*price.from_ms));
  if (price.until_ms) out.text("until", iso_utc(*price.until_ms));
  out.text("service_tier", price.service_tier);
  out.text("size", price.size);
  out.text("quality", price.quality);
  out.text("resolution", price.resolution);
  out.text("search_context", price.search_context);
  out.text("volume", price.volume_cap);
  if (price.volume_from != 0) out.text("volume_from", limit_text(price.volume_meter, price.volume_from));
  out.number("context_above", price.context_above, 0);
  out.number("context_window", price.context_window, 0);
  out.number("max_output_tokens", price.max_output_tokens, 0);
  out.truth("reasoning", price.reasoning);
  if (price.discount_ppm != 0) out.text("discount", policy::percent_text(price.discount_ppm));
  Object waive;
  for (const auto& [lint, why] : price.waive)
    waive.text(lint, why);
  out.object("waive", waive);
  return out;
}

}  // namespace

std::string Policy::to_json() const {
  Object out;
  out.text("name", name);
  out.text("store", store);
  out.text("timezone", timezone, "UTC");
  out.object("labels", written(labels));
  Object unit_amounts;
  for (const auto& [unit, amount] : units)
    unit_amounts.text(unit, to_text(amount) + " USD");
  out.object("units", unit_amounts);
  if (unbounded.kind == Unbounded::Kind::refuse) out.text("unbounded", "refuse");
  if (unbounded.kind == Unbounded::Kind::amount) out.text("unbounded", to_text(unbounded.amount) + " USD");
  if (abandoned_is_hold) out.text("abandoned", "hold");
  if (!fit_output) out.text("output", "as_asked");
  out.text("price_book", price_book);
  const Policy standard;
  out.text("held_wait", policy::duration_text(held_wait_ms), policy::duration_text(standard.held_wait_ms));
  out.text("hold_max", policy::duration_text(hold_max_ms), policy::duration_text(standard.hold_max_ms));
  if (durable_power) out.text("durability", "power");
  Object jobs;
  if (refuse_duplicates) jobs.text("duplicates", "refuse");
  if (slots_until_deadline) jobs.text("slots", "until_deadline");
  out.object("jobs", jobs);
  out.objects("cap", caps, [this](const Cap& cap) { return written(cap, timezone); });
  out.objects("api_key", api_keys, [](const ApiKeyName& key) { return written(key); });
  out.objects("host", hosts, [](const HostRule& host) { return written(host); });
  out.objects("endpoint", endpoints, [](const EndpointRule& endpoint) { return written(endpoint); });
  out.objects("price", prices, [](const PriceOverlay& price) { return written(price); });
  out.objects("tokenizer", tokenizers, [](const TokenizerRule& rule) { return written(rule); });
  return out.done();
}

}  // namespace farthing
