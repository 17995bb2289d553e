// JSON into a Node: the only file of this part that knows nlohmann/json. Numbers with a fraction stay text.
#include <cstddef>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_set>
#include <vector>

#include "policy/node.h"

namespace farthing::policy {
namespace {

using Json = nlohmann::json;

/// Counts lines as the parser reads. The last character does not count yet: after a number it is what follows it.
class LineCounter {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  LineCounter(const char* at, int* line) : at_(at), line_(line) {}
  reference operator*() const { return *at_; }
  LineCounter& operator++() {
    if (last_was_newline_) ++*line_;
    last_was_newline_ = *at_ == '\n';
    ++at_;
    return *this;
  }
  bool operator==(const LineCounter& other) const { return at_ == other.at_; }
  bool operator!=(const LineCounter& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  int* line_;
  bool last_was_newline_ = false;
};

/// Builds the tree from the parser's events. Nesting is bounded: a policy has a few levels.
class Builder : public nlohmann::json_sax<Json> {
 public:
  Builder(Parsed* parsed, const int* line) : parsed_(parsed), line_(line) {}

  bool null() override { return add(Node::Kind::null) != nullptr; }
  bool boolean(bool value) override {
    Node* node = add(Node::Kind::boolean);
    node->truth = value;
    return true;
  }
  bool number_integer(number_integer_t value) override {
    add(Node::Kind::integer)->integer = value;
    return true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) {
      add(Node::Kind::fraction)->text = std::to_string(value);
    } else {
      add(Node::Kind::integer)->integer = static_cast<std::int64_t>(value);
    }
    return true;
  }
  bool number_float(number_float_t /*value*/, const string_t& text) override {
    add(Node::Kind::fraction)->text = text;
    return true;
  }
  bool string(string_t& value) override {
    add(Node::Kind::text)->text = value;
    return true;
  }
  bool binary(binary_t& /*value*/) override { return false; }
  bool start_object(std::size_t /*size*/) override { return open(Node::Kind::table); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t /*size*/) override { return open(Node::Kind::list); }
  bool end_array() override { return close(); }
  bool key(string_t& value) override {
    if (!open_.back().keys.insert(value).second) return fault("the key \"" + value + "\" is written twice");
    key_ = value;
    return true;
  }
  bool parse_error(std::size_t /*at*/, const std::string& /*token*/, const Json::exception& error) override {
    std::string what = error.what();
    if (const auto end = what.find("] "); end != std::string::npos) what.erase(0, end + 2);
    // "parse error at line 3, column 7: ..."
    const auto column = what.find("column ");
    return fault("not JSON at " + (column == std::string::npos ? what : what.substr(column)));
  }

 private:
  static constexpr std::size_t deepest = 32;

  bool fault(std::string message) {
    parsed_->faults.push_back({*line_, "", std::move(message)});
    return false;
  }
  Node* add(Node::Kind kind) {
    Node* node = &parsed_->root;
    if (!open_.empty()) {
      open_.back().node->items.emplace_back();
      node = &open_.back().node->items.back();
    }
    node->kind = kind;
    node->line = *line_;
    node->key = std::move(key_);
    key_.clear();
    return node;
  }
  bool open(Node::Kind kind) {
    if (open_.size() == deepest) return fault("nested too deeply");
    // Stays valid: nothing is added beside an open node.
    open_.push_back({add(kind), {}});
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  Parsed* parsed_;
  const int* line_;
  struct Open {
    Node* node;
    std::unordered_set<std::string> keys;
  };
  std::vector<Open> open_;
  std::string key_;
};

}  // namespace

Parsed read_json(std::string_view text) {
  Parsed parsed;
  int line = 1;
  Builder builder(&parsed, &line);
  const bool ok = Json::sax_parse(LineCounter(text.data(), &line), LineCounter(text.data() + text.size(), &line),
                                  static_cast<nlohmann::json_sax<Json>*>(&builder));
  if (!ok && parsed.faults.empty()) parsed.faults.push_back({line, "", "not JSON"});
  return parsed;
}

}  // namespace farthing::policy
