// A compiled book that is damaged, in any way, is refused or harmless.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "books.h"

namespace farthing::table_test {
namespace {

using namespace prices_detail;

const std::string& project_table() {
  static const std::string table = [] {
    Problems problems;
    std::string bytes = compile_book(testing::project_files(), problems);
    EXPECT_TRUE(problems.empty()) << problems.front();
    return bytes;
  }();
  return table;
}

const std::string& small_table() {
  static const std::string table = [] {
    Problems problems;
    return compile_book(
        {testing::acme(testing::model(
            std::string(testing::plain_row) +
                "{ tier = \"flex\", per = \"million\", input_tokens = \"0.5\", output_tokens = \"2\" },\n"
                "{ context_above = 1000, per = \"million\", input_tokens = \"2\", output_tokens = \"8\" },\n"
                "{ tier = \"flex\", context_above = 1000, per = \"million\", input_tokens = \"1\", "
                "output_tokens = \"4\" },\n",
            "dated = [\"-MMDD\"]\naliases = [\"a\"]\nregions = { eu = \"1.1\" }"))},
        problems);
  }();
  return table;
}

/// Every look-up that there is.
void use(const PriceBook& book) {
  std::size_t seen = book.version().size();
  for (const Model* model : book.models()) {
    seen += model->name.size() + model->family.size();
    seen += book.source(*model).size();
    for (const char* tier : {"", "default", "flex", "priority", "warp"}) {
      const Terms terms{.at_ms = testing::noon, .service_tier = tier, .context_tokens = 5'000, .region = "eu"};
      for (const auto& rates : {book.rates(*model, terms), book.dearest_rates(*model, terms)}) {
        if (rates) seen += rates->to_json().size();
      }
    }
  }
  for (const char* name : {"a-1", "a", "a-1-0125", "ft:a-1:x", "nothing", ""}) {
    const Model* found = book.find("acme", name);
    seen += found == nullptr ? 0 : found->name.size();
    seen += book.near("acme", name, 2).size();
  }
  EXPECT_LT(seen, 100'000'000u);
}

void open_and_use(const std::string& bytes) {
  const auto table = Table::open(bytes);
  if (table) use(Book(*table));
}

std::string with_right_checksum(std::string bytes) {
  Header header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  header.checksum = checksum_of(bytes);
  std::memcpy(bytes.data(), &header, sizeof(header));
  return bytes;
}

TEST(PriceTable, the_same_source_gives_the_same_bytes_and_they_are_those_of_the_library) {
  Problems problems;
  auto files = testing::project_files();
  std::reverse(files.begin(), files.end());
  EXPECT_EQ(project_table(), compile_book(files, problems));
  const auto table = Table::open(project_table());
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(PriceBook::builtin()->models().size(), table->model_count());
}

TEST(PriceTable, a_change_of_any_byte_is_refused) {
  // Every byte of the head of the project's table, some of the rest (each is a sum over all of it), all of a small one's.
  std::string bytes = project_table();
  for (std::size_t i = 0; i < bytes.size(); i += i < sizeof(Header) ? 1 : 1'009) {
    bytes[i] = static_cast<char>(bytes[i] ^ 0x40);
    EXPECT_FALSE(Table::open(bytes)) << "byte " << i;
    bytes[i] = static_cast<char>(bytes[i] ^ 0x40);
  }
  EXPECT_TRUE(Table::open(bytes));
  bytes = small_table();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(bytes[i] ^ 0x40);
    EXPECT_FALSE(Table::open(bytes)) << "byte " << i;
    bytes[i] = static_cast<char>(bytes[i] ^ 0x40);
  }
  EXPECT_TRUE(Table::open(bytes));
}

TEST(PriceTable, a_table_cut_off_anywhere_is_refused) {
  const std::string& bytes = small_table();
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(Table::open(bytes.substr(0, size)));
  EXPECT_FALSE(Table::open(bytes + '\0'));
}

TEST(PriceTable, a_forged_table_is_refused_or_harmless) {
  const std::string& good = small_table();
  ASSERT_TRUE(Table::open(good));
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const int value : {0x00, 0x01, 0x7F, 0xFF}) {
      std::string bytes = good;
      bytes[i] = static_cast<char>(value);
      open_and_use(with_right_checksum(bytes));
    }
  }
}

TEST(PriceTable, chance_damage_with_a_right_checksum_is_refused_or_harmless) {
  std::mt19937_64 random(20261121);
  for (int round = 0; round < 3'000; ++round) {
    std::string bytes = small_table();
    for (std::uint64_t changes = random() % 8 + 1; changes > 0; --changes) {
      const std::size_t at = random() % bytes.size();
      const std::uint32_t value =
          random() % 3 == 0 ? 0xFFFFFFFF : static_cast<std::uint32_t>(random() >> (random() % 64));
      std::memcpy(bytes.data() + at, &value, std::min<std::size_t>(4, bytes.size() - at));
    }
    open_and_use(with_right_checksum(bytes));
  }
}

TEST(PriceTable, another_format_says_so) {
  std::string bytes = small_table();
  bytes[8] = 99;
  const auto table = Table::open(with_right_checksum(bytes));
  ASSERT_FALSE(table);
  EXPECT_EQ(Code::store_newer, table.error().code);
}

TEST(PriceTable, a_table_without_models_knows_nothing) {
  const Book book{Table()};
  EXPECT_EQ(nullptr, book.find("openai", "gpt-5"));
  EXPECT_TRUE(book.models().empty());
}

}  // namespace
}  // namespace farthing::table_test
