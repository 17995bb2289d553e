#include "policy/reading.h"

#include <algorithm>
#include <utility>

#include "policy/text.h"

namespace farthing::policy {

bool is_variable_name(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !text.empty() && letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::string Reading::place(int line, std::string_view path) const {
  std::string out = where_;
  if (lines_ && line > 0) out.append(":").append(std::to_string(line));
  if (!path.empty()) out.append(out.empty() ? "" : ": ").append(path);
  return out;
}

void Reading::error(Code code, int line, std::string_view path, std::string message) {
  errors_.push_back({line, {code, place(line, path), std::move(message)}});
}

void Reading::warn(int line, std::string_view path, std::string message) {
  warnings_.push_back({line, {Code::invalid_policy, place(line, path), std::move(message), /*warning=*/true}});
}

std::vector<Problem> Reading::in_order(std::vector<Found> found) {
  std::stable_sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.line < b.line; });
  std::vector<Problem> problems;
  for (Found& one : found)
    problems.push_back(std::move(one.problem));
  return problems;
}

std::vector<Problem> Reading::take_errors() {
  return in_order(std::exchange(errors_, {}));
}
std::vector<Problem> Reading::take_warnings() {
  return in_order(std::exchange(warnings_, {}));
}

std::optional<std::string> Reading::expand(const Node& node, std::string_view path) {
  const std::string_view text = node.text;
  std::string out;
  bool ok = true;
  for (std::size_t at = 0; at < text.size();) {
    if (text.substr(at).starts_with("$${")) {
      out += "${";
      at += 3;
      continue;
    }
    if (!text.substr(at).starts_with("${")) {
      out += text[at++];
      continue;
    }
    const std::size_t end = text.find('}', at);
    const std::string_view inside = text.substr(at + 2, end == std::string_view::npos ? end : end - at - 2);
    const std::size_t dash = inside.find(":-");
    const std::string_view name = inside.substr(0, dash);
    if (end == std::string_view::npos || !is_variable_name(name)) {
      error(
          Code::invalid_policy, node.line, path,
          "found " + node.shown() + R"(; accepted: "${NAME}" or "${NAME:-default}", and "$${" for a "${" that stays)");
      return std::nullopt;
    }
    const std::optional<std::string> value = env_(name);
    if (value && (dash == std::string_view::npos || !value->empty())) {
      out += *value;
    } else if (dash != std::string_view::npos) {
      out += inside.substr(dash + 2);
    } else {
      std::string both(name);
      error(Code::invalid_policy, node.line, path,
            "the environment variable " + both + " is not set; set it, or write ${" + both + ":-default}");
      ok = false;
    }
    at = end + 1;
  }
  if (!ok) return std::nullopt;
  return out;
}

std::string in_quotes(std::string_view text) {
  std::string out;
  append_json(out, text);
  return out;
}

std::string suggestion(std::string_view unknown, Words accepted) {
  const std::string_view near = nearest(unknown, accepted);
  return near.empty() ? "" : " Did you mean " + in_quotes(near) + "?";
}

std::string not_among(std::string_view found, Words accepted) {
  std::vector<std::string> words;
  for (const std::string_view word : accepted)
    words.push_back(in_quotes(word));
  const std::vector<std::string_view> views(words.begin(), words.end());
  std::string out = "found ";
  out.append(in_quotes(found)).append("; accepted: ").append(one_of(views)).append(".");
  return out + suggestion(found, accepted);
}

}  // namespace farthing::policy
