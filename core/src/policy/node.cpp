#include "policy/node.h"

#include "policy/text.h"

namespace farthing::policy {

const Node* Node::find(std::string_view wanted) const {
  for (const Node& item : items) {
    if (item.key == wanted) return &item;
  }
  return nullptr;
}

std::string Node::shown() const {
  switch (kind) {
    case Kind::null:
      return "null";
    case Kind::boolean:
      return truth ? "true" : "false";
    case Kind::integer:
      return "the number " + std::to_string(integer);
    case Kind::fraction:
      return "the number " + text;
    case Kind::text: {
      std::string out;
      append_json(out, text);
      return out;
    }
    case Kind::date:
      return "the date " + text;
    case Kind::list:
      return "a list";
    case Kind::table:
      return "a table";
  }
  return {};
}

}  // namespace farthing::policy
