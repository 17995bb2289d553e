// Reads the block files of tests/vectors/policy/: "=== name" begins a case, "--- part" a part of it, "#" lines before the
// first case are comments.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "tests/core/policy/table.h"

namespace farthing::test {

struct Block {
  std::string name;
  std::map<std::string, std::string> parts;
  const std::string& part(const std::string& wanted) const {
    static const std::string none;
    const auto place = parts.find(wanted);
    return place == parts.end() ? none : place->second;
  }
};

inline std::vector<Block> blocks_of(const std::string& vector) {
  std::ifstream in(path_of(vector));
  EXPECT_TRUE(in) << vector;
  std::vector<Block> blocks;
  std::string* part = nullptr;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("=== ")) {
      blocks.push_back({line.substr(4), {}});
      part = nullptr;
    } else if (line.starts_with("--- ") && !blocks.empty()) {
      part = &blocks.back().parts[line.substr(4)];
    } else if (part != nullptr) {
      part->append(line).append("\n");
    }
  }
  return blocks;
}

/// The lines of a part that are not empty, each split at " | ".
inline std::vector<std::vector<std::string>> lines_of(const std::string& part) {
  std::vector<std::vector<std::string>> lines;
  std::istringstream in(part);
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) continue;
    std::vector<std::string> fields;
    for (std::size_t at = 0; at <= line.size();) {
      const std::size_t bar = std::min(line.find(" | ", at), line.size());
      fields.push_back(line.substr(at, bar - at));
      at = bar + 3;
    }
    lines.push_back(fields);
  }
  return lines;
}

}  // namespace farthing::test
