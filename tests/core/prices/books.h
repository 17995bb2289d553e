// Books for tests: the project's own from its source, and small ones written in the test.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "prices/book.h"
#include "prices/compiler/source.h"

namespace farthing::testing {

inline constexpr std::int64_t day_ms = 86'400'000;
inline constexpr std::int64_t noon = 20'778 * day_ms + day_ms / 2;  // 2026-11-21 12:00 UTC

inline std::vector<prices_detail::SourceFile> project_files() {
  std::vector<prices_detail::SourceFile> files;
  for (const char* folder : {FARTHING_SOURCE_DIR "/prices", FARTHING_SOURCE_DIR "/prices/imported"}) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() != ".toml") continue;
      std::ifstream in(entry.path(), std::ios::binary);
      files.push_back({entry.path().filename().string(), std::string(std::istreambuf_iterator<char>(in), {})});
    }
  }
  return files;
}

/// A file of one provider, acme, with these models.
inline prices_detail::SourceFile acme(const std::string& models) {
  return {"acme.toml",
          "[book]\ndate = 2026-11-21\n[provider]\nname = \"acme\"\nsource = \"https://acme.test\"\ndate = 2026-11-20\n"
          "tokens_per_second = 1000\n[provider.tiers]\n\"\" = [\"default\", \"priority\"]\ndefault = [\"default\"]\n"
          "flex = [\"flex\", \"default\"]\npriority = [\"priority\", \"default\"]\nauto = [\"default\", \"priority\"]\n"
          "batch = [\"batch\"]\n[provider.tier_names]\nfast = \"priority\"\n" +
              models};
}

/// One model, a-1, with extra keys and these rows.
inline std::string model(const std::string& rows, const std::string& keys = "", const std::string& name = "a-1") {
  return "[[model]]\nname = \"" + name +
         "\"\nfamily = \"a\"\nmodality = \"text\"\ncontext = 1_000_000\noutput = 1_000\n" + keys + "\nrates = [\n" +
         rows + "]\n";
}

inline constexpr const char* plain_row =
    "{ per = \"million\", input_tokens = \"1.00\", cache_read_tokens = \"0.10\", output_tokens = \"4.00\" },\n";

/// A compiled book and the bytes it looks into.
struct OwnBook {
  std::unique_ptr<std::string> bytes;
  std::shared_ptr<const PriceBook> book;
  const PriceBook* operator->() const { return book.get(); }
};

inline OwnBook compile(const std::string& models, const std::vector<PriceOverlay>& overlays = {}) {
  prices_detail::Problems problems;
  OwnBook own{std::make_unique<std::string>(prices_detail::compile_book({acme(models)}, problems)), nullptr};
  EXPECT_TRUE(problems.empty()) << problems.front();
  const auto table = prices_detail::Table::open(*own.bytes);
  EXPECT_TRUE(table) << table.error().message;
  auto book = prices_detail::Book::make(*table, overlays);
  EXPECT_TRUE(book) << book.error().message;
  if (book) own.book = *book;
  return own;
}

inline std::string rate_text(const std::optional<RateSet>& rates, Quantity quantity) {
  if (!rates) return "no rates";
  const auto& rate = (*rates)[quantity];
  return rate ? to_text(*rate) : "none";
}

}  // namespace farthing::testing
