#include <array>

#include "farthing/suggest.h"
#include "farthing/time_text.h"
#include "policy/text.h"
#include "report/text.h"

namespace farthing {

namespace {

constexpr std::string_view alerts = "[50, 80]";

std::string literal(std::string_view text) {
  std::string out;
  append_json(out, text);  // what JSON escapes, TOML and Python do alike
  return out;
}

std::string date(std::int64_t day) {
  return iso_utc(day * 86'400'000).substr(0, 10);
}

std::string usd(Usd amount) {
  return to_text(amount) + " USD";
}

std::string count(std::int64_t number, std::string_view one, std::string_view several) {
  return std::to_string(number) + " " + std::string(number == 1 ? one : several);
}

std::string subject(std::string_view kind, const std::string& value) {
  return (kind == "api_key" ? "API key " : std::string(kind) + " ") + literal(value);
}

/// Before a call is sent its hold has to fit.
void add_admission(std::string& text, const SuggestedCap& cap) {
  if (!cap.of_spending) return;
  text += "# spending speaks for " + usd(*cap.of_spending) +
          ", but calls held more before they were sent: less than this limit would refuse or shorten them.\n"
          "# Requests with a lower output limit hold less\n";
}

/// The call that opens a task with this limit.
std::string code_of(const SuggestedCap& cap) {
  return "guard.task(" + literal(cap.value) + ", limit=" + literal(usd(cap.limit)) + ")";
}

std::string left_out(std::int64_t number, std::string_view one, std::string_view several) {
  return number == 0 ? "" : "; " + count(number, one, several) + " left out, with calls of unknown cost";
}

void add_basis(std::string& text, const SuggestedCap& cap) {
  if (cap.per == SuggestedFor::run) {
    text += "# " + count(cap.samples, "run", "runs") + ", median " + usd(cap.median) + ", 95 of 100 cost at most " +
            usd(cap.busiest) + left_out(cap.left_out, "run", "runs") + "\n";
    text += "# " + (cap.above == 0 ? "none" : std::to_string(cap.above)) + " of them cost more than this limit\n";
    return add_admission(text, cap);
  }
  text += "# " + count(cap.samples, "day", "days") + " with spending, median " + usd(cap.median) + "; " +
          (cap.per == SuggestedFor::day ? "busiest normal day " : "busiest 28 days ") + usd(cap.busiest) +
          (cap.per == SuggestedFor::day ? " (" : " (from ") + date(cap.busiest_day) + ")" +
          left_out(cap.left_out, "day", "days") + "\n";
  if (!cap.outliers.empty()) {
    const DaySpent* most = &cap.outliers.front();
    for (const DaySpent& day : cap.outliers)
      if (day.spent > most->spent) most = &day;
    text += "# not normal: " + count(static_cast<std::int64_t>(cap.outliers.size()), "day", "days") +
            (cap.outliers.size() == 1 ? ", " : ", the largest ") + usd(most->spent) + " (" + date(most->day) + ")\n";
  }
  add_admission(text, cap);
  if (cap.in_force) text += "# instead of " + usd(*cap.in_force) + ", which is in force\n";
}

void add_cap(std::string& text, const SuggestedCap& cap, const std::string& zone) {
  text += "\n";
  if (cap.per == SuggestedFor::run) {
    text += "# " + subject(cap.kind, cap.value) + ", per run: set where the task is opened\n";
    text += "#   " + code_of(cap) + "\n";
    return add_basis(text, cap);
  }
  const std::string per(suggested_for_text(cap.per));
  if (policy::has_wildcard(cap.value)) {
    text += "# " + subject(cap.kind, cap.value) + ", per " + per + ": " + usd(cap.limit) +
            ", not written as a cap: * and ? would match other names too\n";
    return add_basis(text, cap);
  }
  text += "[[cap]]  # " + subject(cap.kind, cap.value) + ", per " + per + "\n";
  add_basis(text, cap);
  text += "match = { " + cap.kind + " = " + literal(policy::kept(cap.value)) + " }\n";
  text += "limit = " + literal(usd(cap.limit)) + "\n";
  text += "per   = " + literal(per) + "\n";
  if (zone != "UTC") text += "timezone = " + literal(zone) + "\n";
  text += "alert = " + std::string(alerts) + "\n";
}

OrderedJson basis_json(const SuggestedCap& cap) {
  OrderedJson json;
  json["samples"] = cap.samples;
  json["left_out"] = cap.left_out;
  report::put_usd(json, "median", cap.median);
  report::put_usd(json, "busiest", cap.busiest);
  if (cap.per == SuggestedFor::run) {
    json["above"] = cap.above;
    return json;
  }
  json["busiest_day"] = date(cap.busiest_day);
  json["outliers"] = OrderedJson::array();
  for (const DaySpent& day : cap.outliers) {
    OrderedJson outlier{{"day", date(day.day)}};
    report::put_usd(outlier, "spent", day.spent);
    json["outliers"].push_back(std::move(outlier));
  }
  return json;
}

}  // namespace

std::string_view suggested_for_text(SuggestedFor per) {
  constexpr std::array<std::string_view, 3> texts = {"month", "day", "run"};
  return texts[static_cast<std::size_t>(per)];
}

std::string CapSuggestions::to_json() const {
  OrderedJson json;
  json["store"] = store;
  json["timezone"] = zone;
  json["entries"] = entries;
  report::put_usd(json, "spent", spent);
  json["unknown_cost"] = unknown_cost;
  report::put_time(json, "first", first_ms);
  report::put_time(json, "last", last_ms);
  json["caps"] = OrderedJson::array();
  for (const SuggestedCap& cap : caps) {
    OrderedJson one{{"kind", cap.kind}, {"value", cap.value}, {"per", suggested_for_text(cap.per)}};
    report::put_usd(one, "limit", cap.limit);
    report::put_usd(one, "of_spending", cap.of_spending);
    report::put_usd(one, "in_force", cap.in_force);
    one["code"] = cap.per == SuggestedFor::run ? OrderedJson(code_of(cap)) : OrderedJson(nullptr);
    one["basis"] = basis_json(cap);
    json["caps"].push_back(std::move(one));
  }
  json["too_little"] = OrderedJson::array();
  for (const TooLittleData& lack : too_little) {
    json["too_little"].push_back({{"kind", lack.kind},
                                  {"value", lack.value},
                                  {"per", suggested_for_text(lack.per)},
                                  {"unit", lack.unit},
                                  {"have", lack.have},
                                  {"need", lack.need},
                                  {"left_out", lack.left_out}});
  }
  json["toml"] = to_toml();
  return dump_json(json);
}

std::string CapSuggestions::to_toml() const {
  std::string text = "# " + count(entries, "entry", "entries") + " of " + literal(store);
  if (first_ms && last_ms)
    text += ", " + iso_utc(*first_ms).substr(0, 10) + " to " + iso_utc(*last_ms).substr(0, 10) + ", " + usd(spent);
  text += "\n";
  if (unknown_cost > 0) {
    text += "# " + count(unknown_cost, "call is", "calls are") +
            " of unknown cost: a cap in USD refuses such calls until their model has a price\n";
  }
  for (const SuggestedCap& cap : caps)
    add_cap(text, cap, zone);
  if (caps.empty()) text += "\n# no caps to suggest\n";
  if (too_little.empty()) return text;
  text += "\n# too little data:\n";
  for (const TooLittleData& lack : too_little) {
    text += "#   " + subject(lack.kind, lack.value) + " per " + std::string(suggested_for_text(lack.per)) + ": " +
            std::to_string(lack.need) + " " + lack.unit + " are needed, there " + (lack.have == 1 ? "is " : "are ") +
            std::to_string(lack.have) + left_out(lack.left_out, "other", "others") + "\n";
  }
  return text;
}

}  // namespace farthing
