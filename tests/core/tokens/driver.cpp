// Encodes what it is given, for the comparison with the reference: token_driver ENCODING|FILE [special]
// In: texts, each as a u32 of its size and its bytes. Out, for each: a u32 of how many tokens, and their ids as u32; the
// number of `count` is checked against it.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

#include "farthing/tokens.h"

int main(int count, char** arguments) {
  using namespace farthing;
  if (count < 2) return 2;
  EncodingPtr encoding = Encoding::find(arguments[1]);
  if (encoding == nullptr) {
    auto read = Encoding::from_file(arguments[1]);
    if (!read) {
      std::fprintf(stderr, "token_driver: %s\n", read.error().message.c_str());
      return 2;
    }
    encoding = *read;
  }
  const bool special = count > 2 && std::strcmp(arguments[2], "special") == 0;
  const SpecialTokens how = special ? SpecialTokens::as_tokens : SpecialTokens::as_text;
  std::string text;
  for (std::uint32_t size = 0; std::fread(&size, sizeof(size), 1, stdin) == 1;) {
    text.resize(size);
    if (std::fread(text.data(), 1, size, stdin) != size) return 2;
    text.shrink_to_fit();
    const auto ids = encoding->encode(text, how);
    const auto written = static_cast<std::uint32_t>(ids.size());
    if (encoding->count(text, how) != static_cast<std::int64_t>(written)) {
      std::fprintf(stderr, "token_driver: count and encode differ\n");
      return 1;
    }
    std::fwrite(&written, sizeof(written), 1, stdout);
    std::fwrite(ids.data(), sizeof(std::uint32_t), ids.size(), stdout);
    std::fflush(stdout);
  }
  return 0;
}
