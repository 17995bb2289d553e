// LocalStore's registry: policies, caps, overrides, halts (R4, R6 to R8, R34). Every change raises the revision.
#include <algorithm>
#include <map>

#include "farthing/time_text.h"
#include "policy/documents.h"
#include "store/facts.h"
#include "store/step.h"

namespace farthing {

const Registry* LocalStore::known_registry(const StoreState& state, std::int64_t now_ms, Error& error) {
  if (registry_ && registry_->revision == state.revision) return registry_.get();
  auto read = facts::read_registry(*tables_, state, now_ms);
  if (!read) {
    error = read.error();
    return nullptr;
  }
  registry_ = std::make_shared<const Registry>(std::move(*read));
  cap_of_number_.assign(state.next_cap, nullptr);
  for (const RegisteredCap& cap : registry_->caps)
    cap_of_number_[cap.number] = &cap;
  return registry_.get();
}

Result<Registry> LocalStore::registry() {
  Step step(*this);
  if (!step.status()) return step.status().error();
  auto registry = facts::read_registry(*tables_, step.state(), step.now_ms());
  if (!registry) return registry;
  // An override that ended leaves; reserves made with the old copy are told to read again by `valid_until`.
  if (const Status done = step.commit(); !done) return done.error();
  return registry;
}

namespace {

/// R7: does an entry of the ledger count on a cap, and for how much.
Int128 counted_on(const Cap& cap, const Amounts& amounts) {
  return engine::booked_on(cap.meter, amounts);
}

}  // namespace

Status LocalStore::count_from_ledger(Step& step, RegisteredCap& registered) {
  const Cap& cap = registered.cap;
  if (cap.window.per == Per::call) return success();
  const std::int64_t now = step.now_ms();
  engine::Entry fresh;
  fresh.number = registered.number;
  engine::roll(fresh, cap, now);

  // One cap's own index says which set a call counts in, in the words of the plan.
  Registry alone;
  RegisteredCap planned = registered;
  if (planned.documents.empty()) planned.documents.emplace_back("new");
  alone.caps.push_back(planned);
  const CapIndex index(std::move(alone));

  struct Sum {
    std::vector<std::string> each_values;
    engine::Entry entry;
    std::int64_t limit = 0;
  };
  std::map<std::string, Sum> sums;
  const auto sum_of = [&](const LedgerRow& row) -> Sum* {
    if (!row.context) return nullptr;
    const Plan plan = index.plan(row.context->labels, now);
    if (plan.sets.empty()) return nullptr;
    Sum& sum = sums.try_emplace(plan.sets.front().key, Sum{plan.sets.front().each_values, fresh, 0}).first->second;
    sum.limit = plan.sets.front().caps.front().limit;
    return &sum;
  };

  LedgerFilter filter;
  filter.since_ms = fresh.start_ms;
  std::map<std::uint64_t, AttemptId> counted;
  const Status scanned = tables_->scan(filter, [&](const LedgerRow& row) {
    if (Sum* sum = sum_of(row)) {
      engine::settle(sum->entry, 0, static_cast<std::int64_t>(counted_on(cap, row.booked)),
                     cap.meter == Meter::usd && (row.how == How::hold || row.how == How::expired));
    }
    return true;
  });
  if (!scanned) return scanned.error();

  auto holds = tables_->holds();
  if (!holds) return holds.error();
  std::vector<std::pair<HoldRow, LedgerRow>> touched;
  std::vector<std::string> touched_keys;
  for (auto& [hold, draft] : *holds) {
    if (hold.created_ms < fresh.start_ms || !draft.context) continue;
    const Plan plan = index.plan(draft.context->labels, now);
    if (plan.sets.empty()) continue;
    Sum* sum = sum_of(draft);
    engine::hold(sum->entry, hold.held[cap.meter], now);
    touched_keys.push_back(plan.sets.front().key);
    touched.emplace_back(hold, draft);
  }
  // Slots of jobs that expired are in no hold any more, and taken until the job is over (R17); also where no cap counted them
  // when they did.
  std::vector<std::pair<facts::KeptJob, std::string>> slots;
  if (cap.meter == Meter::concurrent) {
    auto jobs = facts::jobs(*tables_);
    if (!jobs) return jobs.error();
    for (facts::KeptJob& kept : *jobs) {
      if (kept.job.slot_until_deadline) continue;
      const auto row = tables_->find_row(kept.job.attempt);
      if (!row) return row.error();
      if (!*row || !(*row)->context) continue;
      const Plan plan = index.plan((*row)->context->labels, now);
      if (plan.sets.empty()) continue;
      engine::hold(sum_of(**row)->entry, 1, now);
      slots.emplace_back(std::move(kept), plan.sets.front().key);
    }
  }

  std::map<std::string, std::int64_t> rows;
  for (auto& [key, sum] : sums) {
    engine::set_limit(sum.entry, sum.limit);
    auto row = tables_->find_set(key);
    if (!row) return row.error();
    if (*row == 0) {
      row = tables_->add_set(key, sum.each_values, {sum.entry});
      if (!row) return row.error();
    } else {
      Tables::Entries room;
      const auto entries = tables_->read_set(*row, room);
      if (!entries) return entries.error();
      (*entries)->push_back(sum.entry);
      if (const Status written = tables_->write_set(*row, **entries); !written) return written;
    }
    rows[key] = *row;
    if (cap.each.empty()) continue;
    if (const Status done = facts::count_counters(*tables_, registered.number, 1); !done) return done;
  }
  // The holds that were open now end on the new counter as well.
  for (std::size_t i = 0; i < touched.size(); ++i) {
    auto& [hold, draft] = touched[i];
    hold.counters.push_back(
        {rows[touched_keys[i]], registered.number, static_cast<std::uint8_t>(cap.meter), fresh.start_ms});
    if (const Status done = replace_hold(hold, draft); !done) return done;
  }
  for (auto& [kept, key] : slots) {
    kept.slots.push_back({rows[key], registered.number, static_cast<std::uint8_t>(Meter::concurrent), fresh.start_ms});
    if (const Status done = facts::put_job(*tables_, kept); !done) return done;
  }
  // R7: what lies before the first entry that this ledger still has cannot be proved.
  const auto from_ms = tables_->ledger_from_ms();
  if (!from_ms || *from_ms <= fresh.start_ms) return success();
  registered.counted_since_ms = from_ms;
  return facts::put_cap(*tables_, registered);
}

Status LocalStore::count_again(Step& step, RegisteredCap registered) {
  const auto sets = tables_->sets();
  if (!sets) return sets.error();
  for (const SetRow& set : *sets) {
    Tables::Entries entries = set.entries;
    std::erase_if(entries, [&](const engine::Entry& entry) { return entry.number == registered.number; });
    if (entries.size() == set.entries.size()) continue;
    if (const Status written = tables_->write_set(set.row, entries); !written) return written;
    if (const Status counted = facts::count_counters(*tables_, registered.number, -1); !counted) return counted;
  }
  auto holds = tables_->holds();
  if (!holds) return holds.error();
  for (auto& [hold, draft] : *holds) {
    if (std::erase_if(hold.counters, [&](const HeldCounter& counter) { return counter.number == registered.number; }) ==
        0)
      continue;
    if (const Status done = replace_hold(hold, draft); !done) return done;
  }
  return count_from_ledger(step, registered);
}

namespace {

/// What makes two caps of one id two caps (R4), as a policy writes it.
std::string differences(const Cap& here, const Cap& there) {
  std::string text;
  const auto compare = [&text](const char* key, const std::string& own, const std::string& other) {
    if (own != other)
      text += (text.empty() ? "" : "; ") + std::string(key) + " is " + own + " here, " + other + " there";
  };
  const auto kinds = [](const Cap& cap) {
    std::string list;
    for (const std::string& kind : cap.each)
      list += (list.empty() ? "" : ", ") + kind;
    return "[" + list + "]";
  };
  compare("meter", std::string(meter_text(here.meter)), std::string(meter_text(there.meter)));
  compare("match", here.match.to_json(), there.match.to_json());
  compare("each", kinds(here), kinds(there));
  compare("per", std::string(per_text(here.window.per)), std::string(per_text(there.window.per)));
  compare("timezone", here.window.zone, there.window.zone);
  compare("billing_day", std::to_string(here.window.billing_day), std::to_string(there.window.billing_day));
  return text;
}

/// R4, R6: one id is one counter for all documents, so it has to mean the same in all of them. Where it did not, one
/// definition would take over the other's number, and what was spent there would be forgotten.
Status check_ids(const Registry& registry, const Policy& policy, const std::string& location) {
  for (const Cap& cap : policy.caps) {
    const RegisteredCap* known = in_force(registry, cap.id);
    const std::string* holder = known == nullptr ? nullptr : other_holder(*known, policy.name);
    if (holder == nullptr || known->cap.identity() == cap.identity()) continue;
    return Error{Code::invalid_policy,
                 "cap \"" + cap.id + "\" of policy \"" + policy.name + "\" is another cap in policy \"" + *holder +
                     "\", which is in force in " + location + " too: " + differences(cap, known->cap) +
                     ". One id is one counter for all policies of a store: give one of them another id, or take the "
                     "other policy out of force: farthing policy remove " +
                     *holder};
  }
  return success();
}

/// R6: the caps that a new version of a policy takes out of force, as texts for a warning.
std::vector<std::string> dropped(const Registry& registry, const Policy& policy) {
  std::vector<std::string> ids;
  for (const RegisteredCap& registered : registry.caps) {
    const std::vector<std::string>& holders = registered.documents;
    const bool of_this = std::find(holders.begin(), holders.end(), policy.name) != holders.end();
    const bool stays = std::any_of(policy.caps.begin(), policy.caps.end(), [&](const Cap& cap) {
      return cap.id == registered.cap.id || cap.was == registered.cap.id;
    });
    if (of_this && !stays && other_holder(registered, policy.name) == nullptr)
      ids.push_back("\"" + registered.cap.id + "\"");
  }
  return ids;
}

std::string rests(const SetLimit& set) {
  const Override& change = set.change;
  std::string values;
  for (const std::string& value : change.each_values)
    values += (values.empty() ? " for " : ", ") + value;
  return set.cap.name() + ": a limit set at run time" + values + " is no longer in force, " +
         limit_text(change.meter.value_or(set.cap.meter), change.limit) + " by " + change.who +
         ": the cap counts something else now, or for others (" + set.cap.words() + ")";
}

std::vector<std::string> words_of(const std::vector<CapEffect>& effects) {
  std::vector<std::string> words;
  for (const CapEffect& effect : effects)
    words.push_back(effect.words);
  return words;
}

}  // namespace

Result<Applied> LocalStore::apply(const Policy& policy, bool force, const std::string& who, const std::string& why,
                                  bool look_only) {
  Step step(*this);
  if (!step.status()) return step.status().error();
  Applied applied;
  PolicyChange& change = applied.change;
  const std::string json = policy.to_json();

  auto history = facts::history(*tables_, policy.name);
  if (!history) return history.error();
  const Document* current = nullptr;
  bool replaced_earlier = false;
  for (const Document& document : *history) {
    if (document.current)
      current = &document;
    else if (document.json == json)
      replaced_earlier = true;
  }
  Error unreadable;
  const Registry* registry = known_registry(step.state(), step.now_ms(), unreadable);
  if (registry == nullptr) return unreadable;
  applied.set_limits = set_limits(*registry, policy, step.now_ms());
  for (const SetLimit& set : applied.set_limits) {
    if (!set.in_force) change.warnings.push_back(rests(set));
  }
  if (current != nullptr && current->json == json) {
    if (const Status done = step.commit(); !done) return done.error();
    return applied;  // opened again: nothing changes
  }

  if (const Status same = check_ids(*registry, policy, info_.location); !same) return same.error();
  // R6: a file that another version of it replaced comes back only where that loosens nothing, or on purpose.
  const std::vector<CapEffect> found = effects(*registry, policy);
  change.effects = words_of(found);
  if (policy.origin == Origin::file && replaced_earlier && !force) {
    std::string loosened;
    for (const CapEffect& effect : found)
      loosened += effect.looser ? "\n  " + effect.words : "";
    if (!loosened.empty()) {
      std::string message = "policy \"" + policy.name + "\" (" + policy.path +
                            ") was in force in this store before and replaced by other contents since; with it again "
                            "limits in force would "
                            "be looser:" +
                            loosened;
      message += "\nIf that is meant: farthing policy apply --force " + (policy.path.empty() ? "FILE" : policy.path);
      return Error{Code::policy_superseded, message};
    }
    change.warnings.push_back("policy \"" + policy.name +
                              "\" was in force in this store before, replaced since, and is in force again");
  }

  // What is current in code is what was opened last: somebody who opens a second one under the same name has to hear it.
  if (policy.origin == Origin::code) {
    std::string gone;
    for (const std::string& id : dropped(*registry, policy))
      gone += (gone.empty() ? "" : ", ") + id;
    if (!gone.empty()) {
      change.warnings.push_back(
          "policy \"" + policy.name +
          "\" was opened before with caps that this version does not have, no longer in force for anybody: " + gone +
          ". A guard beside another one needs a name of its own (name=...)");
    }
  }

  if (look_only) return applied;

  for (Document document : *history) {
    if (!document.current) continue;
    document.current = false;
    if (const Status done = facts::put_document(*tables_, document); !done) return done.error();
  }
  Document document;
  document.name = policy.name;
  document.origin = policy.origin;
  document.json = json;
  document.at_ms = std::max(step.now_ms(), history->empty() ? 0 : history->back().at_ms + 1);
  if (const Status done = facts::put_document(*tables_, document); !done) return done.error();

  // R4: a cap keeps its number by its id; `was` carries it over to a new one.
  auto numbers = facts::cap_numbers(*tables_);
  if (!numbers) return numbers.error();
  std::vector<RegisteredCap> fresh;
  for (const Cap& cap : policy.caps) {
    const RegisteredCap* old = renamed_from(*registry, policy, cap);
    if (old != nullptr && takes_limits_of(cap, old->cap)) {
      if (const Status done = facts::rename_cap(*tables_, cap.was, cap.id); !done) return done.error();
    }
    // R4: the same counters only for a cap that is in force now and means the same. One that was away, or means another
    // thing under its old id, is counted anew from the ledger (R7).
    const RegisteredCap* same = in_force(*registry, cap.id);
    if (same != nullptr && same->cap.identity() == cap.identity()) continue;
    RegisteredCap registered;
    registered.cap = cap;
    registered.registered_ms = step.now_ms();
    registered.documents.push_back(policy.name);
    if (old != nullptr && old->cap.identity() == cap.identity() && numbers->count(cap.id) == 0) {
      registered.number = old->number;
      registered.counted_since_ms = old->counted_since_ms;
    } else {
      registered.number = step.state().next_cap++;
      fresh.push_back(registered);
    }
    (*numbers)[cap.id] = registered.number;
    if (const Status done = facts::put_cap(*tables_, registered); !done) return done.error();
  }
  for (RegisteredCap& cap : fresh) {
    if (const Status done = count_from_ledger(step, cap); !done) return done.error();
  }
  ++step.state().revision;
  const Status logged =
      facts::add_change(*tables_, step.state(), step.now_ms(), who,
                        "policy \"" + policy.name + "\" in force, " +
                            (policy.origin == Origin::file ? "from " + policy.path : std::string("opened in code")),
                        why);
  if (!logged) return logged.error();
  if (const Status done = step.commit(); !done) return done.error();
  return applied;
}

Result<PolicyChange> LocalStore::remove_document(const std::string& name, const std::string& who,
                                                 const std::string& why, bool look_only) {
  Step step(*this);
  if (!step.status()) return step.status().error();
  const auto registry = facts::read_registry(*tables_, step.state(), step.now_ms());
  if (!registry) return registry.error();
  Policy nothing;
  nothing.name = name;
  PolicyChange change{words_of(effects(*registry, nothing)), {}};
  auto history = facts::history(*tables_, name);
  if (!history) return history.error();
  bool found = false;
  for (Document document : *history) {
    if (!document.current) continue;
    document.current = false;
    found = true;
    if (look_only) continue;
    if (const Status done = facts::put_document(*tables_, document); !done) return done.error();
  }
  if (!found) return Error{Code::unknown_policy, "no policy \"" + name + "\" is in force in " + info_.location};
  if (look_only) return change;
  ++step.state().revision;
  if (const Status done =
          facts::add_change(*tables_, step.state(), step.now_ms(), who, "policy \"" + name + "\" removed", why);
      !done) {
    return done.error();
  }
  if (const Status done = step.commit(); !done) return done.error();
  return change;
}

namespace {

/// For the log: `limit of "users" for u42`, in words where nobody gave the cap an id.
std::string limit_named(const RegisteredCap* registered, const std::string& cap_id,
                        const std::vector<std::string>& each_values) {
  std::string text = "limit of " + (registered != nullptr && is_made_id(cap_id) ? registered->cap.words() : cap_id);
  for (const std::string& value : each_values)
    text += (&value == &each_values.front() ? " for " : ", ") + value;
  return text;
}

}  // namespace

Status LocalStore::set_override(const Override& change) {
  Step step(*this);
  if (!step.status()) return step.status();
  Override stored = change;
  stored.at_ms = step.now_ms();
  const auto registry = facts::read_registry(*tables_, step.state(), step.now_ms());
  if (!registry) return registry.error();
  const RegisteredCap* registered = in_force(*registry, change.cap_id);
  std::string what = limit_named(registered, change.cap_id, change.each_values);
  if (registered == nullptr) {
    what += " set to " + std::to_string(change.limit);
  } else {
    const Cap& cap = registered->cap;
    stored.meter = cap.meter;
    stored.each = cap.each;
    const std::int64_t before = limit_in_force(cap, registry->overrides, change.each_values, step.now_ms()).limit;
    what += " set to " + limit_text(cap.meter, change.limit) + ", it was " + limit_text(cap.meter, before);
  }
  if (change.until_ms) what += ", until " + iso_utc(*change.until_ms);
  if (const Status done = facts::put_override(*tables_, stored); !done) return done;
  ++step.state().revision;
  const Status logged = facts::add_change(*tables_, step.state(), step.now_ms(), change.who, what, change.why);
  return logged ? step.commit() : logged;
}

Status LocalStore::clear_override(const std::string& cap_id, const std::vector<std::string>& each_values,
                                  const std::string& who, const std::string& why) {
  Step step(*this);
  if (!step.status()) return step.status();
  const auto registry = facts::read_registry(*tables_, step.state(), step.now_ms());
  if (!registry) return registry.error();
  const std::string what = limit_named(in_force(*registry, cap_id), cap_id, each_values) + " cleared";
  if (const Status done = facts::erase_override(*tables_, cap_id, each_values); !done) return done;
  ++step.state().revision;
  const Status logged = facts::add_change(*tables_, step.state(), step.now_ms(), who, what, why);
  return logged ? step.commit() : logged;
}

Result<Halt> LocalStore::halt(const Halt& halt) {
  Step step(*this);
  if (!step.status()) return step.status().error();
  Halt stored = halt;
  stored.id = step.state().next_halt++;
  stored.at_ms = step.now_ms();
  if (const Status done = facts::put_halt(*tables_, stored); !done) return done.error();
  ++step.state().revision;
  const Status logged = facts::add_change(
      *tables_, step.state(), step.now_ms(), halt.who,
      halt.match.of.empty() ? "halt of every call" : "halt of calls with " + halt.match.words(), halt.why);
  if (!logged) return logged.error();
  if (const Status done = step.commit(); !done) return done.error();
  return stored;
}

Status LocalStore::resume(std::optional<std::int64_t> id, const std::string& who, const std::string& why) {
  Step step(*this);
  if (!step.status()) return step.status();
  const auto halts = tables_->facts("halt");
  if (!halts) return halts.error();
  bool found = false;
  for (const auto& [key, value] : *halts) {
    if (id && key != facts::number_key(*id)) continue;
    found = true;
    if (const Status done = tables_->erase_fact("halt", key); !done) return done;
  }
  if (!found && id)
    return Error{Code::unknown_halt, "there is no halt " + std::to_string(*id) + " in " + info_.location};
  ++step.state().revision;
  const Status logged = facts::add_change(*tables_, step.state(), step.now_ms(), who,
                                          id ? "resume " + std::to_string(*id) : "resume all", why);
  return logged ? step.commit() : logged;
}

}  // namespace farthing
