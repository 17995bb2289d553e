// Which file systems a store does not lie on.
#include "store/file/file_system.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <string_view>

#include "fixture.h"

/// The C library's, but that everything below a folder of this name lies on NFS.
extern "C" int statfs(const char* path, struct statfs* found) noexcept {
  const auto done = static_cast<int>(syscall(SYS_statfs, path, found));
  if (std::string_view(path).find("on-nfs") != std::string_view::npos) found->f_type = 0x6969;
  return done;
}

namespace farthing::test {
namespace {

constexpr std::uint32_t fuse = 0x65735546U;

TEST(FileSystemOfAStore, what_machines_share_is_known_by_its_number) {
  for (const std::uint32_t shared : {0x6969U, 0x517bU, 0xff534d42U, 0xfe534d42U, 0x5346414fU, 0x01021997U, 0x00c36400U,
                                     0x0bd00bd0U, 0x7461636fU, 0x01161970U, 0x786f4256U}) {
    EXPECT_TRUE(is_shared({shared, ""})) << std::hex << shared;
  }
}

TEST(FileSystemOfAStore, local_ones_are_taken) {
  // ext4, xfs, btrfs, tmpfs, overlayfs, zfs, f2fs, ecryptfs
  for (const std::uint32_t local :
       {0xef53U, 0x58465342U, 0x9123683eU, 0x01021994U, 0x794c7630U, 0x2fc12fc1U, 0xf2f52010U, 0xf15fU}) {
    EXPECT_FALSE(is_shared({local, ""})) << std::hex << local;
  }
}

TEST(FileSystemOfAStore, of_fuse_the_type_tells_and_one_that_is_not_known_is_shared) {
  for (const char* local : {"fuseblk", "fuse.fuse-overlayfs", "fuse.gocryptfs", "fuse.mergerfs"})
    EXPECT_FALSE(is_shared({fuse, local})) << local;
  for (const char* shared : {"fuse.sshfs", "fuse.s3fs", "fuse.glusterfs", "virtiofs", "fuse", "fuse.of-somebody", ""})
    EXPECT_TRUE(is_shared({fuse, shared})) << shared;
  EXPECT_FALSE(is_shared({0xef53U, "fuse.sshfs"}));
}

TEST(FileSystemOfAStore, the_type_is_that_of_the_mount_with_its_device) {
  constexpr std::string_view mountinfo =
      "22 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw\n"
      "40 22 0:54 / /home/u/remote rw,nosuid shared:7 master:1 - fuse.sshfs u@host:/ rw,user_id=0\n"
      "41 22 8:17 / /mnt/usb\\040disk rw shared:9 - fuseblk /dev/sdb1 rw\n"
      "42 22 0:5";
  EXPECT_EQ(mounted_type(mountinfo, 254, 1), "ext4");
  EXPECT_EQ(mounted_type(mountinfo, 0, 54), "fuse.sshfs");
  EXPECT_EQ(mounted_type(mountinfo, 8, 17), "fuseblk");
  EXPECT_EQ(mounted_type(mountinfo, 0, 5), "");
  EXPECT_EQ(mounted_type(mountinfo, 0, 55), "");
  EXPECT_EQ(mounted_type("", 0, 1), "");
}

TEST(FileSystemOfAStore, a_store_is_refused_where_machines_share_it) {
  Folder folder;
  std::filesystem::create_directories(folder.path + "/on-nfs");
  const std::string inside = folder.path + "/on-nfs/deep/x.db";
  const auto opened = open_store("file:" + inside, {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::store_on_network);
  EXPECT_FALSE(std::filesystem::exists(inside));
  EXPECT_TRUE(open_store("file:" + folder.path + "/here/x.db", {}));
}

TEST(FileSystemOfAStore, this_machines_own_is_asked) {
  const auto proc = file_system_of("/proc/self");
  ASSERT_TRUE(proc);
  EXPECT_EQ(proc->magic, 0x9fa0U);
  EXPECT_EQ(proc->type, "proc");
  EXPECT_FALSE(file_system_of("/no/such/folder"));
}

}  // namespace
}  // namespace farthing::test
