// Learned: what settled calls of one model, endpoint and tool set taught: by how much the count of their input was off, and
// how long their answers were. One row of fixed size: the newest lessons as they were, so its quantiles are exact, and a
// provider that changes is learnt anew once they have been replaced.
//
//   Learned row;
//   row.add({.key = key, .residual = -11, .output = 212});
//   if (const auto off = row.correction()) tokens += *off;        // only where it is stable
//   if (const auto usual = row.output(50)) ...                    // nothing: too few calls
//
// Source of the quantiles: the inverse of the empirical distribution (nearest rank), definition 1 of Hyndman and Fan,
// "Sample Quantiles in Statistical Packages", 1996; a running median of such a window: Tukey, "Exploratory Data Analysis", 1977.
// Thread-safety: values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace farthing {

/// What one settled call teaches. Nothing: it says nothing of that.
struct Lesson {
  std::uint64_t key = 0;                 // of the row: model, endpoint and tool set, hashed
  std::optional<std::int64_t> residual;  // billed input - counted, in tokens; without tools in thousandths of the count
  std::optional<std::int64_t> output;    // output tokens of one choice
};

/// The newest `size` of the values that were added.
template <std::size_t size>
class Newest {
 public:
  /// Values beyond 32 bits are the ends of their range.
  void add(std::int64_t value);
  std::size_t count() const { return count_; }
  /// The smallest value that so many per cent (1 to 100) of them do not exceed; only where there are any.
  std::int64_t quantile(int percent) const;
  /// The same of how far they are from `middle`.
  std::int64_t spread(std::int64_t middle, int percent) const;

 private:
  std::array<std::int32_t, size> values_{};
  std::uint32_t count_ = 0;
  std::uint32_t next_ = 0;
};

extern template class Newest<16>;
extern template class Newest<64>;

/// Plain data; stores keep it as it is.
struct Learned {
  static constexpr std::int64_t enough = 3;  // lessons, before anything is said

  std::int64_t lessons = 0;
  std::int64_t used_ms = 0;  // the store's time of the newest
  Newest<16> residuals;
  Newest<64> outputs;

  void add(const Lesson& lesson, std::int64_t now_ms);

  /// The median of the residuals, where it is stable: three quarters of them are nearer to it than it is to zero by half.
  /// What is off now this way and now that, or by chance, is left alone.
  std::optional<std::int64_t> correction() const;
  /// The length of answers that so many per cent of them do not exceed, in tokens.
  std::optional<std::int64_t> output(int percent) const;
};
static_assert(sizeof(Learned) == 352);

}  // namespace farthing
