// The compiler for the command: files of a book, or all of them in one.
#include "farthing/price_source.h"
#include "prices/compiler/source.h"

namespace farthing {

namespace {

constexpr std::string_view mark = "### ";

void split(const PriceText& whole, std::vector<prices_detail::SourceFile>& files) {
  prices_detail::SourceFile file{whole.name, {}};
  bool named = false;
  const auto finish = [&] {
    if (named || file.text.find_first_not_of(" \t\r\n") != std::string::npos) files.push_back(std::move(file));
  };
  for (std::size_t at = 0; at < whole.text.size();) {
    const std::size_t end = std::min(whole.text.find('\n', at), whole.text.size());
    std::string_view line(whole.text.data() + at, end - at);
    at = end + 1;
    if (!line.starts_with(mark)) {
      file.text.append(line).append(1, '\n');
      continue;
    }
    finish();
    while (line.ends_with('\r') || line.ends_with(' '))
      line.remove_suffix(1);
    file = {std::string(line.size() > mark.size() ? line.substr(mark.size()) : line), {}};
    named = true;
  }
  finish();
}

}  // namespace

CompiledPrices compile_prices(const std::vector<PriceText>& files) {
  std::vector<prices_detail::SourceFile> parts;
  for (const PriceText& file : files)
    split(file, parts);
  CompiledPrices made;
  made.table = prices_detail::compile_book(parts, made.problems);
  return made;
}

}  // namespace farthing
