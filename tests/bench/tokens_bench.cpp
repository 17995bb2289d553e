// How fast counting is: tokens_bench ENCODING FILE... prints JSON rows {"name", "unit", "value"}. First how long the first
// count took, which loads the vocabulary, and the memory that it left; then MB/s of each file by its stem, the median of
// several counts; then 200 KB without a break. tests/bench/tokens_bench.py puts the reference beside them.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "farthing/tokens.h"

namespace {

using namespace farthing;
bool first_row = true;
void print(const std::string& name, const char* unit, double value) {
  std::printf("%s\n  {\"name\": \"%s\", \"unit\": \"%s\", \"value\": %.4f}", first_row ? "[" : ",", name.c_str(), unit,
              value);
  first_row = false;
}

std::int64_t counted = 0;

/// Of the processor: others may use the machine too.
double milliseconds_now() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double milliseconds(const Encoding& encoding, const std::string& text) {
  const double start = milliseconds_now();
  counted += encoding.count(text);
  return milliseconds_now() - start;
}

double median(const Encoding& encoding, const std::string& text) {
  std::vector<double> times(7);
  for (double& time : times)
    time = milliseconds(encoding, text);
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

/// MB of this process in memory.
double resident() {
  std::ifstream in("/proc/self/statm");
  double all = 0;
  double present = 0;
  in >> all >> present;
  return present * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

std::vector<std::pair<std::string, std::string>> runs() {
  std::mt19937 random(1);
  std::string letters;
  std::string base64;
  constexpr const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (int i = 0; i < 200'000; ++i) {
    letters += static_cast<char>('a' + random() % 26);
    base64 += digits[random() % 64];
  }
  return {{"a", std::string(200'000, 'a')},
          {"spaces", std::string(200'000, ' ')},
          {"base64", base64},
          {"letters", letters}};
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) return 2;
  const EncodingPtr encoding = Encoding::find(arguments[1]);
  if (encoding == nullptr) return 2;
  const double before = resident();
  print("load", "ms", milliseconds(*encoding, "a"));
  print("resident", "MB", resident() - before);
  for (int i = 2; i < count; ++i) {
    std::ifstream in(arguments[i], std::ios::binary);
    std::ostringstream content;
    content << in.rdbuf();
    const std::string text = std::move(content).str();
    print(std::filesystem::path(arguments[i]).stem().string(), "MB/s",
          static_cast<double>(text.size()) / 1e3 / median(*encoding, text));
  }
  for (const auto& [name, run] : runs())
    print("worst." + name + "_200kb", "ms", median(*encoding, run));
  std::printf("\n]\n");
  return counted > 0 ? 0 : 1;
}
