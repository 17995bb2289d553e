// Books: price books as the command's user names them.
// Thread-safety: free functions.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "farthing/count.h"
#include "farthing/policy.h"
#include "farthing/price_source.h"
#include "farthing/prices.h"
#include "farthing/result.h"

namespace farthing::cli {

/// The book of a policy (`given`, else the project's), with its own prices over it; the built-in one without a policy.
Result<std::shared_ptr<const PriceBook>> open_book(const std::string& given);

/// A policy's file, with what is doubtful in it (`doubts`) among its problems where it is valid. Without its price book, which
/// may not be there yet, only the policy itself can be judged.
PolicyOrProblems read_policy(const std::string& path);

/// The models of that book, and the policy's tokenizers.
Result<KnownModels> known_models(const std::string& given);

/// "; near names: gpt-5, gpt-5-mini", of one provider or of all; "" where none is near.
std::string near_models(const PriceBook& book, const std::string& provider, const std::string& name);

/// "builtin", a compiled book, or a book as text: a file, or a folder with its `imported`. Problems of a text are all in
/// the error's message, a line each.
Result<std::shared_ptr<const PriceBook>> read_book(const std::string& place);

/// A book as text, read.
Result<std::vector<PriceText>> read_source(const std::string& place);

/// One price that is not the same in two books; without one side it was added or removed.
struct PriceChange {
  const Model* model = nullptr;  // of the later book, else of the earlier
  std::string conditions;
  Quantity quantity = Quantity::input_tokens;
  std::optional<Rate> before, after;
  /// after / before with two decimals, "1.25"; "" where one is missing or zero.
  std::string factor() const;
  bool over_five() const;
};

struct BookDiff {
  std::vector<const Model*> added, removed;
  std::vector<PriceChange> changed;
};
BookDiff diff_of(const PriceBook& before, const PriceBook& after);

/// "provider model" with a space, for lines of text.
std::string name_of(const Model& model);

}  // namespace farthing::cli
