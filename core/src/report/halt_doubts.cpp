// What of a halt fits nothing known: a misspelt one stops nothing, and nobody would notice before the bill.
#include <algorithm>
#include <map>
#include <set>

#include "farthing/control.h"
#include "farthing/prices.h"
#include "policy/text.h"
#include "store/store.h"

namespace farthing {

namespace {

constexpr std::int64_t newest_rows = 100'000;
constexpr std::size_t most_values = 10'000;  // kept of a kind, to name near ones

/// What the calls, caps and policies of a store have: values by kind of label.
class Known {
 public:
  explicit Known(const Match& asked) : asked_(asked) {
    for (const std::string_view kind : given_kinds)
      usual_.emplace(kind);
    for (const std::string_view kind : set_kinds)
      usual_.emplace(kind);
  }

  void add(const std::string& kind, std::string_view value) {
    std::set<std::string, std::less<>>& values = values_[kind];
    if (!values.contains(value) && (values.size() < most_values || is_asked(kind, value))) values.emplace(value);
  }
  void add(const Labels& labels) {
    for (const auto& [kind, value] : labels.entries())
      add(kind, value);
  }
  void add(const Match& match) {
    for (const auto& [kind, globs] : match.of) {
      for (const std::string& glob : globs)
        add(kind, glob);
    }
  }
  void add_kind(const std::string& kind) { values_[kind]; }

  bool fits(const std::string& kind, const std::string& glob) const {
    const auto found = values_.find(kind);
    return found != values_.end() && std::any_of(found->second.begin(), found->second.end(),
                                                 [&](const auto& value) { return policy::glob_matches(glob, value); });
  }
  bool fits_all() const {
    return std::all_of(asked_.of.begin(), asked_.of.end(), [&](const auto& one) {
      return std::all_of(one.second.begin(), one.second.end(), [&](const auto& glob) { return fits(one.first, glob); });
    });
  }

  std::string doubt(const std::string& kind, const std::string& glob) const {
    std::vector<std::string_view> names;
    if (const auto values = values_.find(kind); values != values_.end() || usual_.contains(kind)) {
      if (values != values_.end()) names.assign(values->second.begin(), values->second.end());
      return "no call in this store had " + kind + "=" + glob + " yet, and no cap names it" + meant(glob, names);
    }
    names.assign(usual_.begin(), usual_.end());
    for (const auto& [known, values] : values_)
      names.push_back(known);
    return "no call in this store had a label \"" + kind + "\" yet, and no cap names it" + meant(kind, names);
  }

 private:
  static std::string meant(const std::string& wanted, const std::vector<std::string_view>& names) {
    std::string text;
    if (wanted.size() < 4) return text;  // which is near to too many
    for (const std::string& name : near_names(wanted, names, 3))
      text += (text.empty() ? "; did you mean \"" : "\" or \"") + name;
    return text.empty() ? text : text + "\"?";
  }
  bool is_asked(const std::string& kind, std::string_view value) const {
    return std::any_of(asked_.of.begin(), asked_.of.end(), [&](const auto& one) {
      return one.first == kind && std::any_of(one.second.begin(), one.second.end(),
                                              [&](const auto& glob) { return policy::glob_matches(glob, value); });
    });
  }

  const Match& asked_;
  std::set<std::string, std::less<>> usual_;
  std::map<std::string, std::set<std::string, std::less<>>> values_;
};

/// The policies of a store, and one that says nothing: what no policy prices, the built-in book may.
std::vector<Policy> policies_of(const Registry& registry) {
  std::vector<Policy> policies(1);
  for (const Document& document : registry.documents) {
    PolicyOrProblems read =
        policy_from_json(document.json, document.name, [](std::string_view) { return std::nullopt; });
    if (read.ok()) policies.push_back(std::move(*read.policy));
  }
  return policies;
}

/// What is said of `kind = glob` where prices and policies tell: nothing where one of them has it.
std::optional<std::string> unpriced(const std::vector<Policy>& policies, const std::string& kind,
                                    const std::string& glob, const std::vector<std::string_view>& endpoints) {
  std::optional<std::string> said;
  for (Policy policy : policies) {
    policy.caps.assign(1, Cap{});
    policy.caps.front().match.of = {{kind, {glob}}};
    const auto book = PriceBook::open(policy.price_book_path(), policy.prices);
    std::vector<Problem> found = doubts(policy, book ? **book : *PriceBook::builtin(), endpoints);
    std::erase_if(found, [](const Problem& one) { return one.where.find("cap[0]") == std::string::npos; });  // of hosts
    if (found.empty()) return std::nullopt;
    if (!said) said = found.front().message;
  }
  return said;
}

}  // namespace

Result<std::vector<std::string>> Control::doubts_of_halt(const Match& match,
                                                         const std::vector<std::string_view>& endpoints) const {
  std::vector<std::string> said;
  if (match.of.empty()) return said;
  Known known(match);
  const auto registry = store_->registry();
  if (!registry) return registry.error();
  const std::vector<Policy> policies = policies_of(*registry);
  for (const Policy& policy : policies) {
    known.add(policy.labels);
    for (const ApiKeyName& key : policy.api_keys)
      known.add("api_key", key.name);
    for (const HostRule& host : policy.hosts)
      known.add("provider", host.provider);
    for (const Cap& cap : policy.caps) {
      known.add(cap.match);
      for (const std::string& kind : cap.each)
        known.add_kind(kind);
      for (const auto& [values, limit] : cap.limits) {
        for (std::size_t i = 0; i < values.size(); ++i)
          known.add(cap.each[i], values[i]);
      }
    }
  }
  for (const Model* model : PriceBook::builtin()->models())
    known.add("modality", model->modality);
  const auto see = [&known](const LedgerRow& row) {
    if (row.context) known.add(row.context->labels);
  };
  if (const auto holds = store_->holds(); holds) {
    for (const HoldView& hold : *holds)
      see(hold.draft);
  }
  LedgerFilter newest;
  newest.most = newest_rows;
  std::int64_t rows = 0;
  const Status read = store_->ledger(newest, [&](const LedgerRow& row) {
    see(row);
    return ++rows % 64 != 0 || !known.fits_all();
  });
  if (!read) return read.error();
  constexpr std::string_view priced[] = {"provider", "model", "model_family", "endpoint"};
  for (const auto& [kind, globs] : match.of) {
    for (const std::string& glob : globs) {
      if (known.fits(kind, glob)) continue;
      if (std::find(std::begin(priced), std::end(priced), kind) == std::end(priced)) {
        said.push_back(known.doubt(kind, glob));
      } else if (auto doubt = unpriced(policies, kind, glob, endpoints)) {
        said.push_back(std::move(*doubt));
      }
    }
  }
  return said;
}

}  // namespace farthing
