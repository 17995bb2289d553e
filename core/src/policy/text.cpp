#include "policy/text.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace farthing::policy {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Edits from one word to the other: insert, delete, replace, swap neighbours. "-" and "_" are the
/// same, case does not count.
std::size_t distance(std::string_view a, std::string_view b) {
  const auto same = [](char x, char y) {
    const auto fold = [](char c) { return c == '-' ? '_' : lower(c); };
    return fold(x) == fold(y);
  };
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::vector<std::size_t> next(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    next[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = row[j] + (same(a[i], b[j]) ? 0 : 1);
      next[j + 1] = std::min({replaced, row[j + 1] + 1, next[j] + 1});
      if (i > 0 && j > 0 && same(a[i], b[j - 1]) && same(a[i - 1], b[j])) {
        next[j + 1] = std::min(next[j + 1], before[j - 1] + 1);
      }
    }
    before.swap(row);
    row.swap(next);
  }
  return row.back();
}

}  // namespace

void append_json(std::string& out, const std::vector<std::string>& list) {
  out += '[';
  for (const std::string& entry : list) {
    if (&entry != &list.front()) out += ',';
    append_json(out, entry);
  }
  out += ']';
}

bool has_wildcard(std::string_view glob) {
  return glob.find_first_of("*?") != std::string_view::npos;
}

std::string_view nearest(std::string_view unknown, std::span<const std::string_view> accepted) {
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(2, unknown.size() / 3 + 1);
  for (const std::string_view word : accepted) {
    const bool plural = unknown.size() == word.size() + 1 && unknown.starts_with(word);
    const std::size_t d = plural ? 1 : distance(unknown, word);
    // A word of which every letter changed is not near, however short it is.
    if (d < best_distance && d < std::max(unknown.size(), word.size())) {
      best_distance = d;
      best = word;
    }
  }
  return best;
}

std::string kept(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text.substr(at).starts_with("${")) out += '$';
    out += text[at];
  }
  return out;
}

std::string one_of(std::span<const std::string_view> words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

}  // namespace farthing::policy
