// Pages of a PDF, where its objects can be read (ISO 32000-1): the most of the page objects, the children of all page lists
// and the numbers that those tell.
#include <algorithm>
#include <cctype>

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

/// `/Name` and not `/Names`.
bool takes_name(std::string_view& rest, std::string_view name) {
  if (rest.substr(0, name.size()) != name) return false;
  const std::string_view after = rest.substr(name.size());
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

  /// What stands at a slash.
  void look(std::string_view rest) {
    if (takes_name(rest, "/Type")) {
      if (takes_name(rest, "/Page"))
        ++objects;
      else if (takes_name(rest, "/ObjStm"))
        hidden = true;  // objects in a compressed stream
    } else if (takes_name(rest, "/Encrypt")) {
      hidden = true;
    } else if (takes_name(rest, "/Count")) {
      told = std::max(told, number(rest));
    } else if (takes_name(rest, "/Kids")) {
      kids(rest);
    }
  }
  /// "[3 0 R 4 0 R]": an R for each.
  void kids(std::string_view rest) {
    if (rest.empty() || rest.front() != '[') {
      hidden = true;  // the list stands elsewhere
      return;
    }
    for (rest.remove_prefix(1);
         !rest.empty() && (is_space(rest.front()) || is_digit(rest.front()) || rest.front() == 'R');
         rest.remove_prefix(1))
      children += rest.front() == 'R' ? 1 : 0;
    if (rest.empty() || rest.front() != ']') hidden = true;  // not what a list of pages looks like
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
