// Names of models: exact, by alias, or by a dated form that the book declares; never by likeness.
// Thread-safety: pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace farthing::prices_detail {

/// A name without its date, and which form the date had (a ModelFlag). `form` is 0 when it has none.
struct Undated {
  std::string_view base;
  std::uint32_t form = 0;
};

/// The ways to read the end of a name as a date: "-2025-08-07", "-20250807", "-0125" (month and day), "-2508" (year and
/// month). Only days that exist. At most two apply to one name.
std::array<Undated, 2> undated(std::string_view name);

/// The word that declares a form in the price book: "-YYYY-MM-DD", "-YYYYMMDD", "-MMDD", "-YYMM". 0 when it is none.
std::uint32_t dated_form_of(std::string_view word);

/// "ft:gpt-4o-mini-2024-07-18" of "ft:gpt-4o-mini-2024-07-18:acme:support:9abc": the name under which fine-tuned models of
/// one base are priced. Empty when `name` is no such name.
std::string_view fine_tuned_base(std::string_view name);

/// FNV-1a of both, with a byte between that neither has.
std::uint64_t hash_of(std::string_view provider, std::string_view name);

}  // namespace farthing::prices_detail
