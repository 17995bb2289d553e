#include <iostream>
#include <nlohmann/json.hpp>

#include "../commands.h"
#include "../terminal.h"
#include "farthing/time_text.h"

namespace farthing::cli {

int cap_list(const CapOptions& options) {
  const auto control = open_control(options.where);
  if (!control) return fail(control.error());
  const auto caps = (*control)->caps();
  if (!caps) return fail(caps.error());
  if (options.json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const RegisteredCapView& view : *caps) {
      list.push_back(
          {{"cap", view.cap.id},
           {"words", view.words},
           {"meter", meter_text(view.cap.meter)},
           {"limit", limit_text(view.cap.meter, view.limit)},
           {"baseline", view.baseline ? nlohmann::ordered_json(limit_text(view.cap.meter, *view.baseline)) : nullptr},
           {"policies", view.documents}});
    }
    std::cout << list.dump() << "\n";
    return ok;
  }
  if (caps->empty()) std::cout << "no caps are registered in this store\n";
  for (const RegisteredCapView& view : *caps) {
    std::cout << view.words << "\n  id     " << view.cap.id << "\n";
    if (view.baseline) {
      std::cout << "  limit  " << limit_text(view.cap.meter, view.limit) << " instead of "
                << limit_text(view.cap.meter, *view.baseline) << "\n";
    }
    std::cout << "  policy ";
    for (std::size_t i = 0; i < view.documents.size(); ++i)
      std::cout << (i == 0 ? "" : ", ") << view.documents[i];
    std::cout << "\n";
  }
  return ok;
}

int cap_set(const CapOptions& options) {
  std::optional<std::int64_t> until;
  if (!options.until.empty()) {
    const auto time = time_of(options.until, system_clock()->wall_ms(), /*past=*/false);
    if (!time) return fail(time.error());
    until = *time;
  }
  const auto control = open_control(options.where);
  if (!control) return fail(control.error());
  const Status done = (*control)->set_limit(options.cap, options.counter, options.limit, until, options.note);
  if (!done) return fail(done.error());
  std::cout << "limit set, in force on the next call of every process on this store"
            << (until ? " until " + iso_utc(*until) : "") << "\n";
  return ok;
}

int cap_clear(const CapOptions& options) {
  const auto control = open_control(options.where);
  if (!control) return fail(control.error());
  const Status done = (*control)->clear_limit(options.cap, options.counter, options.note);
  if (!done) return fail(done.error());
  std::cout << "the limit of the policy is in force again\n";
  return ok;
}

int cap_suggest(const SuggestCapsOptions& options) {
  SuggestOptions suggest;
  const auto since = time_of(options.since, system_clock()->wall_ms(), /*past=*/true);
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
