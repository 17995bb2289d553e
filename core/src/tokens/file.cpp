// Which kind of file an encoding is in.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tokens/encoding.h"

namespace farthing {

Result<EncodingPtr> Encoding::from_text(std::string_view content, const std::string& name, std::string_view like) {
  const std::size_t first = content.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return Error{Code::invalid_argument, name + ": an empty file is no vocabulary."};
  if (content[first] == '{') return tokens_detail::read_tokenizer_json(content, name);
  return tokens_detail::read_tiktoken(content, name, like);
}

Result<EncodingPtr> Encoding::from_file(const std::string& path, std::string_view like) {
  // The largest vocabularies in use are half of it; reading takes about ten times a file's size of memory.
  constexpr std::uintmax_t most_bytes = 64U << 20U;
  std::error_code problem;
  std::ifstream in;
  const bool regular = std::filesystem::is_regular_file(path, problem);
  const auto size = regular ? std::filesystem::file_size(path, problem) : 0;
  if (!problem && size > most_bytes) {
    return Error{Code::invalid_argument, path + ": " + std::to_string(size) + " bytes are no vocabulary; at most " +
                                             std::to_string(most_bytes) + " are read."};
  }
  if (regular) in.open(path, std::ios::binary);
  std::ostringstream content;
  if (!in.is_open() || !(content << in.rdbuf())) {
    return Error{Code::invalid_argument, path + ": cannot be read; a .tiktoken or a tokenizer.json file is needed."};
  }
  return from_text(std::move(content).str(), path, like);
}

}  // namespace farthing
