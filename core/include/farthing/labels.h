// Labels: `kind=value` pairs on a call: org, project, api_key, team, user, ..., those Farthing sets (R29), and any
// other kind as a free tag. Sorted by kind, one value per kind.
//
//   Labels labels{{"org", "acme"}, {"project", "marketing"}};
//   labels.get("org")   // "acme"; nullptr when absent
//
// Thread-safety: a value.
#pragma once

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "farthing/result.h"

namespace farthing {

/// R9: at most this many bytes of UTF-8 in a value.
inline constexpr std::size_t max_label_bytes = 128;

/// The kinds that people give, or name: those that name a cap best come first (R3 fixes the first three).
inline constexpr std::array<std::string_view, 9> given_kinds = {"api_key",  "project", "org",      "task", "user",
                                                                "customer", "team",    "workflow", "env"};
/// The kinds that Farthing sets on each call (R29): nobody else gives them, anybody may match them.
inline constexpr std::array<std::string_view, 11> set_kinds = {"provider", "model",      "model_asked", "model_family",
                                                               "modality", "endpoint",   "operation",   "quality",
                                                               "size",     "resolution", "attempt_kind"};
/// Whether giving it a value is an error: an API key is known by the key that a call carries.
constexpr bool is_set_by_farthing(std::string_view kind) {
  return kind == "api_key" || std::find(set_kinds.begin(), set_kinds.end(), kind) != set_kinds.end();
}

class Labels {
 public:
  using Entry = std::pair<std::string, std::string>;

  Labels() = default;
  Labels(std::initializer_list<Entry> entries);

  /// Sets or replaces.
  void set(std::string_view kind, std::string_view value);
  /// Sets only where absent: the order of precedence is the order of calls.
  void set_default(std::string_view kind, std::string_view value);
  /// All of `other`, replacing.
  void merge(const Labels& other);
  const std::string* get(std::string_view kind) const;

  const std::vector<Entry>& entries() const { return entries_; }
  bool operator==(const Labels&) const = default;

  /// Canonical JSON object, kinds in order: {"org":"acme","project":"marketing"}.
  std::string to_json() const;
  static Result<Labels> from_json(std::string_view json);

 private:
  std::vector<Entry> entries_;
};

/// Refuses an empty kind, a kind that is not [a-z][a-z0-9_]*, an empty or too long value, invalid UTF-8 and control
/// characters.
Status check_label(std::string_view kind, std::string_view value);

}  // namespace farthing
