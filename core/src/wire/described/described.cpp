#include "wire/described/described.h"

#include <rapidjson/document.h>
#include <rapidjson/encodedstream.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>

#include <algorithm>
#include <limits>

#include "money/json_number.h"
#include "wire/json_walk.h"

namespace farthing::wire {

namespace {

using rapidjson::Value;

constexpr std::int64_t most_units = 1'000'000'000;

/// Builds a tree whose numbers are the texts that they were written as: no float is between (promise 7). What a text was is
/// its first character.
class Builder {
 public:
  explicit Builder(rapidjson::Document& document) : document_(document) {}

  bool Null() { return document_.Null(); }
  bool Bool(bool value) { return document_.Bool(value); }
  bool RawNumber(const char* text, rapidjson::SizeType length, bool) { return marked('n', text, length); }
  bool String(const char* text, rapidjson::SizeType length, bool) { return marked('s', text, length); }
  bool Key(const char* text, rapidjson::SizeType length, bool) { return document_.Key(text, length, true); }
  bool StartObject() { return document_.StartObject(); }
  bool EndObject(rapidjson::SizeType members) { return document_.EndObject(members); }
  bool StartArray() { return document_.StartArray(); }
  bool EndArray(rapidjson::SizeType elements) { return document_.EndArray(elements); }
  // Never called: numbers are told raw.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }

 private:
  bool marked(char kind, const char* text, rapidjson::SizeType length) {
    scratch_.assign(1, kind).append(text, length);
    return document_.String(scratch_.data(), static_cast<rapidjson::SizeType>(scratch_.size()), true);
  }
  rapidjson::Document& document_;
  std::string scratch_;
};

bool is_text(const Value& value) {
  return value.IsString() && value.GetString()[0] == 's';
}
std::string_view text_of(const Value& value) {
  return {value.GetString() + 1, value.GetStringLength() - 1};
}

/// A JSON text, and what stands in it at a place.
struct Tree {
  rapidjson::Document document;
  std::string problem;

  explicit Tree(std::string_view body) {
    problem = problem_of_bytes(body);
    if (problem.empty()) {
      // Iterative: nesting costs memory, never the stack.
      constexpr unsigned flags = rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseIterativeFlag;
      rapidjson::MemoryStream bytes(body.data(), body.size());
      rapidjson::EncodedInputStream<rapidjson::UTF8<>, rapidjson::MemoryStream> stream(bytes);
      rapidjson::Reader reader;
      const auto build = [&](rapidjson::Document& built) {
        Builder builder(built);
        const auto done = reader.Parse<flags>(stream, builder);
        if (done.IsError())
          problem =
              std::string(rapidjson::GetParseError_En(done.Code())) + " At byte " + std::to_string(done.Offset()) + ".";
        return !done.IsError();
      };
      document.Populate(build);
      if (problem.empty() && !document.IsObject()) problem = "the body is not an object";
    }
  }

  /// The value at a JSON pointer; null: nothing is there, or a null. A member that stands twice on the way is a problem: the provider
  /// could read the other one.
  const Value* at(std::string_view pointer) {
    const Value* value = &document;
    while (!pointer.empty()) {
      pointer.remove_prefix(1);
      const std::size_t end = std::min(pointer.find('/'), pointer.size());
      const std::string token = unescaped(pointer.substr(0, end));
      pointer.remove_prefix(end);
      value = value->IsObject() ? member(*value, token) : value->IsArray() ? element(*value, token) : nullptr;
      if (value == nullptr) return nullptr;
    }
    return value->IsNull() ? nullptr : value;
  }

 private:
  static std::string unescaped(std::string_view token) {
    std::string text;
    for (std::size_t i = 0; i < token.size(); ++i) {
      if (token[i] == '~' && i + 1 < token.size())
        text += token[++i] == '1' ? '/' : '~';
      else
        text += token[i];
    }
    return text;
  }
  const Value* member(const Value& object, const std::string& name) {
    const Value* found = nullptr;
    for (const auto& [key, value] : object.GetObject()) {
      if (std::string_view(key.GetString(), key.GetStringLength()) != name) continue;
      if (found != nullptr) problem = "the member \"" + name + "\" stands twice";
      found = &value;
    }
    return found;
  }
  static const Value* element(const Value& array, const std::string& token) {
    if (token.empty() || token.size() > 6 || token.find_first_not_of("0123456789") != std::string::npos) return nullptr;
    const std::size_t i = std::stoul(token);
    return i < array.Size() ? &array[static_cast<rapidjson::SizeType>(i)] : nullptr;
  }
};

/// A number as whole units; seconds as ms, and a part of a unit is a whole one (R10). Nothing: it is none, or beyond all measure.
std::optional<std::int64_t> units_of(std::string_view number, Quantity quantity) {
  const bool timed = quantity == Quantity::audio_ms || quantity == Quantity::video_ms;
  // As if it were money: nine decimals, exactly.
  const auto nano = usd_of_number(number, 0);
  if (!nano) return std::nullopt;
  const std::int64_t unit = timed ? 1'000'000 : 1'000'000'000;
  const std::int64_t units = nano->nano / unit + (nano->nano % unit != 0 ? 1 : 0);
  return units <= most_units ? std::optional(units) : std::nullopt;
}

/// Of a text or a list of texts, in lists of lists too: their characters, or the bytes that bound their tokens. A number among
/// them is a token by itself. Nothing: something else stands there, of which nobody knows what is read.
std::optional<std::int64_t> text_size(const Value& value, Quantity quantity) {
  std::int64_t size = 0;
  std::vector<const Value*> rest = {&value};
  while (!rest.empty()) {
    const Value& next = *rest.back();
    rest.pop_back();
    if (next.IsArray()) {
      for (const Value& element : next.GetArray())
        rest.push_back(&element);
    } else if (is_text(next)) {
      size += quantity == Quantity::characters ? code_points(text_of(next))
                                               : static_cast<std::int64_t>(text_of(next).size());
    } else if (next.IsString() && quantity != Quantity::characters) {
      ++size;
    } else {
      return std::nullopt;
    }
  }
  return size;
}

std::optional<std::int64_t> quantity_at(const Value& value, Quantity quantity) {
  const bool of_text = quantity == Quantity::characters || quantity == Quantity::input_tokens;
  if (of_text && (is_text(value) || value.IsArray())) return text_size(value, quantity);
  if (value.IsArray()) return static_cast<std::int64_t>(value.Size());
  return value.IsString() ? units_of(text_of(value), quantity) : std::nullopt;
}

}  // namespace

Result<RequestFacts> scan_described(const EndpointRule& rule, std::string_view body) {
  const auto unreadable = [](const std::string& why) {
    return Error{Code::unreadable_request, "the request cannot be read, so its cost cannot be bounded: " + why};
  };
  Tree tree(body);
  if (!tree.problem.empty()) return unreadable(tree.problem);
  RequestFacts facts;
  facts.model = rule.model.empty() ? rule.name : rule.model;
  if (rule.model.starts_with('/')) {
    const Value* named = tree.at(rule.model);
    if (named != nullptr && !is_text(*named)) return unreadable("the model at " + rule.model + " is not a string");
    facts.model = named != nullptr ? text_of(*named) : std::string_view();
  }
  Quantities asked;
  asked[Quantity::requests] = 1;
  for (const AskedQuantity& ask : rule.asks) {
    const Value* value = ask.at.empty() ? nullptr : tree.at(ask.at);
    if (value == nullptr) {
      if (!ask.amount && facts.unsaid.empty())
        facts.unsaid = std::string(quantity_text(ask.quantity)) + " at " + ask.at;
      asked[ask.quantity] = ask.amount.value_or(0);
      continue;
    }
    const auto units = quantity_at(*value, ask.quantity);
    if (!units)
      return unreadable("what stands at " + ask.at + " is not a number of " + std::string(quantity_text(ask.quantity)));
    asked[ask.quantity] = *units;
  }
  if (!tree.problem.empty()) return unreadable(tree.problem);
  facts.asked = asked;
  return facts;
}

AnswerFacts read_described(const EndpointRule& rule, std::string_view body, const Quantities& asked) {
  AnswerFacts facts;
  Tree tree(body);
  if (!tree.problem.empty()) return facts;
  if (const Value* id = tree.at("/id"); id != nullptr && is_text(*id)) facts.id = text_of(*id);
  if (tree.at(rule.error) != nullptr) {
    facts.error = true;
    const Value* code = tree.at(rule.error + "/code");
    if (code != nullptr && is_text(*code)) facts.error_code = text_of(*code);
    return facts;
  }
  Quantities used = asked;
  for (const auto& [quantity, at] : rule.usage) {
    const Value* value = tree.at(at);
    const auto units = value == nullptr ? std::nullopt : quantity_at(*value, quantity);
    if (!units) return facts;  // missing is not zero (promise 5)
    used[quantity] = *units;
  }
  if (!rule.cost.empty()) {
    const Value* cost = tree.at(rule.cost);
    facts.reported_cost = cost != nullptr && cost->IsString() ? usd_of_number(text_of(*cost), 0) : std::nullopt;
    if (!facts.reported_cost) return facts;
  }
  if (!tree.problem.empty()) {
    facts.reported_cost.reset();
    return facts;
  }
  facts.quantities = used;
  facts.final = true;
  return facts;
}

}  // namespace farthing::wire
