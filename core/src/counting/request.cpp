#include "counting/request.h"

#include <algorithm>
#include <cstring>
#include <tuple>
#include <utility>

namespace farthing::counting {
namespace {

constexpr std::string_view spaces = " \t\r\n";
/// As deep as any request is read (wire/json_walk.h).
constexpr int max_depth = 128;

/// Goes through a JSON text by strings and brackets. What is not as it should be ends it.
class Walk {
 public:
  explicit Walk(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool takes(char c) {
    space();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  /// The value that comes next, as it is written; "" where there is none.
  std::string_view value() {
    space();
    const char* begin = at_;
    if (at_ == end_) return {};
    if (*at_ == '"') {
      string();
    } else if (*at_ == '{' || *at_ == '[') {
      brackets();
    } else {
      while (at_ < end_ && *at_ != ',' && *at_ != ']' && *at_ != '}' && spaces.find(*at_) == std::string_view::npos)
        ++at_;
    }
    return {begin, static_cast<std::size_t>(at_ - begin)};
  }

  /// The same; the elements of a list whose first one is an object go into `elements`.
  std::string_view value(std::vector<std::string_view>& elements) {
    space();
    Walk list = *this;
    if (!list.takes('[') || !list.next_is('{')) return value();
    const char* begin = at_;
    ++at_;
    do {
      elements.push_back(value());
      if (elements.back().empty()) return {};
    } while (takes(','));
    if (!takes(']')) return {};
    return {begin, static_cast<std::size_t>(at_ - begin)};
  }

 private:
  bool next_is(char c) {
    space();
    return at_ < end_ && *at_ == c;
  }
  void space() {
    while (at_ < end_ && spaces.find(*at_) != std::string_view::npos)
      ++at_;
  }
  void brackets() {
    std::size_t depth = 0;
    while (at_ < end_) {
      if (*at_ == '"') {
        string();
        continue;
      }
      const char c = *at_++;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return;
    }
  }
  void string() {
    const char* begin = at_++;
    for (;; ++at_) {
      to_quote();
      if (at_ == end_) return;
      const char* before = at_;
      while (before[-1] == '\\' && before - 1 > begin)
        --before;
      if ((at_ - before) % 2 == 0) break;  // no backslash is left for the quote
    }
    ++at_;
  }
  /// Most strings are short; beyond, the library's search is the fastest.
  void to_quote() {
    constexpr std::ptrdiff_t near = 24;
    const char* soon = at_ + std::min(near, end_ - at_);
    while (at_ < soon && *at_ != '"')
      ++at_;
    if (at_ < soon) return;
    const void* found = std::memchr(at_, '"', static_cast<std::size_t>(end_ - at_));
    at_ = found == nullptr ? end_ : static_cast<const char*>(found);
  }

  const char* at_;
  const char* end_;
};

/// An object in it has two members of one name: its provider may take the other one.
bool has_twins(const Value& value, int depth) {
  if (depth > max_depth) return true;
  if (value.IsArray())
    return std::any_of(value.Begin(), value.End(), [&](const Value& one) { return has_twins(one, depth + 1); });
  if (!value.IsObject()) return false;
  std::vector<std::string_view> names;
  names.reserve(value.MemberCount());
  for (const auto& [name, inner] : value.GetObject()) {
    if (has_twins(inner, depth + 1)) return true;
    names.push_back(text(name));
  }
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

}  // namespace

std::optional<Request> Request::read(std::string_view body) {
  Request request;
  Walk walk(body);
  if (!walk.takes('{')) return std::nullopt;
  if (walk.takes('}')) return request;
  do {
    const std::string_view name = walk.value();
    if (name.size() < 2 || name.front() != '"' || name.find('\\') != std::string_view::npos || !walk.takes(':'))
      return std::nullopt;
    Member member{name.substr(1, name.size() - 2), {}, {}};
    member.text = walk.value(member.elements);
    if (member.text.empty()) return std::nullopt;
    request.members_.push_back(std::move(member));
  } while (walk.takes(','));
  if (!walk.takes('}')) return std::nullopt;
  return request;
}

const Request::Member* Request::find(std::string_view name) const {
  const auto found =
      std::find_if(members_.begin(), members_.end(), [&](const Member& one) { return one.name == name; });
  return found == members_.end() || found->text == "null" ? nullptr : &*found;
}

std::string_view Request::raw(std::string_view name) const {
  const Member* found = find(name);
  return found == nullptr ? std::string_view() : found->text;
}

const Value* Request::member(std::string_view name) {
  for (const auto& [known, parsed] : parsed_) {
    if (known == name) return &parsed.json;
  }
  const std::string_view text = raw(name);
  if (text.empty()) return nullptr;
  Parsed& parsed =
      parsed_.emplace_back(std::piecewise_construct, std::forward_as_tuple(name), std::forward_as_tuple()).second;
  if (parse(text, parsed)) return &parsed.json;
  parsed_.pop_back();
  readable_ = false;
  return nullptr;
}

bool Request::parse(std::string_view text, Parsed& parsed) {
  constexpr std::size_t padding = 16;  // the reader looks at 16 bytes at a time
  parsed.text.resize(text.size() + padding);
  std::copy(text.begin(), text.end(), parsed.text.begin());
  parsed.json.ParseInsitu<rapidjson::kParseIterativeFlag>(parsed.text.data());
  return !parsed.json.HasParseError() && !has_twins(parsed.json, 0);
}

std::optional<std::vector<std::string_view>> Request::elements_of(std::string_view name) const {
  const Member* list = find(name);
  if (list == nullptr) return std::nullopt;
  if (!list->elements.empty()) return list->elements;
  std::vector<std::string_view> elements;
  Walk walk(list->text);
  if (!walk.takes('[')) return std::nullopt;
  if (walk.takes(']')) return elements;
  do {
    elements.push_back(walk.value());
    if (elements.back().empty()) return std::nullopt;
  } while (walk.takes(','));
  if (!walk.takes(']')) return std::nullopt;
  return elements;
}

}  // namespace farthing::counting
