#include "wire/multipart.h"

#include <algorithm>
#include <optional>

namespace farthing::wire {

namespace {

constexpr std::size_t boundary_max = 70;  // RFC 2046
constexpr std::size_t header_max = 4'096;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool begins_like(std::string_view text, std::string_view start) {
  return text.size() >= start.size() &&
         std::equal(start.begin(), start.end(), text.begin(), [](char a, char b) { return a == lower(b); });
}

/// A parameter of a header: name="x". Quoted, with nothing escaped in it, or a plain word.
std::optional<std::string_view> parameter(std::string_view header, std::string_view name) {
  for (std::size_t at = header.find(';'); at != std::string_view::npos;) {
    ++at;
    while (at < header.size() && (header[at] == ' ' || header[at] == '\t'))
      ++at;
    const std::size_t equals = header.find('=', at);
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view key = header.substr(at, equals - at);
    std::string_view value;
    if (equals + 1 < header.size() && header[equals + 1] == '"') {
      const std::size_t end = header.find('"', equals + 2);
      if (end == std::string_view::npos) return std::nullopt;
      value = header.substr(equals + 2, end - equals - 2);
      at = header.find(';', end);
    } else {
      at = header.find(';', equals);
      value = header.substr(equals + 1, at == std::string_view::npos ? at : at - equals - 1);
    }
    if (key.size() == name.size() && begins_like(key, name)) return value;
  }
  return std::nullopt;
}

/// The head of a part, up to its empty line.
std::string read_head(std::string_view head, Part& part) {
  bool named = false;
  while (!head.empty()) {
    const std::size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    head = end == std::string_view::npos ? std::string_view() : head.substr(end + 2);
    if (begins_like(line, "content-transfer-encoding:")) return "a part of it is encoded";
    if (!begins_like(line, "content-disposition:")) continue;
    const auto name = parameter(line, "name");
    if (!name || named) return "a part of it has no name, or two";
    if (name->find('\\') != std::string_view::npos) return "the name of a part of it is escaped";
    named = true;
    part.name = *name;
    if (part.name.size() > 2 && part.name.substr(part.name.size() - 2) == "[]") part.name.remove_suffix(2);
    part.file = parameter(line, "filename").has_value() || parameter(line, "filename*").has_value();
  }
  return named ? std::string() : "a part of it has no name";
}

}  // namespace

bool is_multipart(std::string_view body) {
  return body.substr(0, 2) == "--";
}

std::string read_parts(std::string_view body, std::vector<Part>& parts) {
  const std::size_t first = body.substr(0, boundary_max + 4).find("\r\n");
  if (!is_multipart(body) || first == std::string_view::npos || first < 3)
    return "it is no form: it does not begin with a boundary";
  const std::string delimiter = "\r\n" + std::string(body.substr(0, first));
  std::size_t at = first + 2;
  for (;;) {
    if (parts.size() >= max_parts) return "it has more than " + std::to_string(max_parts) + " parts";
    const std::size_t head_end = body.substr(at, header_max).find("\r\n\r\n");
    if (head_end == std::string_view::npos) return "the head of a part of it does not end";
    Part part;
    if (std::string problem = read_head(body.substr(at, head_end), part); !problem.empty()) return problem;
    const std::size_t begin = at + head_end + 4;
    // An empty part's delimiter begins with the line break that ends its head.
    const std::size_t end = body.find(delimiter, begin - 2);
    if (end == std::string_view::npos) return "it does not end with its boundary";
    part.content = end < begin ? std::string_view() : body.substr(begin, end - begin);
    parts.push_back(part);
    at = end + delimiter.size();
    const std::string_view after = body.substr(at, 2);
    if (after == "--") return {};
    if (after != "\r\n") return "its boundary stands inside of it";
    at += 2;
  }
}

}  // namespace farthing::wire
