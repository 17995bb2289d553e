// Hugging Face's tokenizer.json, as far as it is byte-level BPE: a vocabulary of byte-level text and a list of merges. Other
// than with ranks of bytes, two neighbours are joined only when that very pair is in the list.
#include <nlohmann/json.hpp>

#include "tokens/encoding.h"

namespace farthing::tokens_detail {
namespace {

using Json = nlohmann::json;

struct Merges {
  bool words_first = false;  // "ignore_merges": a piece that is a token is not merged
  std::array<std::uint32_t, 256> bytes{};
  std::unordered_map<std::uint64_t, std::uint32_t> ranks;  // left id << 32 | right id
  std::vector<std::uint32_t> ids;                          // by rank
  std::unordered_map<std::string, std::uint32_t> words;    // only for words_first
};

class MergeRule {
 public:
  explicit MergeRule(const Merges& merges) : merges_(merges) {}
  std::uint32_t join(std::uint32_t left, std::uint32_t right, const char* /*begin*/, std::size_t /*size*/) const {
    const auto found = merges_.ranks.find(std::uint64_t{left} << 32 | right);
    return found == merges_.ranks.end() ? no_rank : found->second;
  }
  std::uint32_t joined(std::uint32_t rank) const { return merges_.ids[rank]; }

 private:
  const Merges& merges_;
};

class MergeEncoding final : public TextEncoding {
 public:
  MergeEncoding(std::string name, Pattern pattern, Specials specials, Added added, Merges merges)
      : TextEncoding(std::move(name), pattern, std::move(specials), std::move(added)), merges_(std::move(merges)) {}

 private:
  std::int64_t count_pieces(const char* begin, const Pieces& pieces, const char* readable,
                            Words& /*words*/) const override {
    std::vector<std::uint32_t> ids;
    encode_pieces(begin, pieces, readable, ids);
    return static_cast<std::int64_t>(ids.size());
  }
  void encode_pieces(const char* begin, const Pieces& pieces, const char* /*readable*/,
                     std::vector<std::uint32_t>& ids) const override {
    const char* at = begin;
    for (std::size_t i = 0; i < pieces.count; ++i) {
      encode_piece({at, static_cast<std::size_t>(pieces.ends[i] - at)}, ids);
      at = pieces.ends[i];
    }
  }
  void encode_piece(std::string_view piece, std::vector<std::uint32_t>& ids) const {
    if (merges_.words_first) {
      if (const auto word = merges_.words.find(std::string(piece)); word != merges_.words.end()) {
        ids.push_back(word->second);
        return;
      }
    }
    for (std::size_t at = 0; at < piece.size(); at += longest_piece) {
      const std::string_view part = piece.substr(at, longest_piece);
      LongSymbols symbols;
      for (std::size_t i = 0; i < part.size(); ++i) {
        symbols.start.push_back(static_cast<std::uint32_t>(i));
        symbols.id.push_back(merges_.bytes[static_cast<unsigned char>(part[i])]);
      }
      symbols.start.push_back(static_cast<std::uint32_t>(part.size()));
      merge_long(MergeRule(merges_), part.data(), symbols);
      ids.insert(ids.end(), symbols.id.begin(), symbols.id.end());
    }
  }

  Merges merges_;
};

/// The character that stands for a byte in the vocabulary: those that can be printed for themselves, the others from
/// U+0100 on.
const std::array<std::string, 256>& byte_texts() {
  static const auto all = [] {
    std::array<std::string, 256> texts;
    unsigned next = 0x100;
    for (unsigned byte = 0; byte < 256; ++byte) {
      const bool itself = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
      const unsigned code = itself ? byte : next++;
      if (code < 0x80) {
        texts[byte] = std::string(1, static_cast<char>(code));
      } else {
        texts[byte] = {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
      }
    }
    return texts;
  }();
  return all;
}

/// The bytes that a text of the vocabulary stands for; nothing when it holds any other character.
std::optional<std::string> bytes_of(std::string_view text) {
  static const auto bytes = [] {
    std::unordered_map<std::string, char> map;
    for (unsigned byte = 0; byte < 256; ++byte)
      map.emplace(byte_texts()[byte], static_cast<char>(byte));
    return map;
  }();
  std::string result;
  while (!text.empty()) {
    const std::size_t size = static_cast<unsigned char>(text[0]) < 0x80 ? 1 : 2;
    const auto found = bytes.find(std::string(text.substr(0, size)));
    if (found == bytes.end()) return std::nullopt;
    result.push_back(found->second);
    text.remove_prefix(std::min(size, text.size()));
  }
  return result;
}

const Json& member(const Json& object, const char* name) {
  static const Json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(name);
  return found == object.end() ? nothing : *found;
}

bool is(const Json& object, const char* name, const char* text) {
  const Json& value = member(object, name);
  return value.is_string() && value.get_ref<const std::string&>() == text;
}

bool truth(const Json& object, const char* name, bool otherwise) {
  const Json& value = member(object, name);
  return value.is_boolean() ? value.get<bool>() : otherwise;
}

/// null, or text or a list without anything in it.
bool nothing_in(const Json& value) {
  return value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty());
}

class Reader {
 public:
  Reader(const Json& file, const std::string& name) : file_(file), name_(name) {}

  Result<EncodingPtr> read() {
    if (auto done = normalizer(); !done) return done.error();
    if (auto done = splitting(); !done) return done.error();
    if (auto done = vocabulary(); !done) return done.error();
    if (auto done = merges(); !done) return done.error();
    if (auto done = added_tokens(); !done) return done.error();
    return EncodingPtr(std::make_shared<MergeEncoding>(
        name_, pattern_, Specials(std::move(specials_)),
        Added{.always = Specials(std::move(always_)), .nfc = nfc_, .composed = Specials(std::move(composed_))},
        std::move(merges_)));
  }

 private:
  Error wrong(const std::string& what) const { return {Code::invalid_argument, name_ + ": " + what}; }

  /// null, NFC (Qwen's), or a sequence of such.
  Status normalizer() {
    const Json& how = member(file_, "normalizer");
    const Json list = is(how, "type", "Sequence") ? member(how, "normalizers") : Json::array({how});
    for (const Json& each : list) {
      if (!nothing_in(each) && !is(each, "type", "NFC"))
        return wrong("`normalizer` changes the text; only null and NFC are known.");
      nfc_ = nfc_ || !nothing_in(each);
    }
    return success();
  }

  Status splitting() {
    const Json& how = member(file_, "pre_tokenizer");
    Json list = is(how, "type", "Sequence") ? member(how, "pretokenizers") : Json::array({how});
    if (!list.is_array() || list.empty() || !is(list.back(), "type", "ByteLevel"))
      return wrong("`pre_tokenizer` must be ByteLevel, or Splits by Regex and then ByteLevel.");
    const Json last = list.back();
    list.erase(list.size() - 1);
    const bool own_regex = truth(last, "use_regex", true);
    if (truth(last, "add_prefix_space", true)) return wrong("`add_prefix_space` is not known, only false.");
    if (list.empty()) {
      if (!own_regex) return wrong("`pre_tokenizer` splits nothing; a Split by Regex is needed.");
      pattern_ = {Pattern::Family::gpt2, 0, false};
      return success();
    }
    std::vector<std::string> regexes;
    for (const Json& split : list) {
      const Json& regex = member(member(split, "pattern"), "Regex");
      // "Removed" with `invert` keeps what matches, as "Isolated" does, where it is alone: those patterns match all of a text.
      const bool isolated = is(split, "behavior", "Isolated") && !truth(split, "invert", false);
      const bool kept = is(split, "behavior", "Removed") && truth(split, "invert", false) && list.size() == 1;
      if (own_regex || !is(split, "type", "Split") || !regex.is_string() || !(isolated || kept)) {
        return wrong(
            "`pre_tokenizer` must be ByteLevel, or Splits by Regex (Isolated) and then ByteLevel without one.");
      }
      regexes.push_back(regex.get<std::string>());
    }
    const auto known = pattern_of(regexes);
    if (!known) {
      std::string all;
      for (const std::string& regex : regexes)
        all += (all.empty() ? "" : ", then ") + regex;
      return wrong("splits by a pattern that is not known: " + all);
    }
    pattern_ = *known;
    return success();
  }

  Status vocabulary() {
    const Json& model = member(file_, "model");
    const Json& vocabulary = member(model, "vocab");
    const bool bpe =
        is(model, "type", "BPE") || (member(model, "type").is_null() && !member(model, "merges").is_null());
    if (!bpe || !vocabulary.is_object()) return wrong("`model` must be BPE with a `vocab`.");
    if (!nothing_in(member(model, "continuing_subword_prefix")) || !nothing_in(member(model, "end_of_word_suffix")) ||
        truth(model, "byte_fallback", false) || !member(model, "dropout").is_null()) {
      return wrong("prefixes, suffixes, byte fallback and dropout of `model` are not known.");
    }
    merges_.words_first = truth(model, "ignore_merges", false);
    std::unordered_map<std::uint32_t, std::string_view> texts;
    for (const auto& [text, id] : vocabulary.items()) {
      if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= no_rank) {
        return wrong("`vocab`: \"" + text + "\" must be a number.");
      }
      ids_.emplace(text, id.get<std::uint32_t>());
      if (const auto [first, fresh] = texts.emplace(id.get<std::uint32_t>(), text); !fresh) {
        return wrong("`vocab`: \"" + text + "\" and \"" + std::string(first->second) + "\" have the same number " +
                     std::to_string(first->first) + ".");
      }
      if (!merges_.words_first) continue;
      if (auto bytes = bytes_of(text)) merges_.words.emplace(std::move(*bytes), id.get<std::uint32_t>());
    }
    for (unsigned byte = 0; byte < 256; ++byte) {
      const auto found = ids_.find(byte_texts()[byte]);
      const bool in_no_text = byte == 0xC0 || byte == 0xC1 || byte > 0xF4;
      if (found == ids_.end() && !in_no_text) {
        return wrong("`vocab` has no token for byte " + std::to_string(byte) + "; only byte-level ones are known.");
      }
      merges_.bytes[byte] = found == ids_.end() ? 0 : found->second;
    }
    return success();
  }

  /// "left right" or ["left", "right"].
  Status merges() {
    const Json& list = member(member(file_, "model"), "merges");
    if (!list.is_array()) return wrong("`model` has no list of `merges`.");
    for (const Json& item : list) {
      std::string left;
      std::string right;
      if (item.is_string()) {
        const auto& text = item.get_ref<const std::string&>();
        const std::size_t blank = text.find(' ');
        left = text.substr(0, blank);
        right = blank == std::string::npos ? "" : text.substr(blank + 1);
      } else if (item.is_array() && item.size() == 2 && item[0].is_string() && item[1].is_string()) {
        left = item[0].get<std::string>();
        right = item[1].get<std::string>();
      }
      const auto a = ids_.find(left);
      const auto b = ids_.find(right);
      const auto both = ids_.find(left + right);
      if (a == ids_.end() || b == ids_.end() || both == ids_.end()) {
        return wrong("merge " + std::to_string(merges_.ids.size()) + " (from 0) is not of tokens of the `vocab`.");
      }
      // The last one counts when a pair is there twice, as in a map that is filled in order.
      merges_.ranks[std::uint64_t{a->second} << 32 | b->second] = static_cast<std::uint32_t>(merges_.ids.size());
      merges_.ids.push_back(both->second);
    }
    return success();
  }

  Status added_tokens() {
    const Json& list = member(file_, "added_tokens");
    if (list.is_null()) return success();
    if (!list.is_array()) return wrong("`added_tokens` must be a list.");
    for (const Json& item : list) {
      const Json& text = member(item, "content");
      const Json& id = member(item, "id");
      if (!text.is_string() || text.get_ref<const std::string&>().empty() || !id.is_number_unsigned() ||
          id.get<std::uint64_t>() >= no_rank) {
        return wrong("`added_tokens`: each needs `content` and `id`.");
      }
      if (truth(item, "lstrip", false) || truth(item, "rstrip", false) || truth(item, "single_word", false)) {
        return wrong("`added_tokens`: lstrip, rstrip and single_word are not known.");
      }
      const bool special = truth(item, "special", false);
      // Those that are found in the composed text only; of special tokens no file has one.
      const bool after_composing = nfc_ && truth(item, "normalized", !special);
      if (special && after_composing) return wrong("`added_tokens`: special ones that are `normalized` are not known.");
      auto& list_of_its_kind = special ? specials_ : after_composing ? composed_ : always_;
      list_of_its_kind.emplace_back(text.get<std::string>(), id.get<std::uint32_t>());
    }
    return success();
  }

  const Json& file_;
  const std::string& name_;
  Pattern pattern_;
  std::unordered_map<std::string, std::uint32_t> ids_;
  Merges merges_;
  std::vector<std::pair<std::string, std::uint32_t>> specials_;
  bool nfc_ = false;
  std::vector<std::pair<std::string, std::uint32_t>> always_;
  std::vector<std::pair<std::string, std::uint32_t>> composed_;
};

}  // namespace

Result<EncodingPtr> read_tokenizer_json(std::string_view content, const std::string& name) {
  try {
    return Reader(Json::parse(content), name).read();
  } catch (const Json::parse_error& problem) {
    return Error{Code::invalid_argument, name + ": not JSON at byte " + std::to_string(problem.byte) + "."};
  } catch (const Json::exception&) {
    return Error{Code::invalid_argument, name + ": a number in it is out of range."};
  }
}

}  // namespace farthing::tokens_detail
