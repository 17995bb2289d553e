// Any text as a price book: problems, or a book that opens, says the same when it is made again and prices what it has.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "farthing/price_source.h"
#include "farthing/prices.h"
#include "prices/book.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace farthing;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const CompiledPrices made = compile_prices({{"prices.toml", text}});
  if (made.table.empty() == made.problems.empty()) std::abort();
  if (made.table.empty()) return 0;
  if (compile_prices({{"prices.toml", text}}).table != made.table) std::abort();
  const auto book = PriceBook::of_table(made.table);
  if (!book) std::abort();
  for (const Model* model : (*book)->models()) {
    const Terms terms{.at_ms = 1'795'262'400'000, .service_tier = "flex", .context_tokens = 300'000, .region = "eu"};
    const auto rates = (*book)->rates(*model, terms);
    if (rates && rates->to_json().empty()) std::abort();
    const auto ceiling = (*book)->dearest_rates(*model, terms);
    if (rates && !ceiling) std::abort();
  }
  return 0;
}
