#include <iostream>

#include "../commands.h"
#include "../terminal.h"
#include "farthing/time_text.h"

namespace farthing::cli {

int jobs(const JobsOptions& options) {
  const Terminal terminal = Terminal::detect();
  const auto control = open_control(options.where);
  if (!control) return fail(control.error());
  const auto pending = (*control)->jobs();
  if (!pending) return fail(pending.error());
  if (options.json) {
    for (const JobView& view : *pending)
      std::cout << to_json(view) << "\n";
    return ok;
  }
  if (pending->empty()) {
    std::cout << "no job is pending\n";
    return ok;
  }
  const auto status = (*control)->status();
  if (!status) return fail(status.error());
  std::vector<std::vector<std::string>> rows;
  for (const JobView& view : *pending) {
    const bool open = view.row.how == How::open;
    const std::int64_t left_ms = view.deadline_ms - status->now_ms;
    rows.push_back({view.job.id, view.job.kind, view.job.host, view.row.context ? view.row.context->model : "",
                    to_text(Usd{view.row.held[Meter::usd]}), duration_words(status->now_ms - view.row.reserved_ms),
                    open ? "in " + duration_words(left_ms) : terminal.yellow("passed: charged"),
                    view.row.context ? given_labels(view.row.context->labels) : ""});
  }
  std::cout << table({"job", "kind", "host", "model", ">held USD", ">age", "deadline", "labels"}, rows)
            << "A poll by any guarded client settles them; farthing jobs end JOB ends one that nobody polls.\n";
  return ok;
}

int jobs_end(const JobsEndOptions& options) {
  std::optional<Usd> amount;
  if (!options.amount.empty()) {
    const auto parsed = parse_usd(options.amount);
    if (!parsed) return fail(parsed.error());
    amount = *parsed;
  }
  const auto control = open_control(options.where);
  if (!control) return fail(control.error());
  const auto ended = (*control)->end_job(options.id, amount, options.note);
  if (!ended) return fail(ended.error());
  std::cout << "job " << printable(ended->job.id) << " is over: "
            << (amount ? "it costs " + to_text(*amount) + " USD"
                : ended->row.how == How::open
                    ? "charged at its hold, " + to_text(Usd{ended->row.held[Meter::usd]}) + " USD"
                    : "it was charged at its hold when its deadline passed")
            << "\n";
  return ok;
}

}  // namespace farthing::cli
