#include "store/file/ledger_columns.h"

#include <algorithm>
#include <charconv>

#include "ledger/ids.h"
#include "money/json_document.h"

namespace farthing {

namespace {

/// {"output_tokens":12}: only what is not 0; "" for nothing.
template <class List, class Name>
std::string compact(const List& list, std::size_t count, Name name) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    if (list.of[i] == 0) continue;
    text += text.empty() ? "{\"" : ",\"";
    text += name(i);
    text += "\":";
    text += std::to_string(list.of[i]);
  }
  if (!text.empty()) text += "}";
  return text;
}

std::string amounts_text(const Amounts& amounts) {
  return compact(amounts, meter_count, [](std::size_t i) { return meter_text(static_cast<Meter>(i)); });
}

Amounts amounts_of(const std::string& text) {
  Amounts amounts;
  const auto json = parse_json(text);
  if (!json.is_object()) return amounts;
  for (const auto& [name, value] : json.items()) {
    const auto meter = meter_of(name);
    if (meter && value.is_number_integer()) amounts[*meter] = value.get<std::int64_t>();
  }
  return amounts;
}

std::string runs_text(const LedgerRow& row) {
  return row.runs.empty() ? "" : dump_json(Json(row.runs));
}

std::string quantities_text(const Quantities& quantities) {
  return compact(quantities, quantity_count, [](std::size_t i) { return quantity_text(static_cast<Quantity>(i)); });
}

Quantities quantities_of(const Json& json) {
  Quantities quantities;
  if (!json.is_object()) return quantities;
  for (const auto& [name, value] : json.items()) {
    const auto quantity = quantity_of(name);
    if (quantity && value.is_number_integer()) quantities[*quantity] = value.get<std::int64_t>();
  }
  return quantities;
}

/// [["claude-opus-4-8",{"output_tokens":12}]]
std::string others_text(const LedgerRow& row) {
  if (row.others.empty()) return "";
  Json list = Json::array();
  for (const ModelUse& use : row.others) {
    const std::string used = quantities_text(use.quantities);
    list.push_back({use.model, used.empty() ? Json::object() : parse_json(used)});
  }
  return dump_json(list);
}

std::string_view kind_text(RowKind kind) {
  return kind == RowKind::adjust ? "adjust" : kind == RowKind::book ? "book" : "attempt";
}

}  // namespace

const char* const insert_ledger_row =
    "INSERT INTO ledger "
    "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?"
    ")";

const char* const ledger_columns =
    "id,kind,\"of\",adjustment,reserved_ms,settled_ms,how,likely_nano,ceiling_nano,actual_nano,reported_difference_"
    "nano,provider,host,endpoint,"
    "modality,model,"
    "model_asked,model_served,tier_asked,tier_served,labels,api_key,call,attempt_number,action,runs,quantities,booked,"
    "held,"
    "output_limit_asked,output_limit,confidence,book_version,rates,policy_revision,process,status,latency_ms,finish_"
    "reason,error_class,"
    "request_id,response_id,headroom,approval,who,why,others";

bool insert(Statement& statement, const LedgerRow& row) {
  static const CallContext none;
  const CallContext& context = row.context ? *row.context : none;
  const std::string attempt = to_text(row.kind == RowKind::adjust ? row.of : row.id);
  const std::string labels = context.labels_json.empty() ? context.labels.to_json() : std::string();
  const std::string runs = runs_text(row);
  const std::string quantities = quantities_text(row.quantities);
  const std::string others = others_text(row);
  const std::string booked = amounts_text(row.booked);
  const std::string held = amounts_text(row.held);

  int place = 0;
  const auto number = [&](std::int64_t value) { statement.bind(++place, value); };
  const auto number_or_null = [&](std::int64_t value) {
    if (value == 0)
      statement.bind_null(++place);
    else
      statement.bind(++place, value);
  };
  const auto text = [&](std::string_view value) {
    if (value.empty())
      statement.bind_null(++place);
    else
      statement.bind(++place, value);
  };
  const auto money = [&](const std::optional<Usd>& value) {
    if (value)
      statement.bind(++place, value->nano);
    else
      statement.bind_null(++place);
  };
  number(static_cast<std::int64_t>(row.id.value));
  text(kind_text(row.kind));
  number_or_null(static_cast<std::int64_t>(row.of.value));
  text(row.adjustment);
  text(attempt);
  number(row.reserved_ms);
  number(row.settled_ms);
  text(how_text(row.how));
  money(row.likely);
  money(row.ceiling);
  money(row.actual);
  money(row.reported_difference);
  number(row.booked[Meter::usd]);
  number(row.held[Meter::usd]);
  text(context.provider);
  text(context.host);
  text(context.endpoint);
  text(context.modality);
  text(context.model);
  text(context.model_asked);
  text(row.model_served);
  text(row.tier_asked);
  text(row.tier_served);
  text(labels.empty() ? context.labels_json : labels);
  text(context.key_name);
  text(row.call);
  number(row.attempt_number);
  text(row.action);
  text(runs);
  number_or_null(row.quantities[Quantity::input_tokens]);
  number_or_null(row.quantities[Quantity::cache_read_tokens]);
  number_or_null(row.quantities[Quantity::output_tokens]);
  number_or_null(row.quantities[Quantity::reasoning_tokens]);
  text(quantities);
  text(booked);
  text(held);
  number_or_null(row.output_limit_asked);
  number_or_null(row.output_limit);
  text(row.confidence);
  text(context.book_version);
  text(context.rates_json);
  number(static_cast<std::int64_t>(row.policy_revision));
  text(row.process);
  number_or_null(row.status);
  number(row.latency_ms);
  text(row.finish_reason);
  text(row.error_class);
  text(row.request_id);
  text(row.response_id);
  text(row.headroom);
  text(row.approval);
  text(row.who);
  text(row.why);
  text(others);
  statement.step();
  return !statement.failed();
}

LedgerRow read_ledger_row(const Statement& statement) {
  int column = 0;
  const auto number = [&] { return statement.number(column++); };
  const auto text = [&] { return statement.text(column++); };
  const auto money = [&]() -> std::optional<Usd> {
    const int own = column++;
    if (statement.is_null(own)) return std::nullopt;
    return Usd{statement.number(own)};
  };
  LedgerRow row;
  auto context = std::make_shared<CallContext>();
  row.id.value = static_cast<std::uint64_t>(number());
  const std::string kind = text();
  row.kind = kind == "adjust" ? RowKind::adjust : kind == "book" ? RowKind::book : RowKind::attempt;
  row.of.value = static_cast<std::uint64_t>(number());
  row.adjustment = text();
  row.reserved_ms = number();
  row.settled_ms = number();
  row.how = how_of(text()).value_or(How::hold);
  row.likely = money();
  row.ceiling = money();
  row.actual = money();
  row.reported_difference = money();
  context->provider = text();
  context->host = text();
  context->endpoint = text();
  context->modality = text();
  context->model = text();
  context->model_asked = text();
  row.model_served = text();
  row.tier_asked = text();
  row.tier_served = text();
  context->labels_json = text();
  if (auto labels = Labels::from_json(context->labels_json)) context->labels = std::move(*labels);
  context->key_name = text();
  row.call = text();
  row.attempt_number = static_cast<int>(number());
  row.action = text();
  if (const auto runs = parse_json(text()); runs.is_array()) {
    for (const auto& run : runs) {
      if (run.is_array() && run.size() == 2 && run[0].is_string() && run[1].is_string()) {
        row.runs.emplace_back(run[0].get<std::string>(), run[1].get<std::string>());
      }
    }
  }
  row.quantities = quantities_of(parse_json(text()));
  row.booked = amounts_of(text());
  row.held = amounts_of(text());
  row.output_limit_asked = number();
  row.output_limit = number();
  row.confidence = text();
  context->book_version = text();
  context->rates_json = text();
  row.policy_revision = static_cast<std::uint64_t>(number());
  row.process = text();
  row.status = static_cast<int>(number());
  row.latency_ms = number();
  row.finish_reason = text();
  row.error_class = text();
  row.request_id = text();
  row.response_id = text();
  row.headroom = text();
  row.approval = text();
  row.who = text();
  row.why = text();
  if (const auto others = parse_json(text()); others.is_array()) {
    for (const auto& use : others) {
      if (use.is_array() && use.size() == 2 && use[0].is_string())
        row.others.push_back({use[0].get<std::string>(), quantities_of(use[1])});
    }
  }
  row.context = std::move(context);
  return row;
}

std::int64_t lag_of(std::string_view text) {
  std::int64_t lag = 0;
  std::from_chars(text.data(), text.data() + text.size(), lag);
  return std::max(lag, usual_lag_ms);
}

Status scan_ledger(Connection& connection, const LedgerFilter& filter, std::optional<AttemptId> before,
                   const std::function<bool(const LedgerRow&)>& visit) {
  std::string sql = std::string("SELECT ") + ledger_columns + " FROM ledger WHERE 1";
  if (filter.since_ms) {
    Statement lag;
    if (!lag.prepare(connection.get(), "SELECT value FROM fact WHERE kind='ledger' AND key='lag_ms'"))
      return connection.error();
    const std::int64_t most = lag_of(lag.step() ? lag.text(0) : "");
    if (lag.failed()) return connection.error();
    const AttemptId first = first_id_of(*filter.since_ms - most);
    sql += " AND id>=" + std::to_string(static_cast<std::int64_t>(first.value));
    sql += " AND reserved_ms>=" + std::to_string(*filter.since_ms);
  }
  if (filter.until_ms) sql += " AND reserved_ms<" + std::to_string(*filter.until_ms);
  if (filter.id) {
    const std::string id = std::to_string(static_cast<std::int64_t>(filter.id->value));
    sql += " AND (id=" + id + " OR \"of\"=" + id + ")";
  }
  if (before) sql += " AND id<" + std::to_string(static_cast<std::int64_t>(before->value));
  sql += " ORDER BY id DESC";
  Statement row;
  if (!row.prepare(connection.get(), sql.c_str())) return connection.error();
  while (row.step()) {
    if (!visit(read_ledger_row(row))) return success();
  }
  return row.failed() ? Status(connection.error()) : success();
}

}  // namespace farthing
