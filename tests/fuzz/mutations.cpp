// A fuzzer as a test, without its libraries: SEEDS are tried one by one and then, for a second of the processor, changed at
// random, the same way each time: NAME_fuzzer SEEDS [SECONDS]. FARTHING_SEED picks another way. What a fuzzer ends on stays in
// crash-NAME_fuzzer, in the working folder.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t longest = 1 << 16;

std::string crash_file;
std::string input;

void keep_input(int signal) {
  const int file = open(crash_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file >= 0 && write(file, input.data(), input.size()) >= 0) close(file);
  std::signal(signal, SIG_DFL);
  static_cast<void>(raise(signal));
}

void run() {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

double seconds_used() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

class Mutations {
 public:
  Mutations(std::vector<std::string> seeds, std::uint64_t seed) : seeds_(std::move(seeds)), random_(seed) {}

  std::string next() {
    std::string made = seeds_[below(seeds_.size())];
    for (std::size_t left = 1 + below(4); left > 0; --left)
      change(made);
    made.resize(std::min(made.size(), longest));
    return made;
  }

 private:
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % std::max<std::size_t>(bound, 1)); }

  /// Of one that is there already, so that words of the format meet.
  std::string part(const std::string& of) {
    const std::size_t from = below(of.size());
    return of.substr(from, 1 + below(std::min<std::size_t>(of.size() - from, 64)));
  }

  void change(std::string& text) {
    constexpr std::array<const char*, 24> words = {
        "{",       "}",       "[",    "]",        "\"",  "\\",  ",",    ":",
        "\n",      "\r\n",    "0",    "-1",       "1e9", "0.1", "null", "18446744073709551616",
        "\\u0000", "\\ud800", "\xFF", "\xC0\x80", "=",   "[[",  "#",    "data: "};
    const std::size_t at = below(text.size() + 1);
    switch (below(7)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(static_cast<unsigned char>(text[at]) ^ (1U << below(8)));
        break;
      case 1:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
        break;
      case 2:
        text.erase(at, 1 + below(16));
        break;
      case 3:
        text.insert(at, part(text));
        break;
      case 4:
        text.insert(at, part(seeds_[below(seeds_.size())]));
        break;
      case 5:
        text.insert(at, words[below(words.size())]);
        break;
      default:
        text.resize(at);
        break;
    }
  }

  std::vector<std::string> seeds_;
  std::mt19937_64 random_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) return 2;
  crash_file = "crash-" + std::filesystem::path(arguments[0]).filename().string();
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
    std::signal(signal, keep_input);
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(arguments[1]))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::string> seeds;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    input = seeds.back();
    run();
  }
  if (seeds.empty()) return 2;
  const char* seed = std::getenv("FARTHING_SEED");  // NOLINT(concurrency-mt-unsafe)
  Mutations mutations(std::move(seeds), seed == nullptr ? 1 : std::strtoull(seed, nullptr, 10));
  const double end = seconds_used() + (count > 2 ? std::strtod(arguments[2], nullptr) : 1);
  std::size_t tried = 0;
  for (; seconds_used() < end; ++tried) {
    input = mutations.next();
    run();
  }
  std::printf("%zu seeds, %zu mutations\n", files.size(), tried);
  return tried > 0 ? 0 : 1;
}
