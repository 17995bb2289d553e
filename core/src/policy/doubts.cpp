// Values that are right by themselves, and fit nothing that is known: most likely misspelt.
#include <algorithm>
#include <iterator>
#include <set>

#include "farthing/policy.h"
#include "policy/plan.h"
#include "policy/reading.h"
#include "policy/text.h"

namespace farthing {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json(out, text);
  return out;
}

/// "; did you mean "gpt-5" or "gpt-5-mini"?"
std::string meant(const std::vector<std::string>& near) {
  std::string text;
  for (const std::string& name : near)
    text += (text.empty() ? "; did you mean " : &name == &near.back() ? " or " : ", ") + quoted(name);
  return text.empty() ? text : text + "?";
}

/// Labels whose values can be looked up.
bool is_known_kind(std::string_view kind) {
  constexpr std::string_view kinds[] = {"provider", "model", "model_family", "endpoint", "api_key"};
  return std::find(std::begin(kinds), std::end(kinds), kind) != std::end(kinds);
}

std::string without_wildcards(std::string_view glob) {
  std::string text;
  std::copy_if(glob.begin(), glob.end(), std::back_inserter(text), [](char c) { return c != '*' && c != '?'; });
  return text;
}

bool fits_any(const std::vector<std::string>& globs, std::string_view text) {
  return std::any_of(globs.begin(), globs.end(),
                     [text](const std::string& glob) { return policy::glob_matches(glob, text); });
}

class Doubts {
 public:
  Doubts(const Policy& policy, const PriceBook& book, const std::vector<std::string_view>& endpoints)
      : policy_(policy), book_(book), endpoints_(endpoints), models_(book.models()) {
    for (const Model* model : models_)
      providers_.insert(model->provider);
    for (const HostRule& host : policy.hosts) {
      own_models_ = own_models_ || host.free || !providers_.contains(host.provider);
      own_providers_.insert(host.provider);
    }
    for (const EndpointRule& endpoint : policy.endpoints) {
      own_models_ = true;
      own_providers_.insert(endpoint.provider.empty() ? endpoint.host : endpoint.provider);
      endpoints_.push_back(endpoint.name);
    }
  }

  std::vector<Problem> all() {
    for (std::size_t i = 0; i < policy_.caps.size(); ++i) {
      const std::string path = "cap[" + std::to_string(i) + "]";
      match(policy_.caps[i], path + ".match");
      limits(policy_.caps[i], path + ".limits");
    }
    for (std::size_t i = 0; i < policy_.hosts.size(); ++i)
      host(policy_.hosts[i], "host[" + std::to_string(i) + "]");
    prices();
    return std::move(found_);
  }

 private:
  /// Counters with a limit of their own: written like what `match` accepts, but for wildcards.
  void limits(const Cap& cap, const std::string& path) {
    for (std::size_t i = 0; i < cap.each.size(); ++i) {
      for (const auto& [values, limit] : cap.limits) {
        const std::string& value = values[i];
        if (value == none_value) continue;
        const std::string at = path + (cap.each.size() == 1 ? "." + quoted(value) : "");
        if (cap.each[i] == "provider") provider(value, at);
        if (cap.each[i] == "endpoint") endpoint(value, at);
        if (cap.each[i] == "model_family") family(value, at);
        if (cap.each[i] == "api_key") api_key(value, at);
        if (cap.each[i] == "model") model(value, nullptr, at);
      }
    }
  }

  void match(const Cap& cap, const std::string& path) {
    const auto globs_of = [&cap](std::string_view kind) -> const std::vector<std::string>* {
      const auto found =
          std::find_if(cap.match.of.begin(), cap.match.of.end(), [&](const auto& one) { return one.first == kind; });
      return found == cap.match.of.end() ? nullptr : &found->second;
    };
    const std::vector<std::string>* providers = globs_of("provider");
    if (providers != nullptr) {
      for (const std::string& glob : *providers)
        provider(glob, path + ".provider");
    }
    if (const std::vector<std::string>* globs = globs_of("endpoint"); globs != nullptr) {
      for (const std::string& glob : *globs)
        endpoint(glob, path + ".endpoint");
    }
    if (const std::vector<std::string>* globs = globs_of("model_family"); globs != nullptr) {
      for (const std::string& glob : *globs)
        family(glob, path + ".model_family");
    }
    if (const std::vector<std::string>* globs = globs_of("api_key"); globs != nullptr) {
      for (const std::string& glob : *globs)
        api_key(glob, path + ".api_key");
    }
    // Of a misspelt provider no model is known: its own warning is enough.
    if (providers != nullptr && std::none_of(providers_.begin(), providers_.end(),
                                             [&](std::string_view name) { return fits_any(*providers, name); })) {
      providers = nullptr;
    }
    const std::vector<std::string>* models = globs_of("model");
    if (models == nullptr) return;
    for (const std::string& glob : *models)
      model(glob, providers, path + ".model");
  }

  void provider(const std::string& glob, const std::string& path) {
    const auto fits = [&glob](std::string_view name) { return policy::glob_matches(glob, name); };
    if (std::any_of(providers_.begin(), providers_.end(), fits)) return;
    if (std::any_of(own_providers_.begin(), own_providers_.end(), fits)) return;
    add(path, "no provider of the price book or of a [[host]] is " + quoted(glob) + ", so no known call matches it" +
                  meant(near_providers(book_, without_wildcards(glob), 3)));
  }

  void endpoint(const std::string& glob, const std::string& path) {
    const auto fits = [&glob](std::string_view name) { return policy::glob_matches(glob, name); };
    if (std::any_of(endpoints_.begin(), endpoints_.end(), fits)) return;
    const std::string part = without_wildcards(glob);
    std::vector<std::string> near;  // "chat" is a part of chat.completions
    for (const std::string_view name : endpoints_) {
      if (part.size() >= 3 && near.size() < 3 && name.find(part) != std::string_view::npos) near.emplace_back(name);
    }
    if (near.empty()) near = near_names(part, endpoints_, 3);
    add(path, "no endpoint that Farthing reads or a [[endpoint]] describes is " + quoted(glob) +
                  ", so no known call matches it" + meant(near));
  }

  void family(const std::string& glob, const std::string& path) {
    std::vector<std::string_view> families;
    for (const Model* known : models_) {
      if (policy::glob_matches(glob, known->family)) return;
      families.push_back(known->family);
    }
    if (own_models_) return;  // which are their own family
    std::sort(families.begin(), families.end());
    families.erase(std::unique(families.begin(), families.end()), families.end());
    add(path, "no family of models in the price book is " + quoted(glob) + ", so no known call matches it" +
                  meant(near_names(without_wildcards(glob), families, 3)));
  }

  /// A key without a name is labelled with its id. Where this policy names none, another one may.
  void api_key(const std::string& glob, const std::string& path) {
    if (policy_.api_keys.empty() || glob != without_wildcards(glob) || policy::is_key_id(glob)) return;
    std::vector<std::string_view> names;
    for (const ApiKeyName& key : policy_.api_keys) {
      if (key.name == glob) return;
      names.push_back(key.name);
    }
    add(path, "no [[api_key]] has the name " + quoted(glob) + ", and it is no key's id, so no call matches it" +
                  meant(near_names(glob, names, 3)));
  }

  void model(const std::string& glob, const std::vector<std::string>* providers, const std::string& path) {
    for (const Model* known : models_) {
      if (providers != nullptr && !fits_any(*providers, known->provider)) continue;
      if (policy::glob_matches(glob, known->name)) return;
    }
    for (const HostRule& host : policy_.hosts) {  // a deployment that stands for no known model has its own name
      for (const auto& [name, target] : host.deployments) {
        if (policy::glob_matches(glob, target)) return;
      }
    }
    // What calls are labelled with is a model's own name, never an alias (R29).
    for (const std::string_view provider : providers_) {
      if (providers != nullptr && !fits_any(*providers, provider)) continue;
      const Model* known = book_.find(provider, glob);
      if (known == nullptr) continue;
      return add(path, "calls to " + quoted(glob) + " have the label model = " + quoted(known->name) +
                           ", which this does not match; write that name");
    }
    const std::vector<std::string> meant_names = near_models(without_wildcards(glob), providers);
    if (own_models_ && meant_names.empty()) return;
    add(path, "no model of the price book" + std::string(providers == nullptr ? "" : " of that provider") + " is " +
                  quoted(glob) + (own_models_ ? "" : ", so no known call matches it") + meant(meant_names));
  }

  std::vector<std::string> near_models(const std::string& name, const std::vector<std::string>* providers) const {
    // Few providers make models that others resell under the same names.
    for (const std::string_view provider : {"openai", "anthropic", "gemini"}) {
      if (providers != nullptr && !fits_any(*providers, provider)) continue;
      if (auto near = book_.near(provider, name, 3); !near.empty()) return near;
    }
    for (const std::string_view provider : providers_) {
      if (providers != nullptr && !fits_any(*providers, provider)) continue;
      if (auto near = book_.near(provider, name, 3); !near.empty()) return near;
    }
    return {};
  }

  void host(const HostRule& host, const std::string& path) {
    if (host.free || !host.guard) return;
    if (host.provider.size() > 4 && !providers_.contains(host.provider)) {
      // It may be one's own; but a name that is nearly another's is a slip. Short ones are near to too many.
      if (const auto near = near_providers(book_, host.provider, 3); !near.empty())
        add(path + ".provider", "no provider of the price book is " + quoted(host.provider) + meant(near));
    }
    for (const auto& [name, target] : host.deployments) {
      if (book_.find(host.provider, target) != nullptr) continue;
      add(path + ".deployments." + quoted(name), "no model of " + host.provider + " in the price book is " +
                                                     quoted(target) + meant(book_.near(host.provider, target, 3)));
    }
  }

  /// A price that says no tier holds for all of them, also for those that the book prices otherwise: a call there is then held
  /// and charged at the policy's.
  void prices() {
    if (policy_.prices.empty()) return;
    const auto base = PriceBook::open(policy_.price_book_path(), {});
    for (std::size_t i = 0; base && i < policy_.prices.size(); ++i) {
      const PriceOverlay& own = policy_.prices[i];
      if (!own.service_tier.empty()) continue;
      const Model* const model = (*base)->find(own.provider, own.model);
      if (model == nullptr) continue;
      std::set<std::string> tiers;
      for (const PriceRow& row : (*base)->rows(*model)) {
        const bool same = row.service_tier.empty() || row.service_tier == "default";
        if (!same && std::any_of(own.rates.begin(), own.rates.end(),
                                 [&](const auto& rate) { return row.rates[rate.first].has_value(); }))
          tiers.insert(row.service_tier);
      }
      if (tiers.empty()) continue;
      std::string named;
      for (const std::string& tier : tiers)
        named += (named.empty() ? "" : ", ") + tier;
      add("price[" + std::to_string(i) + "]",
          "it has no service_tier, so it holds for all of them, also for " + named +
              ", which the price book prices otherwise; for the usual tier alone write service_tier = \"default\"");
    }
  }

  void add(const std::string& path, std::string message) {
    found_.push_back({Code::invalid_policy, policy_.place(path), std::move(message), /*warning=*/true});
  }

  const Policy& policy_;
  const PriceBook& book_;
  std::vector<std::string_view> endpoints_;
  std::vector<const Model*> models_;
  std::set<std::string_view> providers_;      // of the book, a policy's own prices among them
  std::set<std::string_view> own_providers_;  // of hosts and endpoints that the policy describes
  bool own_models_ = false;                   // some host may have models that no book knows
  std::vector<Problem> found_;
};

}  // namespace

std::vector<Problem> doubts(const Policy& policy, const PriceBook& book,
                            const std::vector<std::string_view>& endpoints) {
  const bool any =
      !policy.prices.empty() ||
      std::any_of(policy.hosts.begin(), policy.hosts.end(),
                  [](const HostRule& host) { return !host.free && host.guard && !host.provider.empty(); }) ||
      std::any_of(policy.caps.begin(), policy.caps.end(), [](const Cap& cap) {
        return std::any_of(cap.match.of.begin(), cap.match.of.end(),
                           [](const auto& one) { return is_known_kind(one.first); }) ||
               (!cap.limits.empty() && std::any_of(cap.each.begin(), cap.each.end(), is_known_kind));
      });
  if (!any) return {};  // most policies: the book need not be looked through
  return Doubts(policy, book, endpoints).all();
}

}  // namespace farthing
