#include "wire/multipart.h"

#include <gtest/gtest.h>

#include <string>

#include "wire/wire.h"

namespace farthing {
namespace {

std::string part(const std::string& disposition, const std::string& content) {
  return "--bound\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + content + "\r\n";
}

std::vector<wire::Part> parts_of(const std::string& body) {
  std::vector<wire::Part> parts;
  EXPECT_EQ(wire::read_parts(body, parts), "");
  return parts;
}

std::string problem_of(const std::string& body) {
  std::vector<wire::Part> parts;
  return wire::read_parts(body, parts);
}

TEST(Multipart, fields_and_files_are_views_into_the_body) {
  using namespace std::string_literals;
  const std::string bytes = "\r\n--boun\r\n\0\xff--"s;
  const std::string body = part("name=\"model\"", "m") + part("name=\"image[]\"; filename=\"a;b.png\"", bytes) +
                           part("filename=\"x\"; NAME=mask", "") + part("name=\"empty\"", "") + "--bound--\r\n";
  const auto parts = parts_of(body);
  ASSERT_EQ(parts.size(), 4U);
  EXPECT_EQ(parts[0].name, "model");
  EXPECT_EQ(parts[0].content, "m");
  EXPECT_FALSE(parts[0].file);
  EXPECT_EQ(parts[1].name, "image");
  EXPECT_TRUE(parts[1].file);
  EXPECT_EQ(parts[1].content, bytes);
  EXPECT_GE(parts[1].content.data(), body.data());
  EXPECT_EQ(parts[2].name, "mask");
  EXPECT_TRUE(parts[2].file);
  EXPECT_EQ(parts[3].content, "");
}

TEST(Multipart, what_is_no_whole_form_is_unreadable) {
  const std::string good = part("name=\"model\"", "m");
  const std::vector<std::string> bodies = {
      std::string(),
      std::string("--"),
      std::string("--bound"),
      std::string("{}"),
      good,
      good + "--bound",
      good + "--boundary--",
      good + "--bound\r\n",
      good + "--bound\r\n\r\n\r\n--bound--",
      part("filename=\"x\"", "m") + "--bound--",
      part("name=\"a\\\"b\"", "m") + "--bound--",
      std::string("--bound\r\nContent-Disposition: form-data; name=\"model\"\r\n") +
          "Content-Transfer-Encoding: base64\r\n\r\nbQ==\r\n--bound--",
      "preamble\r\n" + good + "--bound--"};
  for (const std::string& body : bodies) {
    EXPECT_NE(problem_of(body), "") << body;
  }
  std::string many;
  for (std::size_t i = 0; i <= wire::max_parts; ++i)
    many += good;
  EXPECT_NE(problem_of(many + "--bound--"), "");
  EXPECT_EQ(problem_of(good + "--bound--"), "");
}

TEST(Multipart, a_field_told_twice_is_refused) {
  const Dialect& transcriptions = *dialect_of("audio.transcriptions");
  const std::string model = part("name=\"model\"", "whisper-1");
  EXPECT_TRUE(transcriptions.scan(model + "--bound--"));
  EXPECT_FALSE(transcriptions.scan(model + model + "--bound--"));
  EXPECT_FALSE(transcriptions.scan(part("name=\"model\"; filename=\"a\"", "whisper-1") + "--bound--"));
  const Dialect& edits = *dialect_of("images.edits");
  EXPECT_FALSE(edits.scan(part("name=\"n\"", "2") + part("name=\"n\"", "1") + "--bound--"));
  EXPECT_FALSE(edits.scan(part("name=\"n\"", "two") + "--bound--"));
  EXPECT_FALSE(edits.scan(part("name=\"n\"", "-1") + "--bound--"));
  EXPECT_FALSE(edits.scan(part("name=\"stream\"", "yes") + "--bound--"));
  const auto two = edits.scan(part("name=\"n\"", "2") + "--bound--");
  ASSERT_TRUE(two);
  EXPECT_EQ(two->pieces.images, 2);
}

}  // namespace
}  // namespace farthing
