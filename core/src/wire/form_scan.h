// FormScan: a request that comes as a form (multipart/form-data), field by field, told once each.
// Thread-safety: one thread.
#pragma once

#include <charconv>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "wire/multipart.h"
#include "wire/wire.h"

namespace farthing::wire {

struct FormScan {
  RequestFacts facts;
  std::string problem;  // the first thing that makes the request unreadable

  void fail(std::string text) {
    if (problem.empty()) problem = std::move(text);
  }
  /// Fields that a request has once: twice could be read differently by the provider than by us.
  void once(const std::vector<Part>& parts, std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
      int times = 0;
      for (const Part& part : parts)
        times += part.name == name ? 1 : 0;
      if (times > 1) fail("the field \"" + std::string(name) + "\" stands twice");
    }
  }
  void text(const Part& part, std::string& out) {
    if (part.file) return fail("\"" + std::string(part.name) + "\" is a file");
    out = part.content;
  }
  void count(const Part& part, std::int64_t least, std::int64_t& out) {
    std::int64_t number = 0;
    const char* const end = part.content.data() + part.content.size();
    const auto [stopped, error] = std::from_chars(part.content.data(), end, number);
    if (error != std::errc() || stopped != end || number < least || number > 1'000'000'000)
      fail("\"" + std::string(part.name) + "\" is not a whole number from " + std::to_string(least));
    else
      out = number;
  }
  void boolean(const Part& part, bool& out) {
    if (part.content != "true" && part.content != "false")
      fail("\"" + std::string(part.name) + "\" is not true or false");
    out = part.content == "true";
  }
};

/// `Scan` takes a vector of parts.
template <class Scan>
Result<RequestFacts> scan_form(std::string_view body) {
  Scan scan;
  std::vector<Part> parts;
  std::string problem = read_parts(body, parts);
  if (problem.empty()) {
    for (const Part& part : parts)
      scan.facts.input_bytes += part.file ? 0 : static_cast<std::int64_t>(part.content.size());
    scan.read(parts);
    problem = std::move(scan.problem);
  }
  if (!problem.empty())
    return Error{Code::unreadable_request, "the request cannot be read, so its cost cannot be bounded: " + problem};
  return std::move(scan.facts);
}

}  // namespace farthing::wire
