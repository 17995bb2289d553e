#include "recorded.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

namespace farthing {

namespace {

std::string unzipped(const std::filesystem::path& file) {
  const std::string command = "gzip -dc '" + file.string() + "'";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string text;
  char chunk[65536];
  for (std::size_t got = 0; pipe && (got = fread(chunk, 1, sizeof chunk, pipe.get())) > 0;)
    text.append(chunk, got);
  return text;
}

}  // namespace

std::vector<RecordedCall> recorded_calls() {
  std::vector<RecordedCall> calls;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(FARTHING_SOURCE_DIR) + "/tests/recorded")) {
    if (entry.path().extension() != ".gz") continue;
    const std::string text = unzipped(entry.path());
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      const nlohmann::json line = nlohmann::json::parse(text.substr(at, end - at));
      at = end + 1;
      calls.push_back({line["source"], line["provider"], line["endpoint"], line["url"], line["request"],
                       line["response"], line["sse"].get<bool>()});
    }
  }
  return calls;
}

}  // namespace farthing
