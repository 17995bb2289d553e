// Sum: the parts of a count while it is made, in thousandths of tokens. What each message adds can be added up in any order.
// Thread-safety: one thread.
#pragma once

#include <array>
#include <utility>

#include "counting/factors.h"
#include "farthing/count.h"

namespace farthing::counting {

struct Sum {
  Thousandths text = 0;
  Thousandths around = 0;
  Thousandths tools = 0;
  Thousandths schema = 0;
  bool media = false;   // images or sound
  bool system = false;  // a system message
  bool more = false;    // OpenAI: more than texts, so that not all is known of what stands around them

  Sum& operator+=(const Sum& other) {
    text += other.text;
    around += other.around;
    tools += other.tools;
    schema += other.schema;
    media = media || other.media;
    system = system || other.system;
    more = more || other.more;
    return *this;
  }

  InputCount rounded() const {
    InputCount count;
    count.media = media;
    for (const auto& [what, part] : std::array<std::pair<const char*, Thousandths>, 4>{
             {{"text", text}, {"around messages", around}, {"tools", tools}, {"schema", schema}}}) {
      const std::int64_t tokens = (part + 500) / 1'000;
      count.tokens += tokens;
      if (tokens > 0) count.parts.push_back({what, tokens});
    }
    return count;
  }
};

constexpr Thousandths tokens(std::int64_t whole) {
  return whole * 1'000;
}

}  // namespace farthing::counting
