// What a policy names: [[api_key]], [[host]], [[price]], labels.
#include <algorithm>
#include <array>
#include <cctype>

#include "policy/reading.h"
#include "policy/text.h"

namespace farthing::policy {
namespace {

constexpr std::array<std::string_view, 4> api_key_keys = {"name", "env", "ids", "labels"};
constexpr std::array<std::string_view, 8> host_keys = {
    "name", "provider", "free", "guard", "deployments", "unknown", "usage_in_streams", "stops_on_disconnect"};
constexpr std::array<std::string_view, 2> unknown_words = {"charge", "release"};
constexpr std::array<std::string_view, 11> price_keys = {
    "provider",      "model",          "aliases",           "rates",    "from", "until", "service_tier",
    "context_above", "context_window", "max_output_tokens", "reasoning"};
constexpr std::array<std::string_view, 11> price_keys_later = {"region",         "size",      "quality", "resolution",
                                                               "search_context", "cache_ttl", "batch",   "discount",
                                                               "tiers",          "factor",    "currency"};
constexpr std::array<std::string_view, 11> set_by_farthing = {"provider", "model",      "model_asked", "model_family",
                                                              "modality", "endpoint",   "operation",   "quality",
                                                              "size",     "resolution", "attempt_kind"};
constexpr std::string_view rate_example = R"("0.25 USD per million")";
constexpr std::int64_t most_tokens = 1'000'000'000;

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

bool names_a_span(std::string_view rate) {
  return rate.ends_with("second") || rate.ends_with("minute") || rate.ends_with("hour");
}

void read_rate(Reading& reading, const Node& member, const std::string& path, PriceOverlay& price) {
  const auto fail = [&](std::string message, Code code = Code::invalid_policy) {
    reading.error(code, member.line, path, std::move(message));
  };
  const auto quantity = quantity_named(member.key);
  if (!quantity) {
    const auto words = quantity_words();
    return fail("unknown quantity." + suggestion(member.key, words) + " Accepted here: " + one_of(words));
  }
  if (member.kind != Node::Kind::text) {
    return fail("found " + member.shown() + "; accepted: text such as " + std::string(rate_example));
  }
  const auto text = reading.expand(member, path);
  if (!text) return;
  const Result<Rate> rate = parse_rate(*text);
  if (!rate) return fail(rate.error().message, rate.error().code);
  // Seconds are counted in ms; a rate for them names a span, and no other does.
  const bool timed = *quantity == Quantity::video_ms || *quantity == Quantity::audio_ms;
  if (timed != names_a_span(*text)) {
    return fail("found " + in_quotes(*text) + "; accepted: a price " +
                (timed ? "per second, minute or hour" : "each, or per thousand or million"));
  }
  const auto same = [&](const auto& other) { return other.first == *quantity; };
  if (std::any_of(price.rates.begin(), price.rates.end(), same)) return fail("is written twice");
  price.rates.emplace_back(*quantity, *rate);
}

std::optional<std::int64_t> read_date(Fields& fields, std::string_view key) {
  const Node* node = fields.find(key);
  if (node == nullptr) return std::nullopt;
  const bool date = node->kind == Node::Kind::date || node->kind == Node::Kind::text;
  const auto at = date ? date_ms(node->text, fields.reading().timezone) : std::nullopt;
  if (!at) {
    fields.bad(key, "found " + node->shown() + "; accepted: a date such as 2026-12-01, or a time such as " +
                        "2026-12-01T08:00:00Z");
  }
  return at;
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
    if (std::find(set_by_farthing.begin(), set_by_farthing.end(), member->key) != set_by_farthing.end()) {
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
  key.env = fields.texts("env", R"("CONTENT_BOT_KEY", the name of an environment variable)");
  key.ids = fields.texts("ids", "an id that `farthing key` shows");
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

PriceOverlay read_price(Reading& reading, const Node& node, const std::string& path) {
  Fields fields(reading, node, path, price_keys, price_keys_later);
  PriceOverlay price;
  for (const auto& [key, value, example] :
       {std::tuple{"provider", &price.provider, "\"acme\""}, std::tuple{"model", &price.model, "\"acme-7b\""}}) {
    *value = fields.filled(key, example).value_or("");
    if (!fields.has(key)) fields.missing(key, std::string(key) + " = " + example);
  }
  price.aliases = fields.texts("aliases", "[\"acme-7b-latest\"]");
  for (const Node* member : fields.members("rates", R"({ input_tokens = "0.20 USD per million" })")) {
    read_rate(reading, *member, fields.path("rates") + "." + member->key, price);
  }
  std::sort(price.rates.begin(), price.rates.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  const Node* rates = fields.find("rates");
  if (rates == nullptr || (rates->kind == Node::Kind::table && rates->items.empty())) {
    fields.missing("rates",
                   R"(rates = { input_tokens = "0.20 USD per million", output_tokens = "0.60 USD per million" }; )"
                   "what costs nothing is written \"0 USD per million\"");
  }
  price.from_ms = read_date(fields, "from");
  price.until_ms = read_date(fields, "until");
  if (price.from_ms && price.until_ms && *price.from_ms >= *price.until_ms) {
    fields.bad("until", "is not after `from`");
  }
  price.service_tier = fields.filled("service_tier", "\"flex\"").value_or("");
  price.context_above = fields.whole("context_above", 0, most_tokens).value_or(0);
  price.context_window = fields.whole("context_window", 1, most_tokens).value_or(0);
  price.max_output_tokens = fields.whole("max_output_tokens", 1, most_tokens).value_or(0);
  price.reasoning = fields.truth("reasoning");
  return price;
}

}  // namespace farthing::policy
