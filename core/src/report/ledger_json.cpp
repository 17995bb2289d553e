#include "farthing/control.h"
#include "report/text.h"

namespace farthing {

namespace {

/// Only what is there: an absent meter is 0.
OrderedJson amounts_json(const Amounts& amounts) {
  OrderedJson object = OrderedJson::object();
  for (std::size_t i = 0; i < meter_count; ++i) {
    const auto meter = static_cast<Meter>(i);
    if (amounts[meter] != 0) report::put_amount(object, std::string(meter_text(meter)), meter, amounts[meter]);
  }
  return object;
}

OrderedJson quantities_json(const Quantities& quantities) {
  OrderedJson object = OrderedJson::object();
  for (std::size_t i = 0; i < quantity_count; ++i) {
    const auto quantity = static_cast<Quantity>(i);
    if (quantities[quantity] != 0) object[std::string(quantity_text(quantity))] = quantities[quantity];
  }
  return object;
}

std::string_view kind_text(RowKind kind) {
  switch (kind) {
    case RowKind::attempt:
      return "attempt";
    case RowKind::adjust:
      return "adjust";
    case RowKind::book:
      return "book";
  }
  return "";
}

}  // namespace

std::string to_json(const LedgerRow& row) {
  const CallContext none;
  const CallContext& context = row.context ? *row.context : none;
  OrderedJson json;
  json["id"] = to_text(row.id);
  json["kind"] = kind_text(row.kind);
  json["of"] = row.kind == RowKind::adjust ? OrderedJson(to_text(row.of)) : OrderedJson(nullptr);
  json["adjustment"] = row.adjustment;
  report::put_time(json, "reserved_at", row.reserved_ms);
  report::put_time(json, "settled_at", row.settled_ms == 0 ? std::nullopt : std::optional(row.settled_ms));
  json["how"] = how_text(row.how);
  json["provider"] = context.provider;
  json["host"] = context.host;
  json["endpoint"] = context.endpoint;
  json["modality"] = context.modality;
  json["model"] = context.model;
  json["model_asked"] = context.model_asked;
  json["model_served"] = row.model_served;
  json["tier_asked"] = row.tier_asked;
  json["tier_served"] = row.tier_served;
  report::put_usd(json, "likely", row.likely);
  report::put_usd(json, "ceiling", row.ceiling);
  report::put_usd(json, "actual", row.actual);
  report::put_usd(json, "booked_usd", Usd{row.booked[Meter::usd]});
  report::put_usd(json, "reported_difference", row.reported_difference);
  json["confidence"] = row.confidence;
  json["held"] = amounts_json(row.held);
  json["booked"] = amounts_json(row.booked);
  json["quantities"] = quantities_json(row.quantities);
  OrderedJson others = OrderedJson::array();
  for (const ModelUse& use : row.others)
    others.push_back({{"model", use.model}, {"quantities", quantities_json(use.quantities)}});
  json["others"] = std::move(others);
  json["output_limit_asked"] = row.output_limit_asked == 0 ? OrderedJson(nullptr) : OrderedJson(row.output_limit_asked);
  json["output_limit"] = row.output_limit == 0 ? OrderedJson(nullptr) : OrderedJson(row.output_limit);
  json["call"] = row.call;
  json["attempt_number"] = row.attempt_number;
  json["action"] = row.action;
  OrderedJson runs = OrderedJson::array();
  for (const auto& [id, task] : row.runs)
    runs.push_back({{"run", id}, {"task", task}});
  json["runs"] = std::move(runs);
  json["labels"] = report::parsed(context.labels_json.empty() ? context.labels.to_json() : context.labels_json);
  json["api_key"] = context.key_name;
  json["book_version"] = context.book_version;
  json["rates"] = context.rates_json.empty() ? OrderedJson(nullptr) : report::parsed(context.rates_json);
  json["policy_revision"] = row.policy_revision;
  json["process"] = row.process;
  json["status"] = row.status == 0 ? OrderedJson(nullptr) : OrderedJson(row.status);
  json["latency_ms"] = row.latency_ms;
  json["finish_reason"] = row.finish_reason;
  json["error_class"] = row.error_class;
  json["request_id"] = row.request_id;
  json["response_id"] = row.response_id;
  json["headroom"] = row.headroom.empty() ? OrderedJson(nullptr) : report::parsed(row.headroom);
  json["approval"] = row.approval;
  json["who"] = row.who;
  json["why"] = row.why;
  // Text of providers may be anything; a report never fails on it.
  return dump_json(json);
}

}  // namespace farthing
