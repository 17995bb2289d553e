// What finding a model in the built-in book costs, and the rates of a call. Prints JSON rows like store_bench.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "farthing/prices.h"

namespace {

using namespace farthing;
using SteadyClock = std::chrono::steady_clock;

constexpr int rounds = 41;
constexpr std::int64_t noon = 1'795'262'400'000;  // 2026-11-21 12:00 UTC

/// Microseconds for one of `names`, over all of them.
template <class Work>
double each(const std::vector<std::pair<std::string, std::string>>& names, Work work) {
  const auto start = SteadyClock::now();
  for (const auto& [provider, name] : names)
    work(provider, name);
  const std::chrono::duration<double, std::micro> took = SteadyClock::now() - start;
  return took.count() / static_cast<double>(names.size());
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main() {
  const auto book = PriceBook::builtin();
  // Every third model by its name, and names that only a dated form or nothing answers to.
  std::vector<std::pair<std::string, std::string>> names;
  std::map<std::pair<std::string, std::string>, const Model*> map;
  std::size_t place = 0;
  for (const Model* model : book->models()) {
    map[{std::string(model->provider), std::string(model->name)}] = model;
    if (++place % 3 == 0) names.emplace_back(model->provider, model->name);
    if (place % 30 == 0) names.emplace_back(model->provider, std::string(model->name) + "-2026-01-31");
  }
  std::uint64_t hash = 1;  // in no order that a cache could like
  for (std::size_t i = names.size(); i > 1; --i) {
    hash = hash * 6'364'136'223'846'793'005ULL + 1'442'695'040'888'963'407ULL;
    std::swap(names[i - 1], names[(hash >> 33) % i]);
  }

  std::size_t seen = 0;
  std::vector<double> lookup, lookup_baseline, rates, rates_baseline;
  for (int round = 0; round < rounds; ++round) {
    lookup.push_back(each(names, [&](const auto& provider, const auto& name) {
      const Model* found = book->find(provider, name);
      seen += found == nullptr ? 1 : found->index;
    }));
    lookup_baseline.push_back(each(names, [&](const auto& provider, const auto& name) {
      const auto found = map.find({provider, name});
      seen += found == map.end() ? 1 : found->second->index;
    }));
    rates.push_back(each(names, [&](const auto& provider, const auto& name) {
      const Model* found = book->find(provider, name);
      if (found == nullptr) return;
      const auto set = book->rates(*found, {.at_ms = noon, .service_tier = "default", .context_tokens = 1'000});
      seen += set ? 1 : 0;
    }));
    rates_baseline.push_back(lookup.back());
  }
  const auto print = [](const char* name, const std::vector<double>& values, const std::vector<double>& baselines,
                        const char* baseline_is) {
    const double value = median(values);
    const double baseline = median(baselines);
    std::printf(
        "  {\"name\": \"%s\", \"unit\": \"us\", \"value\": %.3f, \"baseline\": %.3f, \"ratio\": %.3f, "
        "\"baseline_is\": \"%s\"}",
        name, value, baseline, value / baseline, baseline_is);
  };
  std::printf("[\n");
  print("prices.lookup", lookup, lookup_baseline, "std::map of names");
  std::printf(",\n");
  print("prices.rates", rates, rates_baseline, "finding the model alone");
  std::printf("\n]\n");
  return seen == 0 ? 1 : 0;
}
