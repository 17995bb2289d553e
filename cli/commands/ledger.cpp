#include <algorithm>
#include <iostream>
#include <limits>

#include "../commands.h"
#include "../json.h"
#include "../terminal.h"
#include "farthing/time_text.h"

namespace farthing::cli {

namespace {

/// The columns of --csv, in order: a fixed list, since rows differ in what they have.
constexpr const char* csv_columns[] = {"id",
                                       "kind",
                                       "of",
                                       "reserved_at",
                                       "settled_at",
                                       "how",
                                       "provider",
                                       "host",
                                       "endpoint",
                                       "modality",
                                       "model",
                                       "model_asked",
                                       "model_served",
                                       "tier_asked",
                                       "tier_served",
                                       "likely",
                                       "ceiling",
                                       "actual",
                                       "actual_nano",
                                       "booked_usd",
                                       "booked_usd_nano",
                                       "reported_difference",
                                       "confidence",
                                       "output_limit_asked",
                                       "output_limit",
                                       "call",
                                       "attempt_number",
                                       "action",
                                       "api_key",
                                       "labels",
                                       "quantities",
                                       "others",
                                       "booked",
                                       "held",
                                       "runs",
                                       "book_version",
                                       "rates",
                                       "policy_revision",
                                       "status",
                                       "latency_ms",
                                       "finish_reason",
                                       "error_class",
                                       "request_id",
                                       "response_id",
                                       "headroom",
                                       "approval",
                                       "process",
                                       "who",
                                       "why"};

std::string csv_cell(const Json& value) {
  if (value.is_null()) return "";
  std::string text = value.is_string() ? value.get<std::string>() : dump_json(value);
  // A spreadsheet must not take a text for a formula.
  if (value.is_string() && !text.empty() && std::string_view("=+-@").find(text[0]) != std::string_view::npos)
    text.insert(0, "'");
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

void print_csv_row(const LedgerRow& row) {
  const Json json = parse_json(to_json(row));
  std::string line;
  for (const char* column : csv_columns) {
    if (column != csv_columns[0]) line += ',';
    // Amounts are numbers for a spreadsheet even when negative.
    const auto& value = json.at(column);
    const std::string_view name = column;
    const bool amount = name == "actual" || name == "booked_usd" || name == "reported_difference" || name == "likely" ||
                        name == "ceiling";
    line += amount && value.is_string() ? value.get<std::string>() : csv_cell(value);
  }
  std::cout << line << "\n";
}

int print_denials(const Control& control, const LedgerOptions& options, const LedgerFilter& filter,
                  const Terminal& terminal) {
  const auto entries = control.denials(filter);
  if (!entries) return fail(entries.error());
  if (options.csv) std::cout << "id,first,last,count,code,cap,model,labels,message\n";
  for (const std::string& entry : *entries) {
    if (options.json) {
      std::cout << entry << "\n";
      continue;
    }
    const Json json = parse_json(entry);
    if (options.csv) {
      std::string line;
      for (const char* column : {"id", "first", "last", "count", "code", "cap", "model", "labels", "message"}) {
        line += (line.empty() ? "" : ",") + csv_cell(json.at(column));
      }
      std::cout << line << "\n";
      continue;
    }
    const auto count = json.at("count").get<std::int64_t>();
    const auto message = json.at("message").get<std::string>();
    std::cout << json.at("last").get<std::string>() << "  " << terminal.red(json.at("code").get<std::string>()) << "  "
              << json.at("id").get<std::string>() << (count > 1 ? "  " + std::to_string(count) + " times" : "")
              << "\n  " << printable(message.substr(0, message.find('\n'))) << "\n";  // lines to paste: farthing why
  }
  if (entries->empty() && !options.json && !options.csv) std::cout << "no refusals\n";
  return ok;
}

std::int64_t most_of(const LedgerOptions& options) {
  constexpr std::int64_t to_read = 20;
  return options.most.value_or(options.csv || options.json ? 0 : to_read);
}

Result<LedgerFilter> filter_of(const LedgerOptions& options) {
  LedgerFilter filter;
  if (!options.since.empty()) {
    const auto since = moment_of(options.since, options.where, /*past=*/true);
    if (!since) return since.error();
    filter.since_ms = *since;
  }
  if (!options.until.empty()) {
    const auto until = moment_of(options.until, options.where, /*past=*/true);
    if (!until) return until.error();
    filter.until_ms = *until;
  }
  auto labels = labels_of(options.labels);
  if (!labels) return labels.error();
  filter.labels = std::move(*labels);
  filter.model = options.model;
  filter.call = options.call;
  filter.run = options.run;
  filter.most = most_of(options);
  if (!options.how.empty()) {
    if (const Status known = filter.only(options.how); !known) return known.error();
  }
  if (options.denied && (!options.how.empty() || !filter.call.empty() || !filter.run.empty())) {
    return Error{
        Code::invalid_argument,
        "a refusal has no --how, --call or --run; --denied takes --since, --until, --label, --model and --most"};
  }
  return filter;
}

}  // namespace

int ledger(const LedgerOptions& options) {
  const Terminal terminal = Terminal::detect();
  auto filter = filter_of(options);
  if (!filter) return fail(filter.error());
  const auto control = open_control(options.where);
  if (!control) return fail(control.error());
  if (options.denied) return print_denials(**control, options, *filter, terminal);

  if (options.csv) {
    for (const char* column : csv_columns)
      std::cout << (column == csv_columns[0] ? "" : ",") << column;
    std::cout << "\n";
  }
  std::vector<std::vector<std::string>> rows;
  BookedSum total;
  bool unknown = false;
  bool more = false;
  const auto most = static_cast<std::size_t>(filter->most);
  const bool to_read = !options.csv && !options.json;
  if (to_read && most > 0) ++filter->most;  // is there one more?
  const Status read = (*control)->ledger(*filter, [&](const LedgerRow& row) {
    if (options.csv) {
      print_csv_row(row);
    } else if (options.json) {
      std::cout << to_json(row) << "\n";
    } else if (most > 0 && rows.size() == most) {
      more = true;
    } else {
      const CallContext none;
      const CallContext& context = row.context ? *row.context : none;
      const bool correction = row.kind != RowKind::attempt;
      const std::string cost = correction   ? to_text(Usd{row.booked[Meter::usd]})
                               : row.actual ? to_text(*row.actual)
                                            : "unknown";
      total.add(row);
      unknown = unknown || (!correction && !row.actual);
      rows.push_back({iso_utc(correction ? row.settled_ms : row.reserved_ms), to_text(row.id), context.model,
                      correction ? (row.kind == RowKind::adjust ? "adjust" : "book") : std::string(how_text(row.how)),
                      row.ceiling ? to_text(*row.ceiling) : "", cost,
                      std::to_string(meters_of(row.quantities)[Meter::input_tokens]),
                      std::to_string(meters_of(row.quantities)[Meter::output_tokens]), given_labels(context.labels)});
    }
    return static_cast<bool>(std::cout);
  });
  if (!read) return fail(read.error());
  if (!to_read) return ok;
  if (rows.empty()) {
    std::cout << "no entries\n";
    return ok;
  }
  std::cout << table({"when", "attempt", "model", "how", ">at most", ">cost USD", ">input", ">output", "labels"}, rows);
  std::cout << (more ? "the newest " : "") << rows.size() << (rows.size() == 1 ? " entry, " : " entries, ")
            << to_text(total.usd()) << " USD" << (unknown ? " and calls of unknown cost" : "")
            << (more ? "   (more: --most N, 0 = all)" : "") << "\n";
  return ok;
}

}  // namespace farthing::cli
