// farthing_price_compiler OUT FILE.toml...: compiles the price book, or says what is wrong with it.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>

#include "prices/compiler/source.h"

int main(int argc, char** argv) {
  using farthing::prices_detail::Problems;
  using farthing::prices_detail::SourceFile;
  if (argc < 3) {
    std::cerr << "usage: farthing_price_compiler OUT FILE.toml...\n";
    return 2;
  }
  std::vector<SourceFile> files;
  for (int i = 2; i < argc; ++i) {
    std::ifstream in(argv[i], std::ios::binary);
    if (!in) {
      std::cerr << argv[i] << ": cannot be read\n";
      return 1;
    }
    files.push_back({argv[i], std::string(std::istreambuf_iterator<char>(in), {})});
  }
  Problems problems;
  const std::string table = compile_book(files, problems);
  for (const std::string& problem : problems)
    std::cerr << problem << "\n";
  if (!problems.empty()) {
    std::cerr << problems.size() << " problems in the price book (prices/README.md)\n";
    return 1;
  }
  std::ofstream out(argv[1], std::ios::binary | std::ios::trunc);
  out << table;
  if (!out.flush()) {
    std::cerr << argv[1] << ": cannot be written\n";
    return 1;
  }
  return 0;
}
