// Files that were read, for all policies of this process.
#include "farthing/tokenizer.h"

#include <pthread.h>

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

/// The lock is held for moments only, and by nobody while this process forks: a child would never get it.
class Files {
 public:
  /// Never destroyed: a fork may come while the program ends.
  static Files& all() {
    static auto* const files = new Files;
    static const int watching =
        pthread_atfork([] { files->mutex_.lock(); }, [] { files->mutex_.unlock(); }, [] { files->mutex_.unlock(); });
    static_cast<void>(watching);
    return *files;
  }

  Result<EncodingPtr> get(const std::string& path, const std::string& like) {
    std::error_code problem;
    Version version;
    version.written = fs::last_write_time(path, problem);
    if (!problem) version.size = fs::file_size(path, problem);
    const Key key{path, like};
    if (EncodingPtr known = problem ? nullptr : this->known(key, version)) return known;
    // Without the lock: of two that read at once, one was in vain.
    auto read = Encoding::from_file(path, like.empty() ? "o200k_base" : like);
    if (!read || problem) return read;
    return keep(key, {version, std::move(*read)});
  }

 private:
  using Key = std::pair<std::string, std::string>;
  struct File {
    Version version;
    EncodingPtr encoding;
  };

  EncodingPtr known(const Key& key, const Version& version) {
    const std::lock_guard lock(mutex_);
    const auto found = files_.find(key);
    return found != files_.end() && found->second.version == version ? found->second.encoding : nullptr;
  }
  /// The first one stays if another thread was faster: all count with the same.
  EncodingPtr keep(const Key& key, File file) {
    const std::lock_guard lock(mutex_);
    File& kept = files_[key];
    if (kept.encoding == nullptr || kept.version != file.version) std::swap(kept, file);
    return kept.encoding;
  }

  std::mutex mutex_;
  std::map<Key, File> files_;
};

}  // namespace

Result<EncodingPtr> Tokenizers::find(std::string_view name, std::string_view other_name) const {
  for (const TokenizerRule& rule : rules_) {
    const bool fits = std::any_of(rule.models.begin(), rule.models.end(), [&](const std::string& glob) {
      return glob_matches(glob, name) || (!other_name.empty() && glob_matches(glob, other_name));
    });
    if (fits) return Files::all().get(rule.file, rule.like);
  }
  return EncodingPtr();
}

}  // namespace farthing
