// Lines of "base64 rank", as tiktoken keeps its vocabularies.
#include <algorithm>
#include <charconv>
#include <map>

#include "tokens/encoding.h"

namespace farthing::tokens_detail {
namespace {

int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  while (text.ends_with('='))
    text.remove_suffix(1);
  std::string bytes;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const int value = value_of(c);
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes.push_back(static_cast<char>(bits >> held & 0xFF));
  }
  return bytes;
}

struct Line {
  std::uint32_t rank;
  std::string token;
  std::size_t number = 0;  // in the file
};

std::optional<Line> line_of(std::string_view text) {
  const std::size_t blank = text.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  auto token = from_base64(text.substr(0, blank));
  std::uint32_t rank = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + blank + 1, end, rank);
  if (!token || token->empty() || read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return Line{rank, std::move(*token), 0};
}

/// Why lines are no vocabulary.
std::string ill_formed(const std::vector<Line>& lines) {
  std::map<std::string_view, std::size_t> numbers;
  for (const Line& line : lines) {
    const auto [first, fresh] = numbers.emplace(line.token, line.number);
    if (!fresh) {
      return "line " + std::to_string(line.number) + ": the token of line " + std::to_string(first->second) +
             " is there twice.";
    }
  }
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (!numbers.contains(std::string(1, static_cast<char>(byte))))
      return "a single byte is not a token: " + std::to_string(byte) + ".";
  }
  return "is no vocabulary.";
}

}  // namespace

Result<EncodingPtr> read_tiktoken(std::string_view content, const std::string& name, std::string_view like) {
  const auto wrong = [&](const std::string& what) { return Error{Code::invalid_argument, name + ": " + what}; };
  auto data = builtin(like);
  if (!data) {
    return wrong("no encoding is called \"" + std::string(like) +
                 "\"; there are o200k_base, o200k_harmony, cl100k_base and gpt2.");
  }
  std::vector<Line> lines;
  for (std::size_t at = 0, number = 1; at < content.size(); ++number) {
    const std::size_t to = std::min(content.find('\n', at), content.size());
    std::string_view text = content.substr(at, to - at);
    at = to + 1;
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (text.empty()) continue;
    auto line = line_of(text);
    if (!line) {
      return wrong("line " + std::to_string(number) + " is not a token in base64, a space and its rank (\"IQ== 0\").");
    }
    if (line->token.size() > Vocabulary::longest) {
      return wrong("line " + std::to_string(number) + ": a token of more than 255 bytes.");
    }
    line->number = number;
    lines.push_back(std::move(*line));
  }
  std::sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) { return a.rank < b.rank; });
  if (!lines.empty() && lines.back().rank > 2 * lines.size() + 1000) return wrong("ranks with too many gaps.");
  std::string tokens;
  std::uint32_t next = 0;
  for (const Line& line : lines) {
    if (next > line.rank) {
      return wrong("line " + std::to_string(line.number) + ": rank " + std::to_string(line.rank) + " is there twice.");
    }
    tokens.append(line.rank - next, '\0');
    tokens.push_back(static_cast<char>(line.token.size()));
    tokens.append(line.token);
    next = line.rank + 1;
  }
  auto vocabulary = std::make_shared<const LazyVocabulary>(std::move(tokens));
  if (!vocabulary->get().well_formed()) return wrong(ill_formed(lines));
  return EncodingPtr(
      std::make_shared<RankEncoding>(name, data->pattern, Specials(std::move(data->specials)), std::move(vocabulary)));
}

}  // namespace farthing::tokens_detail
