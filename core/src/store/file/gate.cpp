#include "store/file/gate.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "store/patience.h"

namespace farthing {

namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr auto spin = std::chrono::microseconds(100);
constexpr auto shortest_wait = std::chrono::microseconds(30);
constexpr auto longest_wait = std::chrono::microseconds(1000);

}  // namespace

Gate::~Gate() {
  if (descriptor_ >= 0) close(descriptor_);
}

Status Gate::open(const std::string& path) {
  path_ = path;
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  made_ = descriptor_ >= 0;
  if (!made_) descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor_ >= 0) return success();
  return Error{Code::store_unavailable, "cannot open " + path + ": " + std::strerror(errno)};
}

void Gate::take_back() {
  if (made_) static_cast<void>(unlink(path_.c_str()));
  made_ = false;
}

Status Gate::enter(std::int64_t wait_ms, const std::function<void(const std::function<void()>&)>& blocking) {
  const auto start = SteadyClock::now();
  while (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return Error{Code::store_unavailable, "cannot lock " + path_ + ": " + std::strerror(errno)};
    }
    if (SteadyClock::now() - start < spin) continue;
    if (Patience::over()) return Error{Code::store_busy, "another process has the store's gate " + path_ + " just now"};
    int failure = 0;
    const auto wait = [&] {
      const auto deadline = start + std::chrono::milliseconds(wait_ms);
      auto pause = shortest_wait;
      while (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
          failure = errno;
          return;
        }
        if (SteadyClock::now() >= deadline || Patience::over()) {
          failure = ETIMEDOUT;
          return;
        }
        std::this_thread::sleep_for(pause);
        pause = std::min(pause * 2, longest_wait);
      }
    };
    if (blocking) {
      blocking(wait);
    } else {
      wait();
    }
    if (failure == 0) break;
    if (failure == ETIMEDOUT && Patience::over())
      return Error{Code::store_busy, "another process has the store's gate " + path_};
    return Error{Code::store_unavailable, failure == ETIMEDOUT
                                              ? "another process has held the store's gate " + path_ + " for " +
                                                    std::to_string(wait_ms) +
                                                    " ms: is one of them stopped? (see `fuser " + path_ + "`)"
                                              : "cannot lock " + path_ + ": " + std::strerror(failure)};
  }
  entered_ = true;
  no_fork_.emplace();
  return success();
}

void Gate::leave() {
  if (!entered_) return;
  flock(descriptor_, LOCK_UN);
  entered_ = false;
  no_fork_.reset();
}

void Gate::abandon() {
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = -1;
  entered_ = false;
  no_fork_.reset();
}

}  // namespace farthing
