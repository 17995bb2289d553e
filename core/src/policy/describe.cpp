#include "farthing/describe.h"

#include <utility>

namespace farthing {
namespace {

/// limit_words without the amount.
std::string window_words(const Cap& cap) {
  if (cap.meter == Meter::concurrent) return "at once";
  if (cap.window.per == Per::total) return "total";
  constexpr std::string_view per = " per ";
  const std::string words = limit_words(cap.meter, cap.limit, cap.window);
  return words.substr(words.find(per) + per.size());
}

std::string joined(const std::vector<std::string>& values, std::string_view between) {
  std::string out;
  for (const std::string& value : values) {
    if (!out.empty()) out += between;
    out += value;
  }
  return out;
}

std::string calls_words(const Match& match) {
  return match.of.empty() ? "all" : match.words();
}

std::string counters_words(const Cap& cap) {
  if (cap.each.empty()) return cap.window.per == Per::call ? "by itself" : "together";
  std::vector<std::string> notes;
  for (const auto& [values, limit] : cap.limits)
    notes.push_back(joined(values, ",") + ": " + limit_text(cap.meter, limit));
  if (cap.refuse_absent) notes.emplace_back("refused without");
  return "each " + joined(cap.each, " and ") + (notes.empty() ? "" : " (" + joined(notes, "; ") + ")");
}

std::string alerts_words(const std::vector<int>& alerts) {
  std::vector<std::string> parts;
  parts.reserve(alerts.size());
  for (const int percent : alerts)
    parts.push_back(std::to_string(percent));
  return parts.empty() ? "" : joined(parts, ", ") + " %";
}

}  // namespace

std::vector<CapDescription> describe(const Policy& policy) {
  std::vector<CapDescription> rows;
  for (const Cap& cap : policy.caps) {
    CapDescription row;
    row.number = rows.size();
    row.limit = limit_text(cap.meter, cap.limit);
    row.window = window_words(cap);
    row.calls = calls_words(cap.match);
    row.counters = counters_words(cap);
    row.alerts = alerts_words(cap.alert);
    row.id = cap.id_given ? cap.id : "";
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace farthing
