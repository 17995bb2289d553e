#include "report/why.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "report/text.h"

namespace farthing::report {

namespace {

std::string money(const std::optional<Usd>& amount) {
  return amount ? to_text(*amount) + " USD" : "unknown";
}

/// How an attempt ended, as a sentence.
std::string_view ending(How how) {
  switch (how) {
    case How::open:
      return "not settled yet: its hold is set aside";
    case How::usage:
      return "settled with the provider's final usage";
    case How::counted:
      return "no final usage: charged by what was asked for, or by an upper bound of what was produced (R24)";
    case How::hold:
      return "outcome unknown: the whole hold is charged (R23)";
    case How::ended:
      return "ended by hand at what a person said it cost (R17)";
    case How::provider_error:
      return "the provider answered with its own error: nothing is charged (R23)";
    case How::released:
      return "never sent: nothing is charged";
    case How::expired:
      return "nobody settled it in time: the whole hold is charged (R17)";
    case How::voided:
      return "released before it was reserved: nothing was held (R18)";
    case How::unheld:
      return "sent without a hold while the store was away (R26)";
  }
  return "";
}

/// What the provider said that it charged, next to what the book says.
std::string reported(const LedgerRow& row) {
  const std::int64_t nano = row.reported_difference->nano;
  if (nano == 0) return "by the provider itself, as the price book says";
  const std::string_view side =
      nano > 0 ? " USD above what the price book says" : " USD below what the price book says";
  return "by the provider itself, " + to_text(Usd{nano > 0 ? nano : -nano}) + std::string(side);
}

void add_line(std::string& text, const std::string& name, const std::string& value) {
  if (!value.empty()) text += "  " + name + std::string(name.size() < 12 ? 12 - name.size() : 1, ' ') + value + "\n";
}

void add_row(std::string& text, const LedgerRow& row) {
  const CallContext none;
  const CallContext& context = row.context ? *row.context : none;
  const auto line = [&text](const std::string& name, const std::string& value) { add_line(text, name, value); };
  if (row.kind != RowKind::attempt) {
    text += row.kind == RowKind::adjust
                ? "adjusted " + iso_utc(row.settled_ms) + ", in the windows of " + iso_utc(row.reserved_ms) + "\n"
                : "booked " + iso_utc(row.reserved_ms) + "\n";
    line("cost", row.kind == RowKind::adjust ? money(row.actual) : "");
    line("difference", to_text(Usd{row.booked[Meter::usd]}) + " USD");
    line("who", row.who);
    line("why", row.why);
    return;
  }
  text += "attempt " + to_text(row.id) + ", " + iso_utc(row.reserved_ms) + "\n";
  std::string model = context.model;
  if (!context.model_asked.empty() && context.model_asked != context.model)
    model += " (asked as " + context.model_asked + ")";
  if (!row.model_served.empty() && row.model_served != context.model) model += ", served by " + row.model_served;
  line("model", model);
  line("endpoint", context.endpoint + (context.provider.empty() ? "" : " at " + context.provider));
  line("outcome", std::string(ending(row.how)));
  line("cost", row.how == How::open ? "" : money(row.actual));
  if (row.reported_difference) line("reported", reported(row));
  line("estimate", "likely " + money(row.likely) + ", at most " + money(row.ceiling) + " (" + row.confidence + ")");
  line("held", money(Usd{row.held[Meter::usd]}));
  if (row.output_limit != 0 && row.output_limit != row.output_limit_asked) {
    line("output", "limited to " + std::to_string(row.output_limit) + " tokens" +
                       (row.output_limit_asked == 0 ? ", the request had no limit"
                                                    : ", asked " + std::to_string(row.output_limit_asked)));
  }
  std::string usage;
  for (std::size_t i = 0; i < quantity_count; ++i) {
    const auto quantity = static_cast<Quantity>(i);
    if (row.quantities[quantity] == 0) continue;
    usage += (usage.empty() ? "" : ", ") + std::to_string(row.quantities[quantity]) + " " +
             std::string(quantity_text(quantity));
  }
  line("usage", usage);
  line("labels", context.labels_json.empty() ? context.labels.to_json() : context.labels_json);
  std::string runs;
  for (const auto& [id, task] : row.runs)
    runs += (runs.empty() ? "" : " > ") + task + " (" + id + ")";
  line("runs", runs);
  line("call", row.call + (row.attempt_number > 1 ? ", attempt " + std::to_string(row.attempt_number) : ""));
  line("answer", row.status == 0 ? ""
                                 : "HTTP " + std::to_string(row.status) + " after " + std::to_string(row.latency_ms) +
                                       " ms" + (row.error_class.empty() ? "" : ", " + row.error_class));
  line("request", row.request_id);
  line("response", row.response_id);
  line("prices", context.book_version + (context.rates_json.empty() ? "" : " " + context.rates_json));
}

void add_denial(std::string& text, const DenialEntry& entry, AttemptId asked) {
  if (entry.count > 1) {
    text += "refused " + to_text(asked) + ", one of " + std::to_string(entry.count) + " equal refusals from " +
            iso_utc(entry.first_ms) + " to " + iso_utc(entry.last_ms) +
            (asked == entry.id ? ", the newest" : "; the newest, " + to_text(entry.id) + ", was told:") + "\n";
  } else {
    text += "refused " + to_text(entry.id) + ", " + iso_utc(entry.last_ms) + "\n";
  }
  add_line(text, "model", entry.model);
  add_line(text, "labels", entry.labels_json);
  text += "  ";
  for (const char c : entry.message)
    text += c == '\n' ? std::string("\n  ") : std::string(1, c);
  text += "\n";
}

OrderedJson denial_json(const DenialEntry& entry) {
  OrderedJson json;
  json["id"] = to_text(entry.id);
  OrderedJson others = OrderedJson::array();
  for (const AttemptId other : entry.others)
    others.push_back(to_text(other));
  json["other_ids"] = std::move(others);
  put_time(json, "first", entry.first_ms);
  put_time(json, "last", entry.last_ms);
  json["count"] = entry.count;
  json["code"] = code_text(entry.code);
  json["cap"] = entry.cap_id;
  json["model"] = entry.model;
  json["labels"] = parsed(entry.labels_json);
  json["message"] = entry.message;
  json["body"] = parsed(entry.body);
  return json;
}

}  // namespace

namespace {

bool is_the_providers(const LedgerRow& row, const std::string& id) {
  return row.response_id == id || row.request_id == id;
}

/// Those of the rows that are not over (R17).
std::vector<JobView> jobs_of(Store& store, const std::vector<LedgerRow>& rows) {
  std::vector<JobView> found;
  const auto jobs = store.jobs();
  if (!jobs) return found;
  std::copy_if(jobs->begin(), jobs->end(), std::back_inserter(found), [&](const JobView& view) {
    return std::any_of(rows.begin(), rows.end(), [&](const LedgerRow& row) { return row.id == view.job.attempt; });
  });
  return found;
}

void add_job(std::string& text, const JobView& view) {
  const Job& job = view.job;
  const bool open = view.row.how == How::open;
  text += job.kind + " " + job.id + " of " + job.host + (open ? " is not over: " : " was not over in time: ");
  text += "a poll by any guarded client " + std::string(open ? "settles" : "corrects") + " it; its deadline " +
          (open ? "is " : "was ") + iso_utc(view.deadline_ms) + ". Without a poll: farthing jobs end " + job.id + "\n";
}

}  // namespace

std::string denial_entry_json(const DenialEntry& entry) {
  return dump_json(denial_json(entry));
}

Result<WhyReport> why_of(Store& store, const std::string& id) {
  std::vector<LedgerRow> rows;
  const auto collect = [&rows](const LedgerRow& row) {
    rows.push_back(row);
    return rows.size() < 1000;
  };
  const auto attempt = parse_attempt_id(id);  // ids of calls look the same
  if (attempt) {
    LedgerFilter filter;
    filter.id = *attempt;
    if (const Status read = store.ledger(filter, collect); !read) return read.error();
  }
  if (rows.empty()) {
    LedgerFilter filter;
    filter.call = id;
    if (const Status read = store.ledger(filter, collect); !read) return read.error();
  }
  if (const auto holds = store.holds(); holds) {
    for (const HoldView& hold : *holds) {
      const LedgerRow& row = hold.draft;
      if ((attempt && row.id == *attempt) || row.call == id || is_the_providers(row, id)) rows.push_back(row);
    }
  }
  if (rows.empty() && !attempt) {  // a provider's id: no index, so only the newest rows are looked through
    LedgerFilter newest;
    newest.most = 100'000;
    const Status read = store.ledger(newest, [&](const LedgerRow& row) {
      if (is_the_providers(row, id)) rows.push_back(row);
      return rows.empty();
    });
    if (!read) return read.error();
  }
  std::vector<DenialEntry> refusals;
  if (attempt) {
    if (const auto denials = store.denials(max_denials); denials) {
      std::copy_if(denials->begin(), denials->end(), std::back_inserter(refusals),
                   [&](const DenialEntry& entry) { return entry.is_of(*attempt); });
    }
  }
  if (rows.empty() && refusals.empty()) {
    return Error{Code::unknown_attempt,
                 "nothing is known of \"" + id + "\" in " + store.info().location +
                     ": give an attempt id (13 characters, as in `farthing ledger` and the x-farthing-attempt "
                     "header), a call id, or the provider's id of a response, job or request. Of equal refusals within "
                     "a minute the ids "
                     "of the newest " +
                     std::to_string(max_denial_ids) + " are kept"};
  }
  std::sort(rows.begin(), rows.end(), [](const LedgerRow& a, const LedgerRow& b) {
    return std::pair(a.reserved_ms, a.id.value) < std::pair(b.reserved_ms, b.id.value);
  });

  WhyReport report;
  OrderedJson json{
      {"id", id}, {"rows", OrderedJson::array()}, {"jobs", OrderedJson::array()}, {"denials", OrderedJson::array()}};
  for (const LedgerRow& row : rows) {
    add_row(report.text, row);
    json["rows"].push_back(parse_ordered_json(to_json(row)));
  }
  for (const JobView& view : jobs_of(store, rows)) {
    add_job(report.text, view);
    json["jobs"].push_back(parse_ordered_json(to_json(view)));
  }
  if (rows.size() > 1) {
    // Of an attempt and its corrections, or of a call's attempts.
    BookedSum counted;
    for (const LedgerRow& row : rows)
      counted.add(row);
    report.text += "in all, as the caps count it: " + to_text(counted.usd()) + " USD\n";
    put_usd(json, "counted", counted.usd());
  }
  for (const DenialEntry& entry : refusals) {
    add_denial(report.text, entry, *attempt);
    json["denials"].push_back(denial_json(entry));
  }
  report.json = dump_json(json);
  return report;
}

}  // namespace farthing::report
