#include "input.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

namespace farthing::cli {

Result<std::string> input(const std::string& file) {
  const auto all = [](std::istream& stream) {
    return std::string(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  };
  if (file.empty() || file == "-") return all(std::cin);
  std::error_code unknown;
  if (std::filesystem::is_directory(file, unknown))
    return Error{Code::invalid_argument, "cannot read " + file + ": it is a folder"};
  std::ifstream stream(file, std::ios::binary);
  std::string content = all(stream);
  if (!stream) {
    const bool there = std::filesystem::exists(file, unknown);
    return Error{Code::invalid_argument,
                 "cannot read " + file + (there ? "" : ": there is no such file; a text comes on standard input (-)")};
  }
  return content;
}

}  // namespace farthing::cli
