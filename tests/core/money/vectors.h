// Rows of tests/vectors/: tab-separated fields, "#" lines are comments, texts in double quotes as in JSON.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace farthing::testing {

using Row = std::vector<std::string>;

/// The fields of a line; those in double quotes without them.
inline Row fields_of(const std::string& line) {
  Row fields;
  for (std::size_t at = 0; at <= line.size();) {
    const std::size_t tab = std::min(line.find('\t', at), line.size());
    std::string field = line.substr(at, tab - at);
    if (!field.empty() && field.front() == '"') field = nlohmann::json::parse(field).get<std::string>();
    fields.push_back(std::move(field));
    at = tab + 1;
  }
  return fields;
}

/// The rows of tests/vectors/NAME, each of `columns` fields.
inline std::vector<Row> vectors(const std::string& name, std::size_t columns) {
  std::ifstream in(FARTHING_SOURCE_DIR "/tests/vectors/" + name);
  EXPECT_TRUE(in) << "cannot read tests/vectors/" << name;
  std::vector<Row> rows;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    Row fields = fields_of(line);
    EXPECT_EQ(columns, fields.size()) << name << ": " << line;
    if (fields.size() == columns) rows.push_back(std::move(fields));
  }
  EXPECT_FALSE(rows.empty()) << name;
  return rows;
}

}  // namespace farthing::testing
