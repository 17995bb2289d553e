#include <algorithm>

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
constexpr int max_data_depth = 24;

/// A part of a request; each message is one of its own. Calls, tools and schemas cost their names and values, not the JSON around them (recorded traffic, 2026-11).
class Generate {
 public:
  explicit Generate(const Encoding& o200k) : o200k_(o200k) {}

  const Sum& sum() const { return sum_; }

  /// One of `contents`, a system instruction, or a message as OpenAI has them.
  bool content(const Value& content) {
    if (content.IsString()) {
      sum_.text += of(text(content));
      return true;
    }
    const Value* calls = member(content, "tool_calls");
    if (calls != nullptr && calls->IsArray() &&
        !std::all_of(calls->Begin(), calls->End(), [&](const Value& call) { return called(member(call, "function")); }))
      return false;
    const Value* parts = either(content, "parts", "content");
    if (parts == nullptr) return calls != nullptr;
    if (parts->IsString()) {
      sum_.text += of(text(parts));
      return true;
    }
    return parts->IsArray() &&
           std::all_of(parts->Begin(), parts->End(), [&](const Value& part) { return this->part(part); });
  }

  bool tools(const Value& list) {
    if (!list.IsArray()) return true;
    for (const Value& tool : list.GetArray()) {
      if (text(member(tool, "type")) == "function") {
        const Value* function = member(tool, "function");
        if (function == nullptr || !function->IsObject()) return false;
        this->function(*function);
        continue;
      }
      const Value* functions = either(tool, "functionDeclarations", "function_declarations");
      if (functions == nullptr || !functions->IsArray()) return false;  // the provider's own
      for (const Value& one : functions->GetArray())
        function(one);
    }
    return true;
  }

  void schema(const Value& schema) { declared(schema, sum_.schema, 0); }

  static const Value* either(const Value& object, const char* name, const char* other) {
    const Value* found = member(object, name);
    return found == nullptr ? member(object, other) : found;
  }

 private:
  Thousandths of(std::string_view given) const { return thousandths(o200k_, given, gemini); }
  Thousandths of_name(std::string_view given) const { return o200k_.count(given) * gemini.code; }

  /// A call as OpenAI has it: its values are JSON in a text.
  bool called(const Value* function) {
    if (function == nullptr || !function->IsObject()) return false;
    sum_.text += of_name(text(member(*function, "name")));
    const std::string_view values = text(member(*function, "arguments"));
    rapidjson::Document json;
    json.Parse<rapidjson::kParseIterativeFlag>(values.data(), values.size());
    if (json.HasParseError())
      sum_.text += of(values);
    else
      data(json, sum_.text, 0);
    return true;
  }

  bool part(const Value& part) {
    if (const Value* given = member(part, "text")) {
      sum_.text += of(text(given));
    } else if (const Value* call = either(part, "functionCall", "function_call")) {
      sum_.text += of_name(text(member(*call, "name")));
      if (const Value* values = member(*call, "args")) data(*values, sum_.text, 0);
    } else if (const Value* answer = either(part, "functionResponse", "function_response")) {
      sum_.text += of_name(text(member(*answer, "name")));
      if (const Value* values = member(*answer, "response")) data(*values, sum_.text, 0);
    } else if (either(part, "inlineData", "inline_data") != nullptr || member(part, "image_url") != nullptr) {
      sum_.media = true;  // counted by its size: media_tokens
    } else {
      return false;
    }
    return true;
  }

  void data(const Value& value, Thousandths& sum, int depth) const {
    if (depth > max_data_depth) return;
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

  void function(const Value& function) {
    sum_.tools += of_name(text(member(function, "name"))) + of(text(member(function, "description")));
    if (const Value* schema = member(function, "parameters")) declared(*schema, sum_.tools, 0);
    if (const Value* schema = either(function, "parametersJsonSchema", "parameters_json_schema"))
      declared(*schema, sum_.tools, 0);
  }

  /// A schema: its keywords are not counted, what stands in them is.
  void declared(const Value& schema, Thousandths& sum, int depth) const {
    if (!schema.IsObject() || depth > max_data_depth) return;
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

std::optional<InputCount> count_generate(Request& body, const Encoding& o200k) {
  const auto apart = [&](bool (Generate::*count)(const Value&)) {
    return [&o200k, count](const Value& value) {
      Generate part(o200k);
      return (part.*count)(value) ? std::optional(part.sum()) : std::nullopt;
    };
  };
  const auto name = [&](const char* one, const char* other) { return body.has(one) ? one : other; };
  if (body.has(name("cachedContent", "cached_content"))) return std::nullopt;
  auto sum = body.of_each(name("contents", "messages"), {o200k, Rule::Part::gemini}, apart(&Generate::content));
  const auto system =
      body.of(name("systemInstruction", "system_instruction"), {o200k, Rule::Part::gemini}, apart(&Generate::content));
  const auto tools = body.of("tools", {o200k, Rule::Part::gemini_tools}, apart(&Generate::tools));
  if (!sum || !system || !tools) return std::nullopt;
  *sum += *system;
  *sum += *tools;
  if (const Value* config = body.member(name("generationConfig", "generation_config"))) {
    // `responseJsonSchema` is enforced without being shown to the model: it costs nothing.
    Generate rest(o200k);
    if (const Value* schema = Generate::either(*config, "responseSchema", "response_schema")) rest.schema(*schema);
    *sum += rest.sum();
  }
  return body.readable() ? std::optional(sum->rounded()) : std::nullopt;
}

}  // namespace farthing::counting
