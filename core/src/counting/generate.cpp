#include "counting/json.h"
#include "counting/neighbours.h"
#include "counting/sum.h"

namespace farthing::counting {
namespace {

// Factors against o200k_base, measured 2026-11: prose is 1.05 where it is long, and 1.00 in the recorded prompts, which are
// short. Nothing is counted around messages: in the recorded traffic a conversation costs its texts alone.
constexpr Factors gemini{
    .underscores = true, .prose = 1'020, .code = 1'250, .json = 1'180, .cjk = 910, .cyrillic = 1'080};
/// Deeper data than any call has is cut.
constexpr int max_depth = 24;

/// Calls, tools and schemas cost their names and values, not the JSON around them (recorded traffic, 2026-11).
class Generate {
 public:
  explicit Generate(const Encoding& o200k) : o200k_(o200k) {}

  std::optional<InputCount> count(const Value& body) {
    const Value* contents = either(body, "contents", "messages");  // the latter on endpoints that are like OpenAI's
    if (contents == nullptr || !contents->IsArray()) return std::nullopt;
    for (const Value& content : contents->GetArray()) {
      if (!this->content(content)) return std::nullopt;
    }
    if (const Value* system = either(body, "systemInstruction", "system_instruction");
        system != nullptr && !content(*system))
      return std::nullopt;
    if (member(body, "cachedContent") != nullptr || member(body, "cached_content") != nullptr) return std::nullopt;
    if (!tools(member(body, "tools"))) return std::nullopt;
    if (const Value* config = either(body, "generationConfig", "generation_config")) {
      // `responseJsonSchema` is enforced without being shown to the model: it costs nothing.
      if (const Value* schema = either(*config, "responseSchema", "response_schema")) declared(*schema, sum_.schema, 0);
    }
    return sum_.rounded();
  }

 private:
  static const Value* either(const Value& object, const char* name, const char* other) {
    const Value* found = member(object, name);
    return found == nullptr ? member(object, other) : found;
  }
  Thousandths of(std::string_view given) const { return thousandths(o200k_, given, gemini); }
  Thousandths of_name(std::string_view given) const { return o200k_.count(given) * gemini.code; }

  bool content(const Value& content) {
    const Value* parts = member(content, "parts");
    if (member(content, "tool_calls") != nullptr) return false;  // calls as OpenAI has them
    if (content.IsString()) {
      sum_.text += of(text(content));
      return true;
    }
    if (parts == nullptr) parts = member(content, "content");
    if (parts != nullptr && parts->IsString()) {
      sum_.text += of(text(parts));
      return true;
    }
    if (parts == nullptr || !parts->IsArray()) return false;
    for (const Value& part : parts->GetArray()) {
      if (const Value* given = member(part, "text")) {
        sum_.text += of(text(given));
      } else if (const Value* call = either(part, "functionCall", "function_call")) {
        sum_.text += of_name(text(member(*call, "name")));
        if (const Value* values = member(*call, "args")) data(*values, sum_.text, 0);
      } else if (const Value* answer = either(part, "functionResponse", "function_response")) {
        sum_.text += of_name(text(member(*answer, "name")));
        if (const Value* values = member(*answer, "response")) data(*values, sum_.text, 0);
      } else if (either(part, "inlineData", "inline_data") != nullptr) {
        sum_.media = true;  // counted by its size: media_tokens
      } else {
        return false;
      }
    }
    return true;
  }

  void data(const Value& value, Thousandths& sum, int depth) const {
    if (depth > max_depth) return;
    if (value.IsObject()) {
      for (const auto& [name, inner] : value.GetObject()) {
        sum += of_name(text(name));
        data(inner, sum, depth + 1);
      }
    } else if (value.IsArray()) {
      for (const Value& inner : value.GetArray())
        data(inner, sum, depth + 1);
    } else {
      sum += value.IsString() ? of(text(value)) : of_name(compact(value));
    }
  }

  bool tools(const Value* list) {
    if (list == nullptr || !list->IsArray()) return true;
    for (const Value& tool : list->GetArray()) {
      const Value* functions = either(tool, "functionDeclarations", "function_declarations");
      if (functions == nullptr || !functions->IsArray()) return false;  // the provider's own
      for (const Value& function : functions->GetArray()) {
        sum_.tools += of_name(text(member(function, "name"))) + of(text(member(function, "description")));
        if (const Value* schema = member(function, "parameters")) declared(*schema, sum_.tools, 0);
        if (const Value* schema = either(function, "parametersJsonSchema", "parameters_json_schema"))
          declared(*schema, sum_.tools, 0);
      }
    }
    return true;
  }

  /// A schema: its keywords are not counted, what stands in them is.
  void declared(const Value& schema, Thousandths& sum, int depth) const {
    if (!schema.IsObject() || depth > max_depth) return;
    for (const auto& [key, value] : schema.GetObject()) {
      const std::string_view keyword = text(key);
      if ((keyword == "properties" || keyword == "$defs" || keyword == "definitions") && value.IsObject()) {
        for (const auto& [name, inner] : value.GetObject()) {
          sum += of_name(text(name));
          declared(inner, sum, depth + 1);
        }
      } else if (keyword == "description") {
        sum += of(text(value));
      } else if (value.IsObject()) {
        declared(value, sum, depth + 1);
      } else if (value.IsArray()) {
        for (const Value& one : value.GetArray()) {
          if (one.IsObject())
            declared(one, sum, depth + 1);
          else
            sum += of_name(one.IsString() ? text(one) : std::string_view(compact(one)));
        }
      } else {
        sum += of_name(value.IsString() ? text(value) : std::string_view(compact(value)));
      }
    }
  }

  const Encoding& o200k_;
  Sum sum_;
};

}  // namespace

const Factors* factors_of(const CountedModel& model) {
  if (model.overhead == "claude") return &claude_factors(model.name);
  return model.overhead == "gemini" ? &gemini : nullptr;
}

std::optional<InputCount> count_generate(const Value& body, const Encoding& o200k) {
  return Generate(o200k).count(body);
}

}  // namespace farthing::counting
