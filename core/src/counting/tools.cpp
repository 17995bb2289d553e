#include "counting/tools.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <string_view>

namespace farthing::counting {
namespace {

using rapidjson::Value;

/// Deeper schemas than any tool has are cut: what is rendered is an estimate, never a bound.
constexpr int max_schema_depth = 24;
/// Definitions that refer to each other can be written short and be endless.
constexpr int max_rendered = 10'000;
/// Below this depth descriptions of members are shown.
constexpr int described_depth = 2;

std::string_view text_of(const Value& object, const char* name) {
  const auto member = object.FindMember(name);
  return member != object.MemberEnd() && member->value.IsString()
             ? std::string_view(member->value.GetString(), member->value.GetStringLength())
             : std::string_view();
}

const Value* object_of(const Value& object, const char* name) {
  const auto member = object.FindMember(name);
  return member != object.MemberEnd() && member->value.IsObject() ? &member->value : nullptr;
}

const Value* array_of(const Value& object, const char* name) {
  const auto member = object.FindMember(name);
  return member != object.MemberEnd() && member->value.IsArray() ? &member->value : nullptr;
}

std::string as_json(const Value& value) {
  rapidjson::StringBuffer out;
  rapidjson::Writer<rapidjson::StringBuffer> writer(out);
  value.Accept(writer);
  return {out.GetString(), out.GetSize()};
}

bool is_required(const Value& schema, const Value& name) {
  const Value* required = array_of(schema, "required");
  if (required == nullptr) return false;
  for (const Value& one : required->GetArray()) {
    if (one == name) return true;
  }
  return false;
}

class Renderer {
 public:
  /// `root`: the schema that references are looked up in.
  explicit Renderer(const Value& root) : root_(root) {}

  std::string type_of(std::string_view type, const Value& schema, int indent, int depth) {
    if (type == "string" || type == "boolean" || type == "null") return std::string(type);
    if (type == "integer" || type == "number") return "number";
    if (type == "array") {
      const Value* items = object_of(schema, "items");
      if (items == nullptr) return "any[]";
      std::string inner = type_of({}, *items, indent, depth + 1);
      return inner + "[]";
    }
    if (type == "object") {
      return object_of(schema, "properties") == nullptr ? "object"
                                                        : "{\n" + members(schema, indent + 2, depth + 1) + "\n}";
    }
    if (!type.empty() || depth > max_schema_depth || ++rendered_ > max_rendered) return "any";
    if (const Value* there = referenced(schema)) return type_of({}, *there, indent, depth + 1);

    const auto joined = [](const Value& list, const auto& each) {
      std::string out;
      for (const Value& value : list.GetArray())
        out += (out.empty() ? "" : " | ") + each(value);
      return out;
    };
    if (const Value* any_of = array_of(schema, "anyOf")) {
      return joined(*any_of, [&](const Value& one) {
        return one.IsObject() ? type_of({}, one, indent, depth + 1) : std::string("any");
      });
    }
    if (const Value* words = array_of(schema, "enum")) return joined(*words, as_json);
    if (const Value* types = array_of(schema, "type")) {
      return joined(*types, [&](const Value& one) {
        return one.IsString() ? type_of({one.GetString(), one.GetStringLength()}, schema, indent, depth + 1)
                              : std::string("any");
      });
    }
    const std::string_view single = text_of(schema, "type");
    return single.empty() ? "any" : type_of(single, schema, indent, depth);
  }

  std::string members(const Value& schema, int indent, int depth) {
    const Value* properties = object_of(schema, "properties");
    if (properties == nullptr || depth > max_schema_depth) return "";
    const std::string margin(static_cast<std::size_t>(indent), ' ');
    std::string out;
    const auto line = [&](const std::string& text) { out += (out.empty() ? "" : "\n") + margin + text; };
    for (const auto& [name, value] : properties->GetObject()) {
      const bool is_object = value.IsObject();
      if (is_object) {
        if (const std::string_view title = text_of(value, "title"); !title.empty()) {
          line("// " + std::string(title));
        }
        const std::string_view description = text_of(value, "description");
        if (indent < described_depth && !description.empty()) line("// " + std::string(description));
      }
      line(std::string(name.GetString(), name.GetStringLength()) + (is_required(schema, name) ? ": " : "?: ") +
           (is_object ? type_of({}, value, indent, depth + 1) : "any") + ",");
    }
    return out;
  }

 private:
  /// What stands at "#/$defs/Name".
  const Value* referenced(const Value& schema) const {
    const std::string_view reference = text_of(schema, "$ref");
    if (reference.empty()) return nullptr;
    for (const char* name : {"$defs", "definitions"}) {
      const std::string prefix = std::string("#/") + name + "/";
      const Value* definitions = object_of(root_, name);
      if (definitions != nullptr && reference.starts_with(prefix))
        return object_of(*definitions, std::string(reference.substr(prefix.size())).c_str());
    }
    return nullptr;
  }

  const Value& root_;
  int rendered_ = 0;
};

}  // namespace

std::string rendered_tools(const std::vector<const Value*>& functions) {
  std::string out = "namespace functions {\n\n";
  for (const Value* function : functions) {
    if (const std::string_view description = text_of(*function, "description"); !description.empty())
      out += "// " + std::string(description) + "\n";
    const std::string name(text_of(*function, "name"));
    const Value* parameters = object_of(*function, "parameters");
    const std::string inside = parameters == nullptr ? "" : Renderer(*parameters).members(*parameters, 0, 0);
    const std::string_view title = parameters == nullptr ? "" : text_of(*parameters, "title");
    const std::string titled = title.empty() ? "" : " // " + std::string(title) + "\n";
    out += inside.empty() ? "type " + name + " = () => any;\n\n"
                          : "type " + name + " = (_:" + titled + " {\n" + inside + "\n}) => any;\n\n";
  }
  return out + "} // namespace functions";
}

}  // namespace farthing::counting
