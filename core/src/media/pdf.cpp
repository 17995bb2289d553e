// Pages of a PDF, where its objects can be read (ISO 32000-1): the most of the page objects, the children of all page lists
// and the numbers that those tell, also inside object streams (7.5.7). Unknown where objects are encrypted, compressed in
// another way or stand elsewhere, and where a page list has a child twice.
#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <string>

#include "media/inflate.h"
#include "media/readers.h"

namespace farthing::media {
namespace {

constexpr std::int64_t most_pages = 1'000'000;
/// Of all object streams of a file, inflated: a page takes some hundred bytes, and a bomb stops here.
constexpr std::size_t most_objects_size = std::size_t{32} << 20U;

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

/// Takes one of `names` off `rest`.
template <std::size_t Count>
bool takes_one_of(std::string_view& rest, const std::array<std::string_view, Count>& names) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) { return takes_name(rest, name); });
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
  constexpr std::array<std::string_view, 6> others = {"/Type", "/ObjStm", "/N", "/First", "/Length", "/Extends"};
  int filters = 0;
  int flates = 0;
  for (std::size_t name = inside.find('/'); name != std::string_view::npos; name = inside.find('/', name + 1)) {
    std::string_view rest = inside.substr(name);
    if (takes_name(rest, "/Filter"))
      ++filters;
    else if (takes_name(rest, "/FlateDecode"))
      ++flates;
    else if (!takes_one_of(rest, others))
      return std::nullopt;
  }
  if (filters != 1 || flates != 1) return std::nullopt;
  std::string_view rest = after_space(file.substr(close + 2));
  constexpr std::string_view keyword = "stream";
  if (!rest.starts_with(keyword)) return std::nullopt;
  rest.remove_prefix(keyword.size());
  if (rest.starts_with("\r\n")) return rest.substr(2);
  return rest.starts_with('\n') ? std::optional(rest.substr(1)) : std::nullopt;
}

struct Pages {
  std::string_view file;
  std::int64_t objects = 0;
  std::int64_t children = 0;
  std::int64_t told = 0;
  bool hidden = false;
  std::set<std::string, std::less<>> seen = {};
  std::set<const char*> inflated = {};  // where the data of object streams begins
  std::size_t left = most_objects_size;

  void read() { names_of(file, false); }
  /// Each name in `text`: the file, or the objects of a stream.
  void names_of(std::string_view text, bool compressed) {
    for (std::size_t at = text.find('/'); at != std::string_view::npos && !hidden; at = text.find('/', at + 1))
      look(text, at, compressed);
  }
  /// What stands at a slash. No object stream is inside of another.
  void look(std::string_view text, std::size_t at, bool compressed) {
    std::string_view rest = text.substr(at);
    if (takes_name(rest, "/Type")) {
      if (takes_name(rest, "/Page"))
        ++objects;
      else if (takes_name(rest, "/ObjStm"))
        compressed ? void(hidden = true) : object_stream(at);
      else if (rest.empty() || rest.front() != '/')
        hidden = true;  // a type that stands elsewhere
    } else if (takes_name(rest, "/First")) {
      number_of(rest);
      const bool refers = !number_of(rest).empty();  // "7 0 R", as outlines have it; else it is an object stream's
      if (!refers) compressed ? void(hidden = true) : object_stream(at);
    } else if (takes_name(rest, "/Encrypt")) {
      hidden = true;
    } else if (takes_name(rest, "/Count")) {
      told = std::max(told, number(rest));
    } else if (takes_name(rest, "/Kids")) {
      kids(rest);
    }
  }
  void object_stream(std::size_t at) {
    const auto data = flate_data(file, at);
    hidden = !data;
    if (hidden || !inflated.insert(data->data()).second) return;
    const auto content = inflate_zlib(*data, left);
    hidden = !content;
    if (hidden) return;
    left -= content->size();
    names_of(*content, true);
  }
  /// "[3 0 R 4 0 R]". A list that has a child of another one may be many times as long as it looks.
  void kids(std::string_view rest) {
    hidden = true;
    if (rest.empty() || rest.front() != '[') return;  // the list stands elsewhere
    for (rest = after_space(rest.substr(1)); !rest.empty() && is_digit(rest.front()); ++children) {
      const std::string_view object = number_of(rest);
      number_of(rest);  // its generation
      if (rest.empty() || rest.front() != 'R' || children > most_pages || !seen.emplace(object).second) return;
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
  Pages pages{.file = bytes};
  pages.read();
  const std::int64_t most = std::max({pages.objects, pages.children, pages.told});
  if (pages.hidden || pages.objects == 0 || most > most_pages) return {};
  return {.kind = MediaFacts::Kind::document, .pages = most, .likely_pages = pages.objects};
}

}  // namespace farthing::media
