#include "farthing/control.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <limits>

#include "farthing/prices.h"
#include "policy/documents.h"
#include "report/status.h"
#include "report/suggest.h"
#include "report/text.h"
#include "report/who.h"
#include "report/why.h"
#include "store/store.h"

namespace farthing {

namespace {

using report::who_of;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string listed(const Cap& cap) {
  return is_made_id(cap.id) ? cap.words() : cap.id + "   (" + cap.words() + ")";
}

std::string listed(const std::vector<const RegisteredCap*>& caps) {
  std::string text;
  for (const RegisteredCap* registered : caps)
    text += "\n  " + listed(registered->cap);
  return text;
}

/// The caps whose id or words are nearest to a name that none has; all where none is near.
std::vector<const RegisteredCap*> near_caps(const std::vector<const RegisteredCap*>& caps, const std::string& name,
                                            const std::vector<const RegisteredCap*>& with_part) {
  std::vector<const RegisteredCap*> near = with_part;
  std::vector<std::string_view> ids;
  for (const RegisteredCap* registered : caps)
    ids.push_back(registered->cap.id);
  for (const std::string& id : near_names(name, ids, 3)) {
    const auto found = std::find_if(caps.begin(), caps.end(),
                                    [&](const RegisteredCap* registered) { return registered->cap.id == id; });
    if (std::find(near.begin(), near.end(), *found) == near.end()) near.push_back(*found);
  }
  return near.empty() ? caps : near;
}

Result<const RegisteredCap*> find_cap(const Registry& registry, const std::string& name, CapBy by) {
  std::vector<const RegisteredCap*> all, with_words, with_part;
  for (const RegisteredCap& registered : registry.caps) {
    if (registered.documents.empty()) continue;
    const Cap& cap = registered.cap;
    if (cap.id == name) return &registered;
    all.push_back(&registered);
    if (is_made_id(cap.id) && cap.words() == name) with_words.push_back(&registered);
    const bool has = lower(cap.id).find(lower(name)) != std::string::npos ||
                     lower(cap.words()).find(lower(name)) != std::string::npos;
    if (has && !name.empty()) with_part.push_back(&registered);
  }
  if (with_words.size() == 1) return with_words.front();
  if (by == CapBy::part && with_part.size() == 1) return with_part.front();
  if (all.empty()) return Error{Code::unknown_cap, "no cap is registered in this store"};
  if (by == CapBy::part && with_part.size() > 1)
    return Error{Code::unknown_cap, "\"" + name + "\" is not clear, it fits several caps:" + listed(with_part)};
  const std::vector<const RegisteredCap*> near = near_caps(all, name, with_part);
  return Error{Code::unknown_cap,
               (by == CapBy::part ? "no cap has \"" + name + "\" in its id or words; "
                                  : "no cap has the id \"" + name +
                                        "\"; accepted is the whole id, or the words of a cap without one; ") +
                   (near.size() < all.size() ? "near names:" : "there are:") + listed(near)};
}

/// "user=... and project=..."
std::string each_words(const Cap& cap) {
  std::string words;
  for (const std::string& kind : cap.each)
    words += (words.empty() ? "" : " and ") + kind + "=...";
  return words;
}

/// The values in the order of the cap's kinds. Of several kinds each has to be named: their order in a policy is not kept.
Result<std::vector<std::string>> values_of(const Cap& cap, const CounterValues& counter) {
  std::vector<std::string> values;
  if (counter.empty()) return values;
  const auto wrong = [&](const std::string& found) {
    const std::string accepted =
        cap.each.empty() ? " has one counter for all its calls, so no value is accepted"
                         : " has a counter for each " + each_words(cap) + ", and all of these are accepted, once";
    return Error{Code::invalid_argument, cap.name() + accepted + "; found " + found +
                                             (cap.each.empty() ? ". How long a limit holds is told by `until`" : "")};
  };
  std::string found;
  for (const auto& [kind, value] : counter)
    found += (found.empty() ? "" : ", ") + (kind.empty() ? "" : kind + "=") + value;
  if (counter.size() != cap.each.size()) return wrong(found);
  for (const std::string& kind : cap.each) {
    const auto given = std::find_if(counter.begin(), counter.end(), [&](const auto& one) {
      return one.first == kind || (one.first.empty() && cap.each.size() == 1);
    });
    if (given == counter.end()) return wrong(found);
    values.push_back(given->second);
  }
  return values;
}

/// R8: what was set at run time goes on over the policy's limits, so these are not what is in force.
std::string still_set(const SetLimit& set) {
  std::string counter, option;
  for (const auto& [kind, value] : report::counter_of(set.cap, set.change.each_values)) {
    counter += (counter.empty() ? " for " : ", ") + kind + "=" + value;
    option += " --for " + kind + "=" + value;
  }
  return set.cap.name() + counter + ": a limit set at run time stays in force, " +
         limit_change_words(set.cap.meter, report::limit_change(set.cap, set.change)) +
         ". The policy's again: farthing cap clear " + set.cap.id + option;
}

bool fits(const DenialEntry& entry, const LedgerFilter& filter) {
  if (filter.since_ms && entry.last_ms < *filter.since_ms) return false;
  if (filter.until_ms && entry.first_ms >= *filter.until_ms) return false;
  if (!filter.model.empty() && entry.model != filter.model) return false;
  if (filter.labels.entries().empty()) return true;
  const auto labels = Labels::from_json(entry.labels_json);
  return labels && std::all_of(filter.labels.entries().begin(), filter.labels.entries().end(), [&](const auto& wanted) {
           const std::string* value = labels->get(wanted.first);
           return value != nullptr && *value == wanted.second;
         });
}

}  // namespace

Control::Control(std::shared_ptr<Store> store) : store_(std::move(store)) {}
Control::~Control() = default;

Result<std::shared_ptr<Control>> Control::open(const std::string& store_location, std::shared_ptr<Clock> clock) {
  StoreOptions options;
  options.clock = clock ? std::move(clock) : system_clock();
  auto store = open_store(store_location, options);
  if (!store) return store.error();
  return over(*store);
}

std::shared_ptr<Control> Control::over(std::shared_ptr<Store> store) {
  return std::shared_ptr<Control>(new Control(std::move(store)));
}

Result<StatusReport> Control::status() const {
  return report::status_of(*store_);
}

Status Control::ledger(const LedgerFilter& filter, const std::function<bool(const LedgerRow&)>& visit) const {
  return store_->ledger(filter, visit);
}

Result<std::vector<std::string>> Control::denials(const LedgerFilter& filter) const {
  const auto entries = store_->denials(max_denials);
  if (!entries) return entries.error();
  std::vector<std::string> result;
  for (const DenialEntry& entry : *entries) {
    if (filter.most > 0 && static_cast<std::int64_t>(result.size()) == filter.most) break;
    if (fits(entry, filter)) result.push_back(report::denial_entry_json(entry));
  }
  return result;
}

Result<WhyReport> Control::why(const std::string& id) const {
  return report::why_of(*store_, id);
}

Result<CapSuggestions> Control::suggest_caps(const SuggestOptions& options) const {
  auto found = report::suggest_caps(*store_, options);
  if (!found) return found;
  const auto registered = caps();
  if (!registered) return registered.error();
  report::name_in_force(*found, *registered);
  return found;
}

Result<std::int64_t> Control::halt(const Match& match, const ChangeNote& note) {
  // A halt that no call can match would stop nothing, and nobody would know.
  for (const auto& [kind, globs] : match.of) {
    if (globs.empty())
      return Error{Code::invalid_argument, "match of " + kind + " names no value, so it matches no call"};
    for (const std::string& glob : globs) {
      if (const Status fine = check_label(kind, glob); !fine) return fine.error();
    }
  }
  Halt halt;
  halt.match = match;
  halt.who = who_of(note);
  halt.why = note.why;
  const auto made = store_->halt(halt);
  if (!made) return made.error();
  return made->id;
}

Status Control::resume(std::optional<std::int64_t> id, const ChangeNote& note) {
  return store_->resume(id, who_of(note), note.why);
}

Result<std::vector<RegisteredCapView>> Control::caps() const {
  const auto registry = store_->registry();
  if (!registry) return registry.error();
  const auto now = store_->now_ms();
  if (!now) return now.error();
  std::vector<RegisteredCapView> result;
  for (const RegisteredCap& registered : registry->caps) {
    if (registered.documents.empty()) continue;
    const LimitInForce limit = limit_in_force(registered.cap, registry->overrides, {}, *now);
    RegisteredCapView& view = result.emplace_back();
    view.cap = registered.cap;
    view.words = registered.cap.words();
    view.limit = limit.limit;
    if (limit.change != nullptr) view.baseline = limit.of_policy;
    for (const Override& change : registry->overrides) {
      if (change.cap_id == registered.cap.id && (!change.until_ms || *now < *change.until_ms))
        view.changes.push_back(report::limit_change(registered.cap, change));
    }
    view.documents = registered.documents;
  }
  return result;
}

Result<LimitSet> Control::set_limit(const std::string& cap, const CounterValues& counter, const std::string& limit_text,
                                    std::optional<std::int64_t> until_ms, const ChangeNote& note, CapBy by) {
  const auto registry = store_->registry();
  if (!registry) return registry.error();
  const auto now = store_->now_ms();
  if (!now) return now.error();
  const auto found = find_cap(*registry, cap, by);
  if (!found) return found.error();
  const Cap& target = (*found)->cap;
  const auto limit = parse_limit(limit_text);
  if (!limit) return limit.error();
  if (limit->meter != target.meter) {
    return Error{Code::invalid_argument, target.name() + " counts " + std::string(meter_text(target.meter)) +
                                             ", so its limit is written like \"" +
                                             farthing::limit_text(target.meter, target.limit) + "\", not \"" +
                                             limit_text + "\""};
  }
  const auto each_values = values_of(target, counter);
  if (!each_values) return each_values.error();
  if (until_ms && *until_ms <= *now)
    return Error{Code::invalid_argument, "`until` is in the past: " + iso_utc(*until_ms)};
  Override change;
  change.cap_id = target.id;
  change.each_values = *each_values;
  change.limit = limit->value;
  const LimitInForce before = limit_in_force(target, registry->overrides, *each_values, *now);
  change.baseline = before.limit;
  change.who = who_of(note);
  change.why = note.why;
  change.at_ms = *now;
  change.until_ms = until_ms;
  if (const Status done = store_->set_override(change); !done) return done.error();
  return LimitSet{target.id,    target.words(), target.meter, report::counter_of(target, *each_values),
                  before.limit, change.limit};
}

Result<LimitSet> Control::clear_limit(const std::string& cap, const CounterValues& counter, const ChangeNote& note,
                                      CapBy by) {
  auto registry = store_->registry();
  if (!registry) return registry.error();
  const auto now = store_->now_ms();
  if (!now) return now.error();
  const auto found = find_cap(*registry, cap, by);
  if (!found) return found.error();
  const Cap& target = (*found)->cap;
  const auto each_values = values_of(target, counter);
  if (!each_values) return each_values.error();
  if (const Status done = store_->clear_override(target.id, *each_values, who_of(note), note.why); !done)
    return done.error();
  LimitSet done{target.id, target.words(), target.meter, report::counter_of(target, *each_values), 0, 0};
  done.before = limit_in_force(target, registry->overrides, *each_values, *now).limit;
  std::erase_if(registry->overrides, [&](const Override& change) {
    return change.cap_id == target.id && change.each_values == *each_values;
  });
  done.after = limit_in_force(target, registry->overrides, *each_values, *now).limit;
  return done;
}

Result<std::vector<Change>> Control::changes(std::size_t most) const {
  return store_->changes(most == 0 ? std::numeric_limits<std::size_t>::max() : most);
}

Result<Usd> Control::adjust(AttemptId attempt, Usd actual, const ChangeNote& note) {
  std::optional<LedgerRow> original;
  Amounts booked;
  LedgerFilter filter;
  filter.id = attempt;
  const Status read = store_->ledger(filter, [&](const LedgerRow& row) {
    if (row.kind == RowKind::attempt) original = row;
    for (std::size_t i = 0; i < meter_count; ++i)
      booked.of[i] += row.booked.of[i];  // adjustments are differences
    return true;
  });
  if (!read) return read.error();
  if (!original)
    return Error{Code::unknown_attempt, "no attempt " + to_text(attempt) + " in " + store_->info().location};
  const auto now = store_->now_ms();
  if (!now) return now.error();
  const Usd before{booked[Meter::usd]};
  booked[Meter::usd] = actual.nano;
  Adjustment adjustment;
  adjustment.attempt = attempt;
  static std::atomic<std::uint64_t> made{0};  // several may be made within a millisecond
  adjustment.id = "by-hand-" + to_text(attempt) + "-" + std::to_string(*now) + "-" + std::to_string(getpid()) + "-" +
                  std::to_string(++made);
  adjustment.booked = booked;
  adjustment.actual = actual;
  adjustment.who = who_of(note);
  adjustment.why = note.why;
  const auto done = store_->adjust(adjustment);
  if (!done) return done.error();
  return before;
}

Result<std::vector<PolicyView>> Control::policies() const {
  const auto registry = store_->registry();
  if (!registry) return registry.error();
  std::vector<PolicyView> result;
  for (const Document& document : registry->documents) {
    PolicyView& view = result.emplace_back(PolicyView{document.name, document.origin, document.at_ms, {}});
    for (const RegisteredCap& registered : registry->caps) {
      const auto& holders = registered.documents;
      if (std::find(holders.begin(), holders.end(), document.name) != holders.end())
        view.caps.push_back(registered.cap.name());
    }
  }
  std::sort(result.begin(), result.end(), [](const PolicyView& a, const PolicyView& b) { return a.name < b.name; });
  return result;
}

Result<PolicyChange> Control::apply_policy(const Policy& policy, bool force, const ChangeNote& note, bool look_only) {
  auto applied = store_->apply(policy, force, who_of(note), note.why, look_only);
  if (!applied) return applied.error();
  for (const SetLimit& set : applied->set_limits) {
    if (set.in_force) applied->change.warnings.push_back(still_set(set));
  }
  return std::move(applied->change);
}

Result<PolicyChange> Control::remove_policy(const std::string& name, const ChangeNote& note, bool look_only) {
  auto change = store_->remove_document(name, who_of(note), note.why, look_only);
  if (change || change.error().code != Code::unknown_policy) return change;
  const auto registry = store_->registry();
  if (!registry) return registry.error();
  std::vector<std::string_view> names;
  for (const Document& document : registry->documents)
    names.push_back(document.name);
  Error error = change.error();
  for (const std::string& near : near_names(name, names, 3))
    error.message += (error.message.find("; near names: ") == std::string::npos ? "; near names: " : ", ") + near;
  return error;
}

Status Control::reset_clock(const ChangeNote& note) {
  return store_->reset_clock(who_of(note), note.why);
}

}  // namespace farthing
