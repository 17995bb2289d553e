#include <array>
#include <span>

#include "money/glob.h"
#include "wire/wire.h"

namespace farthing {

namespace {

/// Sources: the providers' API references and the recorded traffic (2026-11: which hosts take
/// stream_options.include_usage, which send usage unasked).
struct Known {
  std::string_view name;  // "*.suffix" matches any host that ends so
  std::string_view provider;
  bool usage_in_streams;
  bool usage_unasked;
  bool stops_on_disconnect;  // only where the provider says so
  std::string_view output_limit_name;
  std::string_view region = {};
  bool reports_cost = false;             // and bills what it reports
  bool ends_unmarked = false;            // its streams
  std::string_view account_region = {};  // the dearest that an account may have set for requests that say none
  bool reads_max_tokens = false;         // and ignores max_completion_tokens
};

constexpr std::array<Known, 25> table = {{
    {"api.openai.com", "openai", true, false, true, ""},
    {"us.api.openai.com", "openai", true, false, true, "", "us"},
    // Where a certificate is the key, as openai 3.52 names them.
    {"mtls.api.openai.com", "openai", true, false, true, ""},
    {"mtls-us.api.openai.com", "openai", true, false, true, "", "us"},
    // eu., and regions that the book has no word for: they cost what the dearest known one does.
    {"*.api.openai.com", "openai", true, false, true, "", "eu"},
    {"*.openai.azure.com", "azure", true, false, false, ""},
    {"*.cognitiveservices.azure.com", "azure", true, false, false, ""},
    {"*.services.ai.azure.com", "azure", true, false, false, ""},
    // A request without `inference_geo` goes where its workspace says (`default_inference_geo`, SDK 2.11).
    {"api.anthropic.com", "anthropic", false, true, false, "max_tokens", "", false, false, "us"},
    {"generativelanguage.googleapis.com", "gemini", true, false, false, "max_tokens"},
    // Vertex AI: in a region, everywhere, in a continent. Since 2026-07 newer models cost a tenth more where it is not
    // everywhere (litellm 1.109.1, pull request 37543).
    {"*-aiplatform.googleapis.com", "gemini", true, false, false, "max_tokens", "regional"},
    {"aiplatform.googleapis.com", "gemini", true, false, false, "max_tokens"},
    {"aiplatform.*.rep.googleapis.com", "gemini", true, false, false, "max_tokens", "regional"},
    {"openrouter.ai", "openrouter", true, false, false, "max_tokens", "", true},
    {"api.groq.com", "groq", true, true, false, "max_completion_tokens"},
    {"api.mistral.ai", "mistral", false, true, false, "max_tokens"},  // 422 when asked
    // max_completion_tokens: 5 gave 76 tokens there, max_tokens: 5 gave 5 (earendil-works/pi, issue 8018, 2026-08).
    {"api.deepseek.com", "deepseek", true, true, false, "max_tokens", "", false, false, "", true},
    {"api.x.ai", "xai", true, false, false, "max_completion_tokens", "", true},
    {"api.together.xyz", "together", true, false, false, "max_tokens"},
    {"api.together.ai", "together", true, false, false, "max_tokens"},
    {"api.fireworks.ai", "fireworks", true, false, false, "max_tokens"},
    // Running totals in every chunk, and no [DONE] after the last one (its issue 209, open since 2025-03); its research sends it.
    {"api.perplexity.ai", "perplexity", false, true, false, "max_tokens", "", true, true},
    {"api.cohere.com", "cohere", false, false, false, "max_tokens"},
    {"api.cerebras.ai", "cerebras", true, false, false, "max_completion_tokens"},
    {"api.moonshot.ai", "moonshot", true, false, false, "max_tokens"},
}};

/// Providers without a host of their own: what `[[host]] provider = "..."` says of a server. `max_tokens` both read in all
/// versions: max_completion_tokens Ollama ignores (its issue 7125, open; measured there with 0.32.5 in 2026-08), and vLLM
/// before 0.6.2 did. Usage in streams: Ollama's guide to its OpenAI compatibility (2026-11), vLLM's issue 6705. A port is no
/// name: who answers at localhost:11434 nobody promises, and Ollama passes calls on to models of its cloud.
constexpr std::array<Known, 2> servers = {{
    {"", "ollama", true, false, false, "max_tokens", "", false, false, "", true},
    {"", "vllm", true, false, false, "max_tokens", "", false, false, "", true},
}};

const Known* known_provider(std::string_view provider) {
  for (const std::span<const Known> rows : {std::span<const Known>(table), std::span<const Known>(servers)}) {
    for (const Known& known : rows) {
      if (known.provider == provider) return &known;
    }
  }
  return nullptr;
}

const Known* known_host(std::string_view host) {
  for (const Known& known : table) {
    if (glob_matches(known.name, host)) return &known;
  }
  return nullptr;
}

void fill(HostFacts& facts, const Known& known) {
  facts.usage_in_streams = known.usage_in_streams;
  facts.usage_unasked = known.usage_unasked;
  facts.stops_on_disconnect = known.stops_on_disconnect;
  facts.output_limit_name = known.output_limit_name;
  facts.account_region = known.account_region;
  facts.reads_max_tokens = known.reads_max_tokens;
}

/// The rule with exactly this name, else the first whose pattern matches.
const HostRule* rule_for(const std::vector<HostRule>& rules, std::string_view host) {
  const HostRule* matching = nullptr;
  for (const HostRule& rule : rules) {
    if (rule.name == host) return &rule;
    if (matching == nullptr && glob_matches(rule.name, host)) matching = &rule;
  }
  return matching;
}

}  // namespace

std::string_view home_of(std::string_view provider) {
  const Known* known = known_provider(provider);
  return known == nullptr || known->name.starts_with('*') ? std::string_view() : known->name;
}

HostTable::HostTable(std::vector<HostRule> rules) : rules_(std::move(rules)) {}

HostFacts HostTable::find(std::string_view host) const {
  HostFacts facts;
  const Known* known = known_host(host);
  if (known != nullptr) {
    facts.provider = known->provider;
    facts.region = known->region;
    facts.reports_cost = known->reports_cost;
    facts.ends_unmarked = known->ends_unmarked;
    fill(facts, *known);
  }
  const HostRule* found = rule_for(rules_, host);
  if (found == nullptr) return facts;
  const HostRule& rule = *found;
  if (!rule.provider.empty()) {
    facts.provider = rule.provider;
    // A gateway in front of a provider behaves as that provider does, unless the rule says otherwise.
    if (const Known* like = known_provider(rule.provider); known == nullptr && like != nullptr) {
      fill(facts, *like);
      facts.stops_on_disconnect = false;  // what stands in between may not pass a disconnect on
    }
  }
  facts.free = rule.free;
  if (rule.free && facts.provider.empty()) facts.provider = "local";
  facts.guard = rule.guard;
  facts.release_unknown = rule.release_unknown;
  if (rule.usage_in_streams) facts.usage_in_streams = *rule.usage_in_streams;
  if (rule.stops_on_disconnect) facts.stops_on_disconnect = *rule.stops_on_disconnect;
  if (!rule.deployments.empty()) facts.deployments = &rule.deployments;
  return facts;
}

bool HostTable::known(std::string_view host) const {
  return known_host(host) != nullptr || rule_for(rules_, host) != nullptr;
}

}  // namespace farthing
