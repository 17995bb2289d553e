// Source: the price book as people write it (prices/*.toml, described in prices/README.md), before it is compiled.
//
//   Source source = read_source({{"prices/openai.toml", text}, ...}, problems);
//   lint(source, problems);
//   if (problems.empty()) write(source, bytes);
//
// A host tool and the tests use this; the library has only the compiled table. Thread-safety: values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "farthing/meter.h"
#include "farthing/money.h"
#include "prices/layout.h"

namespace farthing::prices_detail {

/// "prices/openai.toml:12: model gpt-5: what was found; what is accepted". All are collected, not only the first.
using Problems = std::vector<std::string>;

struct SourceFile {
  std::string name;
  std::string text;
};

struct Place {
  std::string file;
  std::uint32_t line = 0;
};

struct SourcePrice {
  Quantity quantity;
  std::string amount;  // as written
  Int128 atto = 0;
};

/// One line of a model's `rates`.
struct SourceRow {
  Place place;
  std::string per_text;
  std::int64_t per = 0;
  std::vector<SourcePrice> prices;
  // conditions; empty or 0: any
  std::string tier, region, size, quality, resolution, search_context;
  std::int64_t context_above = 0;
  std::uint16_t minute_from = 0, minute_until = 0;
  std::int64_t from_ms = always_from, until_ms = always_until;

  const SourcePrice* price(Quantity quantity) const;
};

struct SourceModel {
  Place place;
  std::string provider, name, family, modality, encoding, overhead, image_rule, deprecated, source, date;
  std::vector<std::string> aliases;
  std::vector<std::string> dated;    // forms, "-YYYY-MM-DD"
  std::vector<std::string> accepts;  // text, image, audio
  std::int64_t context = 0, output = 0, tokens_per_second = 0;
  bool reasoning = false, preview = false, free = false;
  std::map<std::string, std::string> regions;  // region -> factor, decimal text
  std::map<std::string, std::string> waive;    // lint -> why a person accepts it here
  std::vector<SourceRow> rows;
  bool copied = false;    // by `prices_of`: linted where it was written
  bool imported = false;  // from public tables: prices/imported/*.toml
};

/// Takes the prices of another provider for the models that this one has not itself.
struct SourcePricesOf {
  Place place;
  std::string provider;
  std::string prefix;             // put before every name
  std::vector<std::string> only;  // empty: all
};

struct SourceProvider {
  Place place;
  std::string name, source, date;
  std::int64_t tokens_per_second = 0;
  std::map<std::string, std::vector<std::string>> tiers;  // asked -> what it can be served as
  std::map<std::string, std::string> tier_names;          // other words for a served tier
  std::vector<SourcePricesOf> prices_of;
  std::map<std::string, std::string> aliases;  // of any model of this provider
};

struct Source {
  std::string date;  // the book's, its version
  std::vector<SourceProvider> providers;
  std::vector<SourceModel> models;
  // As read; where no hand-checked file covers them they join the others at the end of `read_source`.
  std::vector<SourceProvider> imported_providers;
  std::vector<SourceModel> imported_models;
};

/// Reads and checks what one row shows by itself; expands `prices_of`.
Source read_source(const std::vector<SourceFile>& files, Problems& problems);

/// The last step of `read_source`: imported models where no hand-checked file covers them.
void join_imported(Source& source, Problems& problems);

/// The rules that find wrong prices (prices/README.md lists them).
void lint(const Source& source, Problems& problems);

/// The table (layout.h) of a source without problems. The same source gives the same bytes.
std::string write_table(const Source& source, Problems& problems);

/// The three in one: empty when there were problems.
std::string compile_book(const std::vector<SourceFile>& files, Problems& problems);

/// A decimal of at most 18 places, times 10^18.
std::optional<Int128> decimal_atto(std::string_view text);

std::string at(const Place& place);

}  // namespace farthing::prices_detail
