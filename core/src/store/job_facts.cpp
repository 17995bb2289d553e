// Jobs and the files of batches as JSON facts of Tables (facts.h), and who asked what (R17).
#include <algorithm>

#include "money/json_document.h"
#include "store/facts.h"

namespace farthing::facts {

namespace {

std::string job_key(const std::string& host, const std::string& id) {
  return host + " " + id;
}

KeptJob job_of_json(const Json& json) {
  KeptJob kept;
  kept.job.attempt.value = json.at("attempt").get<std::uint64_t>();
  kept.job.host = json.at("host");
  kept.job.id = json.at("id");
  kept.job.kind = json.at("kind");
  kept.job.lives_ms = json.at("lives_ms");
  kept.job.slot_until_deadline = json.at("slot_until_deadline");
  kept.job.terms = json.at("terms");
  kept.deadline_ms = json.at("deadline_ms");
  kept.over_ms = json.at("over_ms");
  for (const Json& slot : json.at("slots"))
    kept.slots.push_back({slot.at(0), slot.at(1), static_cast<std::uint8_t>(Meter::concurrent), slot.at(2)});
  return kept;
}

Result<KeptJob> read_job(Tables& tables, std::string_view kind, const std::string& key, const std::string& value) {
  const Json json = parse_json(value);
  bool good = json.is_object();
  KeptJob kept;
  if (good) {
    try {
      kept = job_of_json(json);
    } catch (const Json::exception&) {  // a field that is missing or of another type
      good = false;
    }
  }
  if (good) return kept;
  return tables.damaged("its record " + std::string(kind) + " " + key + " cannot be read");
}

Result<std::optional<KeptJob>> kept_job(Tables& tables, std::string_view kind, const std::string& key) {
  const auto row = tables.fact(kind, key);
  if (!row) return row.error();
  if (!*row) return std::optional<KeptJob>();
  auto kept = read_job(tables, kind, key, **row);
  if (!kept) return kept.error();
  return std::optional(std::move(*kept));
}

Result<std::vector<KeptJob>> kept_jobs(Tables& tables, std::string_view kind) {
  const auto rows = tables.facts(kind);
  if (!rows) return rows.error();
  std::vector<KeptJob> result;
  for (const auto& [key, value] : *rows) {
    auto kept = read_job(tables, kind, key, value);
    if (!kept) return kept.error();
    result.push_back(std::move(*kept));
  }
  return result;
}

}  // namespace

Status put_job(Tables& tables, const KeptJob& kept) {
  const Job& job = kept.job;
  const auto replaced = find_job(tables, job.host, job.id);
  if (!replaced) return replaced.error();
  if (*replaced && (*replaced)->job.attempt != job.attempt) {
    if (const Status done = tables.erase_fact("job_of", to_text((*replaced)->job.attempt)); !done) return done;
  }
  Json slots = Json::array();
  for (const HeldCounter& slot : kept.slots)
    slots.push_back({slot.row, slot.number, slot.start_ms});
  const std::string key = job_key(job.host, job.id);
  const Status done = tables.put_fact(kept.over_ms == 0 ? "job" : "job_over", key,
                                      dump_json(Json{{"attempt", job.attempt.value},
                                                     {"host", job.host},
                                                     {"id", job.id},
                                                     {"kind", job.kind},
                                                     {"lives_ms", job.lives_ms},
                                                     {"slot_until_deadline", job.slot_until_deadline},
                                                     {"terms", job.terms},
                                                     {"deadline_ms", kept.deadline_ms},
                                                     {"over_ms", kept.over_ms},
                                                     {"slots", std::move(slots)}}));
  return done ? tables.put_fact("job_of", to_text(job.attempt), key) : done;
}

Result<std::optional<KeptJob>> find_job(Tables& tables, const std::string& host, const std::string& id) {
  auto found = kept_job(tables, "job", job_key(host, id));
  if (!found || *found) return found;
  return kept_job(tables, "job_over", job_key(host, id));
}

Result<std::optional<KeptJob>> job_of(Tables& tables, AttemptId attempt) {
  const auto key = tables.fact("job_of", to_text(attempt));
  if (!key) return key.error();
  if (!*key) return std::optional<KeptJob>();
  auto kept = kept_job(tables, "job", **key);
  // A host may have given the id again since.
  if (kept && *kept && (*kept)->job.attempt != attempt) return std::optional<KeptJob>();
  return kept;
}

Result<std::vector<KeptJob>> jobs(Tables& tables) {
  auto all = kept_jobs(tables, "job");
  if (!all) return all;
  std::vector<KeptJob>& result = *all;
  std::sort(result.begin(), result.end(),
            [](const KeptJob& a, const KeptJob& b) { return a.job.attempt < b.job.attempt; });
  return all;
}

Status end_job(Tables& tables, KeptJob kept, std::int64_t now_ms) {
  if (Status erased = tables.erase_fact("job", job_key(kept.job.host, kept.job.id)); !erased) return erased;
  kept.over_ms = now_ms;
  kept.slots.clear();
  return put_job(tables, kept);
}

Status forget_jobs_before(Tables& tables, std::int64_t before_ms) {
  for (const std::string_view kind : {"job", "job_over"}) {
    const auto all = kept_jobs(tables, kind);
    if (!all) return all.error();
    for (const KeptJob& kept : *all) {
      if (std::max(kept.over_ms, kept.deadline_ms) >= before_ms || !kept.slots.empty()) continue;
      if (const Status done = tables.erase_fact(kind, job_key(kept.job.host, kept.job.id)); !done) return done;
      if (const Status done = tables.erase_fact("job_of", to_text(kept.job.attempt)); !done) return done;
    }
  }
  const auto asked = tables.facts("asked");
  if (!asked) return asked.error();
  for (const auto& [fingerprint, text] : *asked) {
    const auto attempt = parse_attempt_id(text);
    if (attempt) {
      const auto known = tables.known(*attempt);
      if (!known) return known.error();
      if (*known == How::open) continue;
    }
    if (const Status done = tables.erase_fact("asked", fingerprint); !done) return done;
  }
  return success();
}

Status put_batch_file(Tables& tables, const BatchFile& file, std::int64_t now_ms) {
  return tables.put_fact("batch_file", job_key(file.host, file.id),
                         dump_json(Json{{"asks", file.asks}, {"kept_ms", now_ms}}));
}

Result<std::optional<std::string>> find_batch_file(Tables& tables, const std::string& host, const std::string& id) {
  const auto row = tables.fact("batch_file", job_key(host, id));
  if (!row) return row.error();
  if (!*row) return std::optional<std::string>();
  const Json json = parse_json(**row);
  const auto asks = json.is_object() ? json.find("asks") : json.end();
  if (asks == json.end() || !asks->is_string())
    return tables.damaged("its record batch_file " + job_key(host, id) + " cannot be read");
  return std::optional(asks->get<std::string>());
}

Status forget_batch_files(Tables& tables, std::int64_t before_ms, std::size_t most) {
  const auto rows = tables.facts("batch_file");
  if (!rows) return rows.error();
  std::vector<std::pair<std::int64_t, std::string>> kept;
  for (const auto& [key, value] : *rows) {
    const Json json = parse_json(value);
    const auto at = json.is_object() ? json.find("kept_ms") : json.end();
    kept.emplace_back(at != json.end() && at->is_number_integer() ? at->get<std::int64_t>() : 0, key);
  }
  std::sort(kept.begin(), kept.end());
  std::size_t left = kept.size();
  for (const auto& [at_ms, key] : kept) {
    if (at_ms >= before_ms && left <= most) break;
    if (const Status done = tables.erase_fact("batch_file", key); !done) return done;
    --left;
  }
  return success();
}

}  // namespace farthing::facts
