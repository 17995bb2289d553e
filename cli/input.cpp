#include "input.h"

#include <fstream>
#include <iostream>
#include <iterator>

namespace farthing::cli {

Result<std::string> input(const std::string& file) {
  const auto all = [](std::istream& stream) {
    return std::string(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  };
  if (file.empty() || file == "-") return all(std::cin);
  std::ifstream stream(file, std::ios::binary);
  std::string content = all(stream);
  if (!stream) return Error{Code::invalid_argument, "cannot read " + file};
  return content;
}

}  // namespace farthing::cli
