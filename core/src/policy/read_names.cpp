// What a policy names: [[api_key]], [[host]], [[tokenizer]], labels.
#include <algorithm>
#include <array>
#include <cctype>

#include "farthing/labels.h"
#include "policy/reading.h"
#include "policy/text.h"

namespace farthing::policy {

bool is_key_id(std::string_view text) {
  constexpr std::string_view form = "k0123456789abcdef-0123";
  if (text.starts_with("oauth@")) return text.size() > std::string_view("oauth@").size();
  if (text.size() != form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool digit = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
    if (form[i] == 'k' || form[i] == '-' ? text[i] != form[i] : !digit) return false;
  }
  return true;
}

namespace {

constexpr std::array<std::string_view, 4> api_key_keys = {"name", "env", "ids", "labels"};
constexpr std::array<std::string_view, 8> host_keys = {
    "name", "provider", "free", "guard", "deployments", "unknown", "usage_in_streams", "stops_on_disconnect"};
constexpr std::array<std::string_view, 3> tokenizer_keys = {"model", "file", "like"};
constexpr std::array<std::string_view, 4> like_words = {"o200k_base", "o200k_harmony", "cl100k_base", "gpt2"};
constexpr std::array<std::string_view, 2> unknown_words = {"charge", "release"};

/// A variable's name that is most likely a key: Groq's "gsk_...", Google's "AIza...", or 20 characters of both cases and digits
/// without a pause.
bool is_key_like(std::string_view text) {
  for (const std::string_view start : {"sk_", "gsk_", "hf_", "r8_", "xai_", "AIza", "ya29"}) {
    if (text.starts_with(start) && text.size() >= 24) return true;
  }
  std::size_t run = 0;
  bool lower = false;
  bool digit = false;
  for (const char c : text) {
    if (c == '_') {
      run = 0;
      lower = digit = false;
      continue;
    }
    ++run;
    lower = lower || (c >= 'a' && c <= 'z');
    digit = digit || (c >= '0' && c <= '9');
    if (run >= 20 && lower && digit) return true;
  }
  return false;
}
bool is_variable(std::string_view text) {
  return is_variable_name(text) && !is_key_like(text);
}

/// What is none may be the key itself: it is neither kept nor shown.
void keep_if(Fields& fields, std::string_view key, std::vector<std::string>& list, bool (*right)(std::string_view),
             std::string_view accepted) {
  const auto wrong = std::stable_partition(list.begin(), list.end(), right);
  if (wrong == list.end()) return;
  list.erase(wrong, list.end());
  fields.bad(key, "what is written here is none, and is not shown, since it may be a key itself; accepted: " +
                      std::string(accepted));
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         std::string_view(".-_:*[]").find(c) != std::string_view::npos;
}

/// "https://llm.acme.internal/v1" -> "llm.acme.internal": what was meant.
std::string bare_host(std::string_view text) {
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) text.remove_prefix(scheme + 3);
  text = text.substr(0, text.find_first_of("/?#"));
  return std::string(text);
}

void read_host_name(Fields& fields, HostRule& host) {
  const auto name = fields.filled("name", "\"localhost:11434\"");
  if (!name) {
    if (!fields.has("name")) fields.missing("name", "name = \"localhost:11434\"");
    return;
  }
  host.name = *name;
  std::transform(host.name.begin(), host.name.end(), host.name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (!std::all_of(host.name.begin(), host.name.end(), is_host_character)) {
    const std::string bare = bare_host(host.name);
    fields.bad("name", "found " + in_quotes(*name) +
                           "; accepted: a host as in an address, with the port where it has one, " +
                           "such as \"localhost:11434\" or \"*.acme.internal\"." +
                           (bare != host.name && !bare.empty() ? " Did you mean " + in_quotes(bare) + "?" : ""));
  }
}

}  // namespace

void read_labels(Fields& fields, std::string_view key, Labels& labels) {
  for (const Node* member : fields.members(key, R"({ org = "acme" })")) {
    const std::string path = fields.path(key) + "." + member->key;
    Reading& reading = fields.reading();
    if (member->kind != Node::Kind::text) {
      reading.error(Code::invalid_policy, member->line, path,
                    "found " + member->shown() + R"(; accepted: text such as "acme")");
      continue;
    }
    if (is_set_by_farthing(member->key)) {
      reading.error(Code::invalid_policy, member->line, path, "is set by Farthing for each call (R29); remove it");
      continue;
    }
    const auto value = reading.expand(*member, path);
    if (!value) continue;
    if (const Status ok = check_label(member->key, *value); !ok) {
      reading.error(ok.error().code, member->line, path, ok.error().message);
      continue;
    }
    labels.set(member->key, *value);
  }
}

ApiKeyName read_api_key(Reading& reading, const Node& node, const std::string& path) {
  Fields fields(reading, node, path, api_key_keys, {});
  ApiKeyName key;
  if (auto name = fields.filled("name", "\"content-bot\"")) {
    key.name = std::move(*name);
    if (const Status ok = check_label("api_key", key.name); !ok) {
      fields.bad("name", ok.error().message, ok.error().code);
    }
  } else if (!fields.has("name")) {
    fields.missing("name", "name = \"content-bot\"");
  }
  constexpr std::string_view variable = R"("CONTENT_BOT_KEY", the name of an environment variable)";
  constexpr std::string_view id = R"("k3f9a1c2b4d5e6f70-a1b2", the label api_key in `farthing ledger`)";
  key.env = fields.texts("env", variable);
  keep_if(fields, "env", key.env, is_variable, variable);
  key.ids = fields.texts("ids", id);
  keep_if(fields, "ids", key.ids, is_key_id, id);
  read_labels(fields, "labels", key.labels);
  if (!fields.has("env") && !fields.has("ids")) {
    fields.missing("env", R"(env = ["CONTENT_BOT_KEY"], the environment variables that hold the key, or `ids`)");
  }
  return key;
}

HostRule read_host(Reading& reading, const Node& node, const std::string& path) {
  Fields fields(reading, node, path, host_keys, {});
  HostRule host;
  read_host_name(fields, host);
  host.provider = fields.filled("provider", "\"openai\"").value_or("");
  host.free = fields.truth("free").value_or(false);
  host.guard = fields.truth("guard").value_or(true);
  for (const Node* member : fields.members("deployments", R"({ prod-chat = "gpt-5-mini" })")) {
    const std::string at = fields.path("deployments") + "." + in_quotes(member->key);
    if (member->kind != Node::Kind::text || member->text.empty()) {
      reading.error(Code::invalid_policy, member->line, at,
                    "found " + member->shown() + R"(; accepted: a model's name such as "gpt-5-mini")");
    } else if (auto model = reading.expand(*member, at)) {
      host.deployments.emplace(member->key, std::move(*model));
    }
  }
  host.release_unknown = fields.word("unknown", unknown_words) == 1U;
  host.usage_in_streams = fields.truth("usage_in_streams");
  host.stops_on_disconnect = fields.truth("stops_on_disconnect");
  if (!fields.has("provider")) {
    if (!host.free && host.guard)
      fields.missing("provider", R"(provider = "openai", by which prices are found, or free = true)");
    host.provider = host.name;
  }
  return host;
}

TokenizerRule read_tokenizer(Reading& reading, const Node& node, const std::string& path) {
  Fields fields(reading, node, path, tokenizer_keys, {});
  TokenizerRule rule;
  rule.models = fields.texts("model", R"("acme-*", the name of a model or a pattern)");
  if (!fields.has("model")) fields.missing("model", "model = \"acme-*\", the models whose vocabulary it is");
  rule.file = fields.filled("file", "\"tokenizer.json\"").value_or("");
  if (!fields.has("file")) fields.missing("file", "file = \"tokenizer.json\", or a .tiktoken file");
  if (const auto like = fields.word("like", like_words)) rule.like = like_words[*like];
  return rule;
}

}  // namespace farthing::policy
