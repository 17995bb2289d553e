// Remembered: what parts of requests were counted as, for all threads of a process: a conversation comes again with every
// turn. A bounded table; of the text itself nothing is kept but its keyed hash.
//
//   const Place place(rule, text);
//   if (auto known = Remembered::of_process().find(place)) return *known;
//   Remembered::of_process().keep(place, counted);
//
// Thread-safety: any thread, and nobody waits: who finds a set in use counts afresh. So does a forked child where another
// thread had it.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "counting/keyed_hash.h"
#include "counting/sum.h"
#include "farthing/tokens.h"

namespace farthing::counting {

/// How a part is counted: what counts otherwise has another one. The numbers are of this process only.
class Rule {
 public:
  /// `variant`: the row of a table that numbers are taken from.
  enum class Part : std::uint8_t {
    chat,
    response,
    tools,
    claude,
    claude_system,
    claude_tools,
    gemini,
    gemini_tools,
    open,
    open_tools
  };
  Rule(const Encoding& encoding, Part part, std::uint8_t variant = 0)
      : number_(encoding.id() << 16U | static_cast<std::uint64_t>(part) << 8U | variant) {}
  bool operator==(const Rule&) const = default;
  std::uint64_t number() const { return number_; }

 private:
  std::uint64_t number_;
};

class Remembered {
 public:
  struct Place {
    std::uint64_t rule = 0;  // 0: nothing is here
    Hashed hashed;
    bool operator==(const Place&) const = default;
  };
  static Place place(Rule rule, std::string_view text) { return {rule.number(), KeyedHash::of_process()(text)}; }

  Remembered() : sets_(set_count) {}
  static Remembered& of_process();

  std::optional<Sum> find(const Place& place);
  void keep(const Place& place, const Sum& sum);

 private:
  static constexpr std::size_t set_count = 4'096;
  static constexpr std::size_t ways = 4;  // 16,384 parts, 1.5 MB
  struct Entry {
    Place place;
    Sum sum;
  };
  struct Set {
    std::atomic_flag busy;
    std::uint8_t next = 0;  // to be replaced
    std::array<Entry, ways> entries;
  };
  Set& set_of(const Place& place);

  std::vector<Set> sets_;
};

}  // namespace farthing::counting
