// Reading: one validation of one document: what it needs to know and the problems found. All are reported, none stops it.
// Fields: the keys of one table; says which are unknown, misspelt, of a later version or of the wrong kind.
//
//   Reading reading(where, env);
//   Fields fields(reading, node, "cap[0]", cap_keys, cap_keys_later);
//   if (auto per = fields.text("per")) ...
//   fields.bad("per", R"(found "dya"; accepted: ...)");
//
// Thread-safety: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "farthing/policy.h"
#include "policy/node.h"

namespace farthing::policy {

inline constexpr std::array<std::string_view, 9> modalities = {
    "text", "image", "video", "speech", "music", "transcription", "embedding", "moderation", "other"};

class Reading {
 public:
  Reading(std::string_view where, const Environment& env, Origin origin) : where_(where), env_(env), origin_(origin) {}

  void error(Code code, int line, std::string_view path, std::string message);
  void warn(int line, std::string_view path, std::string message);
  /// ${NAME} and ${NAME:-default}; "$${" is a "${" that stays. Empty after an error.
  std::optional<std::string> expand(const Node& text, std::string_view path);

  bool failed() const { return !errors_.empty(); }
  std::size_t errors() const { return errors_.size(); }
  std::vector<Problem> take_errors();
  std::vector<Problem> take_warnings();
  Origin origin() const { return origin_; }
  /// Shows lines in `where`: not for a document on a single line, as bindings send it.
  void show_lines(bool show) { lines_ = show; }
  bool shows_lines() const { return lines_; }
  std::string place(int line, std::string_view path) const;

  Units units;                        // read before the caps
  std::string timezone = "UTC";       // the policy's
  std::set<std::size_t> broken_caps;  // with an error of their own: what they would count is not known

 private:
  struct Found {
    int line;
    Problem problem;
  };
  static std::vector<Problem> in_order(std::vector<Found> found);

  std::string where_;
  const Environment& env_;
  Origin origin_;
  bool lines_ = true;
  std::vector<Found> errors_;
  std::vector<Found> warnings_;
};

using Words = std::span<const std::string_view>;

class Fields {
 public:
  /// Reports every key that is in neither list, and every one of `later` (R43).
  Fields(Reading& reading, const Node& node, std::string path, Words accepted, Words later);

  bool has(std::string_view key) const { return node_.find(key) != nullptr; }
  const Node* find(std::string_view key) const { return node_.find(key); }
  int line() const { return node_.line; }
  std::string path(std::string_view key) const;
  Reading& reading() { return reading_; }

  /// Each is empty where the key is absent or, after an error, of another kind.
  std::optional<std::string> text(std::string_view key, std::string_view example);
  /// A text that is not empty.
  std::optional<std::string> filled(std::string_view key, std::string_view example);
  std::optional<bool> truth(std::string_view key);
  std::optional<std::int64_t> whole(std::string_view key, std::int64_t least, std::int64_t most);
  /// One text or a list of them.
  std::vector<std::string> texts(std::string_view key, std::string_view example);
  /// One of the accepted words, as its place among them.
  std::optional<std::size_t> word(std::string_view key, Words accepted, Words later = {});
  /// The tables of a list of tables.
  std::vector<const Node*> tables(std::string_view key);
  /// The members of a table.
  std::vector<const Node*> members(std::string_view key, std::string_view example);

  void bad(std::string_view key, std::string message, Code code = Code::invalid_policy);
  void missing(std::string_view key, std::string_view example);
  void warn(std::string_view key, std::string message);

 private:
  Reading& reading_;
  const Node& node_;
  std::string path_;
};

/// " Did you mean "per"?" or nothing.
std::string suggestion(std::string_view unknown, Words accepted);
/// found "dya"; accepted: call, day or week. Did you mean "day"?
std::string not_among(std::string_view found, Words accepted);
std::string in_quotes(std::string_view text);

// The parts of a document.
Cap read_cap(Reading& reading, const Node& node, const std::string& path);
ApiKeyName read_api_key(Reading& reading, const Node& node, const std::string& path);
HostRule read_host(Reading& reading, const Node& node, const std::string& path);
EndpointRule read_endpoint(Reading& reading, const Node& node, const std::string& path);
TokenizerRule read_tokenizer(Reading& reading, const Node& node, const std::string& path);
PriceOverlay read_price(Reading& reading, const Node& node, const std::string& path);
void read_labels(Fields& fields, std::string_view key, Labels& labels);

/// What is wrong, or doubtful, between the parts of a document that are right by themselves.
void check_whole(Reading& reading, const Node& root, const Policy& policy);

/// Quantities by their words, seconds by the meters'.
std::optional<Quantity> quantity_named(std::string_view word);
std::string_view quantity_word(Quantity quantity);
std::vector<std::string_view> quantity_words();

/// Of an environment variable: letters, digits and "_", none of the digits first.
bool is_variable_name(std::string_view text);
/// As guard/keys.h makes them: "k3f9a1c2b4d5e6f70-a1b2", "oauth@api.example.com".
bool is_key_id(std::string_view text);

// Values written as text.
/// "60s", "2 min", "1h", "500ms", "0".
std::optional<std::int64_t> duration_ms(std::string_view text);
std::string duration_text(std::int64_t ms);
/// Millionths as "12.5 %".
std::string percent_text(std::int64_t ppm);
/// "2026-12-01" (midnight in the zone), "2026-12-01T08:00" (the zone's clock), "2026-12-01T08:00:00Z", "...+02:00".
std::optional<std::int64_t> date_ms(std::string_view text, std::string_view zone);

}  // namespace farthing::policy
