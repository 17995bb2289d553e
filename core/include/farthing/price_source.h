// PriceSource: a price book as people write it (prices/README.md), compiled as the built-in one is, with the same lints.
//
//   const CompiledPrices made = compile_prices({{"prices.toml", text}});
//   if (made.table.empty()) for (const std::string& problem : made.problems) print(problem);
//   auto book = PriceBook::of_table(made.table);
//
// Only the command links this; a guard reads what it wrote (PriceBook::open).
// Thread-safety: free functions over values.
#pragma once

#include <string>
#include <vector>

namespace farthing {

struct PriceText {
  std::string name;  // for messages
  std::string text;  // TOML; a line "### prices/openai.toml" begins another file, so that a whole book can be one
};

struct CompiledPrices {
  std::string table;                  // empty when there are problems
  std::vector<std::string> problems;  // "prices/openai.toml:12: model gpt-5: what was found; what is accepted"
};

CompiledPrices compile_prices(const std::vector<PriceText>& files);

}  // namespace farthing
