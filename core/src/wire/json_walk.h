// JsonWalk: one pass over a JSON text with RapidJSON's SAX reader, telling a visitor each value with its path and its
// place in the text. Nothing is built; strings are views that live until the walk ends.
//
//   struct Visitor { void value(const Path&, const Scalar&); void open(const Path&, bool array, std::size_t at); void key(const Path&, ...);
//   std::string problem = walk(body, visitor);
//
// Thread-safety: one walk per thread at a time (a scratch buffer per thread).
#pragma once

#if defined(__SSE2__)
#define RAPIDJSON_SSE2
#elif defined(__ARM_NEON)
#define RAPIDJSON_NEON
#endif
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace farthing::wire {

/// Nesting beyond this is refused: no request has it, and it costs.
inline constexpr std::size_t max_depth = 128;

/// Where a value stands: the keys on the way to it, "" for a place in an array.
class Path {
 public:
  std::size_t depth() const { return depth_; }
  /// Key i from the top; "" in arrays and beyond the end.
  std::string_view key(std::size_t i) const { return i < depth_ ? keys_[i] : std::string_view(); }
  std::string_view own() const { return depth_ == 0 ? std::string_view() : keys_[depth_ - 1]; }
  /// Just behind an object or array that closes here.
  std::size_t end() const { return end_; }
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
  std::size_t end_ = 0;
  std::array<std::string_view, max_depth + 1> keys_;
};

struct Scalar {
  enum class Kind : std::uint8_t { null, boolean, integer, number, text } kind = Kind::null;
  bool boolean = false;
  std::int64_t integer = 0;
  std::string_view text;  // of a text; of a number that is no int64: as it was written
  std::size_t begin = 0;  // of numbers and literals in the first two levels: their place in the text
  std::size_t end = 0;
  bool is_text() const { return kind == Kind::text; }
  bool is_null() const { return kind == Kind::null; }
};

template <class Visitor>
class Handler {
 public:
  Handler(Visitor& visitor, std::string_view body, rapidjson::InsituStringStream& stream)
      : visitor_(visitor), body_(body), decoded_(stream.head_), stream_(stream) {}

  bool Null() { return plain({}); }
  bool Bool(bool value) {
    Scalar scalar;
    scalar.kind = Scalar::Kind::boolean;
    scalar.boolean = value;
    return plain(scalar);
  }
  bool Int(int value) { return integer(value); }
  bool Uint(unsigned value) { return integer(value); }
  bool Int64(std::int64_t value) { return integer(value); }
  bool Uint64(std::uint64_t) { return number(); }  // beyond int64
  bool Double(double) { return number(); }
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
    visitor_.open(path_, array, stream_.Tell());  // just behind its bracket
    if (path_.depth_ >= max_depth) return false;
    path_.keys_[path_.depth_++] = {};
    return true;
  }
  bool close(bool array, std::size_t members) {
    --path_.depth_;
    path_.end_ = stream_.Tell();
    visitor_.close(path_, array, members);
    return true;
  }
  bool integer(std::int64_t value) {
    Scalar scalar;
    scalar.kind = Scalar::Kind::integer;
    scalar.integer = value;
    return plain(scalar);
  }
  bool number() {
    Scalar scalar;
    scalar.kind = Scalar::Kind::number;
    // The reader tells a number as a double. It stands where the stream is, or ends there.
    constexpr std::string_view characters = "0123456789+-.eE";
    std::size_t begin = stream_.Tell();
    while (begin > 0 && characters.find(body_[begin - 1]) != std::string_view::npos)
      --begin;
    scalar.text = body_.substr(begin, body_.find_first_not_of(characters, begin) - begin);
    return plain(scalar);
  }
  /// A number or a literal.
  bool plain(Scalar scalar) {
    if (const std::size_t begin = value_begin(); begin != 0) {
      scalar.begin = begin;
      scalar.end = std::min(body_.find_first_of(" \t\r\n,}]", begin), body_.size());
    }
    visitor_.value(path_, scalar);
    return true;
  }
  /// Where the value of the last key begins; 0 in arrays and deep down, where nobody writes. RapidJSON does not tell
  /// places, but a key is decoded where it stands, so its value is found from there.
  std::size_t value_begin() const {
    if (path_.depth_ == 0 || path_.depth_ > 2 || path_.keys_[path_.depth_ - 1].data() == nullptr) return 0;
    std::size_t at = static_cast<std::size_t>(path_.keys_[path_.depth_ - 1].data() - decoded_);
    while (body_[at] != '"')
      at += body_[at] == '\\' ? 2 : 1;
    return body_.find_first_not_of(" \t\r\n:", at + 1);
  }

  Visitor& visitor_;
  const std::string_view body_;
  const char* const decoded_;  // the copy that the keys point into
  rapidjson::InsituStringStream& stream_;
  Path path_;
};

/// Whether a text is UTF-8: without overlong forms, surrogates and what is beyond Unicode. Quick where it is ASCII.
bool is_utf8(std::string_view text);
/// The characters of a text that is.
std::int64_t code_points(std::string_view text);

/// Whether a byte below 0x20 stands in a text that is no white space of JSON: RapidJSON 1.1 takes 0x1A to 0x1F in strings,
/// or does not, by where they stand in memory (its vector code compares with 0x19).
bool has_control_bytes(std::string_view text);

/// What is wrong with the bytes of a text for JSON, by the two above; empty: nothing.
std::string_view problem_of_bytes(std::string_view text);

/// Empty when the whole text is one JSON value; else what is wrong with it, and where.
template <class Visitor>
std::string walk(std::string_view body, Visitor& visitor) {
  if (body.substr(0, 3) == "\xef\xbb\xbf") return "begins with a byte order mark";
  if (const std::string_view problem = problem_of_bytes(body); !problem.empty()) return std::string(problem);
  static thread_local std::vector<char> scratch;
  constexpr std::size_t padding = 16;  // the reader looks at 16 bytes at a time
  scratch.resize(body.size() + padding);
  if (!body.empty()) std::memcpy(scratch.data(), body.data(), body.size());
  std::memset(scratch.data() + body.size(), 0, padding);
  rapidjson::InsituStringStream stream(scratch.data());
  Handler<Visitor> handler(visitor, body, stream);
  rapidjson::Reader reader;
  // In situ: strings are decoded in the scratch, never allocated. Recursion ends at max_depth.
  const auto result = reader.Parse<rapidjson::kParseInsituFlag>(stream, handler);
  const bool whole = stream.Tell() == body.size();
  if (scratch.capacity() > (4U << 20U)) std::vector<char>().swap(scratch);
  if (result.IsError()) {
    return std::string(rapidjson::GetParseError_En(result.Code())) + " At byte " + std::to_string(result.Offset()) +
           ".";
  }
  return whole ? std::string() : "something stands after it";
}

/// A visitor that ignores everything: dialects override what they look for.
struct Ignore {
  void value(const Path&, const Scalar&) {}
  void open(const Path&, bool, std::size_t) {}
  void close(const Path&, bool, std::size_t) {}
  void key(const Path&) {}
};

}  // namespace farthing::wire
