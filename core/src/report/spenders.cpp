#include "report/spenders.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>

#include "policy/plan.h"
#include "policy/text.h"
#include "store/engine.h"

namespace farthing::report {
namespace {

constexpr std::int64_t most_entries = 10'000;
constexpr std::size_t most_of_a_kind = 3;

bool counts(const Cap& cap, const std::vector<std::string>& each_values, const Labels& labels) {
  if (!cap.match.matches(labels)) return false;
  for (std::size_t i = 0; i < cap.each.size() && i < each_values.size(); ++i) {
    const std::string* value = labels.get(cap.each[i]);
    if ((value != nullptr ? std::string_view(*value) : none_value) != each_values[i]) return false;
  }
  return true;
}

bool is_fixed(const Cap& cap, std::string_view kind) {
  if (std::find(cap.each.begin(), cap.each.end(), kind) != cap.each.end()) return true;
  return std::any_of(cap.match.of.begin(), cap.match.of.end(), [&](const auto& of) {
    return of.first == kind && of.second.size() == 1 && !policy::has_wildcard(of.second.front());
  });
}

}  // namespace

std::vector<Spender> top_spenders(Store& store, const Cap& cap, const std::vector<std::string>& each_values,
                                  std::int64_t since_ms) {
  std::vector<Spender> result;
  if (cap.meter == Meter::concurrent) return result;
  std::vector<std::string_view> kinds(given_kinds.begin(), given_kinds.end());
  kinds.emplace_back("model");
  std::erase_if(kinds, [&](std::string_view kind) { return is_fixed(cap, kind); });

  std::vector<std::map<std::string, Int128, std::less<>>> sums(kinds.size());
  LedgerFilter filter;
  filter.since_ms = since_ms;
  filter.most = most_entries;
  const Status read = store.ledger(filter, [&](const LedgerRow& row) {
    if (!row.context || !counts(cap, each_values, row.context->labels)) return true;
    const Int128 booked = engine::booked_on(cap.meter, row.booked);
    if (booked == 0) return true;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      if (const std::string* value = row.context->labels.get(kinds[i])) sums[i][*value] += booked;
    }
    return true;
  });
  if (!read) return result;

  for (std::size_t i = 0; i < kinds.size(); ++i) {
    std::vector<Spender> of_kind;
    for (const auto& [value, spent] : sums[i]) {
      if (spent > 0) of_kind.push_back({std::string(kinds[i]), value, static_cast<std::int64_t>(spent)});
    }
    // Stable, and the values are in order: equal ones stand by name.
    std::stable_sort(of_kind.begin(), of_kind.end(),
                     [](const Spender& a, const Spender& b) { return a.spent > b.spent; });
    if (of_kind.size() > most_of_a_kind) of_kind.resize(most_of_a_kind);
    std::move(of_kind.begin(), of_kind.end(), std::back_inserter(result));
  }
  return result;
}

}  // namespace farthing::report
