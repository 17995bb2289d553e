// [[endpoint]]: a JSON API that no dialect reads.
#include <algorithm>
#include <array>

#include "policy/reading.h"
#include "policy/text.h"

namespace farthing::policy {
namespace {

constexpr std::array<std::string_view, 12> endpoint_keys = {
    "name", "host", "path", "provider", "modality", "operation", "model", "asks", "default", "usage", "cost", "error"};
constexpr std::size_t most_pointer_bytes = 200;
constexpr std::int64_t most_units = 1'000'000;

/// A JSON pointer (RFC 6901) to a member: begins with "/", `~` is `~0`, `/` in a name is `~1`.
bool is_pointer(std::string_view text) {
  if (text.size() < 2 || text[0] != '/' || text.size() > most_pointer_bytes) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1'))) return false;
  }
  return true;
}

class EndpointReading {
 public:
  EndpointReading(Reading& reading, const Node& node, const std::string& path)
      : reading_(reading), fields_(reading, node, path, endpoint_keys, {}) {}

  EndpointRule read() {
    EndpointRule rule;
    const auto required = [&](std::string_view key, std::string_view example) {
      auto text = fields_.filled(key, example);
      if (!text && !fields_.has(key)) fields_.missing(key, std::string(key) + " = " + std::string(example));
      return text.value_or("");
    };
    rule.name = required("name", "\"acme.songs\"");
    if (!rule.name.empty()) {
      if (const Status ok = check_label("endpoint", rule.name); !ok) fields_.bad("name", ok.error().message);
    }
    rule.host = required("host", "\"api.acme.example\"");
    rule.path = required("path", "\"/v1/songs\"");
    if (!rule.path.empty() && (rule.path[0] != '/' || rule.path.find_first_of("?#") != std::string::npos)) {
      fields_.bad("path", "found " + in_quotes(rule.path) +
                              "; accepted: how the path ends, such as \"/v1/songs\"; `*` stands for "
                              "one or more characters");
    }
    rule.provider = fields_.filled("provider", "\"acme\"").value_or("");
    if (const auto modality = fields_.word("modality", modalities)) rule.modality = modalities[*modality];
    rule.operation = fields_.filled("operation", "\"generate\"").value_or(rule.operation);
    rule.model = fields_.filled("model", "\"/model\", or a model's name").value_or("");
    if (rule.model.starts_with('/') && !is_pointer(rule.model)) bad_pointer("model", rule.model);
    asks(rule);
    usage(rule);
    rule.cost = pointer("cost", "\"/usage/cost\"").value_or("");
    rule.error = pointer("error", "\"/error\"").value_or(rule.error);
    return rule;
  }

 private:
  void error(const Node& node, const std::string& path, std::string message) {
    reading_.error(Code::invalid_policy, node.line, path, std::move(message));
  }
  void bad_pointer(std::string_view key, const std::string& found) {
    fields_.bad(key, "found " + in_quotes(found) + "; accepted: a JSON pointer, such as \"/usage/seconds\"");
  }
  std::optional<std::string> pointer(std::string_view key, std::string_view example) {
    auto text = fields_.filled(key, example);
    if (text && !is_pointer(*text)) {
      bad_pointer(key, *text);
      return std::nullopt;
    }
    return text;
  }
  std::optional<Quantity> quantity(const Node& member, const std::string& path) {
    const auto found = quantity_named(member.key);
    if (found && *found != Quantity::requests) return found;
    const auto words = quantity_words();
    error(member, path,
          found ? "one request is always counted; remove it"
                : "unknown quantity." + suggestion(member.key, words) + " Accepted here: " + one_of(words));
    return std::nullopt;
  }
  /// Whole units; seconds become ms.
  std::optional<std::int64_t> units(const Node& member, const std::string& path, Quantity quantity) {
    const bool timed = quantity == Quantity::audio_ms || quantity == Quantity::video_ms;
    if (member.kind == Node::Kind::integer && member.integer >= 0 && member.integer <= most_units)
      return member.integer * (timed ? 1000 : 1);
    error(member, path, "found " + member.shown() + "; accepted: a whole number up to " + std::to_string(most_units));
    return std::nullopt;
  }
  void asks(EndpointRule& rule) {
    for (const Node* member : fields_.members("asks", R"({ audio_seconds = "/duration" })")) {
      const std::string path = fields_.path("asks") + "." + member->key;
      const auto named = quantity(*member, path);
      if (!named) continue;
      AskedQuantity ask;
      ask.quantity = *named;
      if (member->kind == Node::Kind::text) {
        ask.at = member->text;
        if (!is_pointer(ask.at))
          error(*member, path,
                "found " + in_quotes(ask.at) +
                    "; accepted: a JSON pointer into the request, such as \"/duration\", or a whole number");
      } else {
        ask.amount = units(*member, path, *named);
      }
      rule.asks.push_back(std::move(ask));
    }
    for (const Node* member : fields_.members("default", R"({ audio_seconds = 240 })")) {
      const std::string path = fields_.path("default") + "." + member->key;
      const auto named = quantity(*member, path);
      if (!named) continue;
      const auto ask = std::find_if(rule.asks.begin(), rule.asks.end(), [&](const AskedQuantity& each) {
        return each.quantity == *named && !each.at.empty();
      });
      if (ask == rule.asks.end()) {
        error(*member, path, "`asks` names no place in the request where it could be missing");
        continue;
      }
      ask->amount = units(*member, path, *named);
    }
    std::sort(rule.asks.begin(), rule.asks.end(), [](const auto& a, const auto& b) { return a.quantity < b.quantity; });
  }
  void usage(EndpointRule& rule) {
    for (const Node* member : fields_.members("usage", R"({ audio_seconds = "/usage/seconds" })")) {
      const std::string path = fields_.path("usage") + "." + member->key;
      const auto named = quantity(*member, path);
      if (!named) continue;
      if (member->kind != Node::Kind::text || !is_pointer(member->text)) {
        error(*member, path,
              "found " + member->shown() + "; accepted: a JSON pointer into the answer, such as \"/usage/seconds\"");
        continue;
      }
      // A hold is what was asked for: what is billed beside it would have none.
      if (std::none_of(rule.asks.begin(), rule.asks.end(),
                       [&](const AskedQuantity& ask) { return ask.quantity == *named; })) {
        error(*member, path, "`asks` does not say how much of it a request can use: it would be spent without a hold");
        continue;
      }
      rule.usage.emplace_back(*named, member->text);
    }
    std::sort(rule.usage.begin(), rule.usage.end());
  }

  Reading& reading_;
  Fields fields_;
};

}  // namespace

EndpointRule read_endpoint(Reading& reading, const Node& node, const std::string& path) {
  return EndpointReading(reading, node, path).read();
}

}  // namespace farthing::policy
