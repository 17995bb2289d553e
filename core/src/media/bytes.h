// Bytes: numbers read out of a file that may end anywhere. Beyond the end all is zero and `cut` tells it, so that a reader
// looks first and asks once.
// Thread-safety: one thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace farthing::media {

class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t size() const { return bytes_.size(); }
  /// Something beyond the end was asked for.
  bool cut() const { return cut_; }

  /// `count` bytes, at most 8, the most significant first.
  std::uint64_t big(std::uint64_t at, std::uint64_t count) {
    std::uint64_t value = 0;
    for (std::uint64_t i = 0; i < count; ++i)
      value = value << 8U | byte(at, i);
    return value;
  }
  std::uint64_t little(std::uint64_t at, std::uint64_t count) {
    std::uint64_t value = 0;
    for (std::uint64_t i = count; i-- > 0;)
      value = value << 8U | byte(at, i);
    return value;
  }
  bool is(std::uint64_t at, std::string_view text) const {
    return at <= bytes_.size() && bytes_.substr(at, text.size()) == text;
  }

 private:
  std::uint64_t byte(std::uint64_t at, std::uint64_t more) {
    if (at < bytes_.size() && more < bytes_.size() - at) return static_cast<unsigned char>(bytes_[at + more]);
    cut_ = true;
    return 0;
  }

  std::string_view bytes_;
  bool cut_ = false;
};

}  // namespace farthing::media
