// The file system that a store would lie on: locks and shared memory of some do not hold between machines.
//
// Thread-safety: free functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace farthing {

struct FileSystem {
  std::uint32_t magic = 0;  // statfs
  std::string type;         // as mountinfo names it: "ext4", "fuse.sshfs"; "" where it does not say
};

/// Nothing where `path` cannot be asked.
std::optional<FileSystem> file_system_of(const std::string& path);

/// Whether other machines may have it too. Of FUSE only the type tells: what is not known to be local is taken for shared.
bool is_shared(const FileSystem& system);

/// The type of the mount with this device number, in the text of /proc/self/mountinfo.
std::string mounted_type(std::string_view mountinfo, unsigned major, unsigned minor);

}  // namespace farthing
