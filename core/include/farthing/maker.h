// Whose model it is: of a model that somebody else sells, the book often knows less than of the maker's own.
//
//   const Model* own = maker_model(book, *book.find("openrouter", "openai/gpt-5-mini:batch"));   // openai's gpt-5-mini
//
// Thread-safety: pure functions.
#pragma once

#include <optional>

#include "farthing/prices.h"

namespace farthing {

/// The maker's own entry of a model, by the name under which it is sold; itself where its provider makes models. Null: the
/// name tells no maker.
const Model* maker_model(const PriceBook& book, const Model& model);

/// Whether it reasons, as far as the book tells: by its entry or by its maker's. Nothing: neither says so, and there is no
/// maker's.
std::optional<bool> reasons(const PriceBook& book, const Model& model);

}  // namespace farthing
