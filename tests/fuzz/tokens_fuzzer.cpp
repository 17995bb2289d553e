// Any bytes are counted as they are encoded, by every way of splitting, and any file or request is refused or harmless.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "farthing/count.h"
#include "farthing/tokens.h"
#include "tokens/utf8.h"

namespace {

using namespace farthing;

void count(const Encoding& encoding, std::string_view text) {
  for (const SpecialTokens special : {SpecialTokens::as_text, SpecialTokens::as_tokens}) {
    const auto ids = encoding.encode(text, special);
    if (encoding.count(text, special) != static_cast<std::int64_t>(ids.size())) std::abort();
    if (ids.empty() != text.empty() || ids.size() > 3 * text.size()) std::abort();
  }
}

/// Every byte a token, split as GPT-2 does: the shortest file that is taken.
const std::string& bytes_alone() {
  static const std::string all = [] {
    constexpr const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string lines;
    for (unsigned byte = 0; byte < 256; ++byte)
      lines += std::string{digits[byte >> 2], digits[(byte & 3) << 4]} + "== " + std::to_string(byte) + "\n";
    return lines;
  }();
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly this size: a read beyond it is found.
  const std::string given(reinterpret_cast<const char*>(data), size);
  const std::string text(given.data(), given.size());
  for (const char* name : {"o200k_base", "cl100k_base", "o200k_harmony"})
    count(*Encoding::find(name), text);
  std::string kept;
  const std::string_view valid = tokens_detail::valid_utf8(text, kept);
  if (tokens_detail::valid_length(valid) != valid.size()) std::abort();
  static const auto gpt2 = Encoding::from_text(bytes_alone(), "bytes", "gpt2");
  if (!gpt2) std::abort();
  count(**gpt2, text);
  // As a file by itself, and as lines after those that every file needs.
  for (const std::string& content : {text, bytes_alone() + text}) {
    const auto read = Encoding::from_text(content, "file");
    if (read) count(**read, text.substr(0, 1000));
  }
  // As a request, whatever it is: counted or not, and the same again, when its parts are remembered.
  for (const char* endpoint : {"chat.completions", "responses", "messages", "generateContent"}) {
    for (const char* overhead : {"openai-chat", "claude", "gemini", "llama-3"}) {
      const CountedModel model{.encoding = "o200k_base", .overhead = overhead, .name = overhead};
      const auto first = count_input(endpoint, text, model);
      const auto again = count_input(endpoint, text, model);
      if (first.has_value() != again.has_value() || (first && first->tokens != again->tokens)) std::abort();
    }
  }
  return 0;
}
