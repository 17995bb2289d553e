#include "guard/receipts.h"

#include <functional>

#include "report/text.h"

namespace farthing {

namespace guard {

namespace {

std::size_t hash_of(std::string_view id) {
  return std::hash<std::string_view>{}(id);
}

}  // namespace

Receipt KeptReceipt::whole() const {
  Receipt receipt = facts;
  std::size_t run = 0;
  for (const Remaining& left : remaining) {
    CapLeft cap;
    cap.limit = left.limit;
    cap.spent = left.committed - left.reserved;
    cap.reserved = left.reserved;
    cap.resets_at_ms = left.resets_at_ms;
    if (left.cap == nullptr) {
      if (run < runs.size()) cap.run = runs[run++].second;
    } else {
      cap.cap_id = left.cap->cap.id;
      cap.meter = left.cap->cap.meter;
      cap.per = left.cap->cap.window.per;
      for (const std::string& kind : left.cap->cap.each) {
        const std::string* value = context->labels.get(kind);
        cap.counter.emplace_back(kind, value != nullptr ? *value : std::string(none_value));
      }
    }
    receipt.left.push_back(std::move(cap));
  }
  return receipt;
}

void Receipts::put(std::shared_ptr<const KeptReceipt> receipt) {
  const Receipt& facts = receipt->facts;
  const std::array<std::size_t, 3> hashes = {hash_of(facts.attempt), hash_of(facts.response_id),
                                             hash_of(facts.request_id)};
  const std::lock_guard lock(mutex_);  // outlived by the oldest one, which `receipt` is at the end
  if (kept_.size() < max_kept) {
    kept_.push_back(std::move(receipt));
    hashes_.push_back(hashes);
  } else {
    kept_[next_].swap(receipt);
    hashes_[next_] = hashes;
  }
  next_ = (next_ + 1) % max_kept;
}

std::optional<Receipt> Receipts::find(std::string_view id) const {
  if (id.empty()) return std::nullopt;
  const std::size_t hash = hash_of(id);
  std::shared_ptr<const KeptReceipt> found;
  {
    const std::lock_guard lock(mutex_);
    // An id that came again belongs to the newer one.
    for (std::size_t back = 1; back <= kept_.size() && !found; ++back) {
      const std::size_t at = (next_ + max_kept - back) % max_kept;
      const auto& [attempt, response, request] = hashes_[at];
      if (attempt != hash && response != hash && request != hash) continue;
      const Receipt& facts = kept_[at]->facts;
      if (facts.attempt == id || facts.response_id == id || facts.request_id == id) found = kept_[at];
    }
  }
  return found ? std::optional(found->whole()) : std::nullopt;
}

}  // namespace guard

namespace {

OrderedJson left_json(const std::vector<CapLeft>& left) {
  OrderedJson list = OrderedJson::array();
  for (const CapLeft& cap : left) {
    OrderedJson entry;
    entry["cap"] = cap.cap_id.empty() ? OrderedJson(nullptr) : OrderedJson(cap.cap_id);
    entry["run"] = cap.run.empty() ? OrderedJson(nullptr) : OrderedJson(cap.run);
    OrderedJson counter = OrderedJson::object();
    for (const auto& [kind, value] : cap.counter)
      counter[kind] = value;
    entry["counter"] = std::move(counter);
    entry["meter"] = meter_text(cap.meter);
    entry["per"] = per_text(cap.per);
    report::put_amount(entry, "limit", cap.meter, cap.limit);
    report::put_amount(entry, "spent", cap.meter, cap.spent);
    report::put_amount(entry, "reserved", cap.meter, cap.reserved);
    report::put_amount(entry, "remaining", cap.meter, cap.remaining());
    report::put_time(entry, "resets_at", cap.resets_at_ms);
    list.push_back(std::move(entry));
  }
  return list;
}

OrderedJson quantities_json(const Quantities& quantities) {
  OrderedJson object = OrderedJson::object();
  for (std::size_t i = 0; i < quantity_count; ++i) {
    const auto quantity = static_cast<Quantity>(i);
    if (quantities[quantity] != 0) object[std::string(quantity_text(quantity))] = quantities[quantity];
  }
  return object;
}

OrderedJson parts_json(const std::vector<EstimatePart>& parts) {
  OrderedJson list = OrderedJson::array();
  for (const EstimatePart& part : parts) {
    OrderedJson entry{{"what", part.what}, {"quantity", quantity_text(part.quantity)}, {"count", part.count}};
    report::put_usd(entry, "cost", part.cost);
    entry["rate"] = part.rate ? OrderedJson(part.rate_text()) : OrderedJson(nullptr);
    list.push_back(std::move(entry));
  }
  return list;
}

OrderedJson meters_json(const Amounts& amounts) {
  OrderedJson object = OrderedJson::object();
  for (std::size_t i = 0; i < meter_count; ++i) {
    const auto meter = static_cast<Meter>(i);
    if (amounts[meter] != 0) report::put_amount(object, std::string(meter_text(meter)), meter, amounts[meter]);
  }
  return object;
}

std::string dumped(const OrderedJson& json) {
  return dump_json(json);
}

}  // namespace

std::string EstimatePart::rate_text() const {
  if (!rate) return "";
  const std::string text = to_text(*rate);
  const bool timed = quantity == Quantity::video_ms || quantity == Quantity::audio_ms;
  return timed && rate->per == 1000 ? text.substr(0, text.rfind(' ')) + " second" : text;
}

std::string Receipt::to_json() const {
  OrderedJson json;
  json["attempt"] = attempt;
  json["call"] = call;
  json["response_id"] = response_id;
  json["request_id"] = request_id;
  json["model"] = model;
  json["model_served"] = model_served;
  report::put_usd(json, "cost", cost);
  report::put_usd(json, "likely", likely);
  report::put_usd(json, "ceiling", ceiling);
  json["quantities"] = quantities_json(quantities);
  json["how"] = how_text(how);
  json["output_limit_asked"] = output_limit_asked == 0 ? OrderedJson(nullptr) : OrderedJson(output_limit_asked);
  json["output_limit"] = output_limit == 0 ? OrderedJson(nullptr) : OrderedJson(output_limit);
  json["left"] = left_json(left);
  return dumped(json);
}

std::string Estimate::to_json() const {
  OrderedJson json;
  json["model"] = model;
  json["provider"] = provider;
  json["endpoint"] = endpoint;
  report::put_usd(json, "likely", likely);
  report::put_usd(json, "ceiling", ceiling);
  json["no_ceiling"] = no_ceiling.empty() ? OrderedJson(nullptr) : OrderedJson(no_ceiling);
  report::put_usd(json, "hold", hold);
  json["likely_meters"] = meters_json(likely_meters);
  json["ceiling_meters"] = meters_json(ceiling_meters);
  json["confidence"] = confidence;
  json["learned_calls"] = learned_calls;
  json["output_p90"] = output_p90 ? OrderedJson(*output_p90) : OrderedJson(nullptr);
  json["unbounded_by"] = unbounded_by;
  json["likely_parts"] = parts_json(likely_parts);
  json["ceiling_parts"] = parts_json(ceiling_parts);
  json["output_limit"] = output_limit;
  json["fits_output_limit"] = fits_output_limit ? OrderedJson(*fits_output_limit) : OrderedJson(nullptr);
  json["no_fit"] = no_fit.empty() ? OrderedJson(nullptr) : OrderedJson(no_fit);
  json["left"] = left_json(left);
  json["count"] = count;
  return dumped(json);
}

}  // namespace farthing
