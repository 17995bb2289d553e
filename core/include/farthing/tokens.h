// Encoding: how a model cuts text into tokens. Those of OpenAI are compiled in; others are read from files.
//
//   EncodingPtr encoding = encoding_for_model("gpt-5-mini");     // o200k_base; empty for a name that is not known
//   std::int64_t tokens = encoding->count("Hello, world");       // 3
//   std::vector<std::uint32_t> ids = encoding->encode("Hello, world");
//
// Any bytes can be counted: what is not UTF-8 counts as U+FFFD, as after Python's decode(errors="replace"). Nothing is
// loaded before the first count. The time is near linear in the length of the text, whatever the text.
// Counts are exact for a text, but neither additive nor monotonic: a longer text may have fewer tokens.
// Thread-safety: immutable after construction; the vocabulary is loaded by whoever comes first.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "farthing/result.h"

namespace farthing {

/// What "<|endoftext|>" and the like in a text are: ordinary text, as providers treat what a user says, or one token.
enum class SpecialTokens { as_text, as_tokens };

class Encoding;
using EncodingPtr = std::shared_ptr<const Encoding>;

class Encoding {
 public:
  /// "o200k_base", "cl100k_base" or "o200k_harmony"; empty for another name. The same object each time.
  static EncodingPtr find(std::string_view name);

  /// A vocabulary in a file. Either lines of "base64 rank" (.tiktoken), which are split and have the special tokens of
  /// `like`: a name that `find` knows, or "gpt2". Or a Hugging Face tokenizer.json of byte-level BPE, which says itself
  /// how it is split; what it adds before and after a text is not counted. `invalid_argument` for all else, and for a way
  /// of splitting that is not known.
  static Result<EncodingPtr> from_file(const std::string& path, std::string_view like = "o200k_base");
  /// The same from the file's content; `name` is what messages call it.
  static Result<EncodingPtr> from_text(std::string_view content, const std::string& name,
                                       std::string_view like = "o200k_base");

  virtual ~Encoding() = default;
  virtual std::string_view name() const = 0;
  /// Of this object: no other one of this process ever has it.
  virtual std::uint64_t id() const = 0;
  /// False: the next count loads the vocabulary first, which takes some tens of milliseconds.
  virtual bool loaded() const { return true; }
  virtual std::int64_t count(std::string_view text, SpecialTokens special = SpecialTokens::as_text) const = 0;
  virtual std::vector<std::uint32_t> encode(std::string_view text,
                                            SpecialTokens special = SpecialTokens::as_text) const = 0;
};

/// The name of a model's encoding, by the beginning of the model's name: "o200k_base" for "gpt-5-mini-2025-08-07",
/// "openai/gpt-4o" and "ft:gpt-4o:org::id"; "" when it is not known.
std::string_view encoding_name_for_model(std::string_view model);
/// The encoding itself; empty when it is not known.
EncodingPtr encoding_for_model(std::string_view model);

}  // namespace farthing
