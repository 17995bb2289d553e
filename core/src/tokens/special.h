// Specials: the tokens of an encoding that are not merged but stand for themselves, "<|endoftext|>" and the like.
//
//   Specials specials({{"<|endoftext|>", 199999}});
//   auto found = specials.next(text);        // the leftmost, of these the longest; its place, size and id
//
// Thread-safety: immutable after construction.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace farthing::tokens_detail {

class Specials {
 public:
  struct Found {
    std::size_t at;    // npos: none
    std::size_t size;  // in bytes
    std::uint32_t id;
  };

  Specials() = default;
  explicit Specials(std::vector<std::pair<std::string, std::uint32_t>> tokens);
  // The index refers to the texts.
  Specials(const Specials&) = delete;
  Specials& operator=(const Specials&) = delete;
  Specials(Specials&&) = default;
  Specials& operator=(Specials&&) = default;
  ~Specials() = default;

  bool empty() const { return ids_.empty(); }
  Found next(std::string_view text, std::size_t from = 0) const;

 private:
  std::vector<std::pair<std::string, std::uint32_t>> tokens_;
  std::unordered_map<std::string_view, std::uint32_t> ids_;
  std::vector<std::size_t> sizes_;  // that there are, the longest first
  std::array<bool, 256> begins_{};
};

}  // namespace farthing::tokens_detail
