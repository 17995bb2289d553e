// Looking at a store and changing what people change at run time, as methods of `_farthing.Guard` (farthing/control.h).
#include <pybind11/stl.h>

#include "convert.h"
#include "farthing/endpoint.h"

namespace farthing::python {
namespace {

using GlobLists = std::vector<std::pair<std::string, std::vector<std::string>>>;

py::dict status(const GuardRef& self) {
  const StatusReport report = value_or_raise(unlocked([&] { return self.guard->control()->status(); }));
  py::dict dict;
  dict["store"] = text(report.store);
  dict["store_id"] = text(report.store_id);
  dict["now_ms"] = report.now_ms;
  py::list counters;
  for (const StatusCounter& counter : report.counters) {
    py::dict one;
    one["cap"] = cap_left(counter.cap);
    one["words"] = text(counter.words);
    one["baseline"] = counter.baseline ? amount(counter.cap.meter, *counter.baseline) : py::none();
    one["unknown"] = amount(counter.cap.meter, counter.unknown);
    one["window_start_ms"] = counter.window_start_ms;
    one["counted_since_ms"] = integer(counter.counted_since_ms);
    counters.append(one);
  }
  dict["counters"] = counters;
  py::list halts;
  for (const StatusHalt& halt : report.halts) {
    halts.append(py::make_tuple(halt.id, text(halt.match_json), text(halt.who), text(halt.why), halt.at_ms));
  }
  dict["halts"] = halts;
  dict["open_holds"] = report.open_holds;
  dict["pending_jobs"] = report.pending_jobs;
  dict["expired_jobs"] = report.expired_jobs;
  dict["stale_streams"] = report.stale_streams;
  dict["notes"] = py::cast(report.notes);
  return dict;
}

py::dict row_dict(const LedgerRow& row) {
  static const CallContext nothing;
  const CallContext& context = row.context ? *row.context : nothing;
  py::dict dict;
  dict["id"] = text(to_text(row.id));
  dict["kind"] = text(row.kind == RowKind::attempt ? "attempt" : row.kind == RowKind::adjust ? "adjust" : "book");
  dict["of"] = row.of.value == 0 ? py::str() : text(to_text(row.of));
  dict["call"] = text(row.call);
  dict["action"] = text(row.action);
  dict["runs"] = py::cast(row.runs);
  dict["labels"] = dict_of(context.labels.entries());
  dict["provider"] = text(context.provider);
  dict["host"] = text(context.host);
  dict["endpoint"] = text(context.endpoint);
  dict["modality"] = text(context.modality);
  dict["model"] = text(context.model);
  dict["model_asked"] = text(context.model_asked);
  dict["model_served"] = text(row.model_served);
  dict["key_name"] = text(context.key_name);
  dict["reserved_ms"] = row.reserved_ms;
  dict["settled_ms"] = row.settled_ms;
  dict["attempt_number"] = row.attempt_number;
  dict["likely_usd"] = usd(row.likely);
  dict["ceiling_usd"] = usd(row.ceiling);
  dict["actual_usd"] = usd(row.actual);
  dict["reported_difference_usd"] = usd(row.reported_difference);
  dict["held"] = amounts(row.held);
  dict["booked"] = amounts(row.booked);
  dict["how"] = text(how_text(row.how));
  dict["quantities"] = quantities(row.quantities);
  py::list others;
  for (const ModelUse& use : row.others)
    others.append(py::make_tuple(text(use.model), quantities(use.quantities)));
  dict["others"] = others;
  dict["output_limit_asked"] = row.output_limit_asked;
  dict["output_limit"] = row.output_limit;
  dict["confidence"] = text(row.confidence);
  dict["tier_asked"] = text(row.tier_asked);
  dict["tier_served"] = text(row.tier_served);
  dict["request_id"] = text(row.request_id);
  dict["response_id"] = text(row.response_id);
  dict["status"] = row.status;
  dict["latency_ms"] = row.latency_ms;
  dict["finish_reason"] = text(row.finish_reason);
  dict["error_class"] = text(row.error_class);
  dict["headroom"] = text(row.headroom);
  dict["book_version"] = text(context.book_version);
  dict["rates"] = text(context.rates_json);
  dict["policy_revision"] = row.policy_revision;
  dict["approval"] = text(row.approval);
  dict["process"] = text(row.process);
  dict["who"] = text(row.who);
  dict["why"] = text(row.why);
  return dict;
}

/// The rows as they were when asked for; each becomes a Python object only when it is taken.
class Rows {
 public:
  explicit Rows(std::vector<LedgerRow> rows) : rows_(std::move(rows)) {}
  py::dict next() {
    if (at_ == rows_.size()) throw py::stop_iteration();
    return row_dict(rows_[at_++]);
  }

 private:
  std::vector<LedgerRow> rows_;
  std::size_t at_ = 0;
};

Rows ledger(const GuardRef& self, std::optional<std::int64_t> since_ms, std::optional<std::int64_t> until_ms,
            const Pairs& labels, const std::string& model, const std::string& call, const std::string& run,
            const std::string& how, const std::string& id, std::int64_t most) {
  LedgerFilter filter;
  filter.since_ms = since_ms;
  filter.until_ms = until_ms;
  filter.labels = labels_of(labels);
  filter.model = model;
  filter.call = call;
  filter.run = run;
  filter.most = most;
  if (!id.empty()) filter.id = value_or_raise(parse_attempt_id(id));
  if (!how.empty()) check(filter.only(how));
  std::vector<LedgerRow> rows;
  check(unlocked([&] {
    return self.guard->control()->ledger(filter, [&](const LedgerRow& row) {
      rows.push_back(row);
      return true;
    });
  }));
  return Rows(std::move(rows));
}

}  // namespace

void bind_control(py::class_<GuardRef>& guard) {
  py::class_<Rows>(guard, "Rows", plain_type())
      .def("__iter__", [](py::object self) { return self; })
      .def("__next__", &Rows::next);
  guard.def("status", status)
      .def("ledger", ledger, py::arg("since_ms"), py::arg("until_ms"), py::arg("labels"), py::arg("model"),
           py::arg("call"), py::arg("run"), py::arg("how"), py::arg("id"), py::arg("most"))
      .def(
          "denials",
          [](const GuardRef& self, std::int64_t most) {
            LedgerFilter filter;
            filter.most = most;
            return value_or_raise(unlocked([&] { return self.guard->control()->denials(filter); }));
          },
          py::arg("most"))
      .def(
          "changes",
          [](const GuardRef& self, std::size_t most) {
            py::list list;
            for (const Change& change : value_or_raise(unlocked([&] { return self.guard->control()->changes(most); })))
              list.append(py::make_tuple(change.at_ms, text(change.who), text(change.what), text(change.why)));
            return list;
          },
          py::arg("most"))
      .def("jobs",
           [](const GuardRef& self) {
             std::vector<std::string> list;
             for (const JobView& view : value_or_raise(unlocked([&] { return self.guard->control()->jobs(); })))
               list.push_back(to_json(view));
             return list;
           })
      .def(
          "end_job",
          [](const GuardRef& self, const std::string& id, const std::optional<std::string>& amount,
             const std::string& who, const std::string& why) {
            std::optional<Usd> actual;
            if (amount) actual = value_or_raise(parse_usd(*amount));
            value_or_raise(unlocked([&] { return self.guard->control()->end_job(id, actual, {who, why}); }));
          },
          py::arg("id"), py::arg("amount"), py::arg("who"), py::arg("why"))
      .def(
          "why",
          [](const GuardRef& self, const std::string& id) {
            return value_or_raise(unlocked([&] { return self.guard->control()->why(id); })).text;
          },
          py::arg("id"))
      .def(
          "halt",
          [](const GuardRef& self, const GlobLists& match, const std::string& who, const std::string& why) {
            const Match matched = match_of(match);
            const std::int64_t id =
                value_or_raise(unlocked([&] { return self.guard->control()->halt(matched, {who, why}); }));
            // The halt is in force: what cannot be doubted for want of the store is not.
            const auto doubts =
                unlocked([&] { return self.guard->control()->doubts_of_halt(matched, endpoint_names()); });
            return py::make_tuple(id, doubts ? *doubts : std::vector<std::string>());
          },
          py::arg("match"), py::arg("who"), py::arg("why"))
      .def(
          "resume",
          [](const GuardRef& self, std::optional<std::int64_t> id, const std::string& who, const std::string& why) {
            check(unlocked([&] { return self.guard->control()->resume(id, {who, why}); }));
          },
          py::arg("id"), py::arg("who"), py::arg("why"))
      .def(
          "set_limit",
          [](const GuardRef& self, const std::string& cap, const CounterValues& each, const std::string& limit,
             std::optional<std::int64_t> until_ms, const std::string& who, const std::string& why) {
            value_or_raise(
                unlocked([&] { return self.guard->control()->set_limit(cap, each, limit, until_ms, {who, why}); }));
          },
          py::arg("cap"), py::arg("each"), py::arg("limit"), py::arg("until_ms"), py::arg("who"), py::arg("why"))
      .def(
          "clear_limit",
          [](const GuardRef& self, const std::string& cap, const CounterValues& each, const std::string& who,
             const std::string& why) {
            value_or_raise(unlocked([&] { return self.guard->control()->clear_limit(cap, each, {who, why}); }));
          },
          py::arg("cap"), py::arg("each"), py::arg("who"), py::arg("why"));
}

}  // namespace farthing::python
