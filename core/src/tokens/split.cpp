#include "tokens/split.h"

#include <utf8proc.h>

#include <bit>
#include <cstdint>
#include <cstring>

#include "tokens/kinds.h"

// The names of the branches are those of the expressions in `known`, in their order; the first that matches wins, and
// within it the longest run first, given back character by character where what follows asks for it.

namespace farthing::tokens_detail {
namespace {

/// Beyond the run of characters of these kinds.
inline const char* after(unsigned kinds, const char* at, const char* end) {
  while (at < end) {
    const Char c = char_at(at);
    if ((c.kind & kinds) == 0) break;
    at += c.size;
  }
  return at;
}

/// Beyond small letters of ASCII, eight bytes at a time: where a word ends is what a loop over its letters guesses wrong.
/// Ends before them where less than eight bytes are left.
inline const char* after_small_letters(const char* at, const char* end) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t high = 0x80 * ones;
  for (; end - at >= 8; at += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, at, sizeof(eight));
    const std::uint64_t low = eight & ~high;
    // The high bit of a byte that is `a` or more, without those beyond `z`.
    const std::uint64_t small = (low + (0x80 - 'a') * ones) & ~(low + (0x80 - 'z' - 1) * ones) & ~eight & high;
    if (small != high) return at + std::countr_zero(small ^ high) / 8;
  }
  return at;
}

/// 's 't 're 've 'm 'll 'd in any case, where `at` is the apostrophe: their end, or `at`. The letter s is also U+017F,
/// which folds to it.
inline const char* after_contraction(const char* at, const char* end) {
  if (end - at < 2 || *at != '\'') return at;
  const char first = static_cast<char>(at[1] | 0x20);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return at + 2;
  if (end - at < 3) return at;
  const char second = static_cast<char>(at[2] | 0x20);
  if ((first == 'r' || first == 'v') && second == 'e') return at + 3;
  if (first == 'l' && second == 'l') return at + 3;
  if (at[1] == '\xC5' && at[2] == '\xBF') return at + 3;
  return at;
}

/// The same in lower case only, as GPT-2 has it.
inline const char* after_small_contraction(const char* at, const char* end) {
  const char* to = after_contraction(at, end);
  for (const char* c = at; c < to; ++c) {
    if ((static_cast<unsigned char>(*c) & 0x80) != 0 || (*c >= 'A' && *c <= 'Z')) return at;
  }
  return to;
}

inline const char* after_numbers(unsigned most, const char* at, const char* end) {
  for (unsigned i = 0; at < end && (most == 0 || i < most); ++i) {
    const Char c = char_at(at);
    if ((c.kind & number) == 0) break;
    at += c.size;
  }
  return at;
}

/// The branches of white space, `at` being some: up to the last line end of the run; else the run but for its last
/// character, which goes with what follows; else the run.
template <bool line_ends_first>
const char* after_space(const Pattern& pattern, const char* at, const char* end) {
  const char* to = at;
  const char* last = at;
  const char* line = nullptr;
  while (to < end) {
    const Char c = char_at(to);
    if ((c.kind & any_space) == 0) break;
    last = to;
    to += c.size;
    if ((c.kind & line_end) != 0) line = to;
  }
  if (pattern.spaces_to_end && to == end) return to;
  if (line_ends_first && line != nullptr) return line;
  return to == end || last == at ? to : last;
}

/// `[upper letter mark]*[lower letter mark]+`, else `[upper letter mark]+[lower letter mark]*`, from `at` on. Where no
/// lower one follows the first run, it is given back down to its last letter or mark. `whole` is false when that failed
/// and only the second form matched.
struct Word {
  const char* end;
  bool whole;
};
inline Word word_o200k(const char* at, const char* end) {
  const char* last = nullptr;
  while (at < end) {
    const Char c = char_at(at);
    if ((c.kind & (upper | letter | mark)) == 0) {
      if ((c.kind & lower) != 0)
        return {after(lower | letter | mark, after_small_letters(at + c.size, end), end), true};
      break;
    }
    at += c.size;
    if ((c.kind & (letter | mark)) != 0) last = at;
  }
  return last != nullptr ? Word{last, true} : Word{at, false};
}

/// ` ?[^\s\p{L}\p{N}]+[\r\n/]*`, from the first character after the space on.
inline const char* after_signs_o200k(const char* at, const char* end) {
  at = after(other | mark, at, end);
  while (at < end && (*at == '\r' || *at == '\n' || *at == '/'))
    ++at;
  return at;
}

const char* piece_o200k(const Pattern& pattern, const char* at, const char* end) {
  const Char first = char_at(at);
  const char* rest = at + first.size;
  if ((first.kind & any_letter) != 0) return after_contraction(word_o200k(at, end).end, end);
  if ((first.kind & number) != 0) return after_numbers(pattern.digits, at, end);
  if ((first.kind & line_end) != 0) return after_space<true>(pattern, at, end);
  const unsigned next = rest < end ? char_at(rest).kind : 0U;
  if ((first.kind & mark) != 0) {
    // Before a word, or a word of its own when no word in the first form follows it.
    if ((next & (any_letter | mark)) != 0) {
      const Word word = word_o200k(rest, end);
      if (word.whole) return after_contraction(word.end, end);
    }
    return after_contraction(rest, end);
  }
  if ((next & (any_letter | mark)) != 0) return after_contraction(word_o200k(rest, end).end, end);
  if ((first.kind & other) != 0) return after_signs_o200k(at, end);
  if (*at == ' ' && (next & other) != 0) return after_signs_o200k(rest, end);
  return after_space<true>(pattern, at, end);
}

const char* after_signs_cl100k(const char* at, const char* end) {
  at = after(other | mark, at, end);
  while (at < end && (*at == '\r' || *at == '\n'))
    ++at;
  return at;
}

const char* piece_cl100k(const Pattern& pattern, const char* at, const char* end) {
  const Char first = char_at(at);
  const char* rest = at + first.size;
  if ((first.kind & any_letter) != 0) return after(any_letter, rest, end);
  if ((first.kind & number) != 0) return after_numbers(pattern.digits, at, end);
  if ((first.kind & line_end) != 0) return after_space<true>(pattern, at, end);
  if (const char* to = after_contraction(at, end); to != at) return to;
  const unsigned next = rest < end ? char_at(rest).kind : 0U;
  if ((next & any_letter) != 0) return after(any_letter, rest, end);
  if ((first.kind & (other | mark)) != 0) return after_signs_cl100k(at, end);
  if (*at == ' ' && (next & (other | mark)) != 0) return after_signs_cl100k(rest, end);
  return after_space<true>(pattern, at, end);
}

const char* piece_gpt2(const Pattern& pattern, const char* at, const char* end) {
  if (const char* to = after_small_contraction(at, end); to != at) return to;
  const char* from = *at == ' ' && at + 1 < end ? at + 1 : at;
  const unsigned kind = char_at(from).kind;
  if ((kind & any_letter) != 0) return after(any_letter, from, end);
  if ((kind & number) != 0) return after(number, from, end);
  if ((kind & any_space) == 0) return after(other | mark, from, end);
  return after_space<false>(pattern, at, end);
}

/// A character of the stretches between numbers and Chinese and Japanese texts, which are cut out first; of another the kind
/// is none, as where the text ends.
Char between(const char* at, const char* end) {
  if (at == end) return {0, 0};
  const Char c = char_at(at);
  if ((c.kind & number) != 0) return {0, c.size};
  if (c.size == 3) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(at[i])); };
    const unsigned code = (byte(0) & 0x0FU) << 12U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU);
    if ((code >= 0x4E00 && code <= 0x9FA5) || (code >= 0x3040 && code <= 0x30FF)) return {0, c.size};
  }
  return c;
}

/// `[\p{P}\p{S}]`; what else is of kind `other` are controls and what is not assigned.
bool is_sign(const char* at, Char c) {
  if ((c.kind & other) == 0) return false;
  if (c.size == 1) return *at > ' ' && *at < '\x7F';
  utf8proc_int32_t code = 0;
  utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(at), static_cast<utf8proc_ssize_t>(c.size), &code);
  const utf8proc_category_t category = utf8proc_category(code);
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_SO;
}

const char* after_letters_deepseek(const char* at, const char* end) {
  for (Char c = between(at, end); (c.kind & (any_letter | mark)) != 0; c = between(at, end))
    at += c.size;
  return at;
}

const char* piece_deepseek(const Pattern& pattern, const char* at, const char* end) {
  const auto is_letter_small = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  const Char first = char_at(at);
  const char* rest = at + first.size;
  if ((first.kind & number) != 0) return after_numbers(pattern.digits, at, end);
  if (between(at, end).kind == 0) {
    // Numbers were cut out before.
    while (rest < end && between(rest, end).kind == 0 && (char_at(rest).kind & number) == 0)
      rest += char_at(rest).size;
    return rest;
  }
  if ((first.kind & (any_letter | mark)) != 0) return after_letters_deepseek(rest, end);
  const Char next = between(rest, end);
  const bool sign = is_sign(at, first);
  if (sign && first.size == 1 && rest < end && is_letter_small(*rest)) {
    while (rest < end && is_letter_small(*rest))
      ++rest;
    return rest;
  }
  const bool joins = !sign && (first.kind & line_end) == 0;  // a space or a control before letters
  if (joins && (next.kind & (any_letter | mark)) != 0) return after_letters_deepseek(rest, end);
  if (sign || (*at == ' ' && is_sign(rest, next))) {
    const char* to = rest;
    for (Char c = next; is_sign(to, c); c = between(to, end))
      to += c.size;
    while (to < end && (*to == '\r' || *to == '\n'))
      ++to;
    return to;
  }
  if ((first.kind & any_space) != 0) {
    const char* run = after(any_space, at, end);
    return after_space<true>(pattern, at, between(run, end).kind == 0 ? run : end);
  }
  // What no branch matches is a piece, up to where one does.
  for (Char c = next; (c.kind & other) != 0 && !is_sign(rest, c); c = between(rest, end)) {
    if ((between(rest + c.size, end).kind & (any_letter | mark)) != 0) break;
    rest += c.size;
  }
  return rest;
}

template <class Piece>
const char* batch(Piece piece, const char* at, const char* end, Pieces& pieces) {
  std::size_t count = pieces.count;
  while (at < end && count < Pieces::capacity) {
    at = piece(at, end);
    pieces.ends[count++] = at;
  }
  pieces.count = count;
  return at;
}

struct Known {
  std::string_view regex;
  Pattern pattern;
};
using Family = Pattern::Family;
// As they are written in tokenizer.json files and in OpenAI's tiktoken, old and new: the same pieces unless noted.
constexpr Known known[] = {
    {R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", {Family::gpt2, 0, false}},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     {Family::cl100k, 3, false}},
    // Qwen: one digit a piece.
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     {Family::cl100k, 1, false}},
    {R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)",
     {Family::cl100k, 3, false}},
    // The newest of tiktoken: white space up to the end is one piece.
    {R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s)",
     {Family::cl100k, 3, true}},
    {R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     {Family::o200k, 3, false}},
    // DeepSeek from V3 on: three, one after the other.
    {R"(\p{N}{1,3})"
     "\n"
     R"([一-龥぀-ゟ゠-ヿ]+)"
     "\n"
     R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     {Family::deepseek, 3, false}},
};

/// One a line; line ends inside, which some files have as they are, as they are written elsewhere.
std::string in_lines(const std::vector<std::string>& regexes) {
  std::string lines;
  for (const std::string& regex : regexes) {
    if (!lines.empty()) lines += '\n';
    for (const char c : regex)
      lines += c == '\r' ? "\\r" : c == '\n' ? "\\n" : std::string(1, c);
  }
  return lines;
}

}  // namespace

const char* split(const Pattern& pattern, const char* at, const char* end, Pieces& pieces) {
  switch (pattern.family) {
    case Family::gpt2:
      return batch([&](const char* a, const char* e) { return piece_gpt2(pattern, a, e); }, at, end, pieces);
    case Family::cl100k:
      return batch([&](const char* a, const char* e) { return piece_cl100k(pattern, a, e); }, at, end, pieces);
    case Family::o200k:
      return batch([&](const char* a, const char* e) { return piece_o200k(pattern, a, e); }, at, end, pieces);
    case Family::deepseek:
      return batch([&](const char* a, const char* e) { return piece_deepseek(pattern, a, e); }, at, end, pieces);
  }
  return end;
}

std::optional<Pattern> pattern_of(const std::vector<std::string>& regexes) {
  const std::string lines = in_lines(regexes);
  for (const Known& each : known) {
    if (each.regex == lines) return each.pattern;
  }
  return std::nullopt;
}

}  // namespace farthing::tokens_detail
