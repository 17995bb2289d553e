// JsonWalk: one pass over a JSON text with RapidJSON's SAX reader, telling a visitor each value with its path and its
// place in the text. Nothing is built; strings are views that live until the walk ends.
//
//   struct Visitor { void value(const Path&, const Scalar&); void open(const Path&, bool array, std::size_t at); void key(const Path&, ...);
//   std::string problem = walk(body, visitor);
//
// Thread-safety: one walk per thread at a time (a scratch buffer per thread).
#pragma once

#define RAPIDJSON_SSE2
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace farthing::wire {

/// RapidJSON works on a copy of its own streams, so a handler would not know where it is; on this one it does not.
struct TrackedStream : rapidjson::InsituStringStream {
  explicit TrackedStream(char* text) : rapidjson::InsituStringStream(text) {}
};

/// Nesting beyond this is refused: no request has it, and it costs.
inline constexpr std::size_t max_depth = 128;

/// Where a value stands: the keys on the way to it, "" for a place in an array.
class Path {
 public:
  std::size_t depth() const { return depth_; }
  /// Key i from the top; "" in arrays and beyond the end.
  std::string_view key(std::size_t i) const { return i < depth_ ? keys_[i] : std::string_view(); }
  std::string_view own() const { return depth_ == 0 ? std::string_view() : keys_[depth_ - 1]; }
  std::string_view parent() const { return depth_ < 2 ? std::string_view() : keys_[depth_ - 2]; }
  bool is(std::string_view a) const { return depth_ == 1 && keys_[0] == a; }
  bool is(std::string_view a, std::string_view b) const { return depth_ == 2 && keys_[0] == a && keys_[1] == b; }
  bool is(std::string_view a, std::string_view b, std::string_view c) const {
    return depth_ == 3 && keys_[0] == a && keys_[1] == b && keys_[2] == c;
  }

 private:
  template <class Visitor>
  friend class Handler;
  std::size_t depth_ = 0;
  std::array<std::string_view, max_depth + 1> keys_;
};

struct Scalar {
  enum class Kind : std::uint8_t { null, boolean, integer, number, text } kind = Kind::null;
  bool boolean = false;
  std::int64_t integer = 0;
  std::string_view text;
  std::size_t begin = 0;  // of numbers and literals: their place in the text
  std::size_t end = 0;
  bool is_text() const { return kind == Kind::text; }
  bool is_null() const { return kind == Kind::null; }
};

template <class Visitor>
class Handler {
 public:
  Handler(Visitor& visitor, const TrackedStream& stream, std::string_view body)
      : visitor_(visitor), stream_(stream), body_(body) {}

  bool Null() { return literal({}, 4); }
  bool Bool(bool value) {
    Scalar scalar;
    scalar.kind = Scalar::Kind::boolean;
    scalar.boolean = value;
    return literal(scalar, value ? 4 : 5);
  }
  bool Int(int value) { return integer(value); }
  bool Uint(unsigned value) { return integer(value); }
  bool Int64(std::int64_t value) { return integer(value); }
  bool Uint64(std::uint64_t) { return number({}, Scalar::Kind::number); }  // beyond int64
  bool Double(double) { return number({}, Scalar::Kind::number); }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return false; }
  bool String(const char* text, rapidjson::SizeType length, bool) {
    Scalar scalar;
    scalar.kind = Scalar::Kind::text;
    scalar.text = {text, length};
    visitor_.value(path_, scalar);
    return true;
  }
  bool Key(const char* text, rapidjson::SizeType length, bool) {
    path_.keys_[path_.depth_ - 1] = {text, length};
    visitor_.key(path_);
    return true;
  }
  bool StartObject() { return open(false); }
  bool EndObject(rapidjson::SizeType members) { return close(false, members); }
  bool StartArray() { return open(true); }
  bool EndArray(rapidjson::SizeType elements) { return close(true, elements); }

 private:
  bool open(bool array) {
    visitor_.open(path_, array, stream_at() + 1);  // told before its bracket is taken
    if (path_.depth_ >= max_depth) return false;
    path_.keys_[path_.depth_++] = {};
    return true;
  }
  bool close(bool array, std::size_t members) {
    --path_.depth_;
    visitor_.close(path_, array, members);
    return true;
  }
  bool literal(Scalar scalar, std::size_t length) {
    scalar.end = stream_at();
    scalar.begin = scalar.end - length;
    visitor_.value(path_, scalar);
    return true;
  }
  bool integer(std::int64_t value) {
    Scalar scalar;
    scalar.integer = value;
    return number(scalar, Scalar::Kind::integer);
  }
  bool number(Scalar scalar, Scalar::Kind kind) {
    scalar.kind = kind;
    scalar.end = stream_at();
    scalar.begin = scalar.end;
    // Numbers are told after their last character; the first is found by looking back.
    while (scalar.begin > 0 &&
           std::string_view("0123456789+-.eE").find(body_[scalar.begin - 1]) != std::string_view::npos)
      --scalar.begin;
    visitor_.value(path_, scalar);
    return true;
  }
  std::size_t stream_at() const {
    return stream_.src_ == nullptr ? 0 : static_cast<std::size_t>(stream_.src_ - stream_.head_);
  }

  Visitor& visitor_;
  const TrackedStream& stream_;
  std::string_view body_;
  Path path_;
};

/// Empty when the whole text is one JSON value; else what is wrong with it, and where.
template <class Visitor>
std::string walk(std::string_view body, Visitor& visitor) {
  static thread_local std::vector<char> scratch;
  std::size_t skipped = 0;
  if (body.substr(0, 3) == "\xef\xbb\xbf") skipped = 3;  // a byte order mark
  const std::string_view text = body.substr(skipped);
  scratch.assign(text.begin(), text.end());
  scratch.push_back('\0');
  TrackedStream stream(scratch.data());
  Handler<Visitor> handler(visitor, stream, text);
  rapidjson::Reader reader;
  // Numbers as they are; in situ: strings are decoded in the scratch, never allocated.
  const auto result =
      reader
          .Parse<rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(
              stream, handler);
  if (scratch.capacity() > (4U << 20U)) std::vector<char>().swap(scratch);
  if (!result.IsError() && skipped == 0) return {};
  if (!result.IsError()) return "begins with a byte order mark";
  return std::string(rapidjson::GetParseError_En(result.Code())) + " At byte " + std::to_string(result.Offset()) + ".";
}

/// A visitor that ignores everything: dialects override what they look for.
struct Ignore {
  void value(const Path&, const Scalar&) {}
  void open(const Path&, bool, std::size_t) {}
  void close(const Path&, bool, std::size_t) {}
  void key(const Path&) {}
};

}  // namespace farthing::wire
