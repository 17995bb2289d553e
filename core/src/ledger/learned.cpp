#include "ledger/learned.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace farthing {

namespace {

constexpr int stable_percent = 75;

template <std::size_t size>
std::int64_t ranked(std::array<std::int64_t, size>& values, std::size_t count, int percent) {
  const std::size_t rank = (count * static_cast<std::size_t>(percent) + 99) / 100;  // rounded up: nearest rank
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(rank, 1) - 1);
  std::nth_element(values.begin(), at, values.begin() + static_cast<std::ptrdiff_t>(count));
  return *at;
}

}  // namespace

template <std::size_t size>
void Newest<size>::add(std::int64_t value) {
  // A row comes from a file: what is not ours must not write beyond it.
  next_ %= size;
  values_[next_] = static_cast<std::int32_t>(std::clamp<std::int64_t>(value, std::numeric_limits<std::int32_t>::min(),
                                                                      std::numeric_limits<std::int32_t>::max()));
  next_ = (next_ + 1) % size;
  count_ = static_cast<std::uint32_t>(std::min<std::size_t>(count_ + std::size_t{1}, size));
}

template <std::size_t size>
std::int64_t Newest<size>::quantile(int percent) const {
  std::array<std::int64_t, size> sorted{};
  std::copy(values_.begin(), values_.end(), sorted.begin());
  return ranked(sorted, std::min<std::size_t>(count_, size), percent);
}

template <std::size_t size>
std::int64_t Newest<size>::spread(std::int64_t middle, int percent) const {
  std::array<std::int64_t, size> sorted{};
  std::transform(values_.begin(), values_.end(), sorted.begin(),
                 [middle](std::int32_t value) { return std::abs(value - middle); });
  return ranked(sorted, std::min<std::size_t>(count_, size), percent);
}

template class Newest<16>;
template class Newest<64>;

void Learned::add(const Lesson& lesson, std::int64_t now_ms) {
  if (lesson.residual) residuals.add(*lesson.residual);
  if (lesson.output) outputs.add(*lesson.output);
  lessons += lessons < std::numeric_limits<std::int64_t>::max() ? 1 : 0;
  used_ms = now_ms;
}

std::optional<std::int64_t> Learned::correction() const {
  if (residuals.count() < enough) return std::nullopt;
  const std::int64_t median = residuals.quantile(50);
  if (residuals.spread(median, stable_percent) * 2 > std::abs(median)) return std::nullopt;
  return median;
}

std::optional<std::int64_t> Learned::output(int percent) const {
  if (outputs.count() < enough) return std::nullopt;
  return outputs.quantile(percent);
}

}  // namespace farthing
