// Pattern: how an encoding cuts a text into pieces, each of which is then merged to tokens on its own. The encodings give
// regular expressions; these are scanners written by hand that find the same pieces, in linear time.
//
//   Pieces pieces;
//   for (const char* at = text.begin(); at != text.end();) {
//     pieces.count = 0;
//     at = split(pattern, at, text.end(), pieces);       // a batch
//   }
//
// Thread-safety: pure.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace farthing::tokens_detail {

struct Pattern {
  enum class Family { gpt2, cl100k, o200k, deepseek };
  Family family = Family::o200k;
  unsigned digits = 3;         // the most of a piece of numbers; 0: no bound
  bool spaces_to_end = false;  // white space up to the end of the text is one piece, whatever line ends are in it
  bool operator==(const Pattern&) const = default;
};

/// Pieces follow one another without a gap: each ends where the next begins.
struct Pieces {
  static constexpr std::size_t capacity = 64;
  std::array<const char*, capacity> ends;
  std::size_t count = 0;
};

/// Adds pieces from `at` on until there are `capacity` or the text ends, and gives the end of the last. The text is valid
/// UTF-8, and `at` is the end of a piece.
const char* split(const Pattern& pattern, const char* at, const char* end, Pieces& pieces);

/// The pattern that regular expressions are, each of which cuts what the one before left uncut; nothing for what is not known.
std::optional<Pattern> pattern_of(const std::vector<std::string>& regexes);

}  // namespace farthing::tokens_detail
