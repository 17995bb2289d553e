// The whole document: its own keys, its parts in turn, then what holds between them.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "policy/reading.h"
#include "policy/store_words.h"
#include "policy/text.h"
#include "zone/zone.h"

namespace farthing {
namespace policy {
namespace {

constexpr std::array<std::string_view, 21> policy_keys = {
    "name",      "store",   "timezone",  "labels",   "units",      "key_secret",     "unbounded",
    "abandoned", "output",  "held_wait", "hold_max", "durability", "on_store_error", "cap",
    "jobs",      "api_key", "host",      "endpoint", "price",      "price_book",     "tokenizer"};
constexpr std::array<std::string_view, 9> policy_keys_later = {"route", "alert",  "retry",    "fallback", "recovery",
                                                               "lease", "leases", "approval", "tenant"};
constexpr std::array<std::string_view, 2> abandoned_words = {"estimate", "hold"};
constexpr std::array<std::string_view, 2> output_words = {"fit", "as_asked"};
constexpr std::array<std::string_view, 2> durability_words = {"process", "power"};
constexpr std::array<std::string_view, 1> store_error_words = {"refuse"};
constexpr std::array<std::string_view, 1> store_error_later = {"allow"};
constexpr std::array<std::string_view, 2> jobs_keys = {"duplicates", "slots"};
constexpr std::array<std::string_view, 2> duplicates_words = {"allow", "refuse"};
constexpr std::array<std::string_view, 2> slots_words = {"until_over", "until_deadline"};
constexpr std::array<std::string_view, 2> unbounded_words = {"context_window", "refuse"};

constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t hour_ms = 60 * minute_ms;

void read_name(Fields& fields, Policy& policy) {
  const bool file = fields.reading().origin() == Origin::file;
  policy.name = fields.filled("name", "\"default\"").value_or(file ? "default" : "code");
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (policy.name.size() > 256 || std::any_of(policy.name.begin(), policy.name.end(), control)) {
    fields.bad("name", "accepted: at most 256 bytes on one line");
  }
  // R6: policies in code are current whenever opened, those in files have a history.
  if (file && (policy.name == "code" || policy.name.starts_with("code:"))) {
    fields.bad("name", "\"code\" and names that begin with \"code:\" are for policies in code");
  }
}

void read_store(Fields& fields, Policy& policy) {
  policy.store = fields.filled("store", "\"file:farthing.db\"").value_or("");
  const std::string& store = policy.store;
  if (store.empty() || store == "memory:") return;
  if (store.starts_with("file:") && store.size() > 5) return;
  for (const std::string_view later : stores_later) {
    if (!store.starts_with(later)) continue;
    fields.bad("store", "this version has no " + std::string(later) + " stores yet; accepted: " + one_of(store_words),
               Code::not_in_this_version);
    policy.store.clear();
    return;
  }
  std::string message = not_among(store, store_words);
  if (message.find("Did you mean") == std::string::npos && store.find(':') == std::string::npos) {
    message += " Did you mean " + in_quotes("file:" + store) + "?";
  }
  fields.bad("store", std::move(message));
}

void read_timezone(Fields& fields, Policy& policy) {
  const auto zone = fields.filled("timezone", "\"Europe/Berlin\"");
  if (!zone) return;
  if (!Zone::find(*zone)) {
    const std::string near = Zone::suggest(*zone);
    return fields.bad("timezone", "found " + in_quotes(*zone) +
                                      "; accepted: a name such as \"Europe/Berlin\" or \"UTC\"." +
                                      (near.empty() ? "" : " Did you mean " + in_quotes(near) + "?"));
  }
  policy.timezone = *zone;
  fields.reading().timezone = *zone;
}

bool is_unit_name(std::string_view name) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&letter](char c) { return letter(c) || c == '_'; });
}

/// [units] credit = "0.01 USD"
void read_units(Fields& fields, Policy& policy) {
  Reading& reading = fields.reading();
  for (const Node* member : fields.members("units", R"({ credit = "0.01 USD" })")) {
    const std::string path = fields.path("units") + "." + in_quotes(member->key);
    const auto fail = [&](std::string message, Code code = Code::invalid_policy) {
      reading.error(code, member->line, path, std::move(message));
    };
    const std::string plural = member->key + "s";
    if (!is_unit_name(member->key)) {
      fail("accepted: a name of small letters and _");
    } else if (meter_of(member->key) || meter_of(plural)) {
      fail(in_quotes(member->key) + " is a meter already; choose another name");
    } else if (member->kind != Node::Kind::text) {
      fail("found " + member->shown() + R"(; accepted: text such as "0.01 USD")");
    } else if (const auto text = reading.expand(*member, path)) {
      const Result<Usd> amount = parse_usd(*text);
      if (!amount) {
        fail(amount.error().message, amount.error().code);
      } else if (amount->nano <= 0) {
        fail("found " + in_quotes(*text) + "; accepted: more than nothing, such as \"0.01 USD\"");
      } else {
        policy.units.emplace(member->key, *amount);
      }
    }
  }
  reading.units = policy.units;
}

void read_unbounded(Fields& fields, Policy& policy) {
  const auto text = fields.filled("unbounded", R"("context_window", "refuse" or "0.50 USD")");
  if (!text || *text == unbounded_words[0]) return;
  if (*text == unbounded_words[1]) {
    policy.unbounded.kind = Unbounded::Kind::refuse;
    return;
  }
  const Result<Usd> amount = parse_usd(*text);
  if (amount) {
    policy.unbounded = {Unbounded::Kind::amount, *amount};
    if (*amount > max_limit) fields.bad("unbounded", "is more than any limit can be");
    return;
  }
  fields.bad("unbounded", "found " + in_quotes(*text) +
                              R"(; accepted: "context_window", "refuse" or an amount such as "0.50 USD".)" +
                              suggestion(*text, unbounded_words));
}

void read_span(Fields& fields, std::string_view key, std::int64_t least, std::int64_t most, std::int64_t& value) {
  const auto text = fields.filled(key, "\"" + duration_text(value) + "\"");
  if (!text) return;
  const auto ms = duration_ms(*text);
  if (ms && *ms >= least && *ms <= most) {
    value = *ms;
    return;
  }
  fields.bad(key, "found " + in_quotes(*text) + "; accepted: from " + in_quotes(duration_text(least)) + " to " +
                      in_quotes(duration_text(most)) + ", in ms, s, min or h");
}

void read_key_secret(Fields& fields, Policy& policy) {
  const Node* node = fields.find("key_secret");
  policy.key_secret = fields.filled("key_secret", "\"${FARTHING_KEY_SECRET}\"").value_or("");
  if (policy.key_secret.empty()) return;
  constexpr std::size_t least_bytes = 16;
  if (policy.key_secret.size() < least_bytes) {
    fields.bad("key_secret", "has fewer than 16 bytes: keys could be guessed from their ids");
  }
  if (fields.reading().origin() == Origin::file && node->text.find("${") == std::string::npos) {
    fields.warn("key_secret", "is written in the file; write \"${FARTHING_KEY_SECRET}\" and set it in the environment");
  }
}

/// [jobs] duplicates = "refuse" (R17)
void read_jobs(Fields& fields, Policy& policy) {
  const Node* node = fields.find("jobs");
  if (node == nullptr) return;
  if (node->kind != Node::Kind::table)
    return fields.bad("jobs", "found " + node->shown() + R"(; accepted: a table such as { duplicates = "refuse" })");
  Fields jobs(fields.reading(), *node, fields.path("jobs"), jobs_keys, {});
  policy.refuse_duplicates = jobs.word("duplicates", duplicates_words) == 1U;
  policy.slots_until_deadline = jobs.word("slots", slots_words) == 1U;
}

std::string numbered(std::string_view key, std::size_t i) {
  return std::string(key) + "[" + std::to_string(i) + "]";
}

Policy read_document(Reading& reading, const Node& root, std::optional<PolicyPlace>& place) {
  Policy policy;
  policy.origin = reading.origin();
  Fields fields(reading, root, "", policy_keys, policy_keys_later);
  read_name(fields, policy);
  const std::size_t before_place = reading.errors();
  read_store(fields, policy);
  read_timezone(fields, policy);
  if (reading.errors() == before_place) place = {policy.store, policy.timezone};
  read_units(fields, policy);
  read_labels(fields, "labels", policy.labels);
  read_unbounded(fields, policy);
  read_key_secret(fields, policy);
  policy.abandoned_is_hold = fields.word("abandoned", abandoned_words) == 1U;
  policy.fit_output = fields.word("output", output_words).value_or(0) == 0;
  policy.durable_power = fields.word("durability", durability_words) == 1U;
  policy.price_book = fields.filled("price_book", "\"prices.book\"").value_or("");
  read_jobs(fields, policy);
  fields.word("on_store_error", store_error_words, store_error_later);
  read_span(fields, "held_wait", 0, hour_ms, policy.held_wait_ms);
  read_span(fields, "hold_max", 2 * minute_ms, 24 * hour_ms, policy.hold_max_ms);

  const auto each = [&fields](std::string_view key, auto read) {
    std::size_t i = 0;
    for (const Node* node : fields.tables(key))
      read(*node, numbered(key, i++));
  };
  each("cap", [&](const Node& n, const std::string& at) {
    const std::size_t before = reading.errors();
    policy.caps.push_back(read_cap(reading, n, at));
    if (reading.errors() > before) reading.broken_caps.insert(policy.caps.size() - 1);
  });
  each("api_key",
       [&](const Node& n, const std::string& at) { policy.api_keys.push_back(read_api_key(reading, n, at)); });
  each("host", [&](const Node& n, const std::string& at) { policy.hosts.push_back(read_host(reading, n, at)); });
  each("endpoint",
       [&](const Node& n, const std::string& at) { policy.endpoints.push_back(read_endpoint(reading, n, at)); });
  each("price", [&](const Node& n, const std::string& at) { policy.prices.push_back(read_price(reading, n, at)); });
  each("tokenizer",
       [&](const Node& n, const std::string& at) { policy.tokenizers.push_back(read_tokenizer(reading, n, at)); });
  check_whole(reading, root, policy);
  return policy;
}

/// Lists of values stand at the line of their key.
void note_lines(const Node& table, const std::string& path, std::map<std::string, int, std::less<>>& lines) {
  for (const Node& member : table.items) {
    const std::string key = path.empty() ? member.key : path + "." + member.key;
    if (member.line > 0) lines.emplace(key, member.line);
    if (member.kind == Node::Kind::table) note_lines(member, key, lines);
    if (member.kind != Node::Kind::list) continue;
    for (std::size_t i = 0; i < member.items.size(); ++i) {
      const Node& item = member.items[i];
      if (item.kind != Node::Kind::table) break;
      if (item.line > 0) lines.emplace(numbered(key, i), item.line);
      note_lines(item, numbered(key, i), lines);
    }
  }
}

PolicyOrProblems validated(const Parsed& parsed, Reading& reading) {
  PolicyOrProblems result;
  for (const Parsed::Fault& fault : parsed.faults) {
    reading.error(Code::invalid_policy, fault.line, fault.path, fault.message);
  }
  if (parsed.faults.empty()) {
    Policy policy = read_document(reading, parsed.root, result.place);
    if (reading.shows_lines()) note_lines(parsed.root, "", policy.lines);
    if (!reading.failed()) result.policy = std::move(policy);
  }
  result.problems = result.policy ? reading.take_warnings() : reading.take_errors();
  return result;
}

PolicyOrProblems from_toml(std::string_view text, std::string_view where, const Environment& env, Origin origin) {
  Reading reading(where, env, origin);
  return validated(read_toml(text), reading);
}

PolicyOrProblems from_json(std::string_view text, std::string_view where, const Environment& env, Origin origin) {
  Reading reading(where, env, origin);
  reading.show_lines(text.find('\n') < text.find_last_not_of(" \n"));
  return validated(read_json(text), reading);
}

/// A relative path is relative to the policy's file.
std::string absolute(const std::string& written, const std::string& policy_file) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path file = written;
  const fs::path base = policy_file.empty() ? fs::current_path(ignored) : fs::path(policy_file).parent_path();
  return (file.is_absolute() ? file : base / file).lexically_normal().string();
}

PolicyOrProblems unreadable(const std::string& path, std::string_view why) {
  return {std::nullopt, {{Code::invalid_policy, path, "cannot be read: " + std::string(why)}}, std::nullopt};
}

}  // namespace
}  // namespace policy

Environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());  // NOLINT(concurrency-mt-unsafe)
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

std::string Policy::price_book_path() const {
  return price_book.empty() ? std::string() : policy::absolute(price_book, path);
}

std::vector<TokenizerRule> Policy::tokenizer_files() const {
  std::vector<TokenizerRule> rules = tokenizers;
  for (TokenizerRule& rule : rules)
    rule.file = policy::absolute(rule.file, path);
  return rules;
}

std::string Policy::place(std::string_view key) const {
  std::string out = path;
  // Of a key that is not written out, where the table stands that it belongs to.
  for (std::string_view at = key; !out.empty() && !at.empty(); at = at.substr(0, at.find_last_of('.'))) {
    if (const auto found = lines.find(at); found != lines.end()) {
      out.append(":").append(std::to_string(found->second));
      break;
    }
    if (at.find('.') == std::string_view::npos) break;
  }
  return out.append(out.empty() ? "" : ": ").append(key);
}

PolicyOrProblems policy_from_toml(std::string_view text, std::string_view where, const Environment& env) {
  return policy::from_toml(text, where, env, Origin::code);
}

PolicyOrProblems policy_from_json(std::string_view text, std::string_view where, const Environment& env) {
  return policy::from_json(text, where, env, Origin::code);
}

PolicyOrProblems policy_from_file(const std::string& path, const Environment& env) {
  namespace fs = std::filesystem;
  constexpr std::uintmax_t most_bytes = 16U << 20U;
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) return policy::unreadable(path, error.message());
  if (size > most_bytes) return policy::unreadable(path, "it has more than 16 MB");
  std::ifstream in(path, std::ios::binary);
  std::ostringstream content;
  content << in.rdbuf();
  if (!in) return policy::unreadable(path, std::strerror(errno));  // NOLINT(concurrency-mt-unsafe)
  std::string text = std::move(content).str();
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);  // a byte order mark

  const bool json = fs::path(path).extension() == ".json";
  PolicyOrProblems result =
      json ? policy::from_json(text, path, env, Origin::file) : policy::from_toml(text, path, env, Origin::file);
  if (result.policy) result.policy->path = fs::absolute(path, error).lexically_normal().string();
  return result;
}

}  // namespace farthing
