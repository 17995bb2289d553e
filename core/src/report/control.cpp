#include "farthing/control.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>

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

/// The limit in force for all counters of a cap, and what it replaced.
std::pair<std::int64_t, std::optional<std::int64_t>> limit_of(const RegisteredCap& registered, const Registry& registry,
                                                              std::int64_t now_ms) {
  std::pair<std::int64_t, std::optional<std::int64_t>> result{registered.cap.limit, std::nullopt};
  for (const Override& change : registry.overrides) {
    if (change.cap_id != registered.cap.id || !change.each_values.empty()) continue;
    if (change.until_ms && now_ms >= *change.until_ms) continue;
    result = {change.limit, registered.cap.limit};
  }
  return result;
}

/// By id, or by a part of id or words that only one cap has.
Result<const RegisteredCap*> find_cap(const Registry& registry, const std::string& name) {
  std::vector<const RegisteredCap*> found;
  std::string all;
  for (const RegisteredCap& registered : registry.caps) {
    if (registered.documents.empty()) continue;
    if (registered.cap.id == name) return &registered;
    all += "\n  " + registered.cap.id + "   (" + registered.cap.words() + ")";
    if (lower(registered.cap.id).find(lower(name)) != std::string::npos ||
        lower(registered.cap.words()).find(lower(name)) != std::string::npos) {
      found.push_back(&registered);
    }
  }
  if (found.size() == 1 && !name.empty()) return found.front();
  if (all.empty()) return Error{Code::unknown_cap, "no cap is registered in this store"};
  if (found.empty())
    return Error{Code::unknown_cap, "no cap has \"" + name + "\" in its id or words; there are:" + all};
  std::string several;
  for (const RegisteredCap* registered : found)
    several += "\n  " + registered->cap.id + "   (" + registered->cap.words() + ")";
  return Error{Code::unknown_cap, "\"" + name + "\" is not clear, it fits several caps:" + several};
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

Result<std::vector<std::string>> Control::denials(std::size_t most) const {
  const auto entries = store_->denials(most);
  if (!entries) return entries.error();
  std::vector<std::string> result;
  for (const DenialEntry& entry : *entries)
    result.push_back(report::denial_entry_json(entry));
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
    const auto [limit, baseline] = limit_of(registered, *registry, *now);
    result.push_back({registered.cap, registered.cap.words(), limit, baseline, registered.documents});
  }
  return result;
}

Status Control::set_limit(const std::string& cap, const std::vector<std::string>& each_values,
                          const std::string& limit_text, std::optional<std::int64_t> until_ms, const ChangeNote& note) {
  const auto registry = store_->registry();
  if (!registry) return registry.error();
  const auto now = store_->now_ms();
  if (!now) return now.error();
  const auto found = find_cap(*registry, cap);
  if (!found) return found.error();
  const Cap& target = (*found)->cap;
  const auto limit = parse_limit(limit_text);
  if (!limit) return limit.error();
  if (limit->meter != target.meter) {
    return Error{Code::invalid_argument, "cap \"" + target.id + "\" counts " + std::string(meter_text(target.meter)) +
                                             ", so its limit is written like \"" +
                                             farthing::limit_text(target.meter, target.limit) + "\", not \"" +
                                             limit_text + "\""};
  }
  if (!each_values.empty() && each_values.size() != target.each.size()) {
    return Error{Code::invalid_argument, "cap \"" + target.id + "\" has " + std::to_string(target.each.size()) +
                                             " kinds in `each`, but " + std::to_string(each_values.size()) +
                                             " values were given"};
  }
  if (until_ms && *until_ms <= *now)
    return Error{Code::invalid_argument, "`until` is in the past: " + iso_utc(*until_ms)};
  Override change;
  change.cap_id = target.id;
  change.each_values = each_values;
  change.limit = limit->value;
  change.baseline = limit_of(**found, *registry, *now).first;
  if (const auto own = target.limits.find(each_values); own != target.limits.end()) change.baseline = own->second;
  change.who = who_of(note);
  change.why = note.why;
  change.at_ms = *now;
  change.until_ms = until_ms;
  return store_->set_override(change);
}

Status Control::clear_limit(const std::string& cap, const std::vector<std::string>& each_values,
                            const ChangeNote& note) {
  const auto registry = store_->registry();
  if (!registry) return registry.error();
  const auto found = find_cap(*registry, cap);
  if (!found) return found.error();
  return store_->clear_override((*found)->cap.id, each_values, who_of(note), note.why);
}

Status Control::adjust(AttemptId attempt, Usd actual, const ChangeNote& note) {
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
  return success();
}

Result<std::vector<std::string>> Control::apply_policy(const Policy& policy, bool force) {
  return store_->apply(policy, force);
}

Status Control::remove_policy(const std::string& name) {
  return store_->remove_document(name);
}

Status Control::reset_clock(const ChangeNote&) {
  return store_->reset_clock();
}

}  // namespace farthing
