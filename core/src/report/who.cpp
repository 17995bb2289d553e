#include "report/who.h"

#include <pwd.h>
#include <unistd.h>

#include <array>

namespace farthing::report {

std::string who_of(const ChangeNote& note) {
  if (!note.who.empty()) return note.who;
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  std::string user = std::to_string(getuid());
  if (getpwuid_r(getuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
    user = found->pw_name;
  return user + "@" + host.data();
}

}  // namespace farthing::report
