// R37: where the store of a project is.
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>

#include "farthing/guard.h"
#include "policy/store_words.h"

namespace farthing {

namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 4> project_marks = {"farthing.toml", ".git", "pyproject.toml", "package.json"};

/// Services and `env -i` have no HOME; the user has one all the same. Empty: nobody knows of one.
fs::path home_folder() {
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') return home;
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16'384> texts{};
  if (getpwuid_r(geteuid(), &entry, texts.data(), texts.size(), &found) != 0 || found == nullptr) return {};
  std::error_code ignored;
  const fs::path home = found->pw_dir == nullptr ? "" : found->pw_dir;
  return home.is_absolute() && fs::is_directory(home, ignored) ? home : fs::path();
}

/// Empty where there is none. Never a folder for temporary files: a store that a restart clears begins at zero.
fs::path state_folder() {
  if (const char* own = std::getenv("XDG_STATE_HOME"); own != nullptr && *own == '/') return fs::path(own) / "farthing";
  const fs::path home = home_folder();
  return home.empty() ? home : home / ".local" / "state" / "farthing";
}

fs::path project_of(const std::string& main_folder) {
  std::error_code ignored;
  fs::path start = main_folder.empty() ? fs::current_path(ignored) : fs::absolute(main_folder, ignored);
  start = start.lexically_normal();
  for (fs::path folder = start;; folder = folder.parent_path()) {
    for (const char* mark : project_marks) {
      if (fs::exists(folder / mark, ignored)) return folder;
    }
    if (folder == folder.root_path() || folder.empty()) return start;
  }
}

/// FNV-1a: the same in every version, so that a project finds its store again.
std::string short_hash(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  std::string digits;
  for (int i = 0; i < 8; ++i, hash >>= 4U)
    digits += "0123456789abcdef"[hash & 15U];
  return digits;
}

}  // namespace

Result<std::string> default_store(const std::string& main_folder) {
  const fs::path state = state_folder();
  if (state.empty()) {
    return Error{
        Code::store_unavailable,
        "there is no folder for the project's store: HOME and XDG_STATE_HOME are not set, and the user has no home "
        "folder. Name a store: FARTHING_STORE=file:/var/lib/app/farthing.db, `store` of the policy or of the guard"};
  }
  fs::path project = project_of(main_folder);
  std::string whole = project.string();
  while (whole.size() > 1 && whole.back() == '/')
    whole.pop_back();
  std::string name = fs::path(whole).filename().string();
  std::replace_if(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 33; }, '_');
  if (name.empty()) name = "root";
  return "file:" + (state / (name + "-" + short_hash(whole)) / "farthing.db").string();
}

std::vector<std::string> default_stores() {
  std::vector<std::string> stores;
  std::error_code problem;
  const fs::path state = state_folder();
  if (state.empty()) return stores;
  for (const fs::directory_entry& entry : fs::directory_iterator(state, problem)) {
    const fs::path file = entry.path() / "farthing.db";
    if (fs::exists(file, problem)) stores.push_back("file:" + file.string());
  }
  std::sort(stores.begin(), stores.end());
  return stores;
}

Result<std::string> resolve_store(std::string_view written, const std::string& policy_path) {
  if (written == "memory:") return std::string(written);
  constexpr std::string_view file = "file:";
  if (written.substr(0, file.size()) != file || written.size() == file.size()) {
    const bool later = std::any_of(policy::stores_later.begin(), policy::stores_later.end(),
                                   [&](std::string_view scheme) { return written.starts_with(scheme); });
    const bool path = written.find(':') == std::string_view::npos && !written.empty();
    return Error{later ? Code::not_in_this_version : Code::invalid_argument,
                 "the store \"" + std::string(written) + "\" " + (later ? "is for a later version" : "is not known") +
                     (path ? "; did you mean \"file:" + std::string(written) + "\"? Accepted" : "; accepted") +
                     " are \"memory:\" and \"file:PATH\""};
  }
  fs::path path(written.substr(file.size()));
  if (path.string().rfind("~/", 0) == 0) {
    if (const fs::path home = home_folder(); !home.empty()) path = home / path.string().substr(2);
  }
  std::error_code ignored;
  if (path.is_relative()) {
    const fs::path base =
        policy_path.empty() ? fs::current_path(ignored) : fs::absolute(policy_path, ignored).parent_path();
    path = base / path;
  }
  return "file:" + path.lexically_normal().string();
}

}  // namespace farthing
