// What of a request's media can be bounded, and what makes it unbounded (R31).
#include <gtest/gtest.h>

#include "wire/wire.h"

namespace farthing::media_test {
namespace {

// The beginning of a PNG of 640 x 480, and a WAV of 2 ms.
constexpr const char* png = "iVBORw0KGgoAAAANSUhEUgAAAoAAAAHgCAIAAAAAAAAA";
constexpr const char* wav = "UklGRigAAABXQVZFZm10IBAAAAABAAEA6AMAANAHAAACABAAZGF0YQQAAABhYmNk";
constexpr const char* pdf = "JVBERi0xLjQKMyAwIG9iaiA8PC9UeXBlIC9QYWdlPj4gZW5kb2JqCg==";  // a page
constexpr const char* nothing = "AAAAAAAAAAAA";

RequestFacts scan(std::string_view endpoint, std::string body) {
  for (const auto& [word, text] :
       {std::pair{"PNG", png}, std::pair{"WAV", wav}, std::pair{"PDF", pdf}, std::pair{"NOTHING", nothing}}) {
    for (std::size_t at = body.find(word); at != std::string::npos; at = body.find(word, at))
      body.replace(at, std::string_view(word).size(), text);
  }
  const auto facts = dialect_of(endpoint)->scan(body);
  EXPECT_TRUE(facts.ok()) << body;
  return facts ? *facts : RequestFacts{};
}
RequestFacts chat(const std::string& parts) {
  return scan("chat.completions", R"({"messages":[{"role":"user","content":[)" + parts + "]}]}");
}
RequestFacts responses(const std::string& parts) {
  return scan("responses", R"({"input":[{"role":"user","content":[)" + parts + "]}]}");
}
RequestFacts messages(const std::string& parts) {
  return scan("messages", R"({"messages":[{"role":"user","content":[)" + parts + "]}]}");
}
RequestFacts gemini(const std::string& parts) {
  return scan("generateContent", R"({"contents":[{"parts":[)" + parts + "]}]}");
}

/// Nothing but these; 0 x 0 is an image whose size is not known.
void bounded(const RequestFacts& facts, const std::vector<std::pair<std::int64_t, std::int64_t>>& sizes) {
  EXPECT_FALSE(facts.media_other);
  EXPECT_FALSE(facts.remote_other);
  ASSERT_EQ(facts.media_inputs.size(), sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_EQ(facts.media_inputs[i].facts.width, sizes[i].first);
    EXPECT_EQ(facts.media_inputs[i].facts.height, sizes[i].second);
  }
}

TEST(MediaScan, images_of_chat) {
  bounded(chat(R"({"type":"image_url","image_url":{"url":"data:image/png;base64,PNG"}},{"type":"text","text":"x"})"),
          {{640, 480}});
  bounded(chat(R"({"image_url":"data:image/png;base64,NOTHING","type":"image_url"})"), {{0, 0}});
  const RequestFacts url = chat(R"({"type":"image_url","image_url":{"url":"https://a.test/b"}})");
  bounded(url, {{0, 0}});
  EXPECT_TRUE(url.remote);
  const RequestFacts sound = chat(R"({"type":"input_audio","input_audio":{"data":"WAV","format":"wav"}})");
  bounded(sound, {{0, 0}});
  EXPECT_EQ(sound.media_inputs[0].facts.duration_ms, 2);
}

TEST(MediaScan, detail_stands_before_or_after_its_image) {
  const auto low = [](const std::string& inside) {
    const RequestFacts facts = chat(R"({"type":"image_url","image_url":{)" + inside + "}}," +
                                    R"({"type":"image_url","image_url":{"url":"data:image/png;base64,PNG"}})");
    EXPECT_EQ(facts.media_inputs.size(), 2U);
    EXPECT_FALSE(facts.media_inputs[1].low);
    return facts.media_inputs[0].low;
  };
  EXPECT_TRUE(low(R"("url":"data:image/png;base64,PNG","detail":"low")"));
  EXPECT_TRUE(low(R"("detail":"low","url":"data:image/png;base64,PNG")"));
  EXPECT_FALSE(low(R"("url":"data:image/png;base64,PNG","detail":"high")"));
  EXPECT_FALSE(low(R"("detail":"low","url":"data:image/png;base64,PNG","detail":"high")"));
  EXPECT_FALSE(low(R"("detail":"high","url":"data:image/png;base64,PNG","detail":"low")"));
  const RequestFacts of_responses =
      responses(R"({"type":"input_image","detail":"low","image_url":"data:image/png;base64,PNG"},)"
                R"({"type":"input_image","image_url":"data:image/png;base64,PNG"})");
  bounded(of_responses, {{640, 480}, {640, 480}});
  EXPECT_TRUE(of_responses.media_inputs[0].low);
  EXPECT_FALSE(of_responses.media_inputs[1].low);
}

TEST(MediaScan, images_of_messages) {
  bounded(
      messages(R"({"type":"image","source":{"type":"base64","media_type":"image/png","data":"PNG"}},)"
               R"({"type":"tool_result","content":[{"type":"image","source":{"data":"NOTHING","type":"base64"}}]})"),
      {{640, 480}, {0, 0}});
  bounded(messages(R"({"type":"image","source":{"type":"url","url":"https://a.test"}})"), {{0, 0}});
}

TEST(MediaScan, images_and_sound_of_gemini) {
  const RequestFacts both = gemini(R"({"inlineData":{"mimeType":"image/png","data":"PNG"}},)"
                                   R"({"inline_data":{"mime_type":"audio/wav","data":"WAV"}})");
  bounded(both, {{640, 480}, {0, 0}});
  EXPECT_FALSE(both.media_resolution);
  EXPECT_TRUE(gemini(R"({"text":"x","mediaResolution":{"level":"MEDIA_RESOLUTION_HIGH"}})").media_resolution);
  EXPECT_TRUE(
      scan("generateContent", R"({"generationConfig":{"media_resolution":"MEDIA_RESOLUTION_LOW"}})").media_resolution);
}

TEST(MediaScan, documents_of_gemini) {
  const RequestFacts facts = gemini(R"({"inlineData":{"mimeType":"application/pdf","data":"PDF"}},)"
                                    R"({"inline_data":{"data":"PDF","mime_type":"application/pdf"}})");
  EXPECT_FALSE(facts.media_other);
  ASSERT_EQ(facts.media_inputs.size(), 2U);
  EXPECT_EQ(facts.media_inputs[0].facts.pages, 1);
}

TEST(MediaScan, documents_whose_texts_are_read) {
  for (const RequestFacts& facts : {
           chat(R"({"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,PDF"}})"),
           responses(R"({"type":"input_file","file_data":"data:application/pdf;base64,PDF"})"),
           messages(R"({"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"PDF"}})"),
           messages(
               R"({"type":"tool_result","content":[{"type":"document","source":{"type":"base64","data":"PDF"}}]})"),
       }) {
    EXPECT_TRUE(facts.media);
    EXPECT_FALSE(facts.media_other);
    EXPECT_FALSE(facts.remote);
    ASSERT_EQ(facts.media_inputs.size(), 1U);
    EXPECT_EQ(facts.media_inputs[0].facts.pages, 1);
    EXPECT_TRUE(facts.media_inputs[0].as_text);
    EXPECT_FALSE(facts.media_inputs[0].high);
  }
  const RequestFacts high = responses(R"({"type":"input_file","file_data":"PDF","detail":"high"})");
  ASSERT_EQ(high.media_inputs.size(), 1U);
  EXPECT_TRUE(high.media_inputs[0].high);
}

TEST(MediaScan, what_has_no_size_has_no_bound) {
  for (const RequestFacts& facts : {
           chat(R"({"type":"image_url"})"),
           chat(R"({"type":"file","file":{"file_data":"data:application/pdf;base64,PNG"}})"),
           chat(R"({"type":"input_audio","input_audio":{"data":"NOTHING"}})"),
           chat(R"({"type":"input_audio","input_audio":{"data":"PNG"}})"),
           chat(R"({"type":"video_url","video_url":{"url":"data:video/mp4;base64,PNG"}})"),
           responses(R"({"type":"input_image","file_id":"f"})"),
           responses(R"({"type":"input_file","file_data":"PNG"})"),
           responses(R"({"type":"input_file","file_data":"NOTHING"})"),
           messages(R"({"type":"document","source":{"type":"base64","data":"NOTHING"}})"),
           messages(R"({"type":"document","source":{"type":"base64","data":"PDF"}},)"
                    R"({"type":"document","source":{"type":"base64","data":"NOTHING"}})"),
           messages(R"({"type":"document","source":{"type":"base64","data":"PNG"}})"),
           messages(R"({"type":"image","source":{"type":"base64","data":"PNG"}},)"
                    R"({"source":{"type":"base64","data":"NOTHING"},"type":"document"})"),
           messages(R"({"type":"image","source":{"type":"new"}})"),
           gemini(R"({"inlineData":{"mimeType":"image/png","data":"NOTHING"}})"),
           gemini(R"({"inlineData":{"mimeType":"text/plain","data":"PNG"}})"),
           gemini(R"({"inlineData":{"data":"PNG"}})"),
           gemini(R"({"inlineData":{"mimeType":"image/png"}})"),
           gemini(R"({"inlineData":{"mimeType":"application/pdf","data":"WAV"}})"),
           gemini(R"({"inlineData":{"mimeType":"audio/wav","data":"PDF"}})"),
           gemini(R"({"inlineData":{"mimeType":"application/pdf","data":"PDF","mime_type":"text/plain"}})"),
           gemini(R"({"inlineData":{"data":"PDF","mimeType":"text/plain"}})"),
           gemini(R"({"inlineData":{"data":"PDF","mimeType":"application/pdf"},"videoMetadata":{"fps":24}})"),
           gemini(R"({"inlineData":{"data":"PDF","a":{"inlineData":{"data":"WAV","mimeType":"audio/wav"}}}})"),
           scan("responses", R"({"input":[{"type":"image_generation_call","result":"PNG"}]})"),
       }) {
    EXPECT_TRUE(facts.media && facts.media_other);
  }
  for (const RequestFacts& facts : {
           chat(R"({"type":"file","file":{"file_id":"f"}})"),
           responses(R"({"type":"input_file","file_url":"https://a.test"})"),
           scan("responses", R"({"input":"x","previous_response_id":"r"})"),
           messages(R"({"type":"container_upload","file_id":"f"})"),
           messages(R"({"type":"document","source":{"type":"url","url":"https://a.test"}})"),
           gemini(R"({"fileData":{"fileUri":"https://a.test","mimeType":"image/png"}})"),
           scan("generateContent", R"({"cachedContent":"c"})"),
       }) {
    EXPECT_TRUE(facts.remote && facts.remote_other);
  }
}

}  // namespace
}  // namespace farthing::media_test
