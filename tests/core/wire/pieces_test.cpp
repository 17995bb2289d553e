// Images, speech, transcriptions and Gemini's embeddings: what their requests ask for, and what that takes at most.
#include <gtest/gtest.h>

#include <string>

#include "wire/piece_usage.h"
#include "wire/wire.h"

namespace farthing::pieces_test {
namespace {

RequestFacts scan(std::string_view endpoint, std::string_view body) {
  const auto facts = dialect_of(endpoint)->scan(body);
  EXPECT_TRUE(facts) << body;
  return facts ? *facts : RequestFacts{};
}

TEST(Pieces, of_a_request_for_images) {
  const RequestFacts facts =
      scan("images.generations",
           R"({"model":"m","prompt":"p","n":3,"size":"1024x1536","quality":"low","stream":true,"partial_images":2})");
  EXPECT_EQ(facts.model, "m");
  EXPECT_TRUE(facts.stream);
  EXPECT_EQ(facts.pieces.images, 3);
  EXPECT_EQ(facts.pieces.partial_images, 2);
  EXPECT_EQ(facts.pieces.size, "1024x1536");
  EXPECT_EQ(facts.pieces.quality, "low");
  EXPECT_EQ(facts.pieces.endless, "");
  EXPECT_EQ(scan("images.generations", R"({"n":null})").pieces.images, 1);
  for (const char* body : {R"({"output_format":"svg"})", R"({"output_format":"gif"})", R"({"svg":{"model":"m"}})"})
    EXPECT_NE(scan("images.generations", body).pieces.endless, "") << body;
  for (const char* body : {R"({"n":0})", R"({"n":1.5})", R"({"n":[2]})", R"({"n":1,"n":2})", R"({"size":{}})"})
    EXPECT_FALSE(dialect_of("images.generations")->scan(body)) << body;
}

TEST(Pieces, images_that_go_in_are_read_from_their_first_bytes) {
  // A PNG of 300 x 100 pixels.
  const std::string png = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAASwAAABkCAYAAAA=";
  const RequestFacts one = scan("images.edits", R"({"images":[{"image_url":")" + png + R"("}],"prompt":"p"})");
  EXPECT_EQ(one.pieces.input_images, 1);
  EXPECT_EQ(one.pieces.input_squares, 3);
  EXPECT_FALSE(one.pieces.input_unread);
  EXPECT_LT(one.input_bytes, 60) << "its base64 is no text";
  for (const char* image :
       {R"({"image_url":"https://example.com/a.png"})", R"({"file_id":"file-1"})", R"({"file_id":7})"}) {
    const RequestFacts facts = scan("images.edits", R"({"images":[)" + std::string(image) + "]}");
    EXPECT_TRUE(facts.pieces.input_unread) << image;
    EXPECT_EQ(facts.pieces.input_images, 1) << image;
  }
  EXPECT_EQ(input_image_tokens_bound("gpt-image-1", one.pieces), 65 + 3 * 129);
  EXPECT_EQ(input_image_tokens_bound("gpt-image-2", one.pieces), std::nullopt);
}

TEST(Pieces, image_tokens_by_size_and_quality) {
  const auto tokens = [](std::string_view model, const char* size, const char* quality, std::int64_t n = 1,
                         std::int64_t partial = 0) {
    Pieces asked;
    asked.images = n;
    asked.partial_images = partial;
    asked.size = size;
    asked.quality = quality;
    return image_tokens_bound(model, asked);
  };
  EXPECT_EQ(tokens("gpt-image-1", "1024x1024", "low"), 272);
  EXPECT_EQ(tokens("gpt-image-1", "1024x1536", "medium"), 1584);
  EXPECT_EQ(tokens("openai/gpt-image-1.5", "1536x1024", "high"), 6208);
  for (const char* size : {"", "auto", "9x9", "1024x1024 "})
    EXPECT_EQ(tokens("gpt-image-1", size, "low"), 408) << size << ": the dearest";
  for (const char* quality : {"", "auto", "ultra"})
    EXPECT_EQ(tokens("gpt-image-1", "1024x1024", quality), 4160) << quality << ": the dearest";
  EXPECT_EQ(tokens("gpt-image-1", "1024x1024", "low", 3, 2), 3 * (272 + 200));
  EXPECT_EQ(tokens("gpt-image-1-mini", "1024x1024", "low"), 625);
  // As the provider's guide shows them.
  EXPECT_EQ(tokens("gpt-image-2", "1024x1024", "high"), 7024);
  EXPECT_EQ(tokens("gpt-image-2", "1536x1024", "high"), 5488);
  EXPECT_EQ(tokens("gpt-image-2", "1024x1536", "high"), 5488);
  EXPECT_GE(*tokens("gpt-image-2", "auto", "auto"), *tokens("gpt-image-2", "2880x2880", "high"));
  // As they are sold: 0.00588, 0.04116, 0.09828, 0.40026 USD at 30 per million.
  EXPECT_EQ(tokens("gpt-image-2.5-flare", "1024x1024", "low"), 196);
  EXPECT_EQ(tokens("gpt-image-2.5-flare", "1024x1536", "high"), 1372);
  EXPECT_EQ(tokens("gpt-image-2.5-sunburst", "2560x1440", "xhigh"), 3276);
  EXPECT_EQ(tokens("gpt-image-2.5-sunburst", "3840x2160", "max"), 13342);
  EXPECT_EQ(tokens("gpt-image-2.5-sunburst", "3840x2160", "auto"), 13342);
  for (const char* model : {"chatgpt-image-latest", "gpt-image-10", "dall-e-3", ""})
    EXPECT_EQ(tokens(model, "1024x1024", "low"), std::nullopt) << model;
  EXPECT_GT(*tokens("gpt-image-1", "auto", "auto", 1'000'000'000, 1'000'000'000), 0) << "no overflow";
}

TEST(Pieces, characters_are_code_points) {
  EXPECT_EQ(scan("audio.speech", R"({"model":"tts-1","input":"d\u00e9j\u00e0 漢\ud83d\ude00"})").pieces.characters, 7);
  EXPECT_FALSE(dialect_of("audio.speech")->scan(R"({"model":"tts-1","input":["a"]})"));
  EXPECT_FALSE(dialect_of("audio.speech")->scan(R"({"model":"tts-1","input":7})"));
  const auto slow = [](const char* speed) {
    return scan("audio.speech", R"({"input":"a","speed":)" + std::string(speed) + "}").pieces.slow;
  };
  EXPECT_FALSE(slow("1"));
  EXPECT_FALSE(slow("4"));
  EXPECT_FALSE(slow("null"));
  EXPECT_TRUE(slow("0.25"));
  EXPECT_TRUE(slow("\"0.25\""));
  Pieces asked;
  asked.characters = 1'000;
  const auto usual = speech_tokens_bound("gpt-4o-mini-tts", asked);
  asked.slow = true;
  EXPECT_EQ(speech_tokens_bound("gpt-4o-mini-tts", asked), 4 * *usual);
  EXPECT_EQ(speech_tokens_bound("other", asked), std::nullopt);
}

TEST(Pieces, seconds_of_json_are_rounded_up_to_milliseconds_R10) {
  using wire::ms_of_seconds;
  EXPECT_EQ(ms_of_seconds("9"), 9'000);
  EXPECT_EQ(ms_of_seconds("8.470000267028809"), 8'471);
  EXPECT_EQ(ms_of_seconds("0.0000"), 0);
  EXPECT_EQ(ms_of_seconds("0.0001"), 1);
  for (const char* number : {"", "-1", "1e3", "1.2.3", "99999999999", "x"})
    EXPECT_EQ(ms_of_seconds(number), std::nullopt) << number;
}

TEST(Pieces, of_embeddings_of_gemini) {
  const RequestFacts batch = scan(
      "batchEmbedContents",
      R"({"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]}},{"content":{"parts":[{"text":"b"}]}}]})");
  EXPECT_EQ(batch.inputs, 2);
  EXPECT_FALSE(batch.media);
  for (const char* name : {"inlineData", "inline_data"}) {
    EXPECT_TRUE(
        scan("embedContent", R"({"content":{"parts":[{")" + std::string(name) + R"(":{"data":"QQ=="}}]}})").media);
  }
  EXPECT_TRUE(scan("embedContent", R"({"content":{"parts":[{"fileData":{"fileUri":"gs://a"}}]}})").remote);
  const auto read = dialect_of("embedContent")->read;
  const AnswerFacts told = read(
      R"({"embedding":{"values":[1]},"usageMetadata":{"promptTokenCount":30,"promptTokensDetails":[{"modality":"TEXT","tokenCount":10},{"modality":"IMAGE","tokenCount":20}]}})");
  ASSERT_TRUE(told.quantities);
  EXPECT_EQ((*told.quantities)[Quantity::input_tokens], 10);
  EXPECT_EQ((*told.quantities)[Quantity::input_image_tokens], 20);
  EXPECT_FALSE(
      read(
          R"({"embedding":{},"usageMetadata":{"promptTokenCount":9,"promptTokensDetails":[{"modality":"VIDEO","tokenCount":9}]}})")
          .quantities);
  EXPECT_FALSE(read(R"({"embedding":{},"usageMetadata":{"promptTokenCount":0}})").final);
  EXPECT_TRUE(read(R"({"embeddings":[{"values":[1]}]})").done);
  EXPECT_FALSE(read(R"({})").done);
  EXPECT_TRUE(read(R"({"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}})").error);
}

}  // namespace
}  // namespace farthing::pieces_test
