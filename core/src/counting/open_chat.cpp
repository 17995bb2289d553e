#include <algorithm>

#include "counting/json.h"
#include "counting/neighbours.h"
#include "counting/sum.h"

namespace farthing::counting {
namespace {

/// What a model's chat template puts around messages: rough, chosen on the few recorded calls of such models (2026-11); their
/// vocabularies make about as many tokens as o200k_base (Llama 3: measured 1.0, 2026-11).
struct Template {
  std::string_view profile;  // the beginning of a model's overhead profile
  std::int64_t per_message;
  std::int64_t around;
};
constexpr Template other{"", 4, 3};
constexpr Template templates[] = {
    {"llama-3", 5, 5},  {"deepseek", 1, 2},
    {"mistral", 2, 2},  {"harmony", 4, 70},  // its system message, see wire/overheads.cpp
    {"grok-4", 4, 683},                      // its hidden prompt, the same
};

class Open {
 public:
  Open(const Encoding& encoding, const Template& form) : encoding_(encoding), form_(form) {}

  const Sum& sum() const { return sum_; }
  bool message(const Value& message) {
    if (!message.IsObject()) return false;
    sum_.around += tokens(form_.per_message);
    const Value* content = member(message, "content");
    if (content != nullptr && content->IsArray()) {
      for (const Value& part : content->GetArray()) {
        if (text(member(part, "type")) != "text") return false;
        add(text(member(part, "text")), sum_.text);
      }
    } else {
      add(text(content), sum_.text);
    }
    if (const Value* calls = member(message, "tool_calls")) add(compact(*calls), sum_.text);
    return true;
  }
  bool tools(const Value& list) {
    add(compact(list), sum_.tools);
    return true;
  }
  void schema(const Value& schema) { add(compact(schema), sum_.schema); }

 private:
  void add(std::string_view given, Thousandths& sum) const { sum += tokens(encoding_.count(given)); }

  const Encoding& encoding_;
  const Template& form_;
  Sum sum_;
};

}  // namespace

std::optional<InputCount> count_open_chat(Request& body, std::string_view overhead, const Encoding& encoding) {
  const auto* found = std::find_if(std::begin(templates), std::end(templates),
                                   [&](const Template& row) { return overhead.starts_with(row.profile); });
  const auto variant = static_cast<std::uint8_t>(found - std::begin(templates));
  const Template& form = found == std::end(templates) ? other : *found;
  const auto apart = [&](bool (Open::*count)(const Value&)) {
    return [&encoding, &form, count](const Value& value) {
      Open part(encoding, form);
      return (part.*count)(value) ? std::optional(part.sum()) : std::nullopt;
    };
  };
  auto sum = body.of_each("messages", {encoding, Rule::Part::open, variant}, apart(&Open::message));
  const auto tools = body.of("tools", {encoding, Rule::Part::open_tools}, apart(&Open::tools));
  if (!sum || !tools) return std::nullopt;
  *sum += *tools;
  sum->around += tokens(form.around);
  if (const Value* format = body.member("response_format")) {
    Open rest(encoding, form);
    if (const Value* schema = member(*format, "json_schema")) rest.schema(*schema);
    *sum += rest.sum();
  }
  if (!body.readable()) return std::nullopt;
  InputCount count = sum->rounded();
  count.rough = true;
  return count;
}

}  // namespace farthing::counting
