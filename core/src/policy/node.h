// Node: a document as a tree, whatever it was written in. TOML and JSON are read into it and one validator reads it, so
// that a policy means the same in both.
//
//   Parsed parsed = read_toml(text);
//   const Node* caps = parsed.root.find("cap");       // caps->items, caps->items[0].line
//
// Thread-safety: values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace farthing::policy {

struct Node {
  enum class Kind : std::uint8_t {
    null,
    boolean,
    integer,
    fraction,  // a number that is no int64: never read as a value, only shown in messages
    text,
    date,  // TOML's own dates and times
    list,
    table,
  };

  Kind kind = Kind::table;
  bool truth = false;
  std::int64_t integer = 0;
  std::string text;         // of a text; of a fraction or a date as it was written
  std::vector<Node> items;  // of a list, or the members of a table in the order of the document
  std::string key;          // of a member of a table
  int line = 0;             // 1 is the first; 0 unknown

  const Node* find(std::string_view wanted) const;
  /// For messages: `the number 0.5`, `"dya"`, `a list`.
  std::string shown() const;
};

struct Parsed {
  Node root;
  struct Fault {
    int line = 0;
    std::string path;  // of the key, where known
    std::string message;
  };
  std::vector<Fault> faults;  // not TOML or not JSON; then `root` is of no use
};

Parsed read_toml(std::string_view text);
Parsed read_json(std::string_view text);

}  // namespace farthing::policy
