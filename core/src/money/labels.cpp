#include "farthing/labels.h"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include <algorithm>
#include <cstdint>

#include "money/json_text.h"

namespace farthing {
namespace {

constexpr std::size_t max_kind_bytes = 64;

auto place_of(std::vector<Labels::Entry>& entries, std::string_view kind) {
  return std::lower_bound(entries.begin(), entries.end(), kind,
                          [](const Labels::Entry& entry, std::string_view wanted) { return entry.first < wanted; });
}

/// Bytes of the well-formed UTF-8 sequence at the start of `text`, 0 when there is none (overlong forms, surrogates
/// and what lies above U+10FFFF are none).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&byte](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2) return 0;
  if (first < 0xE0) return follows(1) ? 2 : 0;
  if (first < 0xF0) {
    if (!follows(1) || !follows(2)) return 0;
    if (first == 0xE0 && byte(1) < 0xA0) return 0;
    if (first == 0xED && byte(1) > 0x9F) return 0;
    return 3;
  }
  if (first > 0xF4 || !follows(1) || !follows(2) || !follows(3)) return 0;
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) > 0x8F) return 0;
  return 4;
}

Error bad(std::string message) {
  return {Code::invalid_argument, std::move(message)};
}

}  // namespace

Labels::Labels(std::initializer_list<Entry> entries) {
  for (const Entry& entry : entries)
    set(entry.first, entry.second);
}

void Labels::set(std::string_view kind, std::string_view value) {
  const auto place = place_of(entries_, kind);
  if (place != entries_.end() && place->first == kind) {
    place->second = value;
  } else {
    entries_.emplace(place, kind, value);
  }
}

void Labels::set_default(std::string_view kind, std::string_view value) {
  const auto place = place_of(entries_, kind);
  if (place != entries_.end() && place->first == kind) return;
  entries_.emplace(place, kind, value);
}

void Labels::merge(const Labels& other) {
  if (entries_.empty()) {
    entries_ = other.entries_;
    return;
  }
  for (const Entry& entry : other.entries_)
    set(entry.first, entry.second);
}

const std::string* Labels::get(std::string_view kind) const {
  // A call has about ten labels: a scan beats a binary search.
  for (const Entry& entry : entries_) {
    if (entry.first == kind) return &entry.second;
  }
  return nullptr;
}

std::string Labels::to_json() const {
  std::size_t bytes = 2;
  for (const Entry& entry : entries_)
    bytes += entry.first.size() + entry.second.size() + 6;
  std::string out;
  out.reserve(bytes);
  out += '{';
  for (const Entry& entry : entries_) {
    if (out.size() > 1) out += ',';
    append_json(out, entry.first);
    out += ':';
    append_json(out, entry.second);
  }
  out += '}';
  return out;
}

Result<Labels> Labels::from_json(std::string_view json) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseValidateEncodingFlag | rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (document.HasParseError()) {
    return bad("labels are not JSON: " + std::string(rapidjson::GetParseError_En(document.GetParseError())) +
               " At byte " + std::to_string(document.GetErrorOffset() + 1) + ".");
  }
  if (!document.IsObject()) {
    return bad("labels must be a JSON object of text, like {\"org\":\"acme\"}.");
  }
  Labels labels;
  for (const auto& member : document.GetObject()) {
    const std::string_view kind(member.name.GetString(), member.name.GetStringLength());
    if (!member.value.IsString()) {
      return bad("label " + std::string(kind) + " must be text, like {\"org\":\"acme\"}.");
    }
    if (labels.get(kind) != nullptr) return bad("label " + std::string(kind) + " is given twice.");
    labels.set(kind, {member.value.GetString(), member.value.GetStringLength()});
  }
  return labels;
}

Status check_label(std::string_view kind, std::string_view value) {
  const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool word = !kind.empty() && kind.size() <= max_kind_bytes && lower(kind.front()) &&
                    std::all_of(kind.begin(), kind.end(), [&](char c) { return lower(c) || digit(c) || c == '_'; });
  if (!word) {
    // Bytes that are no text must not reach a terminal or a log through the message.
    std::string shown;
    append_json(shown, kind.substr(0, max_kind_bytes));
    const bool ascii = std::all_of(shown.begin(), shown.end(), [](char c) { return c > 0; });
    return bad(
        "a label's kind must be a lower-case word of at most 64 letters, digits and \"_\", like "
        "\"project\"" +
        (ascii ? "; found " + shown + "." : std::string(".")));
  }
  const std::string label = "label " + std::string(kind);
  if (value.empty()) return bad(label + " has an empty value; leave it out, or give it a value.");
  if (value.size() > max_label_bytes) {
    return bad(label + " has a value of " + std::to_string(value.size()) + " bytes; at most 128 are accepted.");
  }
  for (std::size_t at = 0; at < value.size();) {
    const std::size_t length = utf8_length(value.substr(at));
    if (length == 0) {
      return bad(label + " has a value that is not UTF-8 at byte " + std::to_string(at + 1) + ".");
    }
    const auto byte = static_cast<unsigned char>(value[at]);
    const bool c1 = byte == 0xC2 && static_cast<unsigned char>(value[at + 1]) < 0xA0;
    if (byte < 0x20 || byte == 0x7F || c1) {
      return bad(label + " has a control character at byte " + std::to_string(at + 1) +
                 " of its value; only printable text is accepted.");
    }
    at += length;
  }
  return success();
}

}  // namespace farthing
