#include "policy/plan.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <map>
#include <unordered_map>
#include <utility>

#include "policy/text.h"

namespace farthing {
namespace {

constexpr std::size_t no_kind = std::numeric_limits<std::size_t>::max();

std::string_view best_of(const std::vector<std::string_view>& kinds) {
  if (kinds.empty()) return {};
  for (const std::string_view level : given_kinds) {
    if (std::find(kinds.begin(), kinds.end(), level) != kinds.end()) return level;
  }
  return kinds.front();
}

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
using Numbers = std::vector<std::uint32_t>;
using NumbersByText = std::unordered_map<std::string, Numbers, StringHash, std::equal_to<>>;

std::string label_key(std::string_view kind, std::string_view value) {
  std::string key(kind);
  key += '=';  // a kind has none
  key += value;
  return key;
}

bool literal(const std::vector<std::string>& globs) {
  return std::none_of(globs.begin(), globs.end(), [](const std::string& glob) { return policy::has_wildcard(glob); });
}

/// A cap and what is needed to find its limit in force.
struct Compiled {
  const RegisteredCap* registered = nullptr;
  std::uint32_t order = 0;
  std::vector<Override> overrides;  // of this cap
};

/// Caps with one `match` and one `each`: matched together, counted in one set.
struct Group {
  const Match* match = nullptr;
  const std::vector<std::string>* each = nullptr;
  std::string key_start;  // canonical match; the each object follows
  std::vector<Compiled> caps;
};

PlannedCap planned_of(const Compiled& cap, const std::vector<std::string>& values, std::int64_t now_ms) {
  const RegisteredCap& registered = *cap.registered;
  PlannedCap planned;
  planned.number = registered.number;
  planned.meter = registered.cap.meter;
  const LimitInForce found = limit_in_force(registered.cap, cap.overrides, values, now_ms);
  planned.limit = found.limit;
  planned.limit_before_override = found.of_policy;
  planned.registered = &registered;
  planned.order = cap.order;
  return planned;
}

}  // namespace

struct CapIndex::Inside {
  Registry registry;
  std::vector<Group> groups;  // in the order of their first cap
  Numbers always;             // groups to look at for every call
  NumbersByText by_label;     // ... for calls with kind=value
  NumbersByText by_kind;      // ... for calls with any value of a kind

  explicit Inside(Registry given) : registry(std::move(given)) {
    for (RegisteredCap& registered : registry.caps)
      registered.cap.normalise();
    group_caps();
    order_caps();
    attach_overrides();
    index_groups();
  }

  void group_caps() {
    std::map<std::string, std::uint32_t> known;
    for (const RegisteredCap& registered : registry.caps) {
      if (registered.documents.empty()) continue;  // no longer binding
      const Cap& cap = registered.cap;
      const std::string match = cap.match.to_json();
      std::string key = match;
      policy::append_json(key, cap.each);
      const auto [place, fresh] = known.emplace(std::move(key), static_cast<std::uint32_t>(groups.size()));
      if (fresh) groups.push_back({&cap.match, &cap.each, match, {}});
      groups[place->second].caps.push_back({&registered, 0, {}});
    }
  }

  /// R3: by rank, then as registered.
  void order_caps() {
    std::vector<Compiled*> all;
    for (Group& group : groups) {
      for (Compiled& cap : group.caps)
        all.push_back(&cap);
    }
    std::sort(all.begin(), all.end(), [](const Compiled* a, const Compiled* b) {
      const auto place = [](const Compiled* c) {
        return std::make_pair(headline_rank(c->registered->cap), c->registered);
      };
      return place(a) < place(b);  // pointers into one vector: the registry's order
    });
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i]->order = static_cast<std::uint32_t>(i);
  }

  void attach_overrides() {
    if (registry.overrides.empty()) return;
    std::unordered_map<std::string_view, std::vector<Override>> by_cap;
    for (const Override& change : registry.overrides)
      by_cap[change.cap_id].push_back(change);
    for (Group& group : groups) {
      for (Compiled& cap : group.caps) {
        const auto found = by_cap.find(cap.registered->cap.id);
        if (found != by_cap.end()) cap.overrides = found->second;
      }
    }
  }

  /// A group is found by that label of its `match` which the fewest groups share: of 2,000 caps for
  /// `org = "acme"` and a project each, a call looks at those of its project.
  void index_groups() {
    std::unordered_map<std::string, std::uint32_t> sharing;
    for (const Group& group : groups) {
      for (const auto& [kind, globs] : group.match->of) {
        for (const std::string& glob : globs)
          ++sharing[label_key(kind, glob)];
      }
    }
    for (std::uint32_t number = 0; number < groups.size(); ++number) {
      const auto& match = groups[number].match->of;
      if (match.empty()) {
        always.push_back(number);
        continue;
      }
      std::size_t best = no_kind;
      std::uint32_t best_shared = std::numeric_limits<std::uint32_t>::max();
      for (std::size_t i = 0; i < match.size(); ++i) {
        if (!literal(match[i].second)) continue;
        std::uint32_t shared = 0;
        for (const std::string& value : match[i].second) {
          shared = std::max(shared, sharing[label_key(match[i].first, value)]);
        }
        if (shared < best_shared) {
          best = i;
          best_shared = shared;
        }
      }
      if (best == no_kind) {
        by_kind[match.front().first].push_back(number);
        continue;
      }
      for (const std::string& value : match[best].second) {
        by_label[label_key(match[best].first, value)].push_back(number);
      }
    }
  }

  /// Every group is in one place of the index, so none comes twice. In the order of the registry.
  Numbers candidates(const Labels& labels) const {
    Numbers found = always;
    const auto take = [&found](const NumbersByText& from, std::string_view key) {
      const auto place = from.find(key);
      if (place != from.end()) {
        found.insert(found.end(), place->second.begin(), place->second.end());
      }
    };
    std::string key;
    for (const auto& [kind, value] : labels.entries()) {
      key.assign(kind).append(1, '=').append(value);
      take(by_label, key);
      if (!by_kind.empty()) take(by_kind, kind);
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  void add_group(Plan& plan, const Group& group, const Labels& labels, std::int64_t now_ms) const {
    PlannedSet set;
    bool missing = false;
    set.key = group.key_start;
    set.key += '{';
    for (const std::string& kind : *group.each) {
      const std::string* value = labels.get(kind);
      missing = missing || value == nullptr;
      set.each_values.emplace_back(value == nullptr ? none_value : std::string_view(*value));
      if (set.key.back() != '{') set.key += ',';
      policy::append_json(set.key, kind);
      set.key += ':';
      policy::append_json(set.key, set.each_values.back());
    }
    set.key += '}';

    set.caps.reserve(group.caps.size());
    for (const Compiled& compiled : group.caps) {
      const Cap& cap = compiled.registered->cap;
      plan.usd_capped = plan.usd_capped || cap.meter == Meter::usd;
      if (missing && cap.refuse_absent) {
        plan.label_required.push_back(compiled.registered);
        continue;
      }
      auto& list = cap.window.per == Per::call ? plan.per_call : set.caps;
      list.push_back(planned_of(compiled, set.each_values, now_ms));
    }
    if (!set.caps.empty()) plan.sets.push_back(std::move(set));
  }
};

CapIndex::CapIndex(Registry registry) : inside_(std::make_shared<const Inside>(std::move(registry))) {}
CapIndex::~CapIndex() = default;
CapIndex::CapIndex(CapIndex&&) noexcept = default;

const Registry& CapIndex::registry() const {
  return inside_->registry;
}

Plan CapIndex::plan(const Labels& labels, std::int64_t now_ms) const {
  Plan plan;
  plan.revision = inside_->registry.revision;
  plan.valid_until_ms = inside_->registry.valid_until_ms;
  plan.keep = inside_;
  for (const std::uint32_t number : inside_->candidates(labels)) {
    const Group& group = inside_->groups[number];
    if (group.match->matches(labels)) inside_->add_group(plan, group, labels, now_ms);
  }
  std::size_t counters = 0;
  for (const PlannedSet& set : plan.sets)
    counters += set.caps.size();
  plan.too_many_caps = counters > max_counters_per_call;

  for (const Halt& halt : inside_->registry.halts) {
    if (halt.match.matches(labels)) plan.halts.push_back(&halt);
  }
  return plan;
}

std::string level_of(const Cap& cap) {
  // What a counter is for says more than which calls were let in: `each = ["user"]` within a project
  // is a user's cap.
  std::vector<std::string_view> kinds(cap.each.begin(), cap.each.end());
  if (kinds.empty()) {
    for (const auto& entry : cap.match.of)
      kinds.emplace_back(entry.first);
  }
  const std::string_view best = best_of(kinds);
  return std::string(best.empty() ? "all" : best);
}

std::uint32_t headline_rank(const Cap& cap) {
  constexpr std::uint32_t headline_levels = 3;
  const std::string level = level_of(cap);
  std::uint32_t rank = 0;
  while (rank < headline_levels && level != given_kinds[rank])
    ++rank;
  return cap.window.per == Per::call ? rank : headline_levels + 1 + rank;
}

}  // namespace farthing
