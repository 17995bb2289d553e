#include "policy/documents.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

namespace farthing {
namespace {

std::set<std::vector<std::string>> own_limits(const Cap& a, const Cap& b) {
  std::set<std::vector<std::string>> values;
  for (const auto* cap : {&a, &b}) {
    for (const auto& entry : cap->limits)
      values.insert(entry.first);
  }
  return values;
}

void merge_into(std::optional<Cap>& merged, const Cap& cap) {
  if (merged) {
    merge_lowest(*merged, cap);
  } else {
    merged = cap;
  }
}

/// Calls `use(document, cap)` for the cap as each document but the one named `own` has it.
template <class Use>
void as_others_have_it(const Registry& now, const RegisteredCap& registered, const std::string& own, Use use) {
  for (const Document& document : now.documents) {
    const auto& holders = registered.documents;
    if (document.name == own || !document.current) continue;
    if (std::find(holders.begin(), holders.end(), document.name) == holders.end()) continue;
    const PolicyOrProblems other =
        policy_from_json(document.json, document.name, [](std::string_view) { return std::nullopt; });
    if (!other.ok()) continue;  // what cannot be read holds nothing back
    for (const Cap& cap : other.policy->caps) {
      if (cap.id == registered.cap.id) use(document, cap);
    }
  }
}

/// The cap as it would be bound by all other documents and the next one of this name.
std::optional<Cap> after(const Registry& now, const RegisteredCap& registered, const Policy& next) {
  std::optional<Cap> merged;
  as_others_have_it(now, registered, next.name, [&](const Document&, const Cap& cap) { merge_into(merged, cap); });
  for (const Cap& cap : next.caps) {
    if (cap.id == registered.cap.id || cap.was == registered.cap.id) merge_into(merged, cap);
  }
  return merged;
}

std::string cap_name(const Cap& cap) {
  return cap.id_given ? "cap \"" + cap.id + "\" (" + cap.words() + ")" : "cap " + cap.words();
}

void compare(const Cap& before, const Cap& then, std::vector<CapEffect>& found) {
  const auto say = [&](bool looser, const std::string& what) {
    found.push_back({looser, cap_name(before) + ": " + what});
  };
  // R4: what changes the identity makes another cap, and this one is gone.
  if (before.identity() != then.identity()) return say(true, "is replaced by one that counts " + then.words());
  if (then.limit != before.limit) say(then.limit > before.limit, "becomes " + limit_text(then.meter, then.limit));
  for (const auto& values : own_limits(before, then)) {
    const std::int64_t old_limit = limit_of(before, values);
    const std::int64_t new_limit = limit_of(then, values);
    const bool follows = old_limit == before.limit && new_limit == then.limit;  // the cap's own, which has been said
    if (new_limit == old_limit || follows) continue;
    std::string name;
    for (const std::string& value : values)
      name += (name.empty() ? "" : ",") + value;
    say(new_limit > old_limit,
        "for " + name + " " + limit_text(then.meter, old_limit) + " becomes " + limit_text(then.meter, new_limit));
  }
  if (before.refuse_absent != then.refuse_absent) {
    say(before.refuse_absent, before.refuse_absent ? "no longer refuses calls without the label"
                                                   : "refuses calls without the label from now on");
  }
}

}  // namespace

std::int64_t limit_of(const Cap& cap, const std::vector<std::string>& each_values) {
  const auto own = cap.limits.find(each_values);
  return own == cap.limits.end() ? cap.limit : own->second;
}

void merge_lowest(Cap& kept, const Cap& other) {
  // A value that only one of them names has the other's limit for all there.
  std::map<std::vector<std::string>, std::int64_t> limits;
  for (const auto& values : own_limits(kept, other)) {
    limits[values] = std::min(limit_of(kept, values), limit_of(other, values));
  }
  kept.limit = std::min(kept.limit, other.limit);
  kept.limits = std::move(limits);
  kept.refuse_absent = kept.refuse_absent || other.refuse_absent;
  kept.max_counters = std::min(kept.max_counters, other.max_counters);
  std::vector<int> alert;
  std::set_union(kept.alert.begin(), kept.alert.end(), other.alert.begin(), other.alert.end(),
                 std::back_inserter(alert));
  kept.alert = std::move(alert);
  if (kept.message.empty()) kept.message = other.message;
  if (kept.help_url.empty()) kept.help_url = other.help_url;
  if (kept.owner.empty()) kept.owner = other.owner;
}

const RegisteredCap* in_force(const Registry& registry, const std::string& id) {
  const auto found = std::find_if(registry.caps.begin(), registry.caps.end(),
                                  [&](const RegisteredCap& registered) { return registered.cap.id == id; });
  return found == registry.caps.end() ? nullptr : &*found;
}

const std::string* other_holder(const RegisteredCap& registered, const std::string& own) {
  const auto other = std::find_if(registered.documents.begin(), registered.documents.end(),
                                  [&](const std::string& name) { return name != own; });
  return other == registered.documents.end() ? nullptr : &*other;
}

const std::string* lowered_by(const Registry& registry, const Policy& own, const std::string& cap_id) {
  const RegisteredCap* registered = in_force(registry, cap_id);
  if (registered == nullptr || other_holder(*registered, own.name) == nullptr) return nullptr;
  const bool ours = std::any_of(own.caps.begin(), own.caps.end(),
                                [&](const Cap& cap) { return cap.id == cap_id && cap.limit <= registered->cap.limit; });
  if (ours) return nullptr;
  const std::string* name = nullptr;
  as_others_have_it(registry, *registered, own.name, [&](const Document& document, const Cap& cap) {
    if (cap.limit == registered->cap.limit) name = &document.name;
  });
  return name;
}

const RegisteredCap* renamed_from(const Registry& now, const Policy& next, const Cap& cap) {
  if (cap.was.empty() || cap.was == cap.id) return nullptr;
  const RegisteredCap* old = in_force(now, cap.was);
  if (old == nullptr || other_holder(*old, next.name) != nullptr) return nullptr;
  const bool stays =
      std::any_of(next.caps.begin(), next.caps.end(), [&](const Cap& other) { return other.id == cap.was; });
  return stays ? nullptr : old;
}

bool takes_limits_of(const Cap& cap, const Cap& old) {
  return cap.meter == old.meter && cap.each == old.each;
}

std::vector<SetLimit> set_limits(const Registry& now, const Policy& next, std::int64_t now_ms) {
  std::vector<SetLimit> found;
  for (const Cap& cap : next.caps) {
    const RegisteredCap* known = in_force(now, cap.id);
    const RegisteredCap* old = renamed_from(now, next, cap);
    const Cap then = known == nullptr ? cap : after(now, *known, next).value_or(cap);
    std::vector<Override> own;
    const auto meet = [&](const Override& change, bool until_now) {
      const bool of_old = old != nullptr && change.cap_id == old->cap.id;
      if (change.cap_id != cap.id && !of_old) return;
      if (change.until_ms && *change.until_ms <= now_ms) return;
      const bool same = !change.meter || (*change.meter == cap.meter && change.each == cap.each);
      if (same && (!of_old || takes_limits_of(cap, old->cap))) {
        own.push_back(change);
        own.back().cap_id = cap.id;
      } else if (until_now) {
        found.push_back({then, change, false});
      }
    };
    for (const Override& change : now.overrides)
      meet(change, true);
    for (const Override& change : now.resting)
      meet(change, false);
    std::stable_sort(own.begin(), own.end(), [](const Override& a, const Override& b) { return a.at_ms < b.at_ms; });
    for (const Override& change : own) {
      if (limit_in_force(then, own, change.each_values, now_ms).change == &change)
        found.push_back({then, change, true});
    }
  }
  return found;
}

std::vector<CapEffect> effects(const Registry& now, const Policy& next) {
  std::vector<CapEffect> found;
  std::set<std::string> known;
  for (const RegisteredCap& registered : now.caps) {
    const auto& holders = registered.documents;
    if (holders.empty()) continue;  // binds nobody
    const bool named = std::any_of(next.caps.begin(), next.caps.end(), [&](const Cap& cap) {
      return cap.id == registered.cap.id || cap.was == registered.cap.id;
    });
    if (named) known.insert(registered.cap.id);
    if (!named && std::find(holders.begin(), holders.end(), next.name) == holders.end()) continue;
    const auto then = after(now, registered, next);
    if (!then) {
      found.push_back({true, cap_name(registered.cap) + ": is gone, it binds nobody any more"});
    } else {
      compare(registered.cap, *then, found);
    }
  }
  for (const Cap& cap : next.caps) {
    if (!known.contains(cap.id) && (cap.was.empty() || !known.contains(cap.was)))
      found.push_back({false, cap_name(cap) + ": is new"});
  }
  return found;
}

}  // namespace farthing
