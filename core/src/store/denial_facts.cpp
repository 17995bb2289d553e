// Refusals as JSON facts of Tables (facts.h): equal ones are one (R2).
#include <algorithm>

#include "store/fact_lists.h"
#include "store/facts.h"

namespace farthing {

void DenialEntry::join(const DenialEntry& earlier) {
  first_ms = std::min(first_ms, earlier.first_ms);
  last_ms = std::max(last_ms, earlier.last_ms);
  count += earlier.count;
  std::vector<AttemptId> all = earlier.others;
  all.push_back(earlier.id);
  all.insert(all.end(), others.begin(), others.end());
  if (all.size() > max_denial_ids) all.erase(all.begin(), all.end() - max_denial_ids);
  others = std::move(all);
}

namespace facts {
namespace {

/// R2: equal refusals within this time are one entry with a count.
constexpr std::int64_t coalesce_ms = 60'000;

/// Refusals stand at the front of Code.
Code refusal_of(const std::string& text) {
  for (int i = 0; i <= static_cast<int>(Code::store_unavailable); ++i) {
    if (code_text(static_cast<Code>(i)) == text) return static_cast<Code>(i);
  }
  return Code::cap_exceeded;
}

/// Which refusal of each kind was the last is of use for as long as the next one may be added to it.
Status forget_last_denials(Tables& tables, std::int64_t now_ms) {
  const auto rows = tables.facts("denial_last");
  if (!rows) return rows.error();
  std::vector<std::pair<std::int64_t, std::string>> oldest_first;
  for (const auto& [same, value] : *rows) {
    const Json known = parse_json(value);
    oldest_first.emplace_back(known.is_object() ? known.value("last_ms", std::int64_t{0}) : 0, same);
  }
  std::sort(oldest_first.begin(), oldest_first.end());
  for (std::size_t i = 0; i < oldest_first.size(); ++i) {
    const auto& [last_ms, same] = oldest_first[i];
    if (now_ms - last_ms <= coalesce_ms && i + max_denials >= oldest_first.size()) break;
    if (const Status done = tables.erase_fact("denial_last", same); !done) return done;
  }
  return success();
}

/// Of an entry as it is stored.
DenialEntry denial_of(const Json& json) {
  DenialEntry entry;
  if (auto id = parse_attempt_id(json.at("id").get<std::string>())) entry.id = *id;
  if (const auto others = json.find("others"); others != json.end()) {
    for (const Json& each : *others) {
      if (auto id = parse_attempt_id(each.get<std::string>())) entry.others.push_back(*id);
    }
  }
  entry.first_ms = json.at("first_ms");
  entry.last_ms = json.at("last_ms");
  entry.count = json.at("count");
  entry.code = refusal_of(json.at("code").get<std::string>());
  entry.cap_id = json.at("cap");
  entry.labels_json = json.at("labels");
  entry.model = json.at("model");
  entry.message = json.at("message");
  entry.body = json.at("body");
  return entry;
}

}  // namespace

Status add_denial(Tables& tables, StoreState& state, const DenialEntry& entry) {
  DenialEntry whole = entry;
  bool fresh = true;
  // The newest equal one is found by what makes refusals equal.
  const std::string same = std::string(code_text(entry.code)) + "|" + entry.cap_id + "|" + entry.labels_json + "|" +
                           entry.model + (entry.cap_id.empty() ? "|" + entry.message : std::string());
  const auto last = tables.fact("denial_last", same);
  if (!last) return last.error();
  const Json known = *last ? parse_json(**last) : Json();
  if (known.is_object() && entry.last_ms - known.value("last_ms", std::int64_t{0}) <= coalesce_ms) {
    const std::string key = number_key(known.value("number", std::int64_t{0}));
    const auto stored = tables.fact("denial", key);
    if (!stored) return stored.error();
    if (*stored) {
      try {
        whole.join(denial_of(parse_json(**stored)));
      } catch (const Json::exception&) {  // a field that is missing or of another type
        return tables.damaged("its record denial " + key + " cannot be read");
      }
      fresh = false;
      // It becomes the newest: what is dropped are those that were not heard of for longest.
      if (const Status done = tables.erase_fact("denial", key); !done) return done;
    }
  }
  const std::int64_t number = state.next_note++;
  Json others = Json::array();
  for (const AttemptId other : whole.others)
    others.push_back(to_text(other));
  Status done = tables.put_fact("denial", number_key(number),
                                dump_json(Json{{"id", to_text(whole.id)},
                                               {"others", std::move(others)},
                                               {"first_ms", whole.first_ms},
                                               {"last_ms", whole.last_ms},
                                               {"count", whole.count},
                                               {"code", code_text(whole.code)},
                                               {"cap", whole.cap_id},
                                               {"labels", whole.labels_json},
                                               {"model", whole.model},
                                               {"message", whole.message},
                                               {"body", whole.body}}));
  if (done)
    done = tables.put_fact("denial_last", same, dump_json(Json{{"number", number}, {"last_ms", whole.last_ms}}));
  if (!done || !fresh) return done;
  if (const Status trimmed = trim(tables, "denial", max_denials); !trimmed) return trimmed;
  const auto now = time_to_trim(tables, "denial_last");
  if (!now) return now.error();
  return *now ? forget_last_denials(tables, whole.last_ms) : success();
}

Result<std::vector<DenialEntry>> denials(Tables& tables, std::size_t most) {
  std::vector<DenialEntry> result;
  const Status read =
      each_fact(tables, "denial", [&](const std::string&, const Json& json) { result.push_back(denial_of(json)); });
  if (!read) return read.error();
  std::stable_sort(result.begin(), result.end(),
                   [](const DenialEntry& a, const DenialEntry& b) { return a.last_ms > b.last_ms; });
  if (result.size() > std::min(most, max_denials)) result.resize(std::min(most, max_denials));
  return result;
}

}  // namespace facts
}  // namespace farthing
