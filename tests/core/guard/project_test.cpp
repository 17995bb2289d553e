// Where the store of a project is (R37).
#include <gmock/gmock.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "farthing/guard.h"

namespace farthing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Project : public ::testing::Test {
 protected:
  fs::path root;

  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "farthing-project-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root = fs::canonical(name);
    setenv("XDG_STATE_HOME", (root / "state").c_str(), 1);
  }
  void TearDown() override { fs::remove_all(root); }
  std::string folder(const std::string& name) {
    fs::create_directories(root / name);
    return (root / name).string();
  }
};

TEST_F(Project, is_the_nearest_folder_that_has_a_mark_R37) {
  for (const char* mark : {"farthing.toml", ".git", "pyproject.toml", "package.json"}) {
    const std::string home = folder(std::string("of") + mark);
    const std::string inside = folder(std::string("of") + mark + "/src/deep");
    EXPECT_NE(*default_store(inside), *default_store(home)) << mark << " is not there yet";
    std::ofstream(fs::path(home) / mark) << "";
    EXPECT_EQ(*default_store(inside), *default_store(home)) << mark;
    std::ofstream(fs::path(home) / "src" / mark) << "";
    EXPECT_EQ(*default_store(inside), *default_store(home + "/src")) << "the nearer " << mark;
  }
}

TEST_F(Project, has_a_file_of_its_own_in_the_users_state_folder_R37) {
  const std::string store = *default_store(folder("my shop"));
  EXPECT_THAT(store, StartsWith("file:" + (root / "state/farthing/my_shop-").string()));
  EXPECT_NE(store, *default_store(folder("other/my shop"))) << "the same name elsewhere";
  EXPECT_EQ(store, *default_store((root / "my shop/").string())) << "however it is written";
  setenv("XDG_STATE_HOME", "relative", 1);  // the standard: not absolute, not heeded
  setenv("HOME", root.c_str(), 1);
  EXPECT_THAT(*default_store(folder("my shop")), StartsWith("file:" + (root / ".local/state/farthing/").string()));
}

TEST_F(Project, without_HOME_is_in_the_users_home_never_in_a_folder_that_is_cleared_R37) {
  unsetenv("XDG_STATE_HOME");
  const passwd* user = getpwuid(geteuid());
  ASSERT_NE(user, nullptr);
  const std::string state = "file:" + (fs::path(user->pw_dir) / ".local/state/farthing/").string();
  for (const char* home : {"", "relative"}) {
    setenv("HOME", home, 1);
    EXPECT_THAT(*default_store(folder("shop")), StartsWith(state));
  }
  unsetenv("HOME");
  EXPECT_THAT(*default_store(folder("shop")), StartsWith(state));
  EXPECT_EQ(*resolve_store("file:~/x.db", ""), "file:" + (fs::path(user->pw_dir) / "x.db").string());
}

TEST_F(Project, lists_the_stores_that_are_there) {
  EXPECT_TRUE(default_stores().empty());
  const fs::path one = root / "state/farthing/one-1";
  fs::create_directories(one);
  fs::create_directories(root / "state/farthing/empty-2");
  std::ofstream(one / "farthing.db") << "";
  EXPECT_THAT(default_stores(), ::testing::ElementsAre("file:" + (one / "farthing.db").string()));
}

TEST_F(Project, a_written_store_is_relative_to_its_policy_R37) {
  EXPECT_EQ(resolve_store("file:shop.db", "/etc/shop/farthing.toml").value(), "file:/etc/shop/shop.db");
  EXPECT_EQ(resolve_store("file:../shop.db", "/etc/shop/farthing.toml").value(), "file:/etc/shop.db");
  EXPECT_EQ(resolve_store("file:/var/shop.db", "/etc/shop/farthing.toml").value(), "file:/var/shop.db");
  EXPECT_EQ(resolve_store("file:shop.db", "").value(), "file:" + (fs::current_path() / "shop.db").string());
  setenv("HOME", "/home/ann", 1);
  EXPECT_EQ(resolve_store("file:~/shop.db", "/etc/shop/farthing.toml").value(), "file:/home/ann/shop.db");
  EXPECT_EQ(resolve_store("memory:", "/etc/shop/farthing.toml").value(), "memory:");
}

TEST_F(Project, a_store_that_is_none_says_what_is_accepted) {
  for (const char* written : {"", "file:", "shop.db", "redis://h/0", "sqlite:x"}) {
    const auto store = resolve_store(written, "");
    ASSERT_FALSE(store) << written;
    EXPECT_THAT(store.error().message, HasSubstr("\"memory:\" and \"file:PATH\"")) << written;
  }
  EXPECT_THAT(resolve_store("shop.db", "").error().message, HasSubstr("did you mean \"file:shop.db\""));
  EXPECT_EQ(resolve_store("rediss://h/0", "").error().code, Code::not_in_this_version);
  EXPECT_EQ(resolve_store("valkey://h", "").error().code, Code::not_in_this_version);
}

}  // namespace
}  // namespace farthing
