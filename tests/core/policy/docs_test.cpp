// Every policy that is shown in README.md and docs/ is one that is accepted. Blocks: ```toml; those that show a mistake are
// marked ```toml error.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "farthing/policy.h"

namespace farthing {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> pages() {
  std::vector<fs::path> found = {FARTHING_SOURCE_DIR "/README.md"};
  for (const auto& entry : fs::recursive_directory_iterator(FARTHING_SOURCE_DIR "/docs")) {
    if (entry.path().extension() == ".md") found.push_back(entry.path());
  }
  return found;
}

TEST(Docs, policies_are_accepted) {
  int checked = 0;
  for (const fs::path& page : pages()) {
    std::ifstream in(page);
    std::string fence;
    std::string block;
    int number = 0;
    int begun = 0;
    for (std::string line; std::getline(in, line);) {
      ++number;
      if (!line.starts_with("```")) {
        block += line + "\n";
        continue;
      }
      if (fence.empty()) {
        fence = line;
        begun = number;
        block.clear();
        continue;
      }
      if (fence.starts_with("```toml")) {
        const PolicyOrProblems read =
            policy_from_toml(block, page.filename().string() + "+" + std::to_string(begun),
                             [](std::string_view) { return std::optional<std::string>("a value of 16 bytes"); });
        for (const Problem& problem : read.problems) {
          EXPECT_EQ(fence == "```toml error", !read.ok()) << problem.where << ": " << problem.message;
        }
        EXPECT_EQ(fence == "```toml error", !read.ok());
        ++checked;
      }
      fence.clear();
    }
    EXPECT_EQ("", fence) << page << " has a block without an end";
  }
  EXPECT_GE(checked, 7);
}

// docs/policy.md names every key that is accepted, as refusals list them.
TEST(Docs, every_key_is_described) {
  std::ifstream in(FARTHING_SOURCE_DIR "/docs/policy.md");
  const std::string page((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto none = [](std::string_view) { return std::optional<std::string>(); };
  const PolicyOrProblems read = policy_from_json(
      R"({"?": 1, "cap": [{"?": 1}], "api_key": [{"?": 1}], "host": [{"?": 1}], "price": [{"?": 1, "rates": {"?": 1}}]})",
      "p", none);
  int lists = 0;
  for (const Problem& problem : read.problems) {
    constexpr std::string_view start = "Accepted here: ";
    const std::size_t at = problem.message.find(start);
    if (at == std::string::npos) continue;
    ++lists;
    std::string words = problem.message.substr(at + start.size()) + ",";
    for (std::size_t end = words.find(" or "); end != std::string::npos; end = words.find(" or ")) {
      words.replace(end, 4, ", ");
    }
    for (std::size_t from = 0; from < words.size();) {
      const std::size_t comma = words.find(',', from);
      const std::string word = words.substr(from, comma - from);
      EXPECT_NE(std::string::npos, page.find("`" + word + "`") == std::string::npos ? page.find("[[" + word + "]]")
                                                                                    : page.find("`" + word + "`"))
          << word << " of " << problem.where;
      from = comma + 2;
    }
  }
  EXPECT_EQ(6, lists);
}

}  // namespace
}  // namespace farthing
