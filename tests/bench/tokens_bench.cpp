// How long counting takes: tokens_bench ENCODING FILE... prints JSON rows {"name", "unit", "value"} by the file's stem:
// ms per MB, the median of several counts. First, how long the first count took, which loads the vocabulary, and last the
// slowest of 200 KB without a break. tests/bench/tokens_bench.py puts the reference beside them.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "farthing/tokens.h"

namespace {

using namespace farthing;
using SteadyClock = std::chrono::steady_clock;

bool first_row = true;
void print(const std::string& name, const char* unit, double value) {
  std::printf("%s\n  {\"name\": \"tokens.%s\", \"unit\": \"%s\", \"value\": %.4f}", first_row ? "[" : ",", name.c_str(),
              unit, value);
  first_row = false;
}

std::int64_t counted = 0;

double milliseconds(const Encoding& encoding, const std::string& text) {
  const auto start = SteadyClock::now();
  counted += encoding.count(text);
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count();
}

double median(const Encoding& encoding, const std::string& text) {
  std::vector<double> times(7);
  for (double& time : times)
    time = milliseconds(encoding, text);
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

std::vector<std::string> runs() {
  std::mt19937 random(1);
  std::string letters;
  std::string base64;
  constexpr const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (int i = 0; i < 200'000; ++i) {
    letters += static_cast<char>('a' + random() % 26);
    base64 += digits[random() % 64];
  }
  return {std::string(200'000, 'a'), std::string(200'000, ' '), base64, letters};
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) return 2;
  const EncodingPtr encoding = Encoding::find(arguments[1]);
  if (encoding == nullptr) return 2;
  const std::string prefix = std::string(arguments[1]).substr(0, std::string(arguments[1]).find('_')) + ".";
  print(prefix + "load", "ms", milliseconds(*encoding, "a"));
  for (int i = 2; i < count; ++i) {
    std::ifstream in(arguments[i], std::ios::binary);
    std::ostringstream content;
    content << in.rdbuf();
    const std::string text = std::move(content).str();
    print(prefix + std::filesystem::path(arguments[i]).stem().string(), "ms/MB",
          median(*encoding, text) * 1e6 / static_cast<double>(text.size()));
  }
  double slowest = 0;
  for (const std::string& run : runs())
    slowest = std::max(slowest, median(*encoding, run));
  print(prefix + "run_200kb", "ms", slowest);
  std::printf("\n]\n");
  return counted > 0 ? 0 : 1;
}
