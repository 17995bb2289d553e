#include "guard/receipts.h"

#include "report/text.h"

namespace farthing {

namespace guard {

void Receipts::put(std::shared_ptr<const Receipt> receipt) {
  const std::lock_guard lock(mutex_);
  by_id_[receipt->attempt] = receipt;
  for (const std::string& id : {receipt->response_id, receipt->request_id}) {
    if (!id.empty()) by_id_[id] = receipt;
  }
  kept_.push_back(std::move(receipt));
  if (kept_.size() <= max_kept) return;
  const auto oldest = kept_.front();
  kept_.pop_front();
  for (const std::string& id : {oldest->attempt, oldest->response_id, oldest->request_id}) {
    // An id that came again belongs to the newer one.
    if (const auto found = by_id_.find(id); found != by_id_.end() && found->second == oldest) by_id_.erase(found);
  }
}

std::optional<Receipt> Receipts::find(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(std::string(id));
  return found == by_id_.end() ? std::nullopt : std::optional(*found->second);
}

}  // namespace guard

namespace {

using report::Json;

Json left_json(const std::vector<CapLeft>& left) {
  Json list = Json::array();
  for (const CapLeft& cap : left) {
    Json entry;
    entry["cap"] = cap.cap_id.empty() ? Json(nullptr) : Json(cap.cap_id);
    entry["run"] = cap.run.empty() ? Json(nullptr) : Json(cap.run);
    Json counter = Json::object();
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

Json quantities_json(const Quantities& quantities) {
  Json object = Json::object();
  for (std::size_t i = 0; i < quantity_count; ++i) {
    const auto quantity = static_cast<Quantity>(i);
    if (quantities[quantity] != 0) object[std::string(quantity_text(quantity))] = quantities[quantity];
  }
  return object;
}

Json parts_json(const std::vector<EstimatePart>& parts) {
  Json list = Json::array();
  for (const EstimatePart& part : parts) {
    Json entry{{"what", part.what}, {"quantity", quantity_text(part.quantity)}, {"count", part.count}};
    report::put_usd(entry, "cost", part.cost);
    list.push_back(std::move(entry));
  }
  return list;
}

Json meters_json(const Amounts& amounts) {
  Json object = Json::object();
  for (std::size_t i = 0; i < meter_count; ++i) {
    const auto meter = static_cast<Meter>(i);
    if (amounts[meter] != 0) report::put_amount(object, std::string(meter_text(meter)), meter, amounts[meter]);
  }
  return object;
}

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string Receipt::to_json() const {
  Json json;
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
  json["output_limit_asked"] = output_limit_asked == 0 ? Json(nullptr) : Json(output_limit_asked);
  json["output_limit"] = output_limit == 0 ? Json(nullptr) : Json(output_limit);
  json["left"] = left_json(left);
  return dumped(json);
}

std::string Estimate::to_json() const {
  Json json;
  json["model"] = model;
  json["provider"] = provider;
  json["endpoint"] = endpoint;
  report::put_usd(json, "likely", likely);
  report::put_usd(json, "ceiling", ceiling);
  json["likely_meters"] = meters_json(likely_meters);
  json["ceiling_meters"] = meters_json(ceiling_meters);
  json["confidence"] = confidence;
  json["unbounded_by"] = unbounded_by;
  json["likely_parts"] = parts_json(likely_parts);
  json["ceiling_parts"] = parts_json(ceiling_parts);
  json["output_limit"] = output_limit;
  json["left"] = left_json(left);
  json["count"] = count;
  return dumped(json);
}

}  // namespace farthing
