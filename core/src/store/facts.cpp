#include "store/facts.h"

#include <algorithm>
#include <cstdio>

#include "farthing/policy.h"
#include "money/json_document.h"
#include "policy/documents.h"
#include "store/fact_lists.h"

namespace farthing::facts {

namespace {

/// Once in so many additions to a kind the store looks for what is too much of it: that reads them all.
constexpr std::int64_t trim_every = 256;
constexpr std::size_t max_alerts = 10'000;
constexpr std::size_t max_changes = 10'000;

std::string override_key(const std::string& cap_id, const std::vector<std::string>& each_values) {
  return cap_id + "|" + dump_json(Json(each_values));
}

Json match_json(const Match& match) {
  return parse_json(match.to_json());
}

Match match_of(const Json& json) {
  Match match;
  for (const auto& [kind, globs] : json.items())
    match.of.emplace_back(kind, globs.get<std::vector<std::string>>());
  return match;
}

template <class T>
std::optional<T> optional_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return std::nullopt;
  return found->get<T>();
}

template <class T>
Json nullable(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::string document_key(const Document& document) {
  return document.name + "/" + number_key(document.at_ms);
}

/// The caps of a document, by id.
Result<std::vector<Cap>> caps_of(Tables& tables, const Document& document) {
  PolicyOrProblems read = policy_from_json(document.json, document.name, [](std::string_view) { return std::nullopt; });
  if (!read.ok()) {
    return tables.damaged("its policy \"" + document.name +
                          "\" cannot be read: " + (read.problems.empty() ? "" : read.problems.front().message));
  }
  return std::move(read.policy->caps);
}

}  // namespace

Result<bool> time_to_trim(Tables& tables, std::string_view kind) {
  const auto known = tables.fact("added", kind);
  if (!known) return known.error();
  const std::int64_t added = std::strtoll(known->value_or("0").c_str(), nullptr, 10) + 1;
  const bool now = added >= trim_every;
  if (const Status done = tables.put_fact("added", kind, std::to_string(now ? 0 : added)); !done) return done.error();
  return now;
}

Status trim(Tables& tables, std::string_view kind, std::size_t most) {
  const auto now = time_to_trim(tables, kind);
  if (!now) return now.error();
  if (!*now) return success();
  const auto rows = tables.facts(kind);
  if (!rows) return rows.error();
  for (std::size_t i = 0; i + most < rows->size(); ++i) {
    if (const Status done = tables.erase_fact(kind, (*rows)[i].first); !done) return done;
  }
  return success();
}

std::string number_key(std::int64_t number) {
  char text[24];
  std::snprintf(text, sizeof text, "%019lld", static_cast<long long>(number));
  return text;
}

Result<std::vector<Document>> documents(Tables& tables) {
  std::vector<Document> result;
  const Status read = each_fact(tables, "document", [&](const std::string&, const Json& json) {
    Document document;
    document.name = json.at("name");
    document.origin = json.at("origin") == "file" ? Origin::file : Origin::code;
    document.json = json.at("json");
    document.at_ms = json.at("at_ms");
    document.current = json.at("current");
    result.push_back(std::move(document));
  });
  if (!read) return read.error();
  return result;
}

Result<std::vector<Document>> history(Tables& tables, const std::string& name) {
  auto all = documents(tables);
  if (!all) return all;
  std::vector<Document> result;
  std::copy_if(all->begin(), all->end(), std::back_inserter(result), [&](const Document& d) { return d.name == name; });
  return result;
}

Status put_document(Tables& tables, const Document& document) {
  return tables.put_fact("document", document_key(document),
                         dump_json(Json{{"name", document.name},
                                        {"origin", document.origin == Origin::file ? "file" : "code"},
                                        {"json", document.json},
                                        {"at_ms", document.at_ms},
                                        {"current", document.current}}));
}

Status put_cap(Tables& tables, const RegisteredCap& cap) {
  return tables.put_fact("cap", number_key(cap.number),
                         dump_json(Json{{"number", cap.number},
                                        {"id", cap.cap.id},
                                        {"registered_ms", cap.registered_ms},
                                        {"counted_since_ms", nullable(cap.counted_since_ms)}}));
}

Result<std::map<std::string, std::uint32_t>> cap_numbers(Tables& tables) {
  std::map<std::string, std::uint32_t> result;
  const Status read = each_fact(tables, "cap", [&](const std::string&, const Json& json) {
    result[json.at("id").get<std::string>()] = json.at("number").get<std::uint32_t>();
  });
  if (!read) return read.error();
  return result;
}

namespace {

/// "RENEWED HOLD_MAX"; versions that know only the first number find it in front.
Process process_of(const std::string& text) {
  Process process;
  char* end = nullptr;
  process.renewed_ms = std::strtoll(text.c_str(), &end, 10);
  if (*end == ' ') process.hold_max_ms = std::strtoll(end, nullptr, 10);
  return process;
}

}  // namespace

Status put_process(Tables& tables, std::uint32_t slot, const Process& process) {
  std::string text = std::to_string(process.renewed_ms);
  if (process.hold_max_ms) text += " " + std::to_string(*process.hold_max_ms);
  return tables.put_fact("process", number_key(slot), text);
}

Result<std::optional<Process>> find_process(Tables& tables, std::uint32_t slot) {
  const auto row = tables.fact("process", number_key(slot));
  if (!row) return row.error();
  return *row ? std::optional(process_of(**row)) : std::nullopt;
}

Result<std::map<std::uint32_t, Process>> processes(Tables& tables) {
  const auto rows = tables.facts("process");
  if (!rows) return rows.error();
  std::map<std::uint32_t, Process> result;
  for (const auto& [key, text] : *rows)
    result[static_cast<std::uint32_t>(std::strtoll(key.c_str(), nullptr, 10))] = process_of(text);
  return result;
}

Status erase_process(Tables& tables, std::uint32_t slot) {
  return tables.erase_fact("process", number_key(slot));
}

Status put_run(Tables& tables, const std::string& id, const engine::Entry& entry) {
  return tables.put_fact("run", id,
                         dump_json(Json{{"committed", entry.committed},
                                        {"unknown", entry.unknown},
                                        {"limit", entry.limit},
                                        {"touched_ms", entry.touched_ms}}));
}

Status forget_runs_before(Tables& tables, std::int64_t touched_ms) {
  std::vector<std::string> old;
  Status read = each_fact(tables, "run", [&](const std::string& id, const Json& json) {
    if (json.value("touched_ms", touched_ms) < touched_ms) old.push_back(id);
  });
  if (!read) return read;
  for (const std::string& id : old) {
    if (const Status done = tables.erase_fact("run", id); !done) return done;
  }
  return success();
}

Result<std::optional<engine::Entry>> kept_run(Tables& tables, const std::string& id) {
  const auto kept = tables.fact("run", id);
  if (!kept) return kept.error();
  if (!*kept) return std::optional<engine::Entry>();
  const Json json = parse_json(**kept);
  if (!json.is_object()) return tables.damaged("its record of run " + id + " cannot be read");
  engine::Entry entry;
  entry.end_ms = engine::forever_ms;
  entry.committed = json.value("committed", std::int64_t{0});
  entry.unknown = json.value("unknown", std::int64_t{0});
  entry.limit = json.value("limit", engine::no_limit);
  entry.touched_ms = json.value("touched_ms", std::int64_t{0});
  return std::optional(entry);
}

Status put_override(Tables& tables, const Override& change) {
  return tables.put_fact("override", override_key(change.cap_id, change.each_values),
                         dump_json(Json{{"cap", change.cap_id},
                                        {"each", change.each_values},
                                        {"limit", change.limit},
                                        {"baseline", change.baseline},
                                        {"who", change.who},
                                        {"why", change.why},
                                        {"at_ms", change.at_ms},
                                        {"until_ms", nullable(change.until_ms)},
                                        {"meter", change.meter ? meter_text(*change.meter) : ""},
                                        {"kinds", change.each}}));
}

Status erase_override(Tables& tables, const std::string& cap_id, const std::vector<std::string>& each_values) {
  return tables.erase_fact("override", override_key(cap_id, each_values));
}

Status rename_cap(Tables& tables, const std::string& from, const std::string& to) {
  // Collected first: what is moved must not be met again.
  std::vector<std::pair<std::string, Json>> overrides;
  Status read = each_fact(tables, "override", [&](const std::string& key, const Json& json) {
    if (json.at("cap") == from) overrides.emplace_back(key, json);
  });
  if (!read) return read;
  for (auto& [key, json] : overrides) {
    if (const Status done = tables.erase_fact("override", key); !done) return done;
    const std::string own_key = override_key(to, json.at("each").get<std::vector<std::string>>());
    const auto own = tables.fact("override", own_key);
    if (!own) return own.error();
    // R8: the last one wins.
    if (*own && parse_json(**own).value("at_ms", std::int64_t{0}) > json.at("at_ms").get<std::int64_t>()) continue;
    json["cap"] = to;
    if (const Status done = tables.put_fact("override", own_key, dump_json(json)); !done) return done;
  }
  const auto once = tables.facts("once");
  if (!once) return once.error();
  for (const auto& [key, ends_ms] : *once) {
    Json parts = parse_json(key);
    if (!parts.is_array() || parts.empty() || parts.front() != from) continue;
    parts.front() = to;
    if (const Status done = tables.erase_fact("once", key); !done) return done;
    if (const Status done = tables.put_fact("once", dump_json(parts), ends_ms); !done) return done;
  }
  return success();
}

Status put_halt(Tables& tables, const Halt& halt) {
  return tables.put_fact("halt", number_key(halt.id),
                         dump_json(Json{{"id", halt.id},
                                        {"match", match_json(halt.match)},
                                        {"who", halt.who},
                                        {"why", halt.why},
                                        {"at_ms", halt.at_ms}}));
}

namespace {

/// R8: the cap of this id counts something else by now, or for others.
bool is_another(const Registry& registry, const Override& change) {
  const auto found = std::find_if(registry.caps.begin(), registry.caps.end(),
                                  [&](const RegisteredCap& registered) { return registered.cap.id == change.cap_id; });
  return found != registry.caps.end() && (found->cap.meter != *change.meter || found->cap.each != change.each);
}

}  // namespace

Result<Registry> read_registry(Tables& tables, const StoreState& state, std::int64_t now_ms) {
  Registry registry;
  registry.revision = state.revision;
  registry.valid_until_ms = engine::forever_ms;

  auto all = documents(tables);
  if (!all) return all.error();
  for (Document& document : *all) {
    if (document.current) registry.documents.push_back(std::move(document));
  }

  // R6: one id in several documents is one counter with the lowest limit.
  std::vector<std::pair<Cap, std::vector<std::string>>> bound;
  for (const Document& document : registry.documents) {
    auto caps = caps_of(tables, document);
    if (!caps) return caps.error();
    for (Cap& cap : *caps) {
      const auto same =
          std::find_if(bound.begin(), bound.end(), [&](const auto& entry) { return entry.first.id == cap.id; });
      if (same == bound.end()) {
        bound.emplace_back(std::move(cap), std::vector{document.name});
        continue;
      }
      same->second.push_back(document.name);
      merge_lowest(same->first, cap);
    }
  }
  // In the order of the documents (R3: the rest by policy order); the numbers are the store's.
  std::vector<RegisteredCap> numbered;
  Status read = each_fact(tables, "cap", [&](const std::string&, const Json& json) {
    RegisteredCap cap;
    cap.number = json.at("number");
    cap.cap.id = json.at("id");
    cap.registered_ms = json.at("registered_ms");
    cap.counted_since_ms = optional_of<std::int64_t>(json, "counted_since_ms");
    numbered.push_back(std::move(cap));
  });
  if (!read) return read.error();
  for (auto& [cap, names] : bound) {
    // The newest number of an id: an earlier one belongs to what the id meant before.
    const std::string& id = cap.id;
    const auto own =
        std::find_if(numbered.rbegin(), numbered.rend(), [&](const RegisteredCap& r) { return r.cap.id == id; });
    if (own == numbered.rend()) continue;  // being registered in this very step
    own->cap = std::move(cap);
    own->documents = std::move(names);
    registry.caps.push_back(*own);
  }

  read = each_fact(tables, "override", [&](const std::string&, const Json& json) {
    Override change;
    change.cap_id = json.at("cap");
    change.each_values = json.at("each").get<std::vector<std::string>>();
    change.limit = json.at("limit");
    change.baseline = json.at("baseline");
    change.who = json.at("who");
    change.why = json.at("why");
    change.at_ms = json.at("at_ms");
    change.until_ms = optional_of<std::int64_t>(json, "until_ms");
    if (change.until_ms && *change.until_ms <= now_ms) return;
    change.meter = meter_of(json.value("meter", ""));
    change.each = json.value("kinds", std::vector<std::string>());
    if (change.meter && is_another(registry, change)) {
      registry.resting.push_back(std::move(change));
      return;
    }
    if (change.until_ms) registry.valid_until_ms = std::min(registry.valid_until_ms, *change.until_ms);
    registry.overrides.push_back(std::move(change));
  });
  if (!read) return read.error();
  std::stable_sort(registry.overrides.begin(), registry.overrides.end(),
                   [](const Override& a, const Override& b) { return a.at_ms < b.at_ms; });

  read = each_fact(tables, "halt", [&](const std::string&, const Json& json) {
    Halt halt;
    halt.id = json.at("id");
    halt.match = match_of(json.at("match"));
    halt.who = json.at("who");
    halt.why = json.at("why");
    halt.at_ms = json.at("at_ms");
    registry.halts.push_back(std::move(halt));
  });
  if (!read) return read.error();
  return registry;
}

Status add_change(Tables& tables, StoreState& state, std::int64_t now_ms, const std::string& who,
                  const std::string& what, const std::string& why) {
  const std::int64_t number = state.next_note++;
  const Status done = tables.put_fact("change", number_key(number),
                                      dump_json(Json{{"at_ms", now_ms}, {"who", who}, {"what", what}, {"why", why}}));
  return done ? trim(tables, "change", max_changes) : done;
}

Result<std::vector<Change>> changes(Tables& tables, std::size_t most) {
  std::vector<Change> result;
  const Status read = each_fact(tables, "change", [&](const std::string&, const Json& json) {
    result.push_back({json.at("at_ms"), json.at("who"), json.at("what"), json.at("why")});
  });
  if (!read) return read.error();
  std::reverse(result.begin(), result.end());
  if (result.size() > std::min(most, max_changes)) result.resize(std::min(most, max_changes));
  return result;
}

namespace {
std::string once_key(const AlertFired& alert) {
  return dump_json(Json{alert.cap_id, alert.each_values, alert.window_start_ms, alert.threshold, alert.limit});
}
}  // namespace

Result<bool> is_first_alert(Tables& tables, const AlertFired& alert) {
  const auto known = tables.fact("once", once_key(alert));
  if (!known) return known.error();
  return !*known;
}

Result<bool> first_alert(Tables& tables, const AlertFired& alert) {
  auto first = is_first_alert(tables, alert);
  if (!first || !*first) return first;
  const Status done =
      tables.put_fact("once", once_key(alert), std::to_string(alert.resets_at_ms.value_or(engine::forever_ms)));
  if (!done) return done.error();
  return true;
}

Status forget_alerts_before(Tables& tables, std::int64_t end_ms) {
  const auto keys = tables.facts("once");
  if (!keys) return keys.error();
  for (const auto& [key, ends_ms] : *keys) {
    if (std::strtoll(ends_ms.c_str(), nullptr, 10) >= end_ms) continue;
    if (const Status done = tables.erase_fact("once", key); !done) return done;
  }
  return success();
}

Result<std::int64_t> counter_count(Tables& tables, std::uint32_t cap_number) {
  const auto known = tables.fact("counters", number_key(cap_number));
  if (!known) return known.error();
  return *known ? std::strtoll((*known)->c_str(), nullptr, 10) : 0;
}

Status count_counters(Tables& tables, std::uint32_t cap_number, std::int64_t more) {
  const auto count = counter_count(tables, cap_number);
  if (!count) return count.error();
  return tables.put_fact("counters", number_key(cap_number), std::to_string(std::max<std::int64_t>(*count + more, 0)));
}

Status add_alert(Tables& tables, StoreState& state, const AlertFired& alert) {
  const std::int64_t number = state.next_note++;
  const Status done = tables.put_fact("alert", number_key(number),
                                      dump_json(Json{{"cap", alert.cap_id},
                                                     {"each", alert.each_values},
                                                     {"window_start_ms", alert.window_start_ms},
                                                     {"threshold", alert.threshold},
                                                     {"limit", alert.limit},
                                                     {"spent", alert.spent},
                                                     {"reserved", alert.reserved},
                                                     {"meter", meter_text(alert.meter)},
                                                     {"resets_at_ms", nullable(alert.resets_at_ms)}}));
  return done ? trim(tables, "alert", max_alerts) : done;
}

Result<std::vector<AlertFired>> alerts(Tables& tables, std::size_t most) {
  std::vector<AlertFired> result;
  const Status read = each_fact(tables, "alert", [&](const std::string&, const Json& json) {
    AlertFired alert;
    alert.cap_id = json.at("cap");
    alert.each_values = json.at("each").get<std::vector<std::string>>();
    alert.window_start_ms = json.at("window_start_ms");
    alert.threshold = json.at("threshold");
    alert.limit = json.at("limit");
    alert.spent = json.at("spent");
    alert.reserved = json.at("reserved");
    alert.meter = meter_of(json.at("meter").get<std::string>()).value_or(Meter::usd);
    alert.resets_at_ms = optional_of<std::int64_t>(json, "resets_at_ms");
    result.push_back(std::move(alert));
  });
  if (!read) return read.error();
  std::reverse(result.begin(), result.end());
  if (result.size() > std::min(most, max_alerts)) result.resize(std::min(most, max_alerts));
  return result;
}

}  // namespace farthing::facts
