// What is wrong, or doubtful, between the parts of a policy that are right by themselves.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "policy/reading.h"

namespace farthing::policy {
namespace {

class Whole {
 public:
  Whole(Reading& reading, const Node& root, const Policy& policy) : reading_(reading), root_(root), policy_(policy) {}

  void check() {
    cap_ids();
    renamed_caps();
    api_keys();
    hosts();
    endpoints();
    prices();
    volumes();
    doubts();
  }

 private:
  /// Where the i-th table under a key is.
  int line(std::string_view key, std::size_t i) const {
    const Node* list = root_.find(key);
    return list != nullptr && i < list->items.size() ? list->items[i].line : 0;
  }
  static std::string path(std::string_view key, std::size_t i) {
    return std::string(key) + "[" + std::to_string(i) + "]";
  }
  std::string other(std::string_view key, std::size_t i) const {
    const int at = line(key, i);
    return path(key, i) + (at > 0 && reading_.shows_lines() ? " (line " + std::to_string(at) + ")" : "");
  }
  void fail(std::string_view key, std::size_t i, std::string_view field, std::string message) {
    reading_.error(Code::invalid_policy, line(key, i), path(key, i) + std::string(field), std::move(message));
  }
  void warn(std::string_view key, std::size_t i, std::string message) {
    reading_.warn(line(key, i), path(key, i), std::move(message));
  }

  /// Reports the second of two that are equal in `what`.
  template <class List, class What>
  void no_two(std::string_view key, const List& list, std::string_view field, What what, std::string_view words) {
    std::map<decltype(what(list.front())), std::size_t> seen;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto value = what(list[i]);
      if (value == decltype(value){}) continue;
      const auto [place, fresh] = seen.emplace(value, i);
      if (!fresh) fail(key, i, field, std::string(words) + " as " + other(key, place->second));
    }
  }

  /// R4: two caps with one id are an error.
  void cap_ids() {
    std::map<std::string, std::size_t> seen;
    for (std::size_t i = 0; i < policy_.caps.size(); ++i) {
      const Cap& cap = policy_.caps[i];
      const auto [place, fresh] = seen.emplace(cap.id, i);
      if (fresh) continue;
      const bool guessed = reading_.broken_caps.contains(i) || reading_.broken_caps.contains(place->second);
      if (guessed && !cap.id_given) continue;
      fail("cap", i, cap.id_given ? ".id" : "",
           cap.id_given
               ? "has the id " + in_quotes(cap.id) + " of " + other("cap", place->second)
               : "counts the same as " + other("cap", place->second) +
                     " (equal meter, match, each and per): remove one of them, or give one an `id` of its own");
    }
  }

  void renamed_caps() {
    std::set<std::string> ids;
    for (const Cap& cap : policy_.caps)
      ids.insert(cap.id);
    for (std::size_t i = 0; i < policy_.caps.size(); ++i) {
      const Cap& cap = policy_.caps[i];
      if (!cap.was.empty() && ids.contains(cap.was)) {
        fail("cap", i, ".was",
             in_quotes(cap.was) + " is still the id of a cap; `was` is the id that this one had before");
      }
    }
    no_two("cap", policy_.caps, ".was", [](const Cap& cap) { return cap.was; }, "has the same `was`");
  }

  void api_keys() {
    no_two(
        "api_key", policy_.api_keys, ".name", [](const ApiKeyName& key) { return key.name; },
        "has the same name (several keys go into one `env` or `ids`)");
    std::map<std::string, std::size_t> seen;
    for (std::size_t i = 0; i < policy_.api_keys.size(); ++i) {
      for (const auto* list : {&policy_.api_keys[i].env, &policy_.api_keys[i].ids}) {
        for (const std::string& one : *list) {
          const auto [place, fresh] = seen.emplace(one, i);
          if (!fresh)
            fail("api_key", i, "", in_quotes(one) + " is written in " + other("api_key", place->second) + " too");
        }
      }
    }
  }

  void hosts() {
    no_two("host", policy_.hosts, ".name", [](const HostRule& host) { return host.name; }, "is the same host");
  }

  void endpoints() {
    no_two(
        "endpoint", policy_.endpoints, ".name", [](const EndpointRule& endpoint) { return endpoint.name; },
        "has the same name");
    no_two(
        "endpoint", policy_.endpoints, ".path",
        [](const EndpointRule& endpoint) {
          return endpoint.host.empty() ? std::string() : endpoint.host + endpoint.path;
        },
        "is the same place");
  }

  /// Which of two would hold could not be said.
  void prices() {
    for (std::size_t i = 0; i < policy_.prices.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (meet(policy_.prices[i], policy_.prices[j])) {
          fail("price", i, "",
               "prices the same as " + other("price", j) +
                   " at one instant: give them from and until so that one ends where the next begins");
          break;
        }
      }
    }
  }
  /// What the volume of a price is counted by.
  void volumes() {
    for (std::size_t i = 0; i < policy_.prices.size(); ++i) {
      const PriceOverlay& price = policy_.prices[i];
      if (price.volume_cap.empty() || price.volume_from == 0) continue;
      const auto cap = std::find_if(policy_.caps.begin(), policy_.caps.end(),
                                    [&price](const Cap& each) { return each.id == price.volume_cap; });
      if (cap == policy_.caps.end()) {
        fail("price", i, ".volume",
             "there is no cap with the id " + in_quotes(price.volume_cap) + "; accepted: the `id` of a [[cap]]");
      } else if (cap->window.per == Per::call) {
        fail("price", i, ".volume",
             in_quotes(price.volume_cap) + " counts single calls; accepted: a cap with a period");
      } else if (cap->meter != price.volume_meter) {
        fail("price", i, ".volume_from",
             "counts " + std::string(meter_text(price.volume_meter)) + ", and the cap " + in_quotes(price.volume_cap) +
                 " " + std::string(meter_text(cap->meter)));
      }
    }
  }

  static bool meet(const PriceOverlay& a, const PriceOverlay& b) {
    if (a.provider.empty() || a.provider != b.provider || a.model != b.model) return false;
    if ((a.discount_ppm != 0) != (b.discount_ppm != 0)) return false;
    if (a.service_tier != b.service_tier || a.context_above != b.context_above) return false;
    if (a.size != b.size || a.quality != b.quality || a.resolution != b.resolution) return false;
    if (a.search_context != b.search_context || a.volume_from != b.volume_from) return false;
    if (a.until_ms && b.from_ms && *a.until_ms <= *b.from_ms) return false;
    if (b.until_ms && a.from_ms && *b.until_ms <= *a.from_ms) return false;
    if (a.discount_ppm != 0) return true;
    return std::any_of(a.rates.begin(), a.rates.end(), [&b](const auto& rate) {
      return std::any_of(b.rates.begin(), b.rates.end(),
                         [&rate](const auto& theirs) { return theirs.first == rate.first; });
    });
  }

  void doubts() {
    const auto money = [](const Cap& cap) { return cap.meter == Meter::usd; };
    if (!policy_.caps.empty() && std::none_of(policy_.caps.begin(), policy_.caps.end(), money)) {
      reading_.warn(0, "cap", "no cap is in USD: what is spent is counted, but not limited");
    }
    for (std::size_t i = 0; i < policy_.caps.size(); ++i) {
      const Cap& cap = policy_.caps[i];
      if (cap.limit == 0 && cap.limits.empty()) {
        warn("cap", i,
             "has the limit 0: it refuses every call that " +
                 std::string(money(cap) ? "costs anything" : "needs any of it"));
      }
      const bool by_task = std::find(cap.each.begin(), cap.each.end(), "task") != cap.each.end();
      const bool for_task = std::any_of(cap.match.of.begin(), cap.match.of.end(),
                                        [](const auto& entry) { return entry.first == "task"; });
      if (by_task && !for_task && !cap.refuse_absent) {
        warn("cap", i,
             "counts all calls outside of a task together, as (none); write match = { task = \"*\" } to leave "
             "them out");
      }
      never_reached(i);
    }
  }

  /// A call that costs more than a window holds never fits: the cap per call says nothing then.
  void never_reached(std::size_t i) {
    const Cap& call = policy_.caps[i];
    if (call.window.per != Per::call) return;
    for (std::size_t j = 0; j < policy_.caps.size(); ++j) {
      const Cap& window = policy_.caps[j];
      const bool wider = window.match.of.empty() || window.match == call.match;
      if (window.window.per == Per::call || window.meter != call.meter || !wider || !window.limits.empty()) continue;
      if (window.limit >= call.limit) continue;
      warn("cap", i,
           "is never reached: " + other("cap", j) + " allows " + limit_text(window.meter, window.limit) + " per " +
               std::string(per_text(window.window.per)) + " in all");
      return;
    }
  }

  Reading& reading_;
  const Node& root_;
  const Policy& policy_;
};

}  // namespace

void check_whole(Reading& reading, const Node& root, const Policy& policy) {
  Whole(reading, root, policy).check();
}

}  // namespace farthing::policy
