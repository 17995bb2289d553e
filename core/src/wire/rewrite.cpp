#include <algorithm>
#include <string>

#include "wire/wire.h"

namespace farthing {

namespace {

struct Splice {
  std::size_t at;
  std::size_t length;
  std::string text;
};

}  // namespace

std::string rewrite(std::string_view body, const RequestFacts& facts, const Rewrite& change) {
  std::vector<Splice> splices;
  std::string members;  // new ones, at the front of the body's object
  const auto add_member = [&](const std::string& text) { members += (members.empty() ? "" : ",") + text; };
  const auto add_inside = [&](std::string_view object, const ObjectPlace& place, const std::string& member) {
    if (place.open)
      splices.push_back({*place.open, 0, member + (place.empty ? "" : ",")});
    else if (place.null)
      splices.push_back({place.null->at, place.null->length, "{" + member + "}"});
    else
      add_member("\"" + std::string(object) + "\":{" + member + "}");
  };

  if (change.output_limit) {
    const std::string limit = std::to_string(*change.output_limit);
    for (const Span& span : facts.output_limit_spans)
      splices.push_back({span.at, span.length, limit});
    if (change.max_tokens_too) {
      if (facts.max_tokens)
        splices.push_back({facts.max_tokens->at, facts.max_tokens->length, limit});
      else
        add_member("\"max_tokens\":" + limit);
    }
    if (facts.output_limit_spans.empty()) {
      const std::string member = "\"" + std::string(change.output_limit_name) + "\":" + limit;
      if (facts.output_limit_parent.empty())
        add_member(member);
      else
        add_inside(facts.output_limit_parent, facts.output_limit_place, member);
    }
  }
  if (change.ask_for_usage) {
    if (facts.include_usage_span) {
      splices.push_back({facts.include_usage_span->at, facts.include_usage_span->length, "true"});
    } else {
      add_inside("stream_options", facts.stream_options, "\"include_usage\":true");
    }
  }
  if (!members.empty() && !facts.object_empty) members += ",";
  if (!members.empty()) splices.push_back({facts.object_open, 0, members});

  std::sort(splices.begin(), splices.end(), [](const Splice& a, const Splice& b) { return a.at < b.at; });
  std::string out;
  out.reserve(body.size() + 96);
  std::size_t at = 0;
  for (const Splice& splice : splices) {
    out.append(body.substr(at, splice.at - at));
    out.append(splice.text);
    at = splice.at + splice.length;
  }
  out.append(body.substr(at));
  return out;
}

}  // namespace farthing
