// Pages of a PDF, where its objects can be read (ISO 32000-1): the most of the page objects, the children of all page lists
// and the numbers that those tell, also inside object streams (7.5.7). Unknown where objects are encrypted, compressed in
// another way or stand elsewhere, and where a page list has a child twice.
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "media/inflate.h"
#include "media/readers.h"

namespace farthing::media {
namespace {

constexpr std::int64_t most_pages = 1'000'000;
/// Of all object streams of a file, inflated: a page takes some hundred bytes, and a bomb stops here. Real ones grow to the
/// five- or tenfold; a request with many small files inflates no more than with a large one.
constexpr std::size_t most_objects_size = std::size_t{32} << 20U;
constexpr std::size_t most_growth = 12;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\0';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view after_space(std::string_view rest) {
  while (!rest.empty() && is_space(rest.front()))
    rest.remove_prefix(1);
  return rest;
}

int hex(char c) {
  return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// `/Name` and not `/Names`; a character of a name may be written in hex: `/N#61me`.
bool takes_name(std::string_view& rest, std::string_view name) {
  std::size_t at = 0;
  for (const char wanted : name) {
    if (at >= rest.size()) return false;
    if (rest[at] == wanted) {
      ++at;
    } else if (rest[at] == '#' && at + 2 < rest.size() && hex(rest[at + 1]) >= 0 && hex(rest[at + 2]) >= 0 &&
               static_cast<char>(16 * hex(rest[at + 1]) + hex(rest[at + 2])) == wanted) {
      at += 3;
    } else {
      return false;
    }
  }
  const std::string_view after = rest.substr(at);
  if (!after.empty() && std::isalnum(static_cast<unsigned char>(after.front())) != 0) return false;
  rest = after_space(after);
  return true;
}

std::int64_t number(std::string_view rest) {
  std::int64_t value = 0;
  for (; !rest.empty() && is_digit(rest.front()) && value <= most_pages; rest.remove_prefix(1))
    value = 10 * value + (rest.front() - '0');
  return value;
}

/// What follows the dictionary that `at` stands in, where that is the plain one of an object stream compressed by Flate
/// alone, as everybody writes it; nothing where anything in it could be read in another way.
std::optional<std::string_view> flate_data(std::string_view file, std::size_t at) {
  const std::size_t open = file.rfind("<<", at);
  const std::size_t close = file.find(">>", at);
  if (open == std::string_view::npos || close == std::string_view::npos) return std::nullopt;
  // Not inside of a comment.
  const std::size_t line = file.find_last_of("\r\n", open);
  if (file.substr(0, open).find('%', line == std::string_view::npos ? 0 : line) != std::string_view::npos)
    return std::nullopt;
  const std::string_view inside = file.substr(open + 2, close - open - 2);
  // Texts, comments, dictionaries in it, names in hex.
  if (inside.find_first_of("()<>%#") != std::string_view::npos) return std::nullopt;
  // Each once: readers differ in which of two holds.
  constexpr std::array<std::string_view, 8> known = {"/Filter", "/FlateDecode", "/Type",   "/ObjStm",
                                                     "/N",      "/First",       "/Length", "/Extends"};
  std::array<bool, known.size()> has{};
  for (std::size_t name = inside.find('/'); name != std::string_view::npos; name = inside.find('/', name + 1)) {
    std::string_view rest = inside.substr(name);
    const auto* const found =
        std::find_if(known.begin(), known.end(), [&](std::string_view one) { return takes_name(rest, one); });
    if (found == known.end() || std::exchange(has.at(static_cast<std::size_t>(found - known.begin())), true))
      return std::nullopt;
  }
  if (!has[0] || !has[1]) return std::nullopt;
  std::string_view rest = after_space(file.substr(close + 2));
  constexpr std::string_view keyword = "stream";
  if (!rest.starts_with(keyword)) return std::nullopt;
  rest.remove_prefix(keyword.size());
  if (rest.starts_with("\r\n")) return rest.substr(2);
  return rest.starts_with('\n') ? std::optional(rest.substr(1)) : std::nullopt;
}

/// What follows the dictionary that `rest` begins in; nothing where it could end elsewhere.
std::optional<std::string_view> after_dictionary(std::string_view rest) {
  std::string open = "<";  // dictionaries and lists
  while (!open.empty()) {
    rest.remove_prefix(std::min(rest.find_first_of("()<>[]%"), rest.size()));
    if (rest.empty()) return std::nullopt;
    const char first = rest.front();
    const bool twice = rest.size() > 1 && rest[1] == first;
    std::size_t size = 1;
    if (first == '%') {
      size = rest.find_first_of("\r\n");
    } else if (first == '(') {
      for (std::size_t depth = 1; depth > 0 && size < rest.size(); ++size) {
        const char c = rest[size];
        if (c == '\\') ++size;
        if (c == '(') ++depth;
        if (c == ')') --depth;
      }
    } else if (first == '[' || (first == '<' && twice)) {
      open += first;
      size = first == '<' ? 2 : 1;
    } else if (first == '<') {  // a text in hex
      while (size < rest.size() && (hex(rest[size]) >= 0 || is_space(rest[size])))
        ++size;
      if (size == rest.size() || rest[size] != '>') return std::nullopt;
      ++size;
    } else {
      if (first == ']' ? open.back() != '[' : first != '>' || !twice || open.back() != '<') return std::nullopt;
      open.pop_back();
      size = first == '>' ? 2 : 1;
    }
    rest.remove_prefix(std::min(size, rest.size()));
  }
  return rest;
}

struct Pages {
  std::string_view file;
  std::int64_t objects = 0;
  std::int64_t children = 0;
  std::int64_t told = 0;
  bool hidden = false;
  std::vector<std::uint64_t> seen = {};  // children
  std::size_t data_from = 0;             // of the last object stream
  std::size_t data_to = 0;
  std::size_t left = std::min(most_objects_size, most_growth* file.size());
  std::size_t outlines = 0;  // bytes of their dictionaries
  std::size_t looks = 0;     // at names and children: objects have one in ten bytes or more, so a file has these bytes

  void read() {
    names_of(file, false);
    if (hidden) return;
    std::sort(seen.begin(), seen.end());
    hidden = std::adjacent_find(seen.begin(), seen.end()) != seen.end();
  }
  /// Each name in `text`: the file, or the objects of a stream.
  void names_of(std::string_view text, bool compressed) {
    for (std::size_t at = text.find('/'); at < text.size() && !hidden; at = slash(text, at + 1)) {
      if (at + 1 < text.size()) look(text, at, compressed);
      if (++looks > file.size()) hidden = true;
    }
  }
  static std::size_t slash(std::string_view text, std::size_t from) {
    return from < text.size() && text[from] == '/' ? from : text.find('/', from);
  }
  /// What stands at a slash. No object stream is inside of another.
  void look(std::string_view text, std::size_t at, bool compressed) {
    std::string_view rest = text.substr(at);
    const char first = rest[1];
    const auto takes = [&](std::string_view name) {
      return (first == name[1] || first == '#') && takes_name(rest, name);
    };
    if (takes("/Type")) {
      if (takes_name(rest, "/Page"))
        ++objects;
      else if (takes_name(rest, "/ObjStm"))
        compressed ? void(hidden = true) : object_stream(at);
      else if (rest.empty() || rest.front() != '/')
        hidden = true;  // a type that stands elsewhere
    } else if (takes("/First")) {
      number_of(rest);
      const bool refers = !number_of(rest).empty();  // "7 0 R", as outlines have it; else it is an object stream's
      if (!refers)
        compressed ? void(hidden = true) : object_stream(at);
      else if (!compressed)
        outline(rest);
    } else if (takes("/Encrypt")) {
      hidden = true;
    } else if (takes("/Count")) {
      told = std::max(told, number(rest));
    } else if (takes("/Kids")) {
      kids(rest);
    }
  }
  void object_stream(std::size_t at) {
    if (at < data_from) return;  // another name in its dictionary
    std::optional<std::string_view> data = flate_data(file, at);
    // None begins inside of another: each byte is inflated once.
    hidden = !data || file.size() - data->size() < data_to;
    if (hidden) return;
    data_from = file.size() - data->size();
    const auto content = inflate_zlib(*data, left);
    hidden = !content;
    if (hidden) return;
    data_to = file.size() - data->size();
    left -= content->size();
    names_of(*content, true);
  }
  /// An outline is its whole object; an object stream whose first object's place stands elsewhere has its data after it.
  void outline(std::string_view rest) {
    const auto after = after_dictionary(rest);
    hidden = !after || !after_space(*after).starts_with("endobj");
    if (hidden) return;
    outlines += rest.size() - after->size();
    hidden = outlines > file.size();  // in each other, to be read again and again
  }
  /// "[3 0 R 4 0 R]". A list that has a child of another one may be many times as long as it looks.
  void kids(std::string_view rest) {
    hidden = true;
    if (rest.empty() || rest.front() != '[') return;  // the list stands elsewhere
    for (rest = after_space(rest.substr(1)); !rest.empty() && is_digit(rest.front()); ++children, ++looks) {
      const std::string_view object = number_of(rest);
      number_of(rest);  // its generation
      std::uint64_t& child = seen.emplace_back();
      const bool read = std::from_chars(object.data(), object.data() + object.size(), child).ec == std::errc{};
      if (!read || rest.empty() || rest.front() != 'R' || children > most_pages || looks > file.size()) return;
      rest = after_space(rest.substr(1));
    }
    hidden = rest.empty() || rest.front() != ']';  // not what a list of pages looks like
  }
  static std::string_view number_of(std::string_view& rest) {
    std::size_t size = 0;
    while (size < rest.size() && is_digit(rest[size]))
      ++size;
    const std::string_view digits = rest.substr(0, size);
    rest = after_space(rest.substr(size));
    return digits;
  }
};

}  // namespace

MediaFacts read_pdf(std::string_view bytes) {
  if (bytes.substr(0, 5) != "%PDF-") return {};
  Pages pages{.file = bytes};
  pages.read();
  const std::int64_t most = std::max({pages.objects, pages.children, pages.told});
  if (pages.hidden || pages.objects == 0 || most > most_pages) return {};
  return {.kind = MediaFacts::Kind::document, .pages = most, .likely_pages = pages.objects};
}

}  // namespace farthing::media
