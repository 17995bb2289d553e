#include <algorithm>
#include <string>

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

class Messages {
 public:
  Messages(const Encoding& o200k, const ToolPrompt& prompt)
      : o200k_(o200k), prompt_(prompt), factors_(prompt.since_4_7 ? since_4_7 : until_4_6) {}

  std::optional<InputCount> count(const Value& body) {
    const Value* messages = member(body, "messages");
    if (messages == nullptr || !messages->IsArray()) return std::nullopt;
    for (const Value& message : messages->GetArray()) {
      if (!message.IsObject() || !content(member(message, "content"))) return std::nullopt;
      if (member(message, "tool_calls") != nullptr) return std::nullopt;  // calls as OpenAI has them
      sum_.around += tokens(per_message);
    }
    if (!content(member(body, "system"))) return std::nullopt;
    sum_.around += tokens(priming);
    if (const Value* thinking = member(body, "thinking")) {
      const std::string_view type = text(member(*thinking, "type"));
      if (type == "enabled" || type == "adaptive") sum_.around += tokens(thinking_on);
    }
    if (!tools(member(body, "tools"), member(body, "tool_choice"))) return std::nullopt;
    schema(body);
    return sum_.rounded();
  }

 private:
  void add(std::string_view given) { sum_.text += thousandths(o200k_, given, factors_); }
  /// JSON that stands among the texts.
  void add_json(const Value& value) { sum_.text += o200k_.count(compact(value)) * factors_.json; }

  bool content(const Value* value) {
    if (value == nullptr) return true;
    if (value->IsString()) {
      add(text(value));
      return true;
    }
    if (!value->IsArray()) return false;
    return std::all_of(value->Begin(), value->End(), [&](const Value& block) { return this->block(block); });
  }

  bool block(const Value& block) {
    const std::string_view type = text(member(block, "type"));
    if (type == "text") {
      add(text(member(block, "text")));
    } else if (type == "tool_use") {
      sum_.around += tokens(one_call);
      add(text(member(block, "name")));
      if (const Value* input = member(block, "input")) add_json(*input);
    } else if (type == "tool_result") {
      sum_.around += tokens(one_result);
      return content(member(block, "content"));
    } else if (type == "image") {
      sum_.media = true;  // counted by its size: media_tokens
    } else {
      // Earlier thinking is left out of the input by the provider.
      return type == "thinking" || type == "redacted_thinking";
    }
    return true;
  }

  bool tools(const Value* list, const Value* choice) {
    if (list == nullptr || !list->IsArray() || list->Empty()) return true;
    const std::string_view chosen = choice == nullptr ? "" : text(member(*choice, "type"));
    sum_.tools += tokens(chosen == "any" || chosen == "tool" ? prompt_.forced : prompt_.automatic);
    for (const Value& tool : list->GetArray()) {
      const std::string_view type = text(member(tool, "type"));
      if (!tool.IsObject() || (!type.empty() && type != "custom")) return false;  // the provider's own
      std::int64_t definition = 0;
      for (const char* name : {"name", "description", "input_schema"}) {
        if (const Value* value = member(tool, name)) definition += o200k_.count(compact(*value)) + name_of_member;
      }
      sum_.tools += definition * (prompt_.since_4_7 ? definition_share_4_7 : definition_share);
    }
    return true;
  }
  /// `"name":` and the comma or brace after it.
  static constexpr std::int64_t name_of_member = 3;

  void schema(const Value& body) {
    const Value* format = member(body, "output_format");
    if (format == nullptr) {
      const Value* config = member(body, "output_config");
      format = config == nullptr ? nullptr : member(*config, "format");
    }
    const Value* schema = format == nullptr ? nullptr : member(*format, "schema");
    if (schema == nullptr) return;
    sum_.schema += tokens(schema_prompt) +
                   o200k_.count(compact(*schema)) * (prompt_.since_4_7 ? definition_share_4_7 : definition_share);
  }

  const Encoding& o200k_;
  const ToolPrompt& prompt_;
  const Factors& factors_;
  Sum sum_;
};

}  // namespace

const Factors& claude_factors(std::string_view model) {
  return tool_prompt(model).since_4_7 ? since_4_7 : until_4_6;
}

std::optional<InputCount> count_messages(const Value& body, std::string_view model, const Encoding& o200k) {
  const std::string_view asked = text(member(body, "model"));
  const bool says = asked.find("claude") != std::string_view::npos;
  return Messages(o200k, tool_prompt(says ? asked : model)).count(body);
}

}  // namespace farthing::counting
