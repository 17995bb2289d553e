#include "farthing/cap.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "policy/text.h"

namespace farthing {
namespace {

template <class T>
void sort_unique(std::vector<T>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

void normalise_match(Match& match) {
  std::map<std::string, std::vector<std::string>> merged;
  for (auto& [kind, globs] : match.of) {
    auto& all = merged[kind];
    all.insert(all.end(), globs.begin(), globs.end());
  }
  match.of.clear();
  for (auto& [kind, globs] : merged) {
    sort_unique(globs);
    match.of.emplace_back(kind, std::move(globs));
  }
}

/// Sorts `each`; the values in `limits` move with their kinds.
void normalise_each(Cap& cap) {
  std::vector<std::size_t> order(cap.each.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&cap](std::size_t a, std::size_t b) { return cap.each[a] < cap.each[b]; });
  const auto same = [&cap](std::size_t a, std::size_t b) { return cap.each[a] == cap.each[b]; };
  order.erase(std::unique(order.begin(), order.end(), same), order.end());

  const auto reordered = [&order](const std::vector<std::string>& from) {
    std::vector<std::string> to;
    for (const std::size_t place : order)
      to.push_back(place < from.size() ? from[place] : "");
    return to;
  };
  std::map<std::vector<std::string>, std::int64_t> limits;
  for (const auto& [values, limit] : cap.limits)
    limits.emplace(reordered(values), limit);
  cap.each = reordered(cap.each);
  cap.limits = std::move(limits);
}

/// What a window does not depend on is not part of its identity: another default zone must not make
/// a new cap of one that counts in total.
void normalise_window(Window& window) {
  if (window.per == Per::call || window.per == Per::minute || window.per == Per::total) {
    window.zone = "UTC";
  }
  if (window.per != Per::month) window.billing_day = 1;
}

}  // namespace

void Cap::normalise() {
  normalise_match(match);
  normalise_each(*this);
  if (meter == Meter::concurrent) window.per = Per::total;
  normalise_window(window);
  if (!id_given) id = identity();
}

std::string Cap::identity() const {
  std::string out(meter_text(meter));
  out += ";match=";
  out += match.to_json();
  out += ";each=";
  policy::append_json(out, each);
  out += ";per=";
  out += per_text(window.per);
  out += ";zone=";
  out += window.zone;
  out += ";billing_day=";
  out += std::to_string(window.billing_day);
  return out;
}

bool is_made_id(std::string_view id) {
  return id.find(";match=") != std::string_view::npos;
}

std::string Cap::name() const {
  return is_made_id(id) ? "the cap of " + words() : "cap \"" + id + "\"";
}

std::string Cap::words() const {
  std::string out = limit_words(meter, limit, window);
  for (const std::string& kind : each) {
    out += kind == each.front() ? " for each " : kind == each.back() ? " and " : ", ";
    out += kind;
  }
  for (const auto& [kind, globs] : match.of) {
    out += ", ";
    out += kind;
    out += '=';
    for (const std::string& glob : globs) {
      if (&glob != &globs.front()) out += '|';
      out += glob;
    }
  }
  return out;
}

}  // namespace farthing
