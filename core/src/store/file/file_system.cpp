#include "store/file/file_system.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

namespace farthing {

namespace {

constexpr std::array<std::uint32_t, 22> shared_systems = {
    NFS_SUPER_MAGIC,   SMB_SUPER_MAGIC,
    0xff534d42U,  // CIFS
    0xfe534d42U,  // SMB2
    AFS_SUPER_MAGIC,
    0x6b414653U,  // kAFS
    CODA_SUPER_MAGIC,  V9FS_MAGIC,
    0x00c36400U,  // Ceph
    0x0bd00bd0U,  // Lustre
    OCFS2_SUPER_MAGIC,
    0x01161970U,  // GFS2
    0x47504653U,  // GPFS
    0x19830326U,  // BeeGFS
    0xaad7aaeaU,  // PanFS
    0x20030528U,  // OrangeFS
    0x61636673U,  // ACFS
    0x013111a8U,  // IBRIX
    0xbeefdeadU,  // SNFS
    0x786f4256U,  // folders of the host in VirtualBox,
    0xbacbacbcU,  // in VMware,
    0x7c7c6673U,  // in Parallels
};

constexpr std::uint32_t fuse = 0x65735546U;
/// `fuseblk` is on a block device of this machine (ntfs-3g); the others lie over a folder. virtiofs, sshfs, s3fs and those that
/// nobody has heard of are not here.
constexpr std::array<std::string_view, 9> local_fuse = {
    "fuseblk",        "fuse.fuse-overlayfs", "fuse.unionfs", "fuse.mergerfs", "fuse.bindfs",
    "fuse.gocryptfs", "fuse.encfs",          "fuse.cryfs",   "fuse.securefs",
};

/// The next word of `line`, which is shortened by it.
std::string_view word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view found = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return found;
}

}  // namespace

std::string mounted_type(std::string_view mountinfo, unsigned major, unsigned minor) {
  const std::string device = std::to_string(major) + ":" + std::to_string(minor);
  while (!mountinfo.empty()) {
    const std::size_t end = std::min(mountinfo.find('\n'), mountinfo.size());
    std::string_view line = mountinfo.substr(0, end);
    mountinfo.remove_prefix(std::min(end + 1, mountinfo.size()));
    // 36 35 98:0 /root /mount rw,noatime shared:1 - ext4 /dev/root rw: as many optional fields as there are, then a dash.
    word(line);
    word(line);
    if (word(line) != device) continue;
    while (!line.empty() && word(line) != "-") {
    }
    return std::string(word(line));
  }
  return "";
}

std::optional<FileSystem> file_system_of(const std::string& path) {
  struct statfs system{};
  struct stat found{};
  if (statfs(path.c_str(), &system) != 0 || stat(path.c_str(), &found) != 0) return std::nullopt;
  std::ifstream file("/proc/self/mountinfo");
  const std::string mountinfo{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return FileSystem{static_cast<std::uint32_t>(system.f_type),
                    mounted_type(mountinfo, major(found.st_dev), minor(found.st_dev))};
}

bool is_shared(const FileSystem& system) {
  if (system.magic == fuse) return std::find(local_fuse.begin(), local_fuse.end(), system.type) == local_fuse.end();
  return std::find(shared_systems.begin(), shared_systems.end(), system.magic) != shared_systems.end();
}

}  // namespace farthing
