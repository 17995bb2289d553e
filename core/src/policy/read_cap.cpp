// One [[cap]] of a policy.
#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "policy/reading.h"
#include "policy/text.h"
#include "zone/zone.h"

namespace farthing::policy {
namespace {

constexpr std::array<std::string_view, 16> cap_keys = {
    "id",    "limit",   "per",      "match", "each",      "limits",       "absent",   "alert",
    "owner", "message", "help_url", "was",   "on_exceed", "max_counters", "timezone", "billing_day"};
// R16 campaigns.
constexpr std::array<std::string_view, 3> cap_keys_later = {"from", "until", "after"};
constexpr std::array<std::string_view, 7> pers = {"call", "minute", "hour", "day", "week", "month", "total"};
constexpr std::array<std::string_view, 1> on_exceed_words = {"block"};
constexpr std::array<std::string_view, 4> on_exceed_later = {"ask", "wait", "downgrade", "shadow"};
constexpr std::array<std::string_view, 2> absent_words = {"count", "refuse"};
/// Kinds that mean something to Farthing or to most people; any other is a label of somebody's own.
const std::vector<std::string_view>& known_kinds() {
  static const std::vector<std::string_view> all = [] {
    std::vector<std::string_view> kinds(given_kinds.begin(), given_kinds.end());
    kinds.insert(kinds.end(), set_kinds.begin(), set_kinds.end());
    return kinds;
  }();
  return all;
}

constexpr std::string_view limit_example = R"("5 USD", "1000 requests" or "2 concurrent")";
constexpr std::string_view match_example = R"({ project = "marketing", model = "gpt-5*" })";
constexpr std::size_t most_text = 500;  // bytes of message, owner, help_url

/// Words that people write for a window.
std::string_view meant_per(std::string_view found) {
  static const std::map<std::string_view, std::string_view> meant = {
      {"request", "call"}, {"calls", "call"},    {"minutely", "minute"}, {"min", "minute"},   {"hourly", "hour"},
      {"daily", "day"},    {"today", "day"},     {"24h", "day"},         {"weekly", "week"},  {"monthly", "month"},
      {"ever", "total"},   {"forever", "total"}, {"lifetime", "total"},  {"always", "total"}, {"all", "total"}};
  const auto place = meant.find(found);
  return place == meant.end() ? std::string_view() : place->second;
}

class CapReader {
 public:
  CapReader(Reading& reading, const Node& node, const std::string& path)
      : fields_(reading, node, path, cap_keys, cap_keys_later), reading_(reading) {}

  Cap read() {
    read_names();
    read_limit();
    read_match();
    read_each();
    read_window();
    read_limits();
    read_rest();
    cap_.normalise();
    return std::move(cap_);
  }

 private:
  void read_names() {
    if (auto id = short_text("id", "\"marketing-daily\"")) {
      cap_.id = std::move(*id);
      cap_.id_given = true;
    }
    cap_.was = short_text("was", "the id it had").value_or("");
  }

  void read_limit() {
    const auto text = fields_.filled("limit", limit_example);
    if (!text) {
      if (!fields_.has("limit")) fields_.missing("limit", "limit = " + std::string(limit_example));
      return;
    }
    const Result<Limit> limit = parse_limit(*text, reading_.units);
    if (!limit) return fields_.bad("limit", limit.error().message, limit.error().code);
    cap_.meter = limit->meter;
    cap_.limit = limit->value;
    meter_known_ = true;
  }

  void read_match() {
    for (const Node* member : fields_.members("match", match_example)) {
      const std::string path = fields_.path("match") + "." + member->key;
      if (!check_kind(*member, member->key, path)) continue;
      // One member is read as a table of its own: one text or a list of them.
      Node alone;
      alone.line = member->line;
      alone.items.push_back(*member);
      const std::array<std::string_view, 1> only = {member->key};
      Fields fields(reading_, alone, fields_.path("match"), only, {});
      std::vector<std::string> globs = fields.texts(member->key, "\"marketing\" or [\"a\", \"b*\"]");
      if (member->kind == Node::Kind::list && member->items.empty()) {
        fields.bad(member->key, "found an empty list, which no call matches; remove the key to match all");
      }
      for (std::string& glob : globs)
        check_glob(fields, member->key, glob);
      if (!globs.empty()) cap_.match.of.emplace_back(member->key, std::move(globs));
    }
  }

  void check_glob(Fields& fields, std::string_view kind, std::string& glob) {
    if (const Status ok = check_label(kind, glob); !ok) return fields.bad(kind, ok.error().message, ok.error().code);
    if (kind != "modality" || has_wildcard(glob)) return;
    if (glob == "voice") glob = "speech";
    // A value that Farthing never sets would make a cap that never holds.
    if (std::find(modalities.begin(), modalities.end(), glob) == modalities.end()) {
      fields.bad(kind, not_among(glob, modalities));
    }
  }

  bool check_kind(const Node& node, std::string_view kind, const std::string& path) {
    if (const Status ok = check_label(kind, "x"); !ok) {
      reading_.error(ok.error().code, node.line, path, ok.error().message);
      return false;
    }
    if (std::find(known_kinds().begin(), known_kinds().end(), kind) == known_kinds().end()) {
      const std::string_view near = nearest(kind, known_kinds());
      if (!near.empty()) {
        reading_.warn(node.line, path,
                      in_quotes(kind) + " is a label of your own; did you mean " + in_quotes(near) + "?");
      }
    }
    return true;
  }

  void read_each() {
    const Node* node = fields_.find("each");
    for (std::string& kind : fields_.texts("each", R"(["user"] or ["api_key", "project"])")) {
      if (!check_kind(*node, kind, fields_.path("each"))) continue;
      if (std::find(cap_.each.begin(), cap_.each.end(), kind) != cap_.each.end()) {
        fields_.bad("each", in_quotes(kind) + " is written twice");
      } else {
        cap_.each.push_back(std::move(kind));
      }
    }
    const auto absent = fields_.word("absent", absent_words);
    cap_.refuse_absent = absent == 1U;
    if (absent && cap_.each.empty()) {
      fields_.bad("absent", "says what to do without a label of `each`, and there is no `each`");
    }
  }

  void read_window() {
    const auto per = fields_.filled("per", "\"day\"");
    if (cap_.meter == Meter::concurrent) {
      if (fields_.has("per")) {
        fields_.bad("per", "a limit on how many run at once has no window (R10); remove `per`");
      }
    } else if (!fields_.has("per")) {
      if (meter_known_) fields_.missing("per", R"(per = "day"; accepted: )" + one_of(pers));
    } else if (per) {
      read_per(*per);
    }
    read_zone();
    read_billing_day();
  }

  void read_per(const std::string& found) {
    if (found.starts_with("rolling")) {
      return fields_.bad("per", "this version has no rolling windows yet; accepted: " + one_of(pers),
                         Code::not_in_this_version);
    }
    const auto per = per_of(found);
    if (!per) {
      const std::string_view meant = meant_per(found);
      std::string message = not_among(found, pers);
      if (!meant.empty() && message.find("Did you mean") == std::string::npos) {
        message += " Did you mean " + in_quotes(meant) + "?";
      }
      return fields_.bad("per", std::move(message));
    }
    cap_.window.per = *per;
    if (*per == Per::call && (cap_.meter == Meter::actions || cap_.meter == Meter::runs)) {
      fields_.bad("per", "a call is never more than one of " + std::string(meter_text(cap_.meter)) +
                             "; accepted: minute, hour, day, week, month or total");
    }
  }

  void read_zone() {
    cap_.window.zone = reading_.timezone;
    const auto zone = fields_.filled("timezone", "\"Europe/Berlin\"");
    if (!zone) return;
    const Per per = cap_.window.per;
    if (per != Per::hour && per != Per::day && per != Per::week && per != Per::month) {
      fields_.bad("timezone", "has a meaning only with per = \"hour\", \"day\", \"week\" or \"month\"");
    } else if (!Zone::find(*zone)) {
      const std::string near = Zone::suggest(*zone);
      fields_.bad("timezone", "found " + in_quotes(*zone) + "; accepted: a name such as \"Europe/Berlin\" or \"UTC\"." +
                                  (near.empty() ? "" : " Did you mean " + in_quotes(near) + "?"));
    } else {
      cap_.window.zone = *zone;
    }
  }

  void read_billing_day() {
    const auto day = fields_.whole("billing_day", 1, 31);
    if (!day) return;
    if (cap_.window.per != Per::month) {
      return fields_.bad("billing_day", "has a meaning only with per = \"month\"");
    }
    cap_.window.billing_day = static_cast<int>(*day);
  }

  /// limits = { u42 = "50 USD" }: keys are values of `each`, several as "u42,marketing" or '["u42","marketing"]'.
  void read_limits() {
    const auto members = fields_.members("limits", R"({ u42 = "50 USD" })");
    if (fields_.has("limits") && cap_.each.empty()) {
      return fields_.bad("limits",
                         "gives values of `each` their own limit, and there is no `each`; write for example "
                         R"(each = ["user"])");
    }
    for (const Node* member : members) {
      const std::string path = fields_.path("limits") + "." + in_quotes(member->key);
      const auto fail = [&](std::string message, Code code = Code::invalid_policy) {
        reading_.error(code, member->line, path, std::move(message));
      };
      const auto values = values_of(member->key);
      if (!values) {
        fail("names " + std::to_string(cap_.each.size()) +
             " values, in the order of `each`; accepted: \"u42,marketing\" "
             R"(or '["u42","marketing"]' for two)");
        continue;
      }
      if (member->kind != Node::Kind::text) {
        fail("found " + member->shown() + "; accepted: text such as " + std::string(limit_example));
        continue;
      }
      const auto text = reading_.expand(*member, path);
      if (!text) continue;
      const Result<Limit> limit = parse_limit(*text, reading_.units);
      if (!limit) {
        fail(limit.error().message, limit.error().code);
      } else if (meter_known_ && limit->meter != cap_.meter) {
        fail("found " + in_quotes(*text) + "; accepted: an amount of " + std::string(meter_text(cap_.meter)) +
             ", as in `limit`");
      } else if (!cap_.limits.emplace(*values, limit->value).second) {
        fail("is written twice");
      }
    }
  }

  std::optional<std::vector<std::string>> values_of(const std::string& key) const {
    std::vector<std::string> values;
    if (cap_.each.size() == 1) {
      values = {key};
    } else if (key.starts_with("[")) {
      const Parsed parsed = read_json(key);
      if (!parsed.faults.empty()) return std::nullopt;
      for (const Node& item : parsed.root.items) {
        if (item.kind != Node::Kind::text) return std::nullopt;
        values.push_back(item.text);
      }
    } else {
      for (std::size_t at = 0; at <= key.size();) {
        const std::size_t comma = std::min(key.find(',', at), key.size());
        values.push_back(key.substr(at, comma - at));
        at = comma + 1;
      }
    }
    const bool good = values.size() == cap_.each.size() &&
                      std::all_of(values.begin(), values.end(),
                                  [](const std::string& value) { return check_label("x", value).ok(); });
    if (!good) return std::nullopt;
    return values;
  }

  void read_rest() {
    fields_.word("on_exceed", on_exceed_words, on_exceed_later);
    read_alert();
    cap_.message = fields_.filled("message", "\"Ask Ann for more\"").value_or("");
    if (cap_.message.size() > most_text) fields_.bad("message", "has more than 500 bytes");
    cap_.owner = short_text("owner", "\"ann@example.com\"").value_or("");
    cap_.help_url = short_text("help_url", "\"https://example.com/budgets\"").value_or("");
    if (!cap_.help_url.empty() && !cap_.help_url.starts_with("https://") && !cap_.help_url.starts_with("http://")) {
      fields_.bad("help_url", "found " + in_quotes(cap_.help_url) + "; accepted: an address that begins with https://");
    }
    cap_.max_counters = fields_.whole("max_counters", 1, 100'000'000).value_or(cap_.max_counters);
  }

  void read_alert() {
    const Node* node = fields_.find("alert");
    if (node == nullptr) return;
    std::string wrong = node->kind == Node::Kind::list ? "" : node->shown();
    for (const Node& item : node->items) {
      const bool percent = item.kind == Node::Kind::integer && item.integer >= 1 && item.integer <= 100;
      if (!percent) {
        wrong = item.shown();
      } else if (!cap_.alert.empty() && item.integer <= cap_.alert.back()) {
        wrong = std::to_string(item.integer) + " after " + std::to_string(cap_.alert.back());
      }
      if (!wrong.empty()) break;
      cap_.alert.push_back(static_cast<int>(item.integer));
    }
    if (!wrong.empty()) {
      fields_.bad("alert", "found " + wrong +
                               "; accepted: a list of whole percents from 1 to 100, each larger than the one before, "
                               "such as [50, 80, 100]");
    } else if (cap_.window.per == Per::call || cap_.meter == Meter::concurrent) {
      fields_.bad("alert", "tests what is spent in a window (R35), and this cap has none");
    }
  }

  std::optional<std::string> short_text(std::string_view key, std::string_view example) {
    std::optional<std::string> text = fields_.filled(key, example);
    if (!text) return text;
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    if (text->size() > most_text || std::any_of(text->begin(), text->end(), control)) {
      fields_.bad(key, "accepted: at most 500 bytes on one line");
      return std::nullopt;
    }
    return text;
  }

  Fields fields_;
  Reading& reading_;
  Cap cap_;
  bool meter_known_ = false;
};

}  // namespace

Cap read_cap(Reading& reading, const Node& node, const std::string& path) {
  return CapReader(reading, node, path).read();
}

}  // namespace farthing::policy
