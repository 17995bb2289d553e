// Reading a parsed request: a member or nothing, a text or "", JSON written compactly.
// Thread-safety: free functions.
#pragma once

// As in wire/json_walk.h: one RapidJSON in a program.
#if defined(__SSE2__)
#define RAPIDJSON_SSE2
#elif defined(__ARM_NEON)
#define RAPIDJSON_NEON
#endif
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <string>
#include <string_view>

namespace farthing::counting {

using rapidjson::Value;

/// Null counts as absent.
inline const Value* member(const Value& object, const char* name) {
  if (!object.IsObject()) return nullptr;
  const auto found = object.FindMember(name);
  return found == object.MemberEnd() || found->value.IsNull() ? nullptr : &found->value;
}

inline std::string_view text(const Value& value) {
  return value.IsString() ? std::string_view(value.GetString(), value.GetStringLength()) : std::string_view();
}
inline std::string_view text(const Value* value) {
  return value == nullptr ? std::string_view() : text(*value);
}

inline std::string compact(const Value& value) {
  rapidjson::StringBuffer out;
  rapidjson::Writer<rapidjson::StringBuffer> writer(out);
  value.Accept(writer);
  return {out.GetString(), out.GetSize()};
}

}  // namespace farthing::counting
