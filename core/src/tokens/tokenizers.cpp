// Files that were read, for all policies of this process.
#include "farthing/tokenizer.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <system_error>
#include <utility>

#include "money/glob.h"

namespace farthing {
namespace {

namespace fs = std::filesystem;

/// What a file is known by: another one at the same place has another time or size.
struct Version {
  fs::file_time_type written;
  std::uintmax_t size = 0;
  bool operator==(const Version&) const = default;
};

class Files {
 public:
  Result<EncodingPtr> get(const std::string& path, const std::string& like) {
    std::error_code problem;
    Version version;
    version.written = fs::last_write_time(path, problem);
    if (!problem) version.size = fs::file_size(path, problem);
    const std::lock_guard lock(mutex_);
    auto& [known, encoding] = files_[{path, like}];
    if (encoding != nullptr && !problem && known == version) return encoding;
    auto read = Encoding::from_file(path, like.empty() ? "o200k_base" : like);
    if (!read) return read.error();
    known = version;
    encoding = std::move(*read);
    return encoding;
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::pair<Version, EncodingPtr>> files_;
};

}  // namespace

Result<EncodingPtr> Tokenizers::find(std::string_view name, std::string_view other_name) const {
  static Files files;
  for (const TokenizerRule& rule : rules_) {
    const bool fits = std::any_of(rule.models.begin(), rule.models.end(), [&](const std::string& glob) {
      return glob_matches(glob, name) || (!other_name.empty() && glob_matches(glob, other_name));
    });
    if (fits) return files.get(rule.file, rule.like);
  }
  return EncodingPtr();
}

}  // namespace farthing
