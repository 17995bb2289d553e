// Tokenizers: vocabularies in files, for models whose own are not compiled in. A policy names them (`[[tokenizer]]`).
//
//   const Tokenizers tokenizers({{.models = {"acme-*"}, .file = "/etc/acme/tokenizer.json"}});
//   Result<EncodingPtr> encoding = tokenizers.find("acme-7b");     // empty: no rule is for this model
//
// A file is read when its first text is counted, once for all who name it; read again where it was replaced.
// Thread-safety: immutable; `find` from any thread. Nobody waits for another one: of two that read a file at once, one read
// it in vain.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "farthing/result.h"
#include "farthing/tokens.h"

namespace farthing {

/// `[[tokenizer]]`.
struct TokenizerRule {
  std::vector<std::string> models;  // globs
  std::string file;                 // as Encoding::from_file takes them
  std::string like;                 // of .tiktoken files: whose way of splitting; "" = o200k_base
  bool operator==(const TokenizerRule&) const = default;
};

class Tokenizers {
 public:
  Tokenizers() = default;
  /// Files are absolute paths.
  explicit Tokenizers(std::vector<TokenizerRule> rules) : rules_(std::move(rules)) {}

  /// By the first rule for one of a model's names; empty where there is none. An error where its file is no vocabulary.
  Result<EncodingPtr> find(std::string_view name, std::string_view other_name = {}) const;

 private:
  std::vector<TokenizerRule> rules_;
};

}  // namespace farthing
