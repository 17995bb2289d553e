#include "farthing/denial.h"

#include <algorithm>

#include "farthing/time_text.h"
#include "report/text.h"

namespace farthing {

namespace {

/// Clocks of one machine differ by as much as they are corrected in small steps.
constexpr std::int64_t clock_noise_ms = 60'000;

std::string who(const RefusedCap& cap) {
  std::string text = cap.match.words();
  for (const auto& [kind, value] : cap.counter)
    text += (text.empty() ? "" : ", ") + kind + "=" + value;
  return text;
}

/// "5.00 USD per day, project=marketing"; of a task its limit only.
std::string words_of(const RefusedCap& cap) {
  std::string words = limit_text(cap.meter, cap.limit);
  if (cap.cap_id.starts_with("run:")) return words;
  if (cap.meter != Meter::concurrent)
    words += cap.per == Per::total ? " in total" : " per " + std::string(per_text(cap.per));
  const std::string name = who(cap);
  return name.empty() ? words : words + ", " + name;
}

std::string cap_sentence(const RefusedCap& cap) {
  std::string text = "the cap";
  if (cap.cap_id.starts_with("run:"))
    text = "task \"" + (cap.counter.empty() ? cap.cap_id : cap.counter.front().second) + "\"";
  else if (!is_made_id(cap.cap_id))
    text = "cap \"" + cap.cap_id + "\"";
  text += " (" + words_of(cap) + ")";
  if (cap.baseline) text += ", a limit set instead of " + limit_text(cap.meter, *cap.baseline) + ",";
  return text;
}

/// Beside the headline an id is enough, where there is one.
std::string other_name(const RefusedCap& cap) {
  return is_made_id(cap.cap_id) ? "the cap (" + words_of(cap) + ")" : "\"" + cap.cap_id + "\"";
}

/// It is not the amount that does not fit.
std::string too_many_counters(const RefusedCap& cap) {
  return cap_sentence(cap) +
         " counts as many values of their own as it may (max_counters = " + std::to_string(cap.max_counters) +
         "), and this call would be one more. Counters of windows that are over are "
         "deleted later. Raise max_counters, or send the call with a label that is counted already. [" +
         std::string(code_text(Code::too_many_counters)) + "]";
}

/// Who waits for them would wait for hours, and they are no calls that anybody sees.
std::string of_jobs(const std::vector<std::string>& jobs, bool more) {
  constexpr std::size_t shown = 3;
  std::string text = (more ? "More than " : "") + std::to_string(jobs.size()) +
                     (jobs.size() == 1 ? " slot is" : " slots are") + " held by " +
                     (jobs.size() == 1 ? "a job that is" : "jobs that are") + " not over (";
  for (std::size_t i = 0; i < jobs.size() && i <= shown; ++i)
    text += (i == 0 ? "" : ", ") + (i == shown ? "..." : jobs[i]);
  return text + "): farthing jobs lists them; a poll, or farthing jobs end JOB, frees its slot.";
}

}  // namespace

std::string denial_message(const Denial& denial) {
  std::string text;
  if (denial.caps.empty()) {
    text = denial.message;
  } else {
    const RefusedCap& cap = denial.caps.front();
    if (denial.code == Code::too_many_counters) return too_many_counters(cap);
    text = cap_sentence(cap) + " has " + limit_text(cap.meter, cap.remaining()) + " left; this call " +
           (cap.requested < cap.wanted ? "needs at least " : "can cost up to ") + limit_text(cap.meter, cap.requested) +
           " (spent " + amount_text(cap.meter, cap.spent) + ", reserved " + amount_text(cap.meter, cap.reserved);
    if (cap.unknown > 0) text += "; " + amount_text(cap.meter, cap.unknown) + " of it for calls of unknown outcome";
    text += ").";
    if (cap.resets_at_ms) {
      text +=
          " Resets " + iso_utc(*cap.resets_at_ms) + ", in " + duration_words(*cap.resets_at_ms - denial.at_ms) + ".";
    }
    if (denial.clock_ahead_ms > clock_noise_ms) {
      text += " This store's time is " + duration_words(denial.clock_ahead_ms) +
              " ahead of this machine's clock, which was once set forward: farthing store reset-clock.";
    }
    if (!denial.set_by.empty())
      text += " The policy " + denial.set_by + " set this limit on this store; farthing policy remove ends a policy.";
    if (denial.held) text += " Other calls hold what is missing: it would pass if they cost nothing.";
    if (denial.stale_streams > 0) {
      text += " " + std::to_string(denial.stale_streams) +
              " of the open calls are older than 120 s: a stream that nobody reads keeps its hold (close it).";
    }
    if (!denial.slot_jobs.empty()) text += " " + of_jobs(denial.slot_jobs, denial.more_slot_jobs);
    if (denial.fits_output_limit && *denial.fits_output_limit > 0 && !denial.output_limit_name.empty()) {
      text += " Would fit: " + denial.output_limit_name + "=" + std::to_string(*denial.fits_output_limit) + ".";
    }
    if (denial.caps.size() > 1) {
      text += " Also refused by:";
      for (std::size_t i = 1; i < denial.caps.size(); ++i)
        text += (i == 1 ? " " : ", ") + other_name(denial.caps[i]);
      text += ".";
    }
    if (!cap.message.empty()) text += " " + cap.message;
    if (!cap.help_url.empty()) text += " " + cap.help_url;
  }
  text += " [" + std::string(code_text(denial.code)) + "]";
  if (denial.paste.empty()) return text;
  text += "\nLines for the policy:";
  for (std::size_t at = 0; at < denial.paste.size();) {
    const std::size_t end = std::min(denial.paste.find('\n', at), denial.paste.size());
    text += "\n    " + denial.paste.substr(at, end - at);
    at = end + 1;
  }
  return text;
}

std::string Denial::to_json() const {
  OrderedJson details;
  details["attempt"] = attempt;
  report::put_time(details, "at", at_ms);
  details["model"] = model;
  details["held"] = held;
  const auto put_cap = [](OrderedJson& json, const RefusedCap& cap) {
    json["cap"] = cap.cap_id;
    json["level"] = cap.level;
    json["match"] = report::parsed(cap.match.to_json());
    OrderedJson counter = OrderedJson::object();
    for (const auto& [kind, value] : cap.counter)
      counter[kind] = value;
    json["counter"] = std::move(counter);
    json["meter"] = meter_text(cap.meter);
    json["per"] = per_text(cap.per);
    report::put_amount(json, "limit", cap.meter, cap.limit);
    if (cap.baseline) report::put_amount(json, "baseline", cap.meter, *cap.baseline);
    report::put_amount(json, "spent", cap.meter, cap.spent);
    report::put_amount(json, "reserved", cap.meter, cap.reserved);
    report::put_amount(json, "requested", cap.meter, cap.requested);
    report::put_amount(json, "wanted", cap.meter, cap.wanted);
    report::put_amount(json, "remaining", cap.meter, cap.remaining());
    report::put_amount(json, "unknown", cap.meter, cap.unknown);
    report::put_time(json, "resets_at", cap.resets_at_ms);
    json["held"] = cap.held;
    json["message"] = cap.message;
    json["help_url"] = cap.help_url;
    json["owner"] = cap.owner;
  };
  if (!caps.empty()) {
    const bool any_held = held;
    put_cap(details, caps.front());
    details["held"] = any_held;
    if (stale_streams > 0) details["stale_streams"] = stale_streams;
    if (!slot_jobs.empty()) details["slot_jobs"] = slot_jobs;
    if (more_slot_jobs) details["more_slot_jobs"] = true;
    if (clock_ahead_ms > clock_noise_ms) details["clock_ahead_ms"] = clock_ahead_ms;
  }
  OrderedJson fits = OrderedJson::object();
  if (fits_output_limit) fits["output_limit"] = *fits_output_limit;
  if (!output_limit_name.empty()) fits["output_limit_name"] = output_limit_name;
  if (!fits_models.empty()) fits["models"] = fits_models;
  details["fits"] = std::move(fits);
  OrderedJson all = OrderedJson::array();
  for (const RefusedCap& cap : caps) {
    OrderedJson entry;
    put_cap(entry, cap);
    all.push_back(std::move(entry));
  }
  details["caps"] = std::move(all);
  if (!near.empty()) details["near"] = near;
  if (!paste.empty()) details["paste"] = paste;
  const OrderedJson json{{"error",
                          {{"message", message},
                           {"type", "farthing_refusal"},
                           {"param", nullptr},
                           {"code", code_text(code)},
                           {"farthing", details}}}};
  return dump_json(json);
}

}  // namespace farthing
