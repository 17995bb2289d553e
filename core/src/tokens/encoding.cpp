#include "tokens/encoding.h"

#include <atomic>

#include "tokens/nfc.h"
#include "tokens/utf8.h"

namespace farthing::tokens_detail {
namespace {

/// Calls `use(begin, pieces)` for each batch of pieces of the text.
template <class Use>
void in_batches(const Pattern& pattern, std::string_view text, Use use) {
  Pieces pieces;
  const char* end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    pieces.count = 0;
    const char* next = split(pattern, at, end, pieces);
    use(at, pieces);
    at = next;
  }
}

/// All searches of a batch begin before the first is waited for: the table is larger than the nearer caches.
template <class Whole, class Other>
void look_up(const Vocabulary& vocabulary, const char* begin, const Pieces& pieces, const char* readable, Whole whole,
             Other other) {
  std::array<Key, Pieces::capacity> keys;
  const char* at = begin;
  for (std::size_t i = 0; i < pieces.count; ++i) {
    keys[i] = vocabulary.key_of(at, static_cast<std::size_t>(pieces.ends[i] - at), readable);
    vocabulary.prefetch(keys[i]);
    at = pieces.ends[i];
  }
  at = begin;
  for (std::size_t i = 0; i < pieces.count; ++i) {
    const std::uint32_t rank = vocabulary.rank(keys[i], at);
    if (rank != no_rank) {
      whole(rank);
    } else {
      other(keys[i], at, pieces.ends[i]);
    }
    at = pieces.ends[i];
  }
}

/// Calls `one` for each of `always` and `asked` in the text, the longest of those that begin first, `ordinary` for what is between.
template <class Ordinary, class Special>
void cut_by(const Specials& always, const Specials* asked, std::string_view text, Ordinary ordinary, Special one) {
  constexpr std::size_t none = std::string_view::npos;
  std::size_t at = 0;
  while (at < text.size()) {
    Specials::Found found = always.next(text, at);
    if (asked != nullptr) {
      const Specials::Found other = asked->next(text, at);
      if (other.at != none &&
          (found.at == none || other.at < found.at || (other.at == found.at && other.size > found.size))) {
        found = other;
      }
    }
    const std::size_t to = std::min(found.at, text.size());
    if (to > at) ordinary(text.substr(at, to - at));
    if (found.at == none) return;
    one(found.id);
    at = found.at + found.size;
  }
}

}  // namespace

TextEncoding::TextEncoding(std::string name, Pattern pattern, Specials specials, Added added)
    : name_(std::move(name)), pattern_(pattern), specials_(std::move(specials)), added_(std::move(added)) {}

std::uint64_t TextEncoding::next_id() {
  static std::atomic<std::uint64_t> given = 0;
  return ++given;
}

/// `ordinary` gets each part of the text without special tokens, and where the text that it stands in ends.
template <class Ordinary, class Special>
void TextEncoding::cut(std::string_view text, SpecialTokens special, Ordinary ordinary, Special one) const {
  const Specials* asked = special == SpecialTokens::as_tokens ? &specials_ : nullptr;
  const char* readable = text.data() + text.size();
  cut_by(
      added_.always, asked, text,
      [&](std::string_view part) {
        if (!added_.nfc) return ordinary(part, readable);
        std::string kept;
        const std::string_view whole = composed(part, kept);
        cut_by(
            added_.composed, nullptr, whole,
            [&](std::string_view inside) { ordinary(inside, whole.data() + whole.size()); }, one);
      },
      one);
}

std::int64_t TextEncoding::count(std::string_view text, SpecialTokens special) const {
  std::string kept;
  text = valid_utf8(text, kept);
  std::int64_t tokens = 0;
  Words& words = Words::of_thread(id_, text.size());
  cut(
      text, special,
      [&](std::string_view part, const char* readable) {
        in_batches(pattern_, part, [&](const char* begin, const Pieces& pieces) {
          tokens += count_pieces(begin, pieces, readable, words);
        });
      },
      [&](std::uint32_t) { ++tokens; });
  return tokens;
}

std::vector<std::uint32_t> TextEncoding::encode(std::string_view text, SpecialTokens special) const {
  std::string kept;
  text = valid_utf8(text, kept);
  std::vector<std::uint32_t> ids;
  ids.reserve(text.size() / 4 + 1);
  cut(
      text, special,
      [&](std::string_view part, const char* readable) {
        in_batches(pattern_, part,
                   [&](const char* begin, const Pieces& pieces) { encode_pieces(begin, pieces, readable, ids); });
      },
      [&](std::uint32_t id) { ids.push_back(id); });
  return ids;
}

std::int64_t RankEncoding::count_pieces(const char* begin, const Pieces& pieces, const char* readable,
                                        Words& words) const {
  const Vocabulary& vocabulary = vocabulary_->get();
  std::int64_t tokens = 0;
  look_up(
      vocabulary, begin, pieces, readable, [&](std::uint32_t) { ++tokens; },
      [&](const Key& key, const char* at, const char* end) {
        std::int64_t found = words.find(key, at);
        if (found == 0) {
          found = vocabulary.count({at, static_cast<std::size_t>(end - at)}, readable, words.pairs());
          words.keep(key, at, found);
        }
        tokens += found;
      });
  return tokens;
}

void RankEncoding::encode_pieces(const char* begin, const Pieces& pieces, const char* readable,
                                 std::vector<std::uint32_t>& ids) const {
  const Vocabulary& vocabulary = vocabulary_->get();
  look_up(
      vocabulary, begin, pieces, readable, [&](std::uint32_t rank) { ids.push_back(rank); },
      [&](const Key&, const char* at, const char* end) {
        vocabulary.encode({at, static_cast<std::size_t>(end - at)}, readable, ids);
      });
}

}  // namespace farthing::tokens_detail
