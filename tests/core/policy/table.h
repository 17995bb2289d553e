// Reads the text tables of tests/vectors/: one row a line, fields separated by tabs, # begins a comment line.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "zone/zone.h"

namespace farthing::test {

inline std::string path_of(const std::string& vector) {
  return std::string(FARTHING_SOURCE_DIR "/tests/vectors/") + vector;
}

inline std::vector<std::vector<std::string>> rows_of(const std::string& vector) {
  std::ifstream in(path_of(vector));
  EXPECT_TRUE(in) << vector;
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::vector<std::string> fields;
    std::istringstream fields_in(line);
    for (std::string field; std::getline(fields_in, field, '\t');)
      fields.push_back(field);
    rows.push_back(fields);
  }
  return rows;
}

/// "2026-08-22T20:48:07Z" in Unix ms.
inline std::int64_t ms_of(const std::string& text) {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  EXPECT_EQ(6, std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%dZ", &year, &month, &day, &hour, &minute, &second)) << text;
  return (days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second) * 1000;
}

}  // namespace farthing::test
