// Anthropic's messages: what a request asks, what an answer says it used, and how a stream ends.
#include <gtest/gtest.h>

#include "reading.h"

namespace farthing {
namespace {

RequestFacts scan(std::string_view body) {
  Result<RequestFacts> facts = dialect_of("messages")->scan(body);
  EXPECT_TRUE(facts.ok()) << body << (facts.ok() ? "" : facts.error().message);
  return facts.ok() ? *facts : RequestFacts{};
}
bool refused(std::string_view body) {
  return !dialect_of("messages")->scan(body).ok();
}
RequestFacts with_block(const std::string& block) {
  return scan(R"({"messages":[{"role":"user","content":[)" + block + "]}]}");
}
RequestFacts with_tools(const std::string& tools) {
  return scan(R"({"tools":[)" + tools + "]}");
}
AnswerFacts answered(const std::string& usage) {
  return dialect_of("messages")
      ->read(R"({"id":"msg_1","type":"message","model":"claude-x","stop_reason":"end_turn","usage":)" + usage + "}");
}

TEST(MessagesScan, reads_the_members_that_matter) {
  const std::string_view body =
      R"({"model":"claude-x","max_tokens": 2048 ,"stream":true,"system":"be brief","messages":[{"role":"user","content":"hi"}],)"
      R"("thinking":{"type":"enabled","budget_tokens":1024},"service_tier":"priority","inference_geo":"us",)"
      R"("output_config":{"effort":"low","format":{"type":"json_schema","schema":{}}}})";
  const RequestFacts facts = scan(body);
  EXPECT_EQ(facts.model, "claude-x");
  EXPECT_TRUE(facts.stream);
  EXPECT_EQ(facts.output_limit, 2048);
  EXPECT_EQ(facts.output_limit_name, "max_tokens");
  EXPECT_EQ(body.substr(facts.output_limit_spans.at(0).at, facts.output_limit_spans.at(0).length), "2048");
  EXPECT_EQ(facts.thinking_budget, 1024);
  EXPECT_EQ(facts.service_tier, "priority");
  EXPECT_EQ(facts.region, "us");
  EXPECT_EQ(facts.reasoning_effort, "low");
  EXPECT_TRUE(facts.schema);
  EXPECT_EQ(facts.input_bytes, static_cast<std::int64_t>(body.size()));
  EXPECT_EQ(facts.cache_writes, CacheWrites::none);
  EXPECT_FALSE(facts.media || facts.remote || facts.server_tools || facts.tools);
}

TEST(MessagesScan, tiers_in_the_words_of_the_price_book) {
  EXPECT_EQ(scan(R"({"service_tier":"auto"})").service_tier, "");
  EXPECT_EQ(scan(R"({"service_tier":"standard_only"})").service_tier, "default");
  EXPECT_EQ(scan(R"({"speed":"fast"})").service_tier, "fast");
  EXPECT_EQ(scan(R"({"speed":"fast","service_tier":"standard_only"})").service_tier, "fast");
  EXPECT_EQ(scan(R"({"service_tier":"standard_only","speed":"fast"})").service_tier, "fast");
  EXPECT_EQ(scan(R"({"speed":"standard","inference_geo":"global"})").service_tier, "");
  EXPECT_EQ(scan(R"({"inference_geo":"global"})").region, "global") << "said, and not left to the workspace";
}

TEST(MessagesScan, thinking_that_is_off_has_no_budget) {
  EXPECT_EQ(scan(R"({"thinking":{"budget_tokens":1024,"type":"disabled"}})").thinking_budget, 0);
  EXPECT_EQ(scan(R"({"thinking":{"type":"adaptive"}})").thinking_budget, 0);
  EXPECT_EQ(scan(R"({"thinking":null})").thinking_budget, 0);
}

TEST(MessagesScan, base64_is_not_counted_as_text) {
  const std::string data(1000, 'A');
  for (const char* kind : {"image", "document"}) {
    const std::string block = std::string(R"({"type":")") + kind + R"(","source":{"data":")" + data +
                              R"(","type":"base64","media_type":"image/png"}})";
    const RequestFacts facts = with_block(block);
    EXPECT_TRUE(facts.media);
    EXPECT_FALSE(facts.remote);
    EXPECT_LT(facts.input_bytes, 200);
  }
  const RequestFacts nested = with_block(
      R"({"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"x"},{"type":"image","source":{"type":"base64","data":")" +
      data + R"("}}]})");
  EXPECT_TRUE(nested.media);
  EXPECT_LT(nested.input_bytes, 250);
}

TEST(MessagesScan, a_document_of_text_is_text) {
  const std::string data(1000, 'A');
  const RequestFacts facts =
      with_block(R"({"type":"document","source":{"data":")" + data + R"(","media_type":"text/plain","type":"text"}})");
  EXPECT_FALSE(facts.media || facts.remote);
  EXPECT_GT(facts.input_bytes, 1000);
  const RequestFacts blocks =
      with_block(R"({"type":"document","source":{"type":"content","content":[{"type":"text","text":"x"}]}})");
  EXPECT_FALSE(blocks.media || blocks.remote);
  const RequestFacts inside = with_block(
      R"({"type":"document","source":{"type":"content","content":[{"type":"image","source":{"type":"base64","data":"AAAA"}}]}})");
  EXPECT_TRUE(inside.media);
}

TEST(MessagesScan, what_we_do_not_see_is_remote) {
  EXPECT_TRUE(with_block(R"({"type":"image","source":{"type":"url","url":"https://a.test/b.png"}})").remote);
  EXPECT_TRUE(with_block(R"({"type":"document","source":{"type":"file","file_id":"file_1"}})").remote);
  EXPECT_TRUE(with_block(R"({"type":"container_upload","file_id":"file_1"})").remote);
  EXPECT_FALSE(with_block(R"({"type":"text","text":"https://a.test/b.png"})").remote);
  // Nobody knows what this is: bytes are no bound of it.
  EXPECT_TRUE(with_block(R"({"type":"hologram","source":{"type":"beam"}})").media);
}

TEST(MessagesScan, the_input_of_a_tools_call_is_text_whatever_its_shape) {
  const RequestFacts facts = with_block(
      R"({"type":"tool_use","id":"t","name":"f","input":{"file_id":"x","source":{"type":"base64","data":"AAAAAAAA"}}})");
  EXPECT_FALSE(facts.media || facts.remote);
  const RequestFacts schema =
      with_tools(R"({"name":"f","input_schema":{"properties":{"source":{"type":"object"},"cached":{}}}})");
  EXPECT_FALSE(schema.media || schema.server_tools);
}

TEST(MessagesScan, tools_that_the_caller_runs) {
  for (const char* tool : {R"({"name":"f","input_schema":{"type":"object"}})", R"({"type":"custom","name":"f"})",
                           R"({"type":null,"name":"f"})", R"({"type":"bash_20250124","name":"bash"})",
                           R"({"type":"text_editor_20250728","name":"e"})",
                           R"({"type":"computer_20250124","name":"c"})", R"({"type":"memory_20250818","name":"m"})"}) {
    EXPECT_TRUE(with_tools(tool).tools) << tool;
    EXPECT_FALSE(with_tools(tool).server_tools) << tool;
  }
  EXPECT_FALSE(scan(R"({"tools":[]})").tools);
}

TEST(MessagesScan, tools_that_anthropic_writes_out_have_tokens_each) {
  const std::string bash = R"({"type":"bash_20250124","name":"bash"})";
  const std::string computer = R"({"type":"computer_20250124","name":"c"})";
  EXPECT_EQ(with_tools(R"({"name":"f"})").tool_tokens, 0);
  EXPECT_EQ(with_tools(bash).tool_tokens, 325);
  EXPECT_EQ(with_tools(bash + "," + computer + R"(,{"type":"text_editor_20250728"})").tool_tokens, 325 + 735 + 700);
  EXPECT_EQ(with_tools(computer + "," + computer).tool_tokens, 2 * 735);
  for (const char* set : {R"({"type":"computer_toolset_20260801"})", R"({"type":"browser_toolset_20260801"})"}) {
    EXPECT_GT(with_tools(set).tool_tokens, 4'000) << set;
    EXPECT_FALSE(with_tools(set).server_tools) << set;
  }
}

TEST(MessagesScan, what_runs_elsewhere_first_is_bounded_by_no_tools_uses) {
  const RequestFacts facts =
      scan(R"({"plugins":[{"id":"web"}],"tools":[{"type":"web_search_20250305","name":"s","max_uses":3}]})");
  EXPECT_TRUE(facts.server_tools);
  EXPECT_FALSE(facts.server_tool_steps);
}

TEST(MessagesScan, tools_that_run_at_the_provider) {
  for (const char* tool : {R"({"type":"web_search_20250305","name":"web_search"})", R"({"type":"web_fetch_20250910"})",
                           R"({"type":"code_execution_20250825"})", R"({"type":"mcp_toolset"})",
                           R"({"type":"tool_of_tomorrow"})", R"({"type":7})"}) {
    EXPECT_TRUE(with_tools(tool).server_tools) << tool;
    EXPECT_FALSE(with_tools(tool).server_tool_steps) << tool;
  }
  for (const char* body :
       {R"({"mcp_servers":[{"type":"url","url":"https://a.test"}]})", R"({"container":"c_1"})",
        R"({"container":{"skills":[]}})", R"({"context_management":{"edits":[{"type":"compact_20260112"}]}})"}) {
    EXPECT_TRUE(scan(body).server_tools) << body;
    EXPECT_FALSE(scan(body).server_tool_steps) << body;
  }
  for (
      const char* body :
      {R"({"mcp_servers":[]})", R"({"mcp_servers":null})", R"({"container":null})",
       R"({"context_management":{"edits":[{"type":"clear_tool_uses_20250919","trigger":{"type":"input_tokens"}}]}})"}) {
    EXPECT_FALSE(scan(body).server_tools) << body;
  }
}

TEST(MessagesScan, uses_bound_the_steps_only_where_every_tool_has_them) {
  const std::string search = R"({"type":"web_search_20250305","name":"web_search","max_uses":3})";
  const std::string fetch = R"({"max_uses":2,"type":"web_fetch_20250910","name":"web_fetch"})";
  EXPECT_EQ(with_tools(search).server_tool_steps, 3);
  EXPECT_EQ(with_tools(search + "," + fetch).server_tool_steps, 5);
  EXPECT_EQ(with_tools(search + R"(,{"name":"mine","max_uses":9})").server_tool_steps, 3);
  EXPECT_FALSE(with_tools(search + R"(,{"type":"code_execution_20250825"})").server_tool_steps);
  EXPECT_FALSE(with_tools(R"({"type":"web_search_20250305","max_uses":null})").server_tool_steps);
  EXPECT_FALSE(scan(R"({"tools":[)" + search + R"(],"mcp_servers":[{}]})").server_tool_steps);
}

TEST(MessagesScan, cache_control_anywhere_is_seen) {
  const auto writes = [](std::string_view body) { return scan(body).cache_writes; };
  EXPECT_EQ(writes(R"({"cache_control":null,"messages":[]})"), CacheWrites::none);
  for (const char* body :
       {R"({"cache_control":{"type":"ephemeral"}})",
        R"({"system":[{"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"5m"}}]})",
        R"({"tools":[{"name":"f","cache_control":{"type":"ephemeral"}}]})",
        R"({"messages":[{"content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]}]})"}) {
    EXPECT_EQ(writes(body), CacheWrites::short_only) << body;
  }
  EXPECT_EQ(writes(R"({"system":[{"cache_control":{"ttl":"1h","type":"ephemeral"}},{"cache_control":{"ttl":"5m"}}]})"),
            CacheWrites::long_lived);
  EXPECT_EQ(writes(R"({"system":[{"cache_control":{"ttl":"1d"}}]})"), CacheWrites::long_lived)
      << "unknown is never cheap";
}

TEST(MessagesScan, hostile_bodies_are_refused) {
  for (const char* body : {R"({"max_tokens":"5"})",
                           R"({"max_tokens":1.5})",
                           R"({"max_tokens":-1})",
                           R"({"max_tokens":[]})",
                           R"({"max_tokens":1,"max_tokens":2})",
                           R"({"max_tokens":99999999999999999999})",
                           R"({"tools":{}})",
                           R"({"messages":{}})",
                           R"({"mcp_servers":{}})",
                           R"({"speed":{}})",
                           R"({"speed":1})",
                           R"({"inference_geo":[]})",
                           R"({"thinking":{"budget_tokens":"1"}})",
                           R"({"thinking":{"budget_tokens":-1}})",
                           R"({"tools":[{"type":"web_search_20250305","max_uses":"3"}]})",
                           R"({"tools":[{"type":"web_search_20250305","max_uses":{}}]})",
                           R"({"service_tier":7})",
                           R"({"service_tier":{}})",
                           R"({"messages":[{"content":[{"source":{"type":"text","type":"base64","data":"A"}}]}]})",
                           R"({"messages":[{"content":[{"source":{"type":"base64","data":"A","data":"B"}}]}]})"}) {
    EXPECT_TRUE(refused(body)) << body;
  }
  EXPECT_FALSE(scan(R"({"max_tokens":null})").output_limit);
}

TEST(MessagesRewrite, the_limit_is_max_tokens) {
  Rewrite change;
  change.output_limit = 300;
  change.output_limit_name = dialect_of("messages")->output_limit_name;
  const auto rewritten = [&](std::string_view body) { return rewrite(body, scan(body), change); };
  EXPECT_EQ(rewritten(R"({"max_tokens": 4096,"model":"m"})"), R"({"max_tokens": 300,"model":"m"})");
  EXPECT_EQ(rewritten(R"({"model":"m"})"), R"({"max_tokens":300,"model":"m"})");
}

TEST(MessagesUsage, caches_stand_beside_the_input) {
  const AnswerFacts facts = answered(
      R"({"input_tokens":4,"cache_creation_input_tokens":1165,"cache_read_input_tokens":20,)"
      R"("cache_creation":{"ephemeral_5m_input_tokens":165,"ephemeral_1h_input_tokens":1000},"output_tokens":207,)"
      R"("server_tool_use":{"web_search_requests":2,"web_fetch_requests":1},"service_tier":"standard","inference_geo":"us"})");
  EXPECT_EQ(facts.quantities, of({{Quantity::input_tokens, 4},
                                  {Quantity::cache_read_tokens, 20},
                                  {Quantity::cache_write_tokens, 165},
                                  {Quantity::cache_write_1h_tokens, 1000},
                                  {Quantity::output_tokens, 207},
                                  {Quantity::web_searches, 2}}));
  EXPECT_TRUE(facts.final);
  EXPECT_EQ(facts.id, "msg_1");
  EXPECT_EQ(facts.model, "claude-x");
  EXPECT_EQ(facts.finish_reason, "end_turn");
  EXPECT_EQ(facts.service_tier, "default");
  EXPECT_EQ(facts.region, "us");
}

TEST(MessagesUsage, of_earlier_versions_and_with_nulls) {
  const Quantities plain = of({{Quantity::input_tokens, 10}, {Quantity::output_tokens, 5}});
  EXPECT_EQ(answered(R"({"input_tokens":10,"output_tokens":5})").quantities, plain);
  EXPECT_EQ(answered(R"({"input_tokens":10,"output_tokens":5,"cache_creation_input_tokens":null,"cache_creation":null,)"
                     R"("server_tool_use":null,"service_tier":null})")
                .quantities,
            plain);
  EXPECT_EQ(answered(R"({"input_tokens":0,"cache_read_input_tokens":10,"output_tokens":5})").quantities,
            of({{Quantity::cache_read_tokens, 10}, {Quantity::output_tokens, 5}}));
  EXPECT_EQ(answered(R"({"input_tokens":1,"cache_creation_input_tokens":9,"output_tokens":5})").quantities,
            of({{Quantity::input_tokens, 1}, {Quantity::cache_write_tokens, 9}, {Quantity::output_tokens, 5}}));
}

TEST(MessagesUsage, tiers) {
  EXPECT_EQ(answered(R"({"input_tokens":1,"output_tokens":1,"service_tier":"priority"})").service_tier, "priority");
  EXPECT_EQ(answered(R"({"input_tokens":1,"output_tokens":1,"service_tier":"standard","speed":"fast"})").service_tier,
            "fast");
  EXPECT_EQ(answered(R"({"input_tokens":1,"output_tokens":1,"speed":"standard"})").service_tier, "default");
  EXPECT_EQ(
      answered(R"({"input_tokens":1,"output_tokens":1,"speed":"standard","inference_geo":"not_available"})").region,
      "");
}

TEST(MessagesUsage, a_compaction_is_billed_beside_the_whole) {
  EXPECT_EQ(
      answered(
          R"({"input_tokens":23,"output_tokens":1,"iterations":[{"type":"compaction","input_tokens":180,"output_tokens":35,)"
          R"("cache_creation":{"ephemeral_5m_input_tokens":7}},{"type":"message","input_tokens":23,"output_tokens":1}]})")
          .quantities,
      of({{Quantity::input_tokens, 203}, {Quantity::cache_write_tokens, 7}, {Quantity::output_tokens, 36}}));
  EXPECT_FALSE(
      answered(R"({"input_tokens":23,"output_tokens":1,"iterations":[{"type":"of tomorrow","input_tokens":1}]})")
          .quantities);
}

class NoMessagesBill : public ::testing::TestWithParam<const char*> {};
TEST_P(NoMessagesBill, is_no_usage) {
  const AnswerFacts facts = answered(GetParam());
  EXPECT_FALSE(facts.quantities) << GetParam();
  EXPECT_FALSE(facts.final || facts.error);
}
INSTANTIATE_TEST_SUITE_P(
    Usages, NoMessagesBill,
    ::testing::Values(
        "null", "{}", "[]", "7", R"([{"input_tokens":1,"output_tokens":1}])", R"({"input_tokens":10})",
        R"({"output_tokens":10})", R"({"input_tokens":null,"output_tokens":5})",
        R"({"input_tokens":0,"output_tokens":5})", R"({"input_tokens":-1,"output_tokens":5})",
        R"({"input_tokens":1.0,"output_tokens":5})", R"({"input_tokens":"1","output_tokens":5})",
        R"({"input_tokens":9007199254740993,"output_tokens":5})",
        R"({"input_tokens":1,"output_tokens":5,"cache_read_input_tokens":-1})",
        R"({"input_tokens":1,"output_tokens":5,"cache_creation_input_tokens":3,"cache_creation":{"ephemeral_1h_input_tokens":4}})",
        R"({"input_tokens":1,"output_tokens":5,"server_tool_use":{"web_search_requests":"2"}})",
        R"({"input_tokens":1,"output_tokens":5,"iterations":[{"type":"compaction","input_tokens":1}]})"));

TEST(MessagesErrors, have_their_own_body) {
  const AnswerFacts facts =
      dialect_of("messages")
          ->read(R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"})");
  EXPECT_TRUE(facts.error);
  EXPECT_EQ(facts.error_code, "overloaded_error");
}

const std::string start =
    "event: message_start\ndata: "
    "{\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"model\":\"claude-x\","
    "\"stop_reason\":null,\"usage\":{\"input_tokens\":9,\"cache_creation_input_tokens\":6,\"cache_read_input_tokens\":"
    "0,"
    "\"cache_creation\":{\"ephemeral_5m_input_tokens\":2,\"ephemeral_1h_input_tokens\":4},\"output_tokens\":1,"
    "\"service_tier\":\"standard\"}}}\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\n";
const std::string blocks =
    "data: "
    "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"toolu_1\","
    "\"name\":\"fun\",\"input\":{}}}\n\n"
    "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hello\"}}\n\n"
    "data: "
    "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}}"
    "\n\n"
    "data: "
    "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"hm\"}}\n\n";
const std::string delta =
    "data: "
    "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"max_tokens\",\"stop_sequence\":null},\"usage\":{\"output_"
    "tokens\":40}}\n\n";
const std::string stop = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

TEST(MessagesStream, every_cut_gives_the_same) {
  const std::string in = start + blocks + delta + stop;
  for (std::size_t size = 1; size < 60; ++size) {
    const Read got = read("messages", true, in_pieces(in, size));
    ASSERT_EQ(got.delivered, in);
    ASSERT_TRUE(got.facts.final);
    EXPECT_EQ(got.facts.quantities, of({{Quantity::input_tokens, 9},
                                        {Quantity::cache_write_tokens, 2},
                                        {Quantity::cache_write_1h_tokens, 4},
                                        {Quantity::output_tokens, 40}}));
    EXPECT_EQ(got.facts.id, "msg_1");
    EXPECT_EQ(got.facts.model, "claude-x");
    EXPECT_EQ(got.facts.finish_reason, "max_tokens");
    EXPECT_EQ(got.facts.service_tier, "default");
    EXPECT_EQ(got.output_seen, 3 + 5 + 2 + 2);
  }
}

TEST(MessagesStream, a_later_count_overwrites) {
  const std::string more =
      "data: "
      "{\"type\":\"message_delta\",\"usage\":{\"input_tokens\":30,\"output_tokens\":50,\"server_tool_use\":{\"web_"
      "search_requests\":1}}}\n\n";
  const Read got = read("messages", false, {start + delta + more + stop});
  EXPECT_TRUE(got.facts.final);
  EXPECT_EQ((*got.facts.quantities)[Quantity::input_tokens], 30);
  EXPECT_EQ((*got.facts.quantities)[Quantity::output_tokens], 50);
  EXPECT_EQ((*got.facts.quantities)[Quantity::web_searches], 1);
}

TEST(MessagesStream, what_the_start_says_of_output_is_no_bill) {
  const Read cut = read("messages", false, {start + blocks});
  ASSERT_TRUE(cut.facts.quantities);
  EXPECT_EQ((*cut.facts.quantities)[Quantity::input_tokens], 9) << "input is believed (R24)";
  EXPECT_FALSE(cut.facts.final);
  EXPECT_FALSE(read("messages", false, {start + blocks + delta}).facts.final) << "no marker";
  EXPECT_FALSE(read("messages", false, {start + blocks + stop}).facts.final) << "no bill";
  const std::string empty = "data: {\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"input_tokens\":9}}\n\n";
  EXPECT_FALSE(read("messages", false, {start + empty + stop}).facts.final);
  EXPECT_FALSE(read("messages", false, {stop}).facts.final);
}

TEST(MessagesStream, errors_inside_a_200) {
  const Read got = read(
      "messages", false,
      {start +
       "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}\n\n"});
  EXPECT_TRUE(got.facts.error);
  EXPECT_EQ(got.facts.error_code, "overloaded_error");
  EXPECT_FALSE(got.facts.final);
}

TEST(MessagesStream, what_is_no_json_passes_and_changes_nothing) {
  const std::string broken = "data: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":99}\n\ndata: \xff\n\n";
  const Read got = read("messages", false, {start + delta + broken + stop});
  EXPECT_EQ(got.delivered, start + delta + broken + stop);
  EXPECT_EQ((*got.facts.quantities)[Quantity::output_tokens], 40);
}

}  // namespace
}  // namespace farthing
