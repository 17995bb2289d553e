#include <iostream>
#include <limits>

#include "../commands.h"
#include "../json.h"
#include "../terminal.h"
#include "farthing/time_text.h"

namespace farthing::cli {

namespace {

std::string values_text(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values)
    text += (text.empty() ? "" : ", ") + value;
  return text;
}

std::string counter_text(const std::vector<std::pair<std::string, std::string>>& counter) {
  std::string text;
  for (const auto& [kind, value] : counter)
    text += (text.empty() ? "" : ", ") + kind + "=" + value;
  return text;
}

Json cap_json(const RegisteredCapView& view) {
  Json limits = Json::array();
  for (const auto& [values, limit] : view.cap.limits)
    limits.push_back({{"values", values}, {"limit", limit_text(view.cap.meter, limit)}});
  Json changes = Json::array();
  for (const LimitChange& change : view.changes)
    changes.push_back(parse_json(to_json(view.cap.meter, change)));
  return {{"cap", view.cap.id},
          {"words", view.words},
          {"meter", meter_text(view.cap.meter)},
          {"limit", limit_text(view.cap.meter, view.limit)},
          {"baseline", view.baseline ? Json(limit_text(view.cap.meter, *view.baseline)) : Json(nullptr)},
          {"each", view.cap.each},
          {"limits", std::move(limits)},
          {"changes", std::move(changes)},
          {"policies", view.documents}};
}

/// What `cap set` and `cap clear` did.
std::string done_text(const LimitSet& done) {
  const std::string counter = counter_text(done.counter);
  return (is_made_id(done.cap_id) ? "the cap of " + done.words : "cap \"" + done.cap_id + "\" (" + done.words + ")") +
         (counter.empty() ? "" : ", for " + counter) + ": " + limit_text(done.meter, done.before) + " -> " +
         limit_text(done.meter, done.after);
}

/// "user=u42" names its kind; "u42" is of the only one.
Result<CounterValues> counter_values(const std::vector<std::string>& given) {
  CounterValues values;
  for (const std::string& text : given) {
    auto pair = text.find('=') == std::string::npos ? Result(std::pair{std::string(), text}) : pair_of(text);
    if (!pair) return pair.error();
    values.push_back(std::move(*pair));
  }
  return values;
}

}  // namespace

int cap_list(const CapOptions& options) {
  const auto control = open_control(options.where);
  if (!control) return fail(control.error());
  const auto caps = (*control)->caps();
  if (!caps) return fail(caps.error());
  if (options.json) {
    Json list = Json::array();
    for (const RegisteredCapView& view : *caps)
      list.push_back(cap_json(view));
    std::cout << dump_json(list) << "\n";
    return ok;
  }
  if (caps->empty()) std::cout << "no caps are registered in this store\n";
  for (const RegisteredCapView& view : *caps) {
    std::string text = view.words + "\n";
    if (!is_made_id(view.cap.id)) text += "  id      " + view.cap.id + "\n";
    for (const auto& [values, limit] : view.cap.limits)
      text += "  limit   " + values_text(values) + ": " + limit_text(view.cap.meter, limit) + "\n";
    for (const LimitChange& change : view.changes) {
      text += "  set     " + (change.counter.empty() ? "" : counter_text(change.counter) + ": ") +
              limit_change_words(view.cap.meter, change) + "\n";
    }
    text += "  policy  " + values_text(view.documents) + "\n";
    std::cout << printable(text, true);
  }
  return ok;
}

int cap_set(const CapOptions& options) {
  const auto counter = counter_values(options.counter);
  if (!counter) return fail(counter.error());
  std::optional<std::int64_t> until;
  if (!options.until.empty()) {
    const auto time = moment_of(options.until, options.where, /*past=*/false);
    if (!time) return fail(time.error());
    until = *time;
  }
  const auto control = open_control(options.where);
  if (!control) return fail(control.error());
  const auto done = (*control)->set_limit(options.cap, *counter, options.limit, until, options.note, CapBy::part);
  if (!done) return fail(done.error());
  std::cout << printable(done_text(*done)) << (until ? " until " + iso_utc(*until) : "")
            << "\nin force on the next call of every process on this store\n";
  return ok;
}

int cap_clear(const CapOptions& options) {
  const auto counter = counter_values(options.counter);
  if (!counter) return fail(counter.error());
  const auto control = open_control(options.where);
  if (!control) return fail(control.error());
  const auto done = (*control)->clear_limit(options.cap, *counter, options.note, CapBy::part);
  if (!done) return fail(done.error());
  std::cout << printable(done_text(*done)) << "\nin force on the next call of every process on this store\n";
  return ok;
}

int cap_log(const CapLogOptions& options) {
  const auto control = open_control(options.where);
  if (!control) return fail(control.error());
  const auto changes = (*control)->changes(static_cast<std::size_t>(options.most));
  if (!changes) return fail(changes.error());
  std::vector<std::vector<std::string>> rows;
  for (const Change& change : *changes) {
    if (options.json) {
      const Json json = {{"at", iso_utc(change.at_ms)},
                         {"at_ms", change.at_ms},
                         {"who", change.who},
                         {"what", change.what},
                         {"why", change.why}};
      std::cout << dump_json(json) << "\n";
    }
    rows.push_back({iso_utc(change.at_ms), change.who, change.what, change.why});
  }
  if (!options.json) std::cout << (rows.empty() ? "no changes\n" : table({"when", "who", "what", "why"}, rows));
  return ok;
}

int cap_suggest(const SuggestCapsOptions& options) {
  SuggestOptions suggest;
  const auto since = moment_of(options.since, options.where, /*past=*/true);
  if (!since) return fail(since.error());
  suggest.since_ms = *since;
  const auto policy = policy_of(options.where);
  if (!policy) return fail(policy.error());
  if (*policy) suggest.zone = (*policy)->timezone;  // where the caps are going to stand
  const auto control = open_control(options.where);
  if (!control) return fail(control.error());
  const auto found = (*control)->suggest_caps(suggest);
  if (!found) return fail(found.error());
  std::cout << (options.json ? found->to_json() + "\n" : found->to_toml());
  return ok;
}

}  // namespace farthing::cli
