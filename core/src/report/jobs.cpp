// Pending jobs (R17): listed, and ended by a person.
#include "farthing/control.h"
#include "report/text.h"
#include "report/who.h"
#include "store/store.h"

namespace farthing {

Result<std::vector<JobView>> Control::jobs() const {
  return store_->jobs();
}

Result<JobView> Control::end_job(const std::string& id, std::optional<Usd> actual, const ChangeNote& note) {
  auto pending = jobs();
  if (!pending) return pending.error();
  const JobView* found = nullptr;
  for (const JobView& view : *pending) {
    if (view.job.id != id && to_text(view.job.attempt) != id) continue;
    if (found != nullptr) {
      return Error{Code::invalid_argument, "several hosts have a job " + id + ": give its attempt, which is " +
                                               to_text(found->job.attempt) + " on " + found->job.host + " and " +
                                               to_text(view.job.attempt) + " on " + view.job.host};
    }
    found = &view;
  }
  if (found == nullptr) {
    return Error{Code::unknown_job, "no job \"" + id + "\" is pending in " + store_->info().location + "; " +
                                        std::to_string(pending->size()) + " are (farthing jobs)"};
  }
  const auto ended = store_->end_job(found->job.host, found->job.id, actual, report::who_of(note), note.why);
  if (!ended) return ended.error();
  return *found;
}

std::string to_json(const JobView& view) {
  static const CallContext none;
  const CallContext& context = view.row.context ? *view.row.context : none;
  OrderedJson json;
  json["job"] = view.job.id;
  json["kind"] = view.job.kind;
  json["host"] = view.job.host;
  json["attempt"] = to_text(view.job.attempt);
  json["state"] = view.row.how == How::open ? "pending" : "expired";
  json["model"] = context.model;
  report::put_amount(json, "held", Meter::usd, view.row.held[Meter::usd]);
  report::put_time(json, "reserved_at", view.row.reserved_ms);
  report::put_time(json, "deadline", view.deadline_ms);
  json["slot"] = view.slot && view.row.held[Meter::concurrent] > 0;
  json["labels"] = report::parsed(context.labels_json.empty() ? context.labels.to_json() : context.labels_json);
  return dump_json(json);
}

}  // namespace farthing
