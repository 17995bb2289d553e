#include <algorithm>
#include <string>

#include "counting/claude_tools.h"
#include "counting/json.h"
#include "counting/neighbours.h"
#include "counting/sum.h"

namespace farthing::counting {
namespace {

// Factors against o200k_base, measured 2026-11. Of prose: the vocabulary that Anthropic published in 2023 has 65,000 tokens,
// and what o200k_base has beyond them costs two; that left, recorded prompts are 1.00 to 1.07 (1.04 on plain prose without
// it). Claude 4.7 and later have another vocabulary, 1.45 to 1.6 on English; what was not measured there (code, JSON, tools) is taken in the same proportion.
constexpr Factors until_4_6{
    .rare_from = 65'000, .prose = 1'020, .code = 1'250, .json = 1'070, .cjk = 1'300, .cyrillic = 1'460};
constexpr Factors since_4_7{.prose = 1'500, .code = 1'600, .json = 1'500, .cjk = 1'300, .cyrillic = 1'460};

// Around texts, in tokens. Source: recorded traffic, 2026-11; all of it Claude 3 to 4.5.
constexpr std::int64_t priming = 3;
constexpr std::int64_t per_message = 4;
constexpr std::int64_t one_call = 36;  // an earlier call of a tool, beside its name and input
constexpr std::int64_t one_result = 18;
constexpr std::int64_t thinking_on = 28;
constexpr std::int64_t schema_prompt = 123;
/// A tool's definition costs more than its compact JSON: it is written out with names and types.
constexpr std::int64_t definition_share = 1'350;  // thousandths, of o200k_base
/// Assumed: Anthropic says that the newer vocabulary makes up to 1.35 times as many tokens.
constexpr std::int64_t definition_share_4_7 = 1'820;

/// The prompt that comes with any tools: `tool_choice` auto or none, and any or tool. Source:
/// https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview (read 2026-11), the retired ones from older
/// states of it. That page said 346 for Claude 3.5 Sonnet to 4.1 until 2026 and says 313 now for those that still run; for those that were
/// retired before that, 313 is taken too.
struct ToolPrompt {
  std::string_view model;  // after "claude-", the beginning; the longest that fits holds
  std::int64_t automatic;
  std::int64_t forced;
  bool since_4_7;
};
constexpr ToolPrompt newest{"", 286, 406, true};
constexpr ToolPrompt tool_prompts[] = {
    {"2", 0, 0, false},
    {"instant", 0, 0, false},
    {"3", 313, 315, false},
    {"3-opus", 530, 281, false},
    {"3-sonnet", 159, 235, false},
    {"3-haiku", 264, 340, false},
    {"3-5-haiku", 264, 355, false},
    {"3-5-sonnet-20240620", 294, 261, false},
    {"4", 313, 315, false},
    {"opus-4", 313, 315, false},
    {"sonnet-4", 313, 315, false},
    {"4-5", 496, 588, false},
    {"opus-4-5", 496, 588, false},
    {"sonnet-4-5", 496, 588, false},
    {"haiku-4-5", 496, 588, false},
    {"opus-4-6", 497, 589, false},
    {"sonnet-4-6", 497, 589, false},
    {"opus-4-7", 675, 804, true},
    {"opus-4-8", 290, 410, true},
    {"sonnet-5", 354, 474, true},
};

const ToolPrompt& tool_prompt(std::string_view asked) {
  std::string name(asked);
  std::replace(name.begin(), name.end(), '.', '-');
  const std::size_t claude = name.find("claude-");
  if (claude == std::string::npos) return newest;
  const std::string_view model = std::string_view(name).substr(claude + 7);
  const ToolPrompt* found = &newest;
  for (const ToolPrompt& row : tool_prompts) {
    if (model.starts_with(row.model) && row.model.size() > found->model.size()) found = &row;
  }
  return *found;
}

/// A part of a request; each message is one of its own.
class Messages {
 public:
  Messages(const Encoding& o200k, bool since)
      : o200k_(o200k), since_4_7_(since), factors_(since ? since_4_7 : until_4_6) {}

  const Sum& sum() const { return sum_; }

  bool message(const Value& message) {
    const Value* given = member(message, "content");
    const std::string_view role = text(member(message, "role"));
    if (!message.IsObject()) return false;
    if (role == "system" || role == "developer") return content(given);  // OpenAI's form: `system` here
    sum_.around += tokens(per_message);
    if (role == "tool") sum_.around += tokens(one_result);
    const Value* calls = member(message, "tool_calls");
    if (calls != nullptr && calls->IsArray()) {
      for (const Value& call : calls->GetArray()) {
        const Value* function = member(call, "function");
        if (function == nullptr) return false;
        called(text(member(*function, "name")));
        sum_.text += o200k_.count(text(member(*function, "arguments"))) * factors_.json;
      }
    }
    return content(given);
  }

  bool system(const Value& given) { return content(&given); }

  bool content(const Value* value) {
    if (value == nullptr) return true;
    if (value->IsString()) {
      add(text(value));
      return true;
    }
    if (!value->IsArray()) return false;
    return std::all_of(value->Begin(), value->End(), [&](const Value& block) { return this->block(block); });
  }

  /// Without the prompt that comes with them.
  bool tools(const Value& list) {
    if (!list.IsArray()) return true;
    for (const Value& tool : list.GetArray()) {
      const std::string_view type = text(member(tool, "type"));
      if (const ClaudeTool* own = claude_tool(type)) {
        sum_.tools += tokens(since_4_7_ ? own->tokens : own->tokens_until_4_6);
        continue;
      }
      const Value* function = type == "function" ? member(tool, "function") : &tool;
      if (function == nullptr || !function->IsObject() || !(type.empty() || type == "custom" || type == "function"))
        return false;  // run by the provider
      std::int64_t definition = 0;
      for (const char* name : {"name", "description", "input_schema", "parameters"}) {
        if (const Value* value = member(*function, name)) definition += o200k_.count(compact(*value)) + name_of_member;
      }
      sum_.tools += definition * definition_thousandths();
    }
    return true;
  }

  void schema(Request& body) {
    const Value* format = body.member("output_format");
    if (const Value* config = body.member("output_config"); format == nullptr && config != nullptr)
      format = member(*config, "format");
    if (const Value* asked = body.member("response_format"); format == nullptr && asked != nullptr)
      format = member(*asked, "json_schema");
    const Value* schema = format == nullptr ? nullptr : member(*format, "schema");
    if (schema == nullptr) return;
    sum_.schema += tokens(schema_prompt) + o200k_.count(compact(*schema)) * definition_thousandths();
  }

 private:
  /// `"name":` and the comma or brace after it.
  static constexpr std::int64_t name_of_member = 3;

  std::int64_t definition_thousandths() const { return since_4_7_ ? definition_share_4_7 : definition_share; }
  void add(std::string_view given) { sum_.text += thousandths(o200k_, given, factors_); }
  void called(std::string_view name) {
    sum_.around += tokens(one_call);
    add(name);
  }

  bool block(const Value& block) {
    const std::string_view type = text(member(block, "type"));
    if (type == "text") {
      add(text(member(block, "text")));
    } else if (type == "tool_use") {
      called(text(member(block, "name")));
      // JSON that stands among the texts.
      if (const Value* input = member(block, "input")) sum_.text += o200k_.count(compact(*input)) * factors_.json;
    } else if (type == "tool_result") {
      sum_.around += tokens(one_result);
      return content(member(block, "content"));
    } else if (type == "image" || type == "image_url") {
      sum_.media = true;  // counted by its size: media_tokens
    } else {
      // Earlier thinking is left out of the input by the provider.
      return type == "thinking" || type == "redacted_thinking";
    }
    return true;
  }

  const Encoding& o200k_;
  const bool since_4_7_;
  const Factors& factors_;
  Sum sum_;
};

/// In Anthropic's form or in OpenAI's.
bool is_forced(const Value* choice) {
  if (choice == nullptr) return false;
  const std::string_view chosen = choice->IsString() ? text(choice) : text(member(*choice, "type"));
  return chosen == "any" || chosen == "tool" || chosen == "required" || chosen == "function";
}

}  // namespace

const Factors& claude_factors(std::string_view model) {
  return tool_prompt(model).since_4_7 ? since_4_7 : until_4_6;
}

std::optional<InputCount> count_messages(Request& body, std::string_view model, const Encoding& o200k) {
  const std::string_view asked = text(body.member("model"));
  const ToolPrompt& prompt = tool_prompt(asked.find("claude") != std::string_view::npos ? asked : model);
  const auto apart = [&](bool (Messages::*count)(const Value&)) {
    return [&prompt, &o200k, count](const Value& value) {
      Messages part(o200k, prompt.since_4_7);
      return (part.*count)(value) ? std::optional(part.sum()) : std::nullopt;
    };
  };
  const auto rule = [&](Rule::Part part) { return Rule(o200k, part, prompt.since_4_7 ? 1 : 0); };
  auto sum = body.of_each("messages", rule(Rule::Part::claude), apart(&Messages::message));
  const auto system = body.of("system", rule(Rule::Part::claude_system), apart(&Messages::system));
  const auto tools = body.of("tools", rule(Rule::Part::claude_tools), apart(&Messages::tools));
  if (!sum || !system || !tools) return std::nullopt;
  *sum += *system;
  *sum += *tools;
  if (tools->tools > 0) sum->tools += tokens(is_forced(body.member("tool_choice")) ? prompt.forced : prompt.automatic);
  sum->around += tokens(priming);
  if (const Value* thinking = body.member("thinking")) {
    const std::string_view type = text(member(*thinking, "type"));
    if (type == "enabled" || type == "adaptive") sum->around += tokens(thinking_on);
  }
  Messages rest(o200k, prompt.since_4_7);
  rest.schema(body);
  *sum += rest.sum();
  return body.readable() ? std::optional(sum->rounded()) : std::nullopt;
}

}  // namespace farthing::counting
