// Factors: tokens of a vocabulary that is not public, as a multiple of those of o200k_base, by what a text is.
//
//   Thousandths tokens = thousandths(encoding, "What is the weather?", gemini_factors);
//
// Thread-safety: free functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "farthing/tokens.h"

namespace farthing::counting {

/// Thousandths of a token: rounded once, when a request is added up.
using Thousandths = std::int64_t;

enum class TextKind : std::uint8_t { prose, code, json, cjk, cyrillic };

/// In thousandths of o200k_base's tokens.
struct Factors {
  /// Of prose only: a smaller vocabulary has no word for tokens from this rank on, and makes two of each; 0 = it has.
  std::uint32_t rare_from = 0;
  /// Of prose only: underscores are tokens of their own, where o200k_base has them with the word behind.
  bool underscores = false;
  std::int64_t prose = 1'000;
  std::int64_t code = 1'000;
  std::int64_t json = 1'000;
  std::int64_t cjk = 1'000;
  std::int64_t cyrillic = 1'000;

  std::int64_t of(TextKind kind) const;
};

TextKind kind_of(std::string_view text);
Thousandths thousandths(const Encoding& encoding, std::string_view text, const Factors& factors);

}  // namespace farthing::counting
