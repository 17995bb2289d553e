// Request: a request's body by its members, each parsed only when it is asked for. What was counted before under the same
// rule is not parsed at all: finding where its parts end is ten times as fast.
//
//   auto request = Request::read(body);
//   auto sum = request->of_each("messages", rule, [&](const Value& message) -> std::optional<Sum> {...});
//   const Value* format = request->member("response_format");
//
// `body` must be JSON: somebody read all of it before. Texts refer to it.
// Thread-safety: one thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "counting/json.h"
#include "counting/remembered.h"
#include "counting/sum.h"

namespace farthing::counting {

class Request {
 public:
  /// Nothing where it is no object, or a name is written with escapes, so that it could hide.
  static std::optional<Request> read(std::string_view body);

  /// As it is written; "" where it is absent or null.
  std::string_view raw(std::string_view name) const;
  const Value* member(std::string_view name);
  bool has(std::string_view name) const { return !raw(name).empty(); }
  /// Every member that says something fits.
  template <class Fits>
  bool all_members(const Fits& fits) const {
    return std::all_of(members_.begin(), members_.end(),
                       [&](const Member& one) { return one.text == "null" || fits(one.name); });
  }
  /// False: a member that was asked for could be read in two ways, so that nothing of this request may be believed.
  bool readable() const { return readable_; }

  /// What the elements of a list add; nothing where it is no list or one of them is not counted. A list that is long comes
  /// again longer: so that its beginning costs little, as many elements as `together` are remembered as one text, too.
  template <class Count>
  std::optional<Sum> of_each(std::string_view name, Rule rule, const Count& count) {
    const auto elements = elements_of(name);
    if (!elements) return std::nullopt;
    Sum sum;
    for (std::size_t at = 0; at < elements->size(); at += together) {
      const std::span<const std::string_view> some(elements->data() + at, std::min(together, elements->size() - at));
      const auto all = [&]() -> std::optional<Sum> {
        Sum added;
        for (const std::string_view element : some) {
          const std::optional<Sum> one = of_text(element, rule, count);
          if (!one) return std::nullopt;
          added += *one;
        }
        return added;
      };
      const char* begin = some.front().data();
      const std::string_view text(begin, static_cast<std::size_t>(some.back().data() + some.back().size() - begin));
      const std::optional<Sum> added = some.size() == together ? remembered(rule, text, all) : all();
      if (!added) return std::nullopt;
      sum += *added;
    }
    return sum;
  }
  /// The same of a member as a whole; nothing is added by one that is absent.
  template <class Count>
  std::optional<Sum> of(std::string_view name, Rule rule, const Count& count) {
    const std::string_view text = raw(name);
    return text.empty() ? Sum{} : of_text(text, rule, count);
  }

 private:
  static constexpr std::size_t together = 16;

  struct Member {
    std::string_view name;
    std::string_view text;
    std::vector<std::string_view> elements;  // of a list of objects
  };
  /// Most parts are small: they need no memory of their own but the copy of their text.
  struct Parsed {
    std::vector<char> text;  // decoded in place
    alignas(std::max_align_t) std::array<char, 1'024> first;
    rapidjson::MemoryPoolAllocator<> memory{first.data(), first.size()};
    rapidjson::Document json{&memory};
  };
  /// False where it is no JSON, or an object in it has a member twice.
  static bool parse(std::string_view text, Parsed& parsed);
  const Member* find(std::string_view name) const;
  std::optional<std::vector<std::string_view>> elements_of(std::string_view name) const;

  /// `count` is asked where nothing is known of the text.
  template <class Count>
  static std::optional<Sum> remembered(Rule rule, std::string_view text, const Count& count) {
    Remembered& all = Remembered::of_process();
    const Remembered::Place place = Remembered::place(rule, text);
    if (auto known = all.find(place)) return known;
    std::optional<Sum> sum = count();
    if (sum) all.keep(place, *sum);
    return sum;
  }

  template <class Count>
  std::optional<Sum> of_text(std::string_view text, Rule rule, const Count& count) {
    return remembered(rule, text, [&]() -> std::optional<Sum> {
      Parsed parsed;
      if (parse(text, parsed)) return count(std::as_const(parsed.json));
      readable_ = false;
      return std::nullopt;
    });
  }

  std::vector<Member> members_;
  std::list<std::pair<std::string_view, Parsed>> parsed_;
  bool readable_ = true;
};

}  // namespace farthing::counting
