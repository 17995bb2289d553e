// What all encodings have in common: invalid UTF-8 is replaced, special tokens are cut out, the rest is split into pieces
// and each batch of pieces becomes tokens, in a way that the kinds of encodings differ in.
//
//   class RankEncoding final : public TextEncoding { ... };     // OpenAI's: ranks of bytes
//   class MergeEncoding final : public TextEncoding { ... };    // Hugging Face's: a list of merges
//
// Thread-safety: as Encoding.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "farthing/tokens.h"
#include "tokens/special.h"
#include "tokens/split.h"
#include "tokens/vocabulary.h"
#include "tokens/words.h"

namespace farthing::tokens_detail {

/// What is special in the texts of an encoding from a file, beside its special tokens.
struct Added {
  Specials always;    // found in any text, whether special tokens are asked for or not
  bool nfc = false;   // texts are composed first; special tokens and `always` are cut out before
  Specials composed;  // found in any text that was composed
};

class TextEncoding : public Encoding {
 public:
  TextEncoding(std::string name, Pattern pattern, Specials specials, Added added = {});

  std::string_view name() const final { return name_; }
  std::uint64_t id() const final { return id_; }
  std::int64_t count(std::string_view text, SpecialTokens special) const final;
  std::vector<std::uint32_t> encode(std::string_view text, SpecialTokens special) const final;

 protected:
  /// The tokens of pieces, of which the first begins at `begin`; `readable` is the end of the text that they are of.
  virtual std::int64_t count_pieces(const char* begin, const Pieces& pieces, const char* readable,
                                    Words& words) const = 0;
  virtual void encode_pieces(const char* begin, const Pieces& pieces, const char* readable,
                             std::vector<std::uint32_t>& ids) const = 0;

 private:
  template <class Ordinary, class Special>
  void cut(std::string_view text, SpecialTokens special, Ordinary ordinary, Special one) const;

  static std::uint64_t next_id();

  std::string name_;
  std::uint64_t id_ = next_id();
  Pattern pattern_;
  Specials specials_;
  Added added_;
};

/// Where a vocabulary comes from, and the vocabulary once it was needed.
class LazyVocabulary {
 public:
  explicit LazyVocabulary(std::string_view (*tokens)()) : tokens_(tokens) {}
  /// Of a file: keeps the bytes.
  explicit LazyVocabulary(std::string bytes) : bytes_(std::move(bytes)) {}
  ~LazyVocabulary() { delete vocabulary_.load(); }
  LazyVocabulary(const LazyVocabulary&) = delete;
  LazyVocabulary& operator=(const LazyVocabulary&) = delete;

  bool loaded() const { return vocabulary_.load(std::memory_order_acquire) != nullptr; }
  /// Without a lock, which a child that is forked meanwhile would never get: of two that load at once, one was in vain.
  const Vocabulary& get() const {
    if (const Vocabulary* known = vocabulary_.load(std::memory_order_acquire)) return *known;
    auto made = std::make_unique<const Vocabulary>(tokens_ != nullptr ? tokens_() : std::string_view(bytes_));
    const Vocabulary* known = nullptr;
    if (vocabulary_.compare_exchange_strong(known, made.get(), std::memory_order_acq_rel)) return *made.release();
    return *known;
  }

 private:
  std::string_view (*tokens_)() = nullptr;
  std::string bytes_;
  mutable std::atomic<const Vocabulary*> vocabulary_{nullptr};
};

class RankEncoding final : public TextEncoding {
 public:
  RankEncoding(std::string name, Pattern pattern, Specials specials, std::shared_ptr<const LazyVocabulary> vocabulary)
      : TextEncoding(std::move(name), pattern, std::move(specials)), vocabulary_(std::move(vocabulary)) {}
  bool loaded() const override { return vocabulary_->loaded(); }

 private:
  std::int64_t count_pieces(const char* begin, const Pieces& pieces, const char* readable, Words& words) const override;
  void encode_pieces(const char* begin, const Pieces& pieces, const char* readable,
                     std::vector<std::uint32_t>& ids) const override;

  std::shared_ptr<const LazyVocabulary> vocabulary_;
};

/// An encoding that is compiled in, by its name: how it splits, and its special tokens.
struct Builtin {
  std::string_view name;
  Pattern pattern;
  std::vector<std::pair<std::string, std::uint32_t>> specials;
};
/// Nothing for an unknown name.
std::optional<Builtin> builtin(std::string_view name);

Result<EncodingPtr> read_tiktoken(std::string_view content, const std::string& name, std::string_view like);
Result<EncodingPtr> read_tokenizer_json(std::string_view content, const std::string& name);

}  // namespace farthing::tokens_detail
