// Policy: caps, keys, hosts, prices and defaults: one validated document, the same from TOML, JSON or code.
//
//   auto policy = Policy::from_file("farthing.toml");
//   if (!policy.ok()) for (const Problem& p : policy.problems) print(p.where + ": " + p.message);
//
// Validation reports every problem, not only the first; a key that this version does not build yet is
// `not_in_this_version`, never accepted and ignored (R43).
// Thread-safety: values; reading a file is the only I/O.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "farthing/cap.h"
#include "farthing/endpoint.h"
#include "farthing/host.h"
#include "farthing/labels.h"
#include "farthing/prices.h"
#include "farthing/result.h"
#include "farthing/tokenizer.h"

namespace farthing {

/// `[[api_key]]`: a name for one or several keys (R30); `env` names environment variables that hold them.
struct ApiKeyName {
  std::string name;
  std::vector<std::string> env;
  std::vector<std::string> ids;  // as the label `api_key` in the ledger shows them
  Labels labels;                 // added to calls with this key, below client-bound ones
  bool operator==(const ApiKeyName&) const = default;
};

/// What to do where a request's cost cannot be bounded (R31).
struct Unbounded {
  enum class Kind : std::uint8_t { context_window, refuse, amount } kind = Kind::context_window;
  Usd amount{};
  bool operator==(const Unbounded&) const = default;
};

/// What applying or removing a policy does.
struct PolicyChange {
  /// On each cap, in words: which is new, which limit changes, which binds nobody any more.
  std::vector<std::string> effects;
  std::vector<std::string> warnings;
};

/// Where a policy came from (R6): a file's document has history, one in code is current whenever opened.
enum class Origin : std::uint8_t { file, code };

struct Policy {
  std::string name = "default";  // code: "code:<main file>"
  Origin origin = Origin::code;
  std::string path;   // absolute path of the file, "" in code
  std::string store;  // as written: "memory:", "file:PATH"; "" = R37's default
  std::string timezone = "UTC";
  Labels labels;  // defaults for every call
  std::vector<Cap> caps;
  std::vector<ApiKeyName> api_keys;
  std::vector<HostRule> hosts;
  std::vector<EndpointRule> endpoints;
  std::vector<PriceOverlay> prices;
  std::vector<TokenizerRule> tokenizers;  // files as written
  std::string price_book;  // as written: a file that `farthing prices update` keeps; "" = the built-in book
  Units units;             // credit = "0.01 USD" (R10)
  std::string key_secret;  // R30; already expanded, never written out
  Unbounded unbounded;
  bool abandoned_is_hold = false;        // abandoned = "hold" (R24)
  bool fit_output = true;                // output = "fit" | "as_asked" (R20)
  std::int64_t held_wait_ms = 60'000;    // R21
  std::int64_t hold_max_ms = 3'600'000;  // R17
  bool durable_power = false;            // durability = "power"
  bool refuse_duplicates = false;        // jobs.duplicates = "refuse" (R17)
  bool slots_until_deadline = false;     // jobs.slots = "until_deadline" (R17)
  /// Where each key of the document was read, "cap[0].match" to its line; none of a document on a single line.
  std::map<std::string, int, std::less<>> lines;

  /// The document without secrets, as canonical JSON: what is registered in the store and compared (R6).
  std::string to_json() const;
  /// Absolute path of the price book, relative ones being relative to this policy's file; "" = the built-in book.
  std::string price_book_path() const;
  /// With absolute paths.
  std::vector<TokenizerRule> tokenizer_files() const;
  /// A key of it for people: "farthing.toml:12: cap[2].limit".
  std::string place(std::string_view key) const;
};

/// An entry of a store's log of what people changed: policies, limits, halts.
struct Change {
  std::int64_t at_ms = 0;
  std::string who;
  std::string what;
  std::string why;
};

struct Problem {
  Code code = Code::invalid_policy;
  std::string where;     // "farthing.toml:12: cap[2].limit"
  std::string message;   // what was found, what is accepted, a suggestion
  bool warning = false;  // the policy is valid with it
};

/// Where a policy's store is and whose midnights it means: what is known of a document that is wrong elsewhere, so that
/// nobody has to mend it before a kill switch can be thrown.
struct PolicyPlace {
  std::string store;
  std::string timezone;
};

struct PolicyOrProblems {
  std::optional<Policy> policy;
  std::vector<Problem> problems;     // errors when `policy` is empty, else warnings only
  std::optional<PolicyPlace> place;  // of a valid policy, and of one whose errors are elsewhere
  bool ok() const { return policy.has_value(); }
};

/// Looks up ${NAME}; empty when unset (an error unless written ${NAME:-default}).
using Environment = std::function<std::optional<std::string>(std::string_view)>;
Environment process_environment();

PolicyOrProblems policy_from_file(const std::string& path, const Environment& env = process_environment());
PolicyOrProblems policy_from_toml(std::string_view text, std::string_view where, const Environment& env);
/// The same document as JSON; how bindings hand over a policy built in code.
PolicyOrProblems policy_from_json(std::string_view text, std::string_view where, const Environment& env);

/// Warnings about values that fit nothing known, as a misspelt one does: providers, models, their families, endpoints and API
/// keys in `match` and `limits`, models of deployments. `book` has the policy's own prices over it, `endpoints` are the built-in ones.
std::vector<Problem> doubts(const Policy& policy, const PriceBook& book,
                            const std::vector<std::string_view>& endpoints);

}  // namespace farthing
