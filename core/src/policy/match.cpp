// Which calls a cap is for (R5).
#include <algorithm>

#include "farthing/cap.h"
#include "policy/text.h"

namespace farthing {

bool Match::matches(const Labels& labels) const {
  return std::all_of(of.begin(), of.end(), [&labels](const auto& entry) {
    const std::string* value = labels.get(entry.first);
    if (value == nullptr) return false;
    return std::any_of(entry.second.begin(), entry.second.end(),
                       [value](const std::string& glob) { return glob_matches(glob, *value); });
  });
}

std::string Match::to_json() const {
  std::string out = "{";
  for (const auto& [kind, globs] : of) {
    if (out.size() > 1) out += ',';
    policy::append_json(out, kind);
    out += ':';
    policy::append_json(out, globs);
  }
  out += '}';
  return out;
}

std::string Match::words() const {
  std::string out;
  for (const auto& [kind, globs] : of) {
    out += (out.empty() ? "" : ", ") + kind + "=";
    for (std::size_t i = 0; i < globs.size(); ++i)
      out += (i == 0 ? "" : "|") + globs[i];
  }
  return out;
}

}  // namespace farthing
