// Streams: the same facts and the same bytes however they are cut (checklist of SSE), and what the caller may see (R24).
#include <gtest/gtest.h>

#include "reading.h"

namespace farthing {
namespace {

std::string with_ends(std::string_view text, std::string_view end) {
  std::string out;
  for (const char c : text) {
    if (c == '\n')
      out += end;
    else
      out += c;
  }
  return out;
}

const std::string begin_chunk = "data: {\"id\":\"c1\",\"model\":\"m\",\"choices\":[],\"prompt_filter_results\":[]}\n\n";
const std::string text_chunk =
    ": a comment\nevent: x\nid: 1\ndata: "
    "{\"id\":\"c1\",\"model\":\"m\",\"service_tier\":\"default\",\"choices\":[{\"delta\":{\"content\":\"h\xc3\xa9llo\"}"
    "}]}\n\n";
const std::string lines_chunk =
    "data: {\"choices\":[{\"delta\":\ndata:{\"tool_calls\":[{\"function\":{\"arguments\":\"{}\"}}]}}]}\n\n";
const std::string finish_chunk = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n";
const std::string usage_chunk =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4,\"total_tokens\":13}}\n\n";
const std::string done = "data: [DONE]\n\n";
const std::string whole = "\xef\xbb\xbf" + begin_chunk + text_chunk + lines_chunk + finish_chunk + usage_chunk + done;
const std::string stripped = "\xef\xbb\xbf" + begin_chunk + text_chunk + lines_chunk + finish_chunk + done;

void expect_facts(const Read& got) {
  EXPECT_EQ(got.facts.id, "c1");
  EXPECT_EQ(got.facts.model, "m");
  EXPECT_EQ(got.facts.service_tier, "default");
  EXPECT_EQ(got.facts.finish_reason, "stop");
  EXPECT_TRUE(got.facts.final);
  ASSERT_TRUE(got.facts.quantities);
  EXPECT_EQ((*got.facts.quantities)[Quantity::input_tokens], 9);
  EXPECT_EQ((*got.facts.quantities)[Quantity::output_tokens], 4);
  EXPECT_EQ(got.output_seen, 6 + 2);
}

class LineEnds : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Ends, LineEnds, ::testing::Values("\n", "\r\n", "\r"));

TEST_P(LineEnds, every_cut_gives_the_same) {
  const std::string in = with_ends(whole, GetParam());
  const std::string out = with_ends(stripped, GetParam());
  for (std::size_t cut = 0; cut <= in.size(); ++cut) {
    const std::vector<std::string_view> pieces = {std::string_view(in).substr(0, cut),
                                                  std::string_view(in).substr(cut)};
    const Read all = read("chat.completions", false, pieces);
    ASSERT_EQ(all.delivered, in) << cut;
    expect_facts(all);
    const Read without = read("chat.completions", true, pieces);
    ASSERT_EQ(without.delivered, out) << cut;
    expect_facts(without);
    if (HasFailure()) return;
  }
}

TEST_P(LineEnds, pieces_of_every_size_give_the_same) {
  const std::string in = with_ends(whole, GetParam());
  const std::string out = with_ends(stripped, GetParam());
  for (std::size_t size = 1; size < 70; ++size) {
    const Read without = read("chat.completions", true, in_pieces(in, size));
    ASSERT_EQ(without.delivered, out) << size;
    expect_facts(without);
    ASSERT_EQ(read("chat.completions", false, in_pieces(in, size)).delivered, in) << size;
  }
}

TEST(ChatStream, nothing_held_means_nothing_copied) {
  const auto reader = dialect_of("chat.completions")->stream(true);
  EXPECT_TRUE(reader->feed(text_chunk).same);
  EXPECT_TRUE(reader->feed(text_chunk + lines_chunk).same);
  const auto plain = dialect_of("chat.completions")->stream(false);
  for (const std::string_view piece : in_pieces(whole, 7))
    EXPECT_TRUE(plain->feed(piece).same);
  EXPECT_EQ(plain->finish(), "");
}

TEST(ChatStream, the_finish_comes_together_with_the_next_event) {  // R24
  const auto reader = dialect_of("chat.completions")->stream(true);
  EXPECT_EQ(reader->feed(finish_chunk).bytes, "");
  EXPECT_EQ(reader->feed(": keep-alive\n\n").bytes, "");
  EXPECT_EQ(reader->feed(usage_chunk).bytes, finish_chunk + ": keep-alive\n\n");
  ASSERT_TRUE(reader->facts().quantities);
  EXPECT_TRUE(reader->facts().final) << "a loop that stops here never sees the marker";
  EXPECT_TRUE(reader->feed(done).same);
}

TEST(ChatStream, what_is_held_at_the_end_is_delivered) {
  const Read cut = read("chat.completions", true, {text_chunk + finish_chunk + "data: {\"cho"});
  EXPECT_EQ(cut.delivered, text_chunk + finish_chunk + "data: {\"cho");
  EXPECT_FALSE(cut.facts.final);
  EXPECT_FALSE(cut.facts.quantities);
}

TEST(ChatStream, no_choice_of_several_is_swallowed) {
  const std::string two =
      "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
      "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"x\"}}]}\n\n"
      "data: {\"choices\":[{\"index\":1,\"delta\":{},\"finish_reason\":\"length\"}]}\n\n";
  const Read got = read("chat.completions", true, in_pieces(two + usage_chunk + done, 1));
  EXPECT_EQ(got.delivered, two + done);
  EXPECT_EQ(got.facts.finish_reason, "length");
}

TEST(ChatStream, usage_with_choices_is_read_and_kept) {  // OpenRouter; Perplexity sends running totals
  const std::string first =
      "data: {\"choices\":[{\"delta\":{}}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1}}\n\n";
  const std::string last =
      "data: "
      "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":7}"
      "}\n\n";
  const Read got = read("chat.completions", true, {first + last + done});
  EXPECT_EQ(got.delivered, first + last + done);
  ASSERT_TRUE(got.facts.quantities);
  EXPECT_EQ((*got.facts.quantities)[Quantity::output_tokens], 7);
}

TEST(ChatStream, groq_has_a_place_of_its_own) {
  const Read got = read("chat.completions", false,
                        {"data: "
                         "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"x_groq\":{\"id\":\"r\",\"usage\":{"
                         "\"prompt_tokens\":3,"
                         "\"completion_tokens\":2,\"completion_tokens_details\":{\"reasoning_tokens\":1}}}}\n\n" +
                         done});
  ASSERT_TRUE(got.facts.quantities);
  EXPECT_EQ((*got.facts.quantities)[Quantity::reasoning_tokens], 1);
  EXPECT_EQ((*got.facts.quantities)[Quantity::output_tokens], 1);
}

TEST(ChatStream, running_usage_without_the_marker_is_not_final) {
  const Read got = read("chat.completions", false, {text_chunk + usage_chunk});
  EXPECT_TRUE(got.facts.quantities);
  EXPECT_FALSE(got.facts.final);
}

TEST(ChatStream, the_marker_without_usage_is_no_bill) {
  EXPECT_FALSE(read("chat.completions", false, {text_chunk + done}).facts.quantities);
}

TEST(ChatStream, an_unfinished_last_event_is_read) {
  EXPECT_TRUE(read("chat.completions", false, {usage_chunk + "data: [DONE]"}).facts.final);
}

TEST(ChatStream, errors_inside_a_200) {
  const Read got =
      read("chat.completions", true,
           {text_chunk + "data: {\"error\":{\"message\":\"x\",\"type\":\"server_error\",\"code\":null}}\n\n"});
  EXPECT_TRUE(got.facts.error);
  EXPECT_EQ(got.facts.error_code, "server_error");
  EXPECT_FALSE(got.facts.final);
}

TEST(ChatStream, what_is_no_json_passes) {
  const std::string in = "data: hello\n\ndata\n\n\n\n:\n\nretry: 5\n\ndata: \xff\n\n";
  EXPECT_EQ(read("chat.completions", true, in_pieces(in, 1)).delivered, in);
  EXPECT_EQ(read("chat.completions", true, {"{\"error\":{}}"}).delivered, "{\"error\":{}}");
}

TEST(ChatStream, events_beyond_a_megabyte) {
  const std::string big = "data: {\"choices\":[{\"delta\":{\"content\":\"" + std::string(2'000'000, 'x') + "\"}}]}\n\n";
  const std::string in = big + finish_chunk + usage_chunk + done;
  const Read got = read("chat.completions", true, in_pieces(in, 1000));
  EXPECT_EQ(got.delivered, big + finish_chunk + done);
  EXPECT_EQ(got.output_seen, 2'000'000);
}

const std::string response_tail =
    "\"response\":{\"id\":\"resp_1\",\"model\":\"m\",\"service_tier\":\"flex\",\"status\":\"completed\",\"error\":null,"
    "\"usage\":{\"input_tokens\":5,"
    "\"input_tokens_details\":{\"cached_tokens\":1},\"output_tokens\":4,\"output_tokens_details\":{\"reasoning_"
    "tokens\":3},\"total_tokens\":9}}}\n\n";

TEST(ResponsesStream, ends_with_its_own_events) {
  const std::string in =
      "event: response.created\ndata: "
      "{\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\"model\":\"m\",\"usage\":null}}\n\n"
      "data: {\"type\":\"response.output_text.delta\",\"delta\":\"hello\"}\n\n"
      "data: {\"type\":\"response.completed\"," +
      response_tail;
  for (std::size_t size = 1; size < 40; ++size) {
    const Read got = read("responses", true, in_pieces(in, size));
    ASSERT_EQ(got.delivered, in);
    EXPECT_TRUE(got.facts.final);
    EXPECT_EQ(got.facts.id, "resp_1");
    EXPECT_EQ(got.facts.service_tier, "flex");
    EXPECT_EQ(got.facts.finish_reason, "completed");
    ASSERT_TRUE(got.facts.quantities);
    EXPECT_EQ((*got.facts.quantities)[Quantity::input_tokens], 4);
    EXPECT_EQ((*got.facts.quantities)[Quantity::reasoning_tokens], 3);
    EXPECT_EQ(got.output_seen, 5);
  }
}

TEST(ResponsesStream, incomplete_and_failed_end_it_too) {
  const Read cut = read("responses", false,
                        {"data: "
                         "{\"type\":\"response.incomplete\",\"response\":{\"status\":\"incomplete\",\"incomplete_"
                         "details\":{\"reason\":\"max_output_tokens\"},"
                         "\"usage\":{\"input_tokens\":5,\"output_tokens\":16}}}\n\n"});
  EXPECT_TRUE(cut.facts.final);
  EXPECT_EQ(cut.facts.finish_reason, "max_output_tokens");
  const Read failed = read("responses", false,
                           {"data: "
                            "{\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"error\":{\"code\":"
                            "\"server_error\",\"message\":\"x\"},\"usage\":null}}\n\n"});
  EXPECT_TRUE(failed.facts.error);
  EXPECT_EQ(failed.facts.error_code, "server_error");
  EXPECT_FALSE(failed.facts.quantities);
}

TEST(ResponsesStream, error_events) {
  EXPECT_EQ(read("responses", false,
                 {"event: error\ndata: {\"type\":\"error\",\"code\":\"rate_limit\",\"message\":\"x\"}\n\n"})
                .facts.error_code,
            "rate_limit");
  const Read nested =
      read("responses", false, {"data: {\"type\":\"error\",\"error\":{\"type\":\"t\",\"code\":\"overloaded\"}}\n\n"});
  EXPECT_TRUE(nested.facts.error);
  EXPECT_EQ(nested.facts.error_code, "overloaded");
}

TEST(ResponsesStream, broken_off_is_not_final) {
  EXPECT_FALSE(read("responses", false, {"data: {\"type\":\"response.in_progress\"," + response_tail}).facts.final);
}

}  // namespace
}  // namespace farthing
