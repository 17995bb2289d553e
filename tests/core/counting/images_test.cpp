// Tokens of images: by the rules that providers state, and no recorded call above its ceiling (R31).
#include "counting/images.h"

#include <gtest/gtest.h>

#include "farthing/count.h"
#include "farthing/prices.h"
#include "tests/core/wire/recorded.h"
#include "wire/wire.h"

namespace farthing {
namespace {

using Kind = MediaFacts::Kind;

MediaInput image(std::int64_t width, std::int64_t height, bool low = false) {
  return {.facts = {.kind = Kind::image, .width = width, .height = height}, .low = low};
}
const MediaInput unseen;

void expect(std::string_view rule, const MediaInput& input, std::int64_t likely, std::int64_t ceiling,
            bool closer = false) {
  const auto tokens = media_tokens(rule, {input}, closer);
  ASSERT_TRUE(tokens.ceiling) << rule;
  EXPECT_EQ(tokens.likely, likely) << rule << " " << input.facts.width << " x " << input.facts.height;
  EXPECT_EQ(tokens.ceiling, ceiling) << rule << " " << input.facts.width << " x " << input.facts.height;
}
bool bounded(std::string_view rule, const std::vector<MediaInput>& inputs, bool closer = false) {
  return media_tokens(rule, inputs, closer).ceiling.has_value();
}
void expect(std::string_view rule, const MediaInput& input, std::int64_t tokens) {
  expect(rule, input, tokens, tokens);
}

TEST(Images, in_tiles) {
  constexpr std::string_view gpt_4o = "tiles 85 170";
  expect(gpt_4o, image(1, 1), 255);         // never enlarged: seen of gpt-4o-mini
  expect(gpt_4o, image(800, 400), 425);     // seen of gpt-4-vision
  expect(gpt_4o, image(1024, 1024), 765);   // OpenAI's guide
  expect(gpt_4o, image(2048, 4096), 1105);  // OpenAI's guide
  expect(gpt_4o, image(4096, 8192, true), 85);
  expect(gpt_4o, image(512, 513), 425);
  expect(gpt_4o, image(100'000, 40'000), 1445);
  expect(gpt_4o, image(1 << 20, 1), 765);
  expect(gpt_4o, unseen, 1445);
  expect("tiles 2833 5667", image(1, 1), 8500);
  // 1,537 x 1,152 is 1,024.67 x 768: three tiles wide where it is rounded up.
  expect(gpt_4o, image(1'537, 1'152), 765, 1105);
}

TEST(Images, in_patches) {
  constexpr std::string_view mini = "patches 1536 1.62";
  expect(mini, image(1024, 1024), 1'659);
  expect(mini, image(1800, 2400), 2'353, 2'489);  // 1,452 patches in OpenAI's guide
  expect(mini, image(33, 1), 4);
  expect(mini, unseen, 2'489);
  expect(mini, image(2048, 1024, true), 208, 2'489);
  expect(mini, image(32, 32, true), 2, 415);  // it could be enlarged
  expect("patches 1.2", image(10'000, 8'000), 93'900);
  EXPECT_FALSE(bounded("patches 1.2", {unseen}));
  expect("patches 2500 10000 1.2", image(3200, 3200), 3'000, 12'000);
  expect("patches 2500 10000 1.2", unseen, 3'000, 12'000);
}

TEST(Images, in_pieces) {
  constexpr std::string_view older = "pieces 28 1568 1568";
  expect(older, image(1001, 1001), 1'296);
  expect(older, image(28, 29), 2);
  expect(older, image(1092, 1092), 1'521);
  expect(older, image(2000, 1500), 46 * 34 + 32, 1'600);
  expect(older, image(8000, 28), 88, 1'600);
  expect(older, unseen, 1'600);
  expect("pieces 28 4784 2576", image(2000, 1500), 3'888);
  expect("pieces 28 4784 2576", unseen, 4'816);
}

TEST(Images, of_xai_and_mistral) {
  constexpr std::string_view grok = "squares 448 256 6";
  expect(grok, image(448, 448), 512, 3'584);
  expect(grok, image(512, 512), 1'280, 3'584);
  expect(grok, image(8'000, 8'000), 1'792, 3'584);
  expect(grok, unseen, 1'792, 3'584);
  // As mistral-common counts them: https://github.com/mistralai/mistral-common, tokens/tokenizers/image.py.
  expect("rows 28 1540", image(1'540, 1'540), 56 * 55, 2 * 56 * 55);
  expect("rows 28 1540", image(512, 256), 20 * 10, 2 * 20 * 10);
  expect("rows 28 1540", image(3'080, 1'000), 56 * 18, 2 * 56 * 18);
  expect("rows 28 1540", unseen, 56 * 55, 2 * 56 * 55);
  expect("rows 16 1024", image(64, 64), 5 * 4, 2 * 5 * 4);
  expect("rows 16 1024", image(1 << 20, 1), 65, 130);
}

TEST(Images, of_gemini) {
  expect("crops 258", image(384, 384), 258);
  expect("crops 258", image(960, 540), 258, 7 * 258);  // Google's guide: six tiles
  EXPECT_FALSE(bounded("crops 258", {unseen}));
  expect("resolution 1120 2240", image(4000, 3000), 1'120);
  expect("resolution 1120 2240", image(1, 1), 1'120, 2'240, true);
  const MediaInput minute{.facts = {.kind = Kind::audio, .duration_ms = 60'010}};
  expect("crops 258", minute, 1'921, 62 * 32);
  expect("resolution 1120 2240", minute, 1'921, 62 * 32);
}

TEST(Images, documents_and_video_of_gemini_2) {
  const MediaInput document{.facts = {.kind = Kind::document, .pages = 12, .likely_pages = 12}};
  expect("crops 258", document, 12 * 258, 24 * 258);
  const MediaInput video{.facts = {.kind = Kind::video, .duration_ms = 9'500}};
  expect("crops 258", video, 2'850, 11 * 600);
  for (const MediaInput& input : {document, video}) {
    EXPECT_FALSE(bounded("crops 258", {input}, true));  // a closer look
    EXPECT_FALSE(bounded("sound 10", {input}));
  }
  EXPECT_FALSE(bounded("resolution 1120 2240", {video}));
}

TEST(Images, documents_of_gemini_3) {
  const MediaInput document{.facts = {.kind = Kind::document, .pages = 3, .likely_pages = 3}};
  expect("resolution 1120 2240", document, 3 * 560, 3 * 1'120);
  expect("resolution 1120 2240", document, 3 * 1'120, 3 * 2'240, true);
}

TEST(Images, texts_of_documents_have_no_bound) {
  MediaInput document{.facts = {.kind = Kind::document, .pages = 3, .likely_pages = 3}, .as_text = true};
  const auto likely = [&](std::string_view rule) {
    EXPECT_FALSE(bounded(rule, {document})) << rule;
    return media_tokens(rule, {document}, false).likely;
  };
  EXPECT_EQ(likely("crops 258"), 3 * 258);  // by a host that may read its text instead
  EXPECT_EQ(likely("resolution 1120 2240"), 3 * 560);
  // The text of a page and its picture: measured at 2,100 to 3,150.
  EXPECT_EQ(likely("pieces 28 1568 1568"), 3 * 2'562);
  EXPECT_EQ(likely("pieces 28 4784 2576"), 3 * 2'610);
  EXPECT_EQ(likely("tiles 85 170"), 3 * 1'085);
  EXPECT_EQ(likely("tiles 2833 5667"), 3 * 1'085);
  EXPECT_EQ(likely("patches 1536 1.62"), 3 * 1'337);
  EXPECT_EQ(likely("patches 1.2"), 3 * 2'488);  // large where nothing else is asked for
  document.high = true;
  EXPECT_EQ(likely("tiles 85 170"), 3 * 1'765);
  EXPECT_EQ(likely("patches 1536 1.62"), 3 * 3'009);
  document.high = false;
  document.low = true;
  EXPECT_EQ(likely("patches 1.2"), 3 * 1'250);
  EXPECT_EQ(pages_of({document, image(1, 1), document}), 6);
  // What a table of contents tells is in the ceiling alone.
  expect("crops 258", {.facts = {.kind = Kind::document, .pages = 99, .likely_pages = 17}}, 17 * 258, 2 * 99 * 258);
}

TEST(Images, what_no_rule_bounds_is_likely_all_the_same) {
  EXPECT_EQ(media_tokens("", {image(280, 280)}, false).likely, 100);
  EXPECT_EQ(media_tokens("", {image(280, 280), unseen}, false).likely, 100 + 1'600);
}

TEST(Images, sound_of_openai) {
  const MediaInput minute{.facts = {.kind = Kind::audio, .duration_ms = 60'010}};
  expect("sound 10", minute, 601, 62 * 20);
  EXPECT_FALSE(bounded("sound 10", {image(64, 64)}));
  for (const char* model : {"gpt-audio", "gpt-audio-mini", "gpt-4o-audio-preview", "gpt-4o-mini-audio-preview"})
    EXPECT_EQ(image_rule_of("", model), "sound 10");
}

TEST(Images, add_up_or_have_no_bound) {
  const auto two = media_tokens("tiles 85 170", {image(1, 1), image(1, 1)}, false);
  EXPECT_EQ(two.ceiling, 510);
  EXPECT_EQ(media_tokens("tiles 85 170", {}, false).ceiling, 0);
  const MediaInput sound{.facts = {.kind = Kind::audio, .duration_ms = 1'000}};
  const MediaInput document{.facts = {.kind = Kind::document, .pages = 1, .likely_pages = 1}};
  for (const std::string_view rule : {"tiles 85 170", "patches 1.2", "pieces 28 1568 1568"}) {
    EXPECT_FALSE(bounded(rule, {image(1, 1), sound})) << rule;
    EXPECT_FALSE(bounded(rule, {image(1, 1), document})) << rule;
  }
  for (const std::string_view rule : {"", "tiles", "tiles 85", "tiles 85 170 1", "tiles 0 0", "patches x",
                                      "patches 1.234", "patches 1 2 3 4", "patches 99999999999", "spirals 3"})
    EXPECT_FALSE(bounded(rule, {image(1, 1)})) << rule;
}

TEST(Images, rules_go_by_name_where_the_book_has_none) {
  EXPECT_EQ(image_rule_of("tiles 85 170", "gemini-2.5-pro"), "tiles 85 170");
  EXPECT_EQ(image_rule_of("", "claude-3-5-haiku-latest"), "pieces 28 1568 1568");
  EXPECT_EQ(image_rule_of("", "claude-opus-4-6"), "pieces 28 1568 1568");
  EXPECT_EQ(image_rule_of("", "claude-opus-4-7"), "pieces 28 4784 2576");
  EXPECT_EQ(image_rule_of("", "gemini-2.5-flash"), "crops 258");
  EXPECT_EQ(image_rule_of("", "google/gemini-2.5-flash"), "crops 258");
  EXPECT_EQ(image_rule_of("", "gemini-3-pro-preview"), "resolution 1120 2240");
  EXPECT_EQ(image_rule_of("", "grok-4-fast-reasoning"), "squares 448 256 6");
  EXPECT_EQ(image_rule_of("", "pixtral-large-latest"), "rows 16 1024");
  EXPECT_EQ(image_rule_of("", "mistral-small-2603"), "rows 28 1540");
  EXPECT_EQ(image_rule_of("", "llama-4"), "");
  // Every rule of the book is one that is read.
  for (const Model* model : PriceBook::builtin()->models()) {
    if (model->image_rule.empty()) continue;
    EXPECT_TRUE(bounded(model->image_rule, {image(64, 64)})) << model->name;
  }
}

TEST(Images, of_recorded_calls_are_bounded) {  // R31
  const auto book = PriceBook::builtin();
  int calls = 0;
  int unbounded = 0;
  int bounded = 0;
  for (const RecordedCall& call : recorded_calls()) {
    const Dialect* dialect = dialect_of(call.endpoint);
    if (dialect == nullptr) continue;
    const RequestFacts facts = *dialect->scan(call.request);
    if (facts.server_tools || facts.remote_other) continue;
    calls += facts.remote ? 0 : 1;
    unbounded += facts.media_other ? 1 : 0;
    if (facts.media_other || facts.media_inputs.empty()) continue;
    const AnswerFacts answer = dialect->read(call.response);
    if (!answer.quantities) continue;
    const Model* model = book->find(call.provider, facts.model);
    if (model == nullptr) continue;
    const auto tokens =
        media_tokens(image_rule_of(model->image_rule, model->name), facts.media_inputs, facts.media_resolution);
    if (pages_of(facts.media_inputs) > 0) {  // a page of two words on gpt-4o-mini: 231 tokens with what is around
      EXPECT_FALSE(tokens.ceiling);
      EXPECT_EQ(tokens.likely, 1'085);
      ++unbounded;
      continue;
    }
    ASSERT_TRUE(tokens.ceiling) << call.source << " " << model->name;
    ++bounded;
    const std::int64_t actual = meters_of(*answer.quantities)[Meter::input_tokens];
    EXPECT_LE(actual, facts.input_bytes + hidden_tokens_bound(model->overhead, facts) + *tokens.ceiling) << call.source;
    if (call.provider != "openai" || facts.remote) continue;
    const auto count =
        count_input(call.endpoint, call.request, {.encoding = model->encoding, .overhead = model->overhead});
    ASSERT_TRUE(count) << call.source;
    EXPECT_EQ(count->tokens + tokens.likely, actual) << call.source;
    EXPECT_GE(*count->ceiling + *tokens.ceiling, actual) << call.source;
  }
  EXPECT_GE(bounded, 4);
  EXPECT_GE(calls, 650);
  EXPECT_LE(unbounded * 100, calls);  // one PDF
}

}  // namespace
}  // namespace farthing
