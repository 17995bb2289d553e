// JsonCursor: reads JSON text from left to right, in place. Nothing is copied, so a prompt is never kept (promise 11), and
// the place of every value is known, so that a request can be changed by splices alone.
//
//   JsonCursor json(body);
//   std::string_view key;
//   json.open_object();
//   while (json.next_key(key)) {
//     if (key == "model") model = json.text(); else json.skip();
//   }
//   if (!json.finish()) return json.problem();
//
// Strict: RFC 8259, valid UTF-8, nothing behind the value, at most `max_depth` deep. After the first mistake every call
// does nothing and returns an empty value, so that readers need no check at each step.
// Thread-safety: a value; the text must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace farthing::wire {

class JsonCursor {
 public:
  enum class Kind : std::uint8_t { object, array, string, number, boolean, null, none };
  /// Schemas are the deepest that real requests have: some dozens. Deeper is an attack on somebody's stack.
  static constexpr int max_depth = 512;

  /// A byte order mark at the front is passed over.
  explicit JsonCursor(std::string_view text);

  /// What the next value is, judged by its first byte.
  Kind kind();
  /// Byte offset of the cursor; exact in front of a value after kind(), and behind one after reading it.
  std::size_t at() const { return static_cast<std::size_t>(at_ - begin_); }

  /// Passes '{'. Anything else is a mistake.
  void open_object() { open('{'); }
  /// Passes the comma, the next key and its colon; at '}' passes that and says false. The key is decoded, valid until the
  /// next call.
  bool next_key(std::string_view& key);
  void open_array() { open('['); }
  /// Passes the comma; at ']' passes that and says false.
  bool next_item();

  /// Passes any value.
  void skip();
  /// Passes an array that holds numbers only, without looking at them; as skip() where it is none.
  void skip_numbers();
  /// Passes a string: the bytes between its quotes, escapes as they are.
  std::string_view raw_text();
  /// Passes a string, decoded. Half a surrogate pair becomes U+FFFD.
  std::string text();
  bool boolean();
  void null();
  /// Passes a number: its text.
  std::string_view number();

  /// True when nothing but white space is left and no mistake was met.
  bool finish();
  bool failed() const { return failed_; }
  /// "expected ':' at byte 57": says nothing of the text itself.
  std::string problem() const;
  void fail(const char* what);

 private:
  void open(char bracket);
  char peek() const { return at_ < end_ ? *at_ : '\0'; }
  void space();
  void literal(std::string_view word);
  /// The cursor is at the opening quote.
  std::string_view string_body(bool& escaped);
  void skip_number();
  void skip_scalar();
  bool skip_key();

  const char* begin_;
  const char* at_;
  const char* end_;
  bool fresh_ = false;  // just behind '{' or '[': no comma is due
  bool failed_ = false;
  int depth_ = 0;
  std::size_t failed_at_ = 0;
  const char* what_ = "";
  std::string key_;
};

/// "-12" -> -12; empty for a fraction, an exponent or more than 18 digits.
std::optional<std::int64_t> whole_number(std::string_view number);
/// Appends the decoded form of a string's bytes.
void decode_json_text(std::string_view raw, std::string& out);

}  // namespace farthing::wire
