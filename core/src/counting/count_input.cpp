#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <array>

#include "counting/neighbours.h"
#include "counting/tools.h"
#include "farthing/count.h"
#include "farthing/tokens.h"

namespace farthing {
namespace {

using rapidjson::Value;

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
// A ceiling for plain conversations: nothing recorded is above the count itself.
constexpr std::int64_t ceiling_margin = 8;
constexpr std::int64_t ceiling_share = 20;  // and one part in so many

class Counter {
 public:
  Counter(const Encoding& encoding, bool reasoning) : encoding_(encoding), reasoning_(reasoning) {}

  std::optional<InputCount> chat(const Value& body) {
    const Value* messages = member(body, "messages");
    if (messages == nullptr || !messages->IsArray()) return std::nullopt;
    for (const Value& message : messages->GetArray()) {
      if (!this->message(message)) return std::nullopt;
    }
    functions(member(body, "functions"), nullptr);
    functions(member(body, "tools"), "function");
    choice(member(body, "tool_choice"));
    if (const Value* format = member(body, "response_format"); format != nullptr && format->IsObject()) {
      const std::string_view type = text(member(*format, "type"));
      if (type == "json_schema")
        schema(member(*format, "json_schema"), system_ ? schema_strict_with_system : schema_strict);
      if (type == "json_object") plain_ = false;
    }
    for (const char* name : {"audio", "prediction", "web_search_options"}) {
      if (member(body, name) != nullptr) plain_ = false;
    }
    return conversation();
  }

  std::optional<InputCount> responses(const Value& body) {
    if (const Value* instructions = member(body, "instructions"); instructions != nullptr && instructions->IsString()) {
      around_ += per_message;
      system_ = true;
      add(text(instructions));
    }
    const Value* input = member(body, "input");
    if (input != nullptr && input->IsString()) {
      around_ += per_message;
      add(text(input));
    } else if (input != nullptr && input->IsArray()) {
      for (const Value& item : input->GetArray()) {
        if (!this->item(item)) return std::nullopt;
      }
    }
    for (const char* name : {"previous_response_id", "conversation", "prompt"}) {
      if (member(body, name) != nullptr) return std::nullopt;
    }
    functions(member(body, "tools"), nullptr);
    if (const Value* texts = member(body, "text"); texts != nullptr && texts->IsObject()) {
      const Value* format = member(*texts, "format");
      if (format != nullptr && format->IsObject()) {
        if (text(member(*format, "type")) == "json_schema") schema(format, schema_strict_responses);
        if (text(member(*format, "type")) == "json_object") plain_ = false;
      }
    }
    return conversation();
  }

  /// Texts without anything around them: embeddings, completions.
  std::optional<InputCount> texts(const Value* input) {
    if (input == nullptr) return std::nullopt;
    if (input->IsString()) {
      add(text(input));
    } else if (input->IsArray()) {
      for (const Value& one : input->GetArray()) {
        if (!one.IsString()) return std::nullopt;
        add(text(&one));
      }
    } else {
      return std::nullopt;
    }
    return sum();
  }

 private:
  static const Value* member(const Value& object, const char* name) {
    const auto found = object.FindMember(name);
    return found == object.MemberEnd() || found->value.IsNull() ? nullptr : &found->value;
  }
  static std::string_view text(const Value* value) {
    return value != nullptr && value->IsString() ? std::string_view(value->GetString(), value->GetStringLength())
                                                 : std::string_view();
  }
  void add(std::string_view given) { text_ += encoding_.count(given); }

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
        media_ = true;  // counted by its size: media_tokens
      else
        return false;
    }
    return true;
  }

  bool message(const Value& message) {
    if (!message.IsObject() || !content(member(message, "content"))) return false;
    around_ += per_message;
    const std::string_view role = text(member(message, "role"));
    if (role == "system" || role == "developer") system_ = true;
    if (role == "tool" || role == "function") plain_ = false;
    if (const Value* name = member(message, "name"); name != nullptr && name->IsString()) {
      add(text(name));
      around_ += per_name;
    }
    if (member(message, "audio") != nullptr) return false;
    if (const Value* call = member(message, "function_call"); call != nullptr && call->IsObject()) calls(1, *call);
    if (const Value* tool_calls = member(message, "tool_calls"); tool_calls != nullptr && tool_calls->IsArray()) {
      for (const Value& call : tool_calls->GetArray()) {
        const Value* function = call.IsObject() ? member(call, "function") : nullptr;
        if (function == nullptr || !function->IsObject()) return false;
        calls(tool_calls->Size(), *function);
      }
    }
    return true;
  }

  /// One call of `together` that were made at once.
  void calls(std::size_t together, const Value& function) {
    plain_ = false;
    add(text(member(function, "name")));
    add(text(member(function, "arguments")));
    const auto count = static_cast<std::int64_t>(together);
    around_ += count == 1 ? one_call : each_parallel_call + parallel_calls / count;
  }

  bool item(const Value& item) {
    if (!item.IsObject()) return false;
    const std::string_view type = text(member(item, "type"));
    if (type.empty() || type == "message") return message(item);
    plain_ = false;
    if (type == "function_call") {
      around_ += per_message;
      calls(1, item);
      return true;
    }
    if (type == "function_call_output") {
      around_ += per_message;
      return content(member(item, "output"));
    }
    return false;
  }

  void functions(const Value* list, const char* inside) {
    if (list == nullptr || !list->IsArray() || list->Empty()) return;
    plain_ = false;
    std::vector<const Value*> found;
    for (const Value& tool : list->GetArray()) {
      if (!tool.IsObject()) continue;
      const Value* function = inside == nullptr ? &tool : member(tool, inside);
      if (function != nullptr && function->IsObject()) found.push_back(function);
    }
    if (found.empty()) return;
    tools_ += encoding_.count(counting::rendered_tools(found)) + (system_ ? tools_with_system : tools_alone);
  }

  void choice(const Value* choice) {
    if (choice == nullptr) return;
    if (text(choice) == "none") tools_ += no_function;
    if (!choice->IsObject()) return;
    const Value* function = member(*choice, "function");
    if (function != nullptr && function->IsObject())
      tools_ += encoding_.count(text(member(*function, "name"))) + chosen_function;
  }

  /// OpenAI shows a schema to its model about as compact JSON.
  void schema(const Value* format, std::int64_t around_strict) {
    plain_ = false;
    if (format == nullptr || !format->IsObject()) return;
    const Value* schema = member(*format, "schema");
    if (schema == nullptr) return;
    rapidjson::StringBuffer out;
    rapidjson::Writer<rapidjson::StringBuffer> writer(out);
    schema->Accept(writer);
    const Value* strict = member(*format, "strict");
    const bool is_strict = strict != nullptr && strict->IsTrue();
    schema_ += encoding_.count({out.GetString(), out.GetSize()}) + (is_strict ? around_strict : schema_loose);
  }

  std::optional<InputCount> conversation() {
    around_ += reasoning_ ? priming_reasoning : priming;
    return sum();
  }

  std::optional<InputCount> sum() const {
    InputCount count;
    count.tokens = text_ + around_ + tools_ + schema_;
    count.exact = plain_;
    count.media = media_;
    if (plain_) count.ceiling = count.tokens + ceiling_margin + count.tokens / ceiling_share;
    for (const auto& [what, tokens] : std::array<std::pair<const char*, std::int64_t>, 4>{
             {{"text", text_}, {"around messages", around_}, {"tools", tools_}, {"schema", schema_}}}) {
      if (tokens > 0) count.parts.push_back({what, tokens});
    }
    return count;
  }

  const Encoding& encoding_;
  const bool reasoning_;
  bool plain_ = true;    // nothing but texts: the rule is known
  bool system_ = false;  // a system message came
  bool media_ = false;   // an image came
  std::int64_t text_ = 0;
  std::int64_t around_ = 0;
  std::int64_t tools_ = 0;
  std::int64_t schema_ = 0;
};

}  // namespace

bool can_bound(const CountedModel& model) {
  // Other makers put other things around messages, even where they share an encoding; so do models that search.
  constexpr std::array<std::string_view, 4> known = {"openai-chat", "openai-reasoning", "openai-completion",
                                                     "openai-embedding"};
  return std::find(known.begin(), known.end(), model.overhead) != known.end();
}

EncodingPtr encoding_of(const CountedModel& model) {
  const bool known = can_bound(model);
  // A search model's hidden prompt is as long as what it found.
  if (!known && model.overhead.starts_with("openai")) return nullptr;
  return Encoding::find(known ? model.encoding : "o200k_base");
}

std::optional<InputCount> count_input(std::string_view endpoint, std::string_view body, const CountedModel& model) {
  const bool known = can_bound(model);
  const EncodingPtr found = encoding_of(model);
  if (!found) return std::nullopt;
  rapidjson::Document json;
  json.Parse<rapidjson::kParseIterativeFlag>(body.data(), body.size());
  if (json.HasParseError() || !json.IsObject()) return std::nullopt;
  const bool chat = endpoint == "chat.completions";
  if (endpoint == "messages" || (chat && model.overhead == "claude"))
    return counting::count_messages(json, model.name, *found);
  if (endpoint == "generateContent" || endpoint == "streamGenerateContent" || (chat && model.overhead == "gemini"))
    return counting::count_generate(json, *found);
  Counter counter(*found, model.overhead == "openai-reasoning");
  if (chat) return known ? counter.chat(json) : counting::count_open_chat(json, model.overhead, *found);
  if (endpoint == "responses") return known ? counter.responses(json) : std::nullopt;
  const auto input = [&](const char* name) {
    const auto member = json.FindMember(name);
    return member == json.MemberEnd() ? nullptr : &member->value;
  };
  std::optional<InputCount> count;
  if (endpoint == "embeddings") count = counter.texts(input("input"));
  if (endpoint == "completions") count = counter.texts(input("prompt"));
  if (count && !known) {
    count->exact = false;
    count->rough = true;
    count->ceiling.reset();
  }
  return count;
}

}  // namespace farthing
