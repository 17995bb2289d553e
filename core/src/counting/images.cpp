#include "counting/images.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace farthing {
namespace {

/// Models whose book entry is written from public tables, which have no rules for images. The first that fits counts.
struct NamedRule {
  std::string_view prefix;
  std::string_view rule;
};
// Sources: Anthropic's guide to vision (pieces of 28 pixels, 1,568 at most, 4,784 from Opus 4.7 on), Google's guides to tokens
// and to media resolution (258 for a tile of Gemini 2; Gemini 3: 1,120 as a rule, 2,240 at most; sound 32 a second); 2026-11.
// OpenAI's audio models: a token for each 100 ms (its guide to realtime costs, 2026-11).
// xAI's guide to image understanding (squares of 448 pixels, 256 tokens each, six at most, and the whole once more) and Mistral's
// mistral-common (a token for 28 pixels after fitting 1,540, of Pixtral for 16 after 1,024, and one for the end of each row);
// 2026-11.
constexpr std::array<NamedRule, 27> named_rules = {{
    {"gpt-audio", "sound 10"},
    {"gpt-4o-audio", "sound 10"},
    {"gpt-4o-mini-audio", "sound 10"},
    {"claude-3-", "pieces 28 1568 1568"},
    {"claude-haiku-4-5", "pieces 28 1568 1568"},
    {"claude-sonnet-4-", "pieces 28 1568 1568"},
    {"claude-opus-4-0", "pieces 28 1568 1568"},
    {"claude-opus-4-1", "pieces 28 1568 1568"},
    {"claude-opus-4-5", "pieces 28 1568 1568"},
    {"claude-opus-4-6", "pieces 28 1568 1568"},
    {"claude-opus-4-", "pieces 28 4784 2576"},
    {"claude-sonnet-5", "pieces 28 4784 2576"},
    {"claude-opus-5", "pieces 28 4784 2576"},
    {"gemini-2.0-flash", "crops 258"},
    {"gemini-2.5-", "crops 258"},
    {"gemini-3", "resolution 1120 2240"},
    {"grok-2-vision", "squares 448 256 6"},
    {"grok-4", "squares 448 256 6"},
    {"pixtral-", "rows 16 1024"},
    {"mistral-small-", "rows 28 1540"},
    {"mistral-medium-", "rows 28 1540"},
    {"mistral-large-2512", "rows 28 1540"},
    {"mistral-large-3", "rows 28 1540"},
    {"magistral-", "rows 28 1540"},
    {"ministral-3-", "rows 28 1540"},
    {"ministral-8b-2512", "rows 28 1540"},
    {"ministral-14b-2512", "rows 28 1540"},
}};

std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

/// A rule: a word and whole numbers; a decimal stands as hundredths.
struct Rule {
  std::string_view word;
  std::array<std::int64_t, 3> numbers{};
  std::size_t count = 0;
  bool good = false;
};

std::optional<std::int64_t> hundredths(std::string_view text) {
  std::int64_t value = 0;
  int decimals = -1;
  for (const char c : text) {
    if (c == '.' && decimals < 0) {
      decimals = 0;
    } else if (c >= '0' && c <= '9' && decimals < 2 && value < 1'000'000'000) {
      value = 10 * value + (c - '0');
      if (decimals >= 0) ++decimals;
    } else {
      return std::nullopt;
    }
  }
  for (int i = std::max(decimals, 0); i < 2; ++i)
    value *= 10;
  return value;
}

Rule read_rule(std::string_view text) {
  Rule rule;
  const auto next = [&] {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return word;
  };
  rule.word = next();
  while (!text.empty()) {
    const auto number = hundredths(next());
    if (!number || *number == 0 || rule.count == rule.numbers.size()) return rule;
    rule.numbers[rule.count++] = *number;
  }
  rule.good = rule.count > 0;
  return rule;
}

using Tokens = std::optional<MediaTokens>;

/// BASE for an image and TILE for each 512 pixels of it, after it was made to fit 2,048 by 768; never made larger.
Tokens tiles(const MediaInput& input, std::int64_t base, std::int64_t tile) {
  constexpr std::int64_t most_tiles = 8;
  if (input.low) return MediaTokens{base, base};
  const std::int64_t most = base + most_tiles * tile;
  if (input.facts.kind == MediaFacts::Kind::unknown) return MediaTokens{most, most};
  const std::int64_t w = input.facts.width;
  const std::int64_t h = input.facts.height;
  // The scale as a fraction.
  std::int64_t up = 1;
  std::int64_t down = 1;
  const auto at_most = [&](std::int64_t side, std::int64_t limit) {
    if (side * up > limit * down) {
      up = limit;
      down = side;
    }
  };
  at_most(std::max(w, h), 2'048);
  at_most(std::min(w, h), 768);
  const auto side = [&](std::int64_t pixels) { return std::max<std::int64_t>(1, ceil_div(pixels * up / down, 512)); };
  const auto side_most = [&](std::int64_t pixels) { return ceil_div(pixels * up, 512 * down); };
  return MediaTokens{std::min(most, base + side(w) * side(h) * tile),
                     std::min(most, base + side_most(w) * side_most(h) * tile)};
}

/// A patch for each 32 pixels, as a rule at most `cap` of them, never more than `most` (0: no end), times `factor` in
/// hundredths. A low image is made to fit 512 pixels; whether a smaller one is enlarged is not known.
Tokens patches(const MediaInput& input, std::int64_t cap, std::int64_t most, std::int64_t factor) {
  constexpr std::int64_t low_patches = 16 * 16;
  const auto tokens = [&](std::int64_t count) { return ceil_div(count * factor, 100); };
  if (input.facts.kind == MediaFacts::Kind::unknown) {
    if (most == 0) return std::nullopt;
    return MediaTokens{tokens(cap), tokens(most)};
  }
  const std::int64_t w = input.facts.width;
  const std::int64_t h = input.facts.height;
  const std::int64_t all = ceil_div(w, 32) * ceil_div(h, 32);
  std::int64_t ceiling = most == 0 ? all : std::min(all, most);
  if (input.low) {
    ceiling = std::max(ceiling, low_patches);
    if (w <= 512 && h <= 512) return MediaTokens{tokens(all), tokens(ceiling)};
    const std::int64_t longest = std::max(w, h);
    return MediaTokens{tokens(std::max<std::int64_t>(1, ceil_div(w * 512 / longest, 32)) *
                              std::max<std::int64_t>(1, ceil_div(h * 512 / longest, 32))),
                       tokens(ceiling)};
  }
  if (cap == 0 || all <= cap) return MediaTokens{tokens(all), tokens(ceiling)};
  // Made smaller until one side is whole patches (OpenAI's guide to vision).
  const double wide = static_cast<double>(w) / 32;
  const double high = static_cast<double>(h) / 32;
  const double shrink = std::sqrt(static_cast<double>(cap) / (wide * high));
  const double whole =
      std::min(std::floor(wide * shrink) / (wide * shrink), std::floor(high * shrink) / (high * shrink));
  const double last = shrink * whole;
  const auto count = [&](double side) {
    return std::max<std::int64_t>(1, std::llround(std::ceil(side * last - 1e-6)));
  };
  return MediaTokens{tokens(std::min(cap, count(wide) * count(high))), tokens(ceiling)};
}

/// A token for each EDGE pixels, made smaller to at most CAP tokens and SIDE pixels; 32 more where it was.
Tokens pieces(const MediaInput& input, std::int64_t edge, std::int64_t cap, std::int64_t longest) {
  constexpr std::int64_t when_resized = 32;
  const std::int64_t most = cap + when_resized;
  if (input.facts.kind == MediaFacts::Kind::unknown) return MediaTokens{most, most};
  const std::int64_t long_side = std::max(input.facts.width, input.facts.height);
  const std::int64_t short_side = std::min(input.facts.width, input.facts.height);
  const auto count = [&](std::int64_t side) {
    return ceil_div(side, edge) * std::max<std::int64_t>(1, ceil_div(side * short_side / long_side, edge));
  };
  if (long_side <= longest && count(long_side) <= cap) {
    const std::int64_t tokens = ceil_div(long_side, edge) * ceil_div(short_side, edge);
    return MediaTokens{std::min(tokens, most), std::min(tokens, most)};
  }
  std::int64_t side = std::min(long_side, longest);
  while (side > edge && count(side) > cap)
    --side;
  return MediaTokens{count(side) + when_resized, most};
}

// Of xAI and Mistral no call with an image was recorded: as much again as their rules say is the ceiling.

/// TOKENS for each EDGE pixels, MOST times at most, and once more for the whole.
Tokens squares(const MediaInput& input, std::int64_t edge, std::int64_t tokens, std::int64_t most) {
  const bool unknown = input.facts.kind == MediaFacts::Kind::unknown;
  const std::int64_t all = ceil_div(input.facts.width, edge) * ceil_div(input.facts.height, edge);
  return MediaTokens{((unknown ? most : std::min(all, most)) + 1) * tokens, 2 * (most + 1) * tokens};
}

/// A token for each EDGE pixels, made smaller to at most LONGEST pixels, and one more for each row.
Tokens rows(const MediaInput& input, std::int64_t edge, std::int64_t longest) {
  std::int64_t w = longest;
  std::int64_t h = longest;
  if (input.facts.kind != MediaFacts::Kind::unknown) {
    const std::int64_t long_side = std::max({input.facts.width, input.facts.height, longest});
    w = std::max<std::int64_t>(1, ceil_div(input.facts.width * longest, long_side));
    h = std::max<std::int64_t>(1, ceil_div(input.facts.height * longest, long_side));
  }
  const std::int64_t tokens = (ceil_div(w, edge) + 1) * ceil_div(h, edge);
  return MediaTokens{tokens, 2 * tokens};
}

/// PER for an image; it may be cut into tiles with so many each, beside the whole.
Tokens crops(const MediaInput& input, std::int64_t per) {
  if (input.facts.kind == MediaFacts::Kind::unknown) return std::nullopt;
  const std::int64_t w = input.facts.width;
  const std::int64_t h = input.facts.height;
  if (w <= 384 && h <= 384) return MediaTokens{per, per};
  const std::int64_t unit = std::clamp<std::int64_t>(std::min(w, h) * 2 / 3, 256, 768);
  return MediaTokens{per, (ceil_div(w, unit) * ceil_div(h, unit) + 1) * per};
}

/// So many tokens a second; the last second counts whole. Where `times` is 2: what is stated, and as much again.
MediaTokens by_time(std::int64_t ms, std::int64_t per_second, std::int64_t times = 1) {
  return {ceil_div(ms * per_second, 1'000), (ceil_div(ms, 1'000) + 1) * per_second * times};
}

// Google's guides (2026-11): sound is 32 a second; Gemini 2 takes a page of a document as 258, whatever is on it, and a second of
// video as about 263 to 300; no closer look at either was measured. Gemini 3 takes a page as half of an image, 560, and as 1,120
// after a closer look, the text in it free of charge; as much again is the ceiling of each.
constexpr std::int64_t gemini_sound = 32;
constexpr std::int64_t gemini_video = 300;

MediaTokens gemini_pages(const MediaFacts& document, std::int64_t each) {
  return {document.likely_pages * each, 2 * document.pages * each};
}

// A page of a document where its text counts beside its picture (Anthropic's guide to PDFs and OpenAI's to file inputs, 2026-11).
// Of both only what is usual is known, never a bound. Its picture as pixels: one that was measured at about 1,590 tokens on Claude
// with 1,568 as with 4,784 at most; its text: 500 to 1,600 tokens (huggingface.co/datasets/JOHNISKING/pdf-token-cost, 2026-10-18, and
// jackin.tailrocks.com, 2026-11).
constexpr MediaFacts usual_page = {.kind = MediaFacts::Kind::image, .width = 980, .height = 1'268};
constexpr std::int64_t usual_page_text = 1'000;
/// A small picture of one in tiles, also on gpt-4o-mini, which takes an image as 2,833 (recorded 2026-01: 231 tokens in all).
constexpr std::int64_t low_page = 85;

/// What is likely of an input where nothing says how the model counts: as Claude did for years.
constexpr std::string_view usual_rule = "pieces 28 1568 1568";

Tokens image_tokens(const Rule& rule, const MediaInput& input, bool closer) {
  const auto whole = [&](std::size_t i) { return rule.numbers[i] / 100; };
  if (rule.word == "tiles" && rule.count == 2) return tiles(input, whole(0), whole(1));
  if (rule.word == "patches" && rule.count == 1) return patches(input, 0, 0, rule.numbers[0]);
  if (rule.word == "patches" && rule.count == 2) return patches(input, whole(0), whole(0), rule.numbers[1]);
  if (rule.word == "patches" && rule.count == 3) return patches(input, whole(0), whole(1), rule.numbers[2]);
  if (rule.word == "pieces" && rule.count == 3) return pieces(input, whole(0), whole(1), whole(2));
  if (rule.word == "squares" && rule.count == 3) return squares(input, whole(0), whole(1), whole(2));
  if (rule.word == "rows" && rule.count == 2) return rows(input, whole(0), whole(1));
  if (rule.word == "crops" && rule.count == 1) return crops(input, whole(0));
  if (rule.word == "resolution" && rule.count == 2) return MediaTokens{whole(0), whole(closer ? 1 : 0)};
  return std::nullopt;
}

/// Nothing where the rule says nothing of such an input; no ceiling where it says what is usual only.
Tokens document_tokens(const Rule& rule, const MediaInput& input, bool closer) {
  Tokens by_page;
  if (rule.word == "crops" && rule.count == 1 && !closer) by_page = gemini_pages(input.facts, rule.numbers[0] / 100);
  if (rule.word == "resolution" && rule.count == 2)
    by_page = gemini_pages(input.facts, rule.numbers[0] / 100 / (closer ? 1 : 2));
  if (by_page) {
    if (input.as_text) by_page->ceiling.reset();
    return by_page;
  }
  // OpenAI's pictures of pages are small unless asked for otherwise, from gpt-5.6 on (no cap on patches) large.
  const bool openai = rule.word == "tiles" || rule.word == "patches";
  const bool low = openai && (input.low || (!input.high && rule.count != 1));
  const Tokens picture = image_tokens(rule, {.facts = usual_page, .low = low}, closer);
  if (!picture) return std::nullopt;
  const bool small = low && rule.word == "tiles";
  return MediaTokens{
      input.facts.likely_pages * ((small ? std::min(picture->likely, low_page) : picture->likely) + usual_page_text),
      std::nullopt};
}

Tokens tokens_of(const Rule& rule, const MediaInput& input, bool closer) {
  using Kind = MediaFacts::Kind;
  const bool gemini = rule.word == "crops" || rule.word == "resolution";
  switch (input.facts.kind) {
    case Kind::audio:
      if (gemini) return by_time(input.facts.duration_ms, gemini_sound);
      if (rule.word == "sound" && rule.count == 1) return by_time(input.facts.duration_ms, rule.numbers[0] / 100, 2);
      return std::nullopt;
    case Kind::video:
      if (rule.word != "crops" || rule.count != 1 || closer) return std::nullopt;
      return by_time(input.facts.duration_ms, gemini_video, 2);
    case Kind::document:
      return document_tokens(rule, input, closer);
    case Kind::image:
    case Kind::unknown:
      return image_tokens(rule, input, closer);
  }
  return std::nullopt;
}

}  // namespace

std::string_view image_rule_of(std::string_view rule, std::string_view model_name) {
  if (!rule.empty()) return rule;
  model_name = model_name.substr(model_name.rfind('/') + 1);  // "anthropic/claude-opus-5" of a gateway
  const auto* const found = std::find_if(named_rules.begin(), named_rules.end(), [&](const NamedRule& named) {
    return model_name.substr(0, named.prefix.size()) == named.prefix;
  });
  return found == named_rules.end() ? std::string_view() : found->rule;
}

MediaTokens media_tokens(std::string_view text, const std::vector<MediaInput>& inputs, bool closer) {
  const Rule rule = read_rule(text);
  constexpr std::int64_t most = std::int64_t{1} << 40U;
  MediaTokens sum;
  for (const MediaInput& input : inputs) {
    Tokens one = rule.good ? tokens_of(rule, input, closer) : std::nullopt;
    if (!one) {
      one = tokens_of(read_rule(usual_rule), input, closer).value_or(MediaTokens{});
      one->ceiling.reset();
    }
    if (!one->ceiling || *one->ceiling > most || sum.ceiling.value_or(0) > most)
      sum.ceiling.reset();
    else if (sum.ceiling)
      *sum.ceiling += *one->ceiling;
    sum.likely = std::min(most, sum.likely + std::min(most, one->likely));
  }
  return sum;
}

std::int64_t pages_of(const std::vector<MediaInput>& inputs) {
  std::int64_t pages = 0;
  for (const MediaInput& input : inputs)
    pages += input.facts.likely_pages;
  return pages;
}

}  // namespace farthing
