// OpenAI's completions before the chat: prompts and answers are counted; usage and streams are chat's.
#include <gtest/gtest.h>

#include "reading.h"

namespace farthing::completions_test {
namespace {

RequestFacts scan(std::string_view body) {
  Result<RequestFacts> facts = dialect_of("completions")->scan(body);
  EXPECT_TRUE(facts.ok()) << body << (facts.ok() ? "" : facts.error().message);
  return facts.ok() ? *facts : RequestFacts{};
}

TEST(CompletionsScan, reads_the_members_that_matter) {
  const std::string_view body =
      R"({"model":"davinci-002","prompt":"hi","max_tokens": 64,"stream":true,"stream_options":{"include_usage":false},"suffix":"x","echo":true})";
  const RequestFacts facts = scan(body);
  EXPECT_EQ(facts.model, "davinci-002");
  EXPECT_EQ(facts.output_limit, 64);
  EXPECT_EQ(facts.output_limit_name, "max_tokens");
  EXPECT_TRUE(facts.stream);
  EXPECT_EQ(facts.usage_asked, false);
  EXPECT_EQ(facts.choices, 1);
  EXPECT_EQ(facts.inputs, 1);
  EXPECT_EQ(facts.input_bytes, static_cast<std::int64_t>(body.size()));
  EXPECT_FALSE(scan(R"({"prompt":"x","max_tokens":null})").output_limit);
}

TEST(CompletionsScan, every_prompt_has_answers_of_its_own) {
  const auto choices = [](std::string_view body) { return scan(body).choices; };
  EXPECT_EQ(choices(R"({"prompt":["a","b","c"]})"), 3);
  EXPECT_EQ(choices(R"({"prompt":["a","b"],"n":2,"best_of":5})"), 10);
  EXPECT_EQ(choices(R"({"n":3,"prompt":"a"})"), 3);
  EXPECT_EQ(choices(R"({"prompt":[1,2,3]})"), 1) << "token ids of one";
  EXPECT_EQ(choices(R"({"prompt":[[1,2],[3]],"n":null})"), 2);
  EXPECT_EQ(choices(R"({"prompt":[]})"), 1);
  EXPECT_EQ(choices("{}"), 1) << "without a prompt it begins a text";
  EXPECT_EQ(scan(R"({"prompt":[[1,2],[3]],"best_of":4})").inputs, 2);
}

TEST(CompletionsScan, hostile_bodies_are_refused) {
  for (const char* body :
       {R"({"prompt":{}})", R"({"prompt":"a","prompt":"b"})", R"({"n":0})", R"({"best_of":0})", R"({"best_of":"2"})",
        R"({"best_of":[]})", R"({"max_tokens":-1})", R"({"max_tokens":{}})", R"({"max_tokens":1.5})",
        R"({"stream_options":"x"})", R"({"stream_options":[]})", R"({"stream_options":{"include_usage":1}})"}) {
    EXPECT_FALSE(dialect_of("completions")->scan(body).ok()) << body;
  }
}

TEST(CompletionsStream, has_texts_and_a_usage_chunk_that_we_asked_for) {
  const std::string text =
      "data: "
      "{\"id\":\"cmpl-1\",\"model\":\"m\",\"choices\":[{\"text\":\"hello\",\"index\":0,\"finish_reason\":null}],"
      "\"usage\":null}\n\n";
  const std::string finish =
      "data: {\"choices\":[{\"text\":\"\",\"index\":0,\"finish_reason\":\"length\"}],\"usage\":null}\n\n";
  const std::string usage =
      "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":8,\"completion_tokens\":16,\"total_tokens\":24}}\n\n";
  const std::string done = "data: [DONE]\n\n";
  for (std::size_t size = 1; size < 40; ++size) {
    const std::string in = text + finish + usage + done;
    const Read got = read("completions", true, in_pieces(in, size));
    ASSERT_EQ(got.delivered, text + finish + done);
    EXPECT_TRUE(got.facts.final);
    EXPECT_EQ(got.facts.quantities, of({{Quantity::input_tokens, 8}, {Quantity::output_tokens, 16}}));
    EXPECT_EQ(got.facts.finish_reason, "length");
    EXPECT_EQ(got.output_seen, 5);
  }
  EXPECT_FALSE(read("completions", false, {text + finish + done}).facts.final);
}

}  // namespace
}  // namespace farthing::completions_test
