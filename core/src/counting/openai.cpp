#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "counting/json.h"
#include "counting/neighbours.h"
#include "counting/sum.h"
#include "counting/tools.h"
#include "counting/vetted.h"

namespace farthing::counting {
namespace {

// What OpenAI puts around a conversation, in tokens. Sources: OpenAI's cookbook on counting (per message, per name, priming),
// and the recorded traffic of 2026-11: all 231 plain chats and 68 plain responses are exact with these numbers; what is said
// of tools, calls and schemas is the middle of what they cost there.
constexpr std::int64_t per_message = 4;
constexpr std::int64_t per_name = 1;
constexpr std::int64_t priming = 3;
constexpr std::int64_t priming_reasoning = 2;  // models that reason
constexpr std::int64_t tools_with_system = 5;  // around all tools; less where a system message is there already
constexpr std::int64_t tools_alone = 9;
constexpr std::int64_t chosen_function = 4;  // tool_choice names one, beside the name
constexpr std::int64_t no_function = 1;      // tool_choice: none
constexpr std::int64_t one_call = 7;         // an earlier call of a tool and its answer
constexpr std::int64_t parallel_calls = 8;   // several at once, beside
constexpr std::int64_t each_parallel_call = 11;
constexpr std::int64_t schema_strict = 3;  // beside its compact JSON
constexpr std::int64_t schema_strict_with_system = -1;
constexpr std::int64_t schema_strict_responses = -4;
constexpr std::int64_t schema_loose = 20;
// A ceiling for plain conversations: of 352 recorded ones every bill was the count itself (2026-11).
constexpr std::int64_t ceiling_margin = 2;
constexpr std::int64_t ceiling_share = 20;  // and one part in so many

/// A part of a request. Each message is one of its own: what it adds does not hang on the others.
class Counter {
 public:
  explicit Counter(const Encoding& encoding) : encoding_(encoding) {}

  const Sum& sum() const { return sum_; }
  void around(std::int64_t given) { sum_.around += tokens(given); }
  void add(std::string_view given) { sum_.text += tokens(encoding_.count(given)); }

  bool message(const Value& message) {
    if (!message.IsObject() || !content(member(message, "content"))) return false;
    around(per_message);
    const std::string_view role = text(member(message, "role"));
    if (role == "system" || role == "developer") sum_.system = true;
    if (role == "tool" || role == "function") sum_.more = true;
    if (const Value* name = member(message, "name"); name != nullptr && name->IsString()) {
      add(text(name));
      around(per_name);
    }
    if (member(message, "audio") != nullptr) return false;
    add(text(member(message, "refusal")));
    if (has_others(message)) sum_.more = true;
    if (const Value* call = member(message, "function_call"); call != nullptr && call->IsObject()) calls(1, *call);
    if (const Value* tool_calls = member(message, "tool_calls"); tool_calls != nullptr && tool_calls->IsArray()) {
      for (const Value& call : tool_calls->GetArray()) {
        const Value* function = member(call, "function");
        if (function == nullptr || !function->IsObject()) return false;
        calls(tool_calls->Size(), *function);
      }
    }
    return true;
  }

  /// Of a responses request's input.
  bool item(const Value& item) {
    if (!item.IsObject()) return false;
    const std::string_view type = text(member(item, "type"));
    if (type.empty() && member(item, "role") == nullptr) return false;
    if (type.empty() || type == "message") return message(item);
    sum_.more = true;
    around(per_message);
    if (type == "function_call") {
      calls(1, item);
      return true;
    }
    return type == "function_call_output" && content(member(item, "output"));
  }

  /// `inside`: the member of each tool that has it.
  void functions(const Value& list, const char* inside) {
    if (!list.IsArray() || list.Empty()) return;
    sum_.more = true;
    std::vector<const Value*> found;
    for (const Value& tool : list.GetArray()) {
      const Value* function = inside == nullptr ? &tool : member(tool, inside);
      if (function != nullptr && function->IsObject()) found.push_back(function);
    }
    if (!found.empty()) sum_.tools += tokens(encoding_.count(rendered_tools(found)));
  }

  void choice(const Value* choice) {
    if (choice == nullptr) return;
    if (text(choice) == "none") sum_.tools += tokens(no_function);
    const Value* function = member(*choice, "function");
    if (function != nullptr && function->IsObject())
      sum_.tools += tokens(encoding_.count(text(member(*function, "name"))) + chosen_function);
  }

  /// OpenAI shows a schema to its model about as compact JSON.
  void schema(const Value* format, std::int64_t around_strict) {
    sum_.more = true;
    const Value* schema = format == nullptr ? nullptr : member(*format, "schema");
    if (schema == nullptr) return;
    const Value* strict = member(*format, "strict");
    const bool is_strict = strict != nullptr && strict->IsTrue();
    sum_.schema += tokens(encoding_.count(compact(*schema)) + (is_strict ? around_strict : schema_loose));
  }

 private:
  /// Members that are not read here, and say something: what they cost is not known.
  static bool has_others(const Value& message) {
    static constexpr std::array<std::string_view, 10> read = {
        "role", "content", "name", "tool_calls", "function_call", "refusal", "id", "type", "status", "phase"};
    return std::any_of(message.MemberBegin(), message.MemberEnd(), [](const auto& one) {
      const Value& value = one.value;
      const bool silent = value.IsNull() || (value.IsArray() && value.Empty());
      return !silent && std::find(read.begin(), read.end(), text(&one.name)) == read.end();
    });
  }
  /// A text, or a list of parts that are texts; false for anything else: its tokens are not known here.
  bool content(const Value* value) {
    if (value == nullptr) return true;
    if (value->IsString()) {
      add(text(value));
      return true;
    }
    if (!value->IsArray()) return false;
    for (const Value& part : value->GetArray()) {
      if (!part.IsObject()) return false;
      const std::string_view type = text(member(part, "type"));
      if (type == "text" || type == "input_text" || type == "output_text")
        add(text(member(part, "text")));
      else if (type == "refusal")
        add(text(member(part, "refusal")));
      else if (type == "image_url" || type == "input_image")
        sum_.media = true;  // counted by its size: media_tokens
      else
        return false;
    }
    return true;
  }

  /// One call of `together` that were made at once.
  void calls(std::size_t together, const Value& function) {
    sum_.more = true;
    add(text(member(function, "name")));
    add(text(member(function, "arguments")));
    const auto count = static_cast<std::int64_t>(together);
    around(count == 1 ? one_call : each_parallel_call + parallel_calls / count);
  }

  const Encoding& encoding_;
  Sum sum_;
};

/// Counts a part on its own.
template <class Count>
auto apart(const Encoding& encoding, Count count) {
  return [&encoding, count](const Value& value) {
    Counter counter(encoding);
    return count(counter, value) ? std::optional(counter.sum()) : std::nullopt;
  };
}

/// All tools; what stands around them is less where a system message is there already.
Sum tools_of(Request& body, const char* name, const char* inside, bool system, const Encoding& encoding) {
  const auto variant = static_cast<std::uint8_t>(inside == nullptr ? 0 : 1);
  auto sum =
      body.of(name, {encoding, Rule::Part::tools, variant}, apart(encoding, [&](Counter& counter, const Value& list) {
                counter.functions(list, inside);
                return true;
              }));
  if (!sum) return {.more = true};
  if (sum->tools > 0) sum->tools += tokens(system ? tools_with_system : tools_alone);
  return *sum;
}

/// What a member that nobody looked at adds is not known.
std::optional<InputCount> counted(const Request& body, Where where, const Sum& sum) {
  if (!body.readable()) return std::nullopt;
  InputCount count = sum.rounded();
  count.exact = !sum.more && body.all_members([where](std::string_view name) { return is_vetted(where, name); });
  if (count.exact) count.ceiling = count.tokens + ceiling_margin + count.tokens / ceiling_share;
  return count;
}

}  // namespace

std::optional<InputCount> count_chat(Request& body, const Encoding& encoding, bool reasoning) {
  auto sum = body.of_each("messages", {encoding, Rule::Part::chat},
                          apart(encoding, [](Counter& counter, const Value& one) { return counter.message(one); }));
  if (!sum) return std::nullopt;
  *sum += tools_of(body, "functions", nullptr, sum->system, encoding);
  *sum += tools_of(body, "tools", "function", sum->system, encoding);
  Counter rest(encoding);
  rest.choice(body.member("tool_choice"));
  if (const Value* format = body.member("response_format"); format != nullptr && !format->IsNull()) {
    const std::string_view type = text(member(*format, "type"));
    if (type == "json_schema")
      rest.schema(member(*format, "json_schema"), sum->system ? schema_strict_with_system : schema_strict);
    else if (type != "text")
      sum->more = true;
  }
  for (const char* name : {"audio", "prediction", "web_search_options"})
    sum->more = sum->more || body.has(name);
  rest.around(reasoning ? priming_reasoning : priming);
  return counted(body, Where::chat, *sum += rest.sum());
}

std::optional<InputCount> count_responses(Request& body, const Encoding& encoding, bool reasoning) {
  for (const char* name : {"previous_response_id", "conversation", "prompt"}) {
    if (body.has(name)) return std::nullopt;
  }
  Sum sum;
  const auto text_of = [&](const char* name) {
    return body.of(name, {encoding, Rule::Part::chat, 1}, apart(encoding, [](Counter& counter, const Value& value) {
                     if (!value.IsString()) return false;
                     counter.around(per_message);
                     counter.add(text(value));
                     return true;
                   }));
  };
  if (body.has("instructions") && body.raw("instructions") != "null") {
    const auto instructions = text_of("instructions");
    if (!instructions) return std::nullopt;
    sum += *instructions;
    sum.system = true;
  }
  if (body.has("input")) {
    const auto input =
        body.raw("input").starts_with('[')
            ? body.of_each("input", {encoding, Rule::Part::response},
                           apart(encoding, [](Counter& counter, const Value& one) { return counter.item(one); }))
            : text_of("input");
    if (!input) return std::nullopt;
    sum += *input;
  }
  sum += tools_of(body, "tools", nullptr, sum.system, encoding);
  Counter rest(encoding);
  if (const Value* texts = body.member("text")) {
    const Value* format = member(*texts, "format");
    const std::string_view type = format == nullptr ? "" : text(member(*format, "type"));
    if (type == "json_schema")
      rest.schema(format, schema_strict_responses);
    else if (format != nullptr && !format->IsNull() && type != "text")
      sum.more = true;
  }
  // Read more often than once.
  for (const char* name : {"multi_agent", "context_management"})
    sum.more = sum.more || body.has(name);
  if (const Value* options = body.member("reasoning")) sum.more = sum.more || member(*options, "mode") != nullptr;
  rest.around(reasoning ? priming_reasoning : priming);
  return counted(body, Where::responses, sum += rest.sum());
}

std::optional<InputCount> count_texts(const Value* input, const Encoding& encoding) {
  if (input == nullptr) return std::nullopt;
  Counter counter(encoding);
  if (input->IsString()) {
    counter.add(text(input));
  } else if (input->IsArray()) {
    for (const Value& one : input->GetArray()) {
      if (!one.IsString()) return std::nullopt;
      counter.add(text(one));
    }
  } else {
    return std::nullopt;
  }
  InputCount count = counter.sum().rounded();
  count.exact = true;
  count.ceiling = count.tokens + ceiling_margin + count.tokens / ceiling_share;
  return count;
}

}  // namespace farthing::counting
