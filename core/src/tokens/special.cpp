#include "tokens/special.h"

#include <algorithm>
#include <functional>

namespace farthing::tokens_detail {

Specials::Specials(std::vector<std::pair<std::string, std::uint32_t>> tokens) : tokens_(std::move(tokens)) {
  for (const auto& [text, id] : tokens_) {
    if (text.empty()) continue;
    ids_.emplace(text, id);
    sizes_.push_back(text.size());
    begins_[static_cast<unsigned char>(text[0])] = true;
  }
  std::sort(sizes_.begin(), sizes_.end(), std::greater<>());
  sizes_.erase(std::unique(sizes_.begin(), sizes_.end()), sizes_.end());
}

Specials::Found Specials::next(std::string_view text, std::size_t from) const {
  if (empty()) return {std::string_view::npos, 0, 0};
  for (std::size_t at = from; at < text.size(); ++at) {
    if (!begins_[static_cast<unsigned char>(text[at])]) continue;
    for (const std::size_t size : sizes_) {
      if (size > text.size() - at) continue;
      const auto found = ids_.find(text.substr(at, size));
      if (found != ids_.end()) return {at, size, found->second};
    }
  }
  return {std::string_view::npos, 0, 0};
}

}  // namespace farthing::tokens_detail
