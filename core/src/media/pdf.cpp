// Pages of a PDF, where its objects can be read (ISO 32000-1): the most of the page objects, the children of all page lists
// and the numbers that those tell. Unknown where objects are compressed, encrypted or stand elsewhere, and where a page list
// has a child twice.
#include <algorithm>
#include <cctype>
#include <set>

#include "media/readers.h"

namespace farthing::media {
namespace {

constexpr std::int64_t most_pages = 1'000'000;

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
  std::string_view after = rest;
  for (const char wanted : name) {
    const bool in_hex = after.size() >= 3 && after[0] == '#' && hex(after[1]) >= 0 && hex(after[2]) >= 0;
    if (after.empty() || (in_hex ? static_cast<char>(16 * hex(after[1]) + hex(after[2])) : after[0]) != wanted)
      return false;
    after.remove_prefix(in_hex ? 3 : 1);
  }
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

struct Pages {
  std::int64_t objects = 0;
  std::int64_t children = 0;
  std::int64_t told = 0;
  bool hidden = false;
  std::set<std::string_view> seen;

  /// What stands at a slash.
  void look(std::string_view rest) {
    if (takes_name(rest, "/Type")) {
      if (takes_name(rest, "/Page"))
        ++objects;
      else if (takes_name(rest, "/ObjStm") || rest.empty() || rest.front() != '/')
        hidden = true;  // objects in a compressed stream; a type that stands elsewhere
    } else if (takes_name(rest, "/First")) {
      number_of(rest);
      const bool refers = !number_of(rest).empty();  // "7 0 R", as outlines have it; else it is an object stream's
      hidden = hidden || !refers;
    } else if (takes_name(rest, "/Encrypt")) {
      hidden = true;
    } else if (takes_name(rest, "/Count")) {
      told = std::max(told, number(rest));
    } else if (takes_name(rest, "/Kids")) {
      kids(rest);
    }
  }
  /// "[3 0 R 4 0 R]". A list that has a child of another one may be many times as long as it looks.
  void kids(std::string_view rest) {
    hidden = true;
    if (rest.empty() || rest.front() != '[') return;  // the list stands elsewhere
    for (rest = after_space(rest.substr(1)); !rest.empty() && is_digit(rest.front()); ++children) {
      const std::string_view object = number_of(rest);
      number_of(rest);  // its generation
      if (rest.empty() || rest.front() != 'R' || children > most_pages || !seen.insert(object).second) return;
      rest = after_space(rest.substr(1));
    }
    hidden = rest.empty() || rest.front() != ']';  // not what a list of pages looks like
  }
  /// Its digits without zeros before, so that two ways of writing it are one.
  static std::string_view number_of(std::string_view& rest) {
    std::size_t size = 0;
    while (size < rest.size() && is_digit(rest[size]))
      ++size;
    std::string_view digits = rest.substr(0, size);
    while (digits.size() > 1 && digits.front() == '0')
      digits.remove_prefix(1);
    rest = after_space(rest.substr(size));
    return digits;
  }
};

}  // namespace

MediaFacts read_pdf(std::string_view bytes) {
  if (bytes.substr(0, 5) != "%PDF-") return {};
  Pages pages;
  for (std::size_t at = bytes.find('/'); at != std::string_view::npos && !pages.hidden; at = bytes.find('/', at + 1))
    pages.look(bytes.substr(at));
  const std::int64_t most = std::max({pages.objects, pages.children, pages.told});
  if (pages.hidden || pages.objects == 0 || most > most_pages) return {};
  return {.kind = MediaFacts::Kind::document, .pages = most};
}

}  // namespace farthing::media
