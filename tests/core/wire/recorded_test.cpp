// What providers really sent: every recorded call of the dialects built, read by us and independently with nlohmann/json.
#include "recorded.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "wire/wire.h"

namespace farthing {
namespace {

using nlohmann::json;

const std::vector<RecordedCall>& calls() {
  static const std::vector<RecordedCall> mine = [] {
    std::vector<RecordedCall> kept;
    for (RecordedCall& call : recorded_calls()) {
      if (dialect_of(call.endpoint) != nullptr) kept.push_back(std::move(call));
    }
    return kept;
  }();
  return mine;
}

bool is_gemini(const RecordedCall& call) {
  return call.endpoint == "generateContent" || call.endpoint == "streamGenerateContent";
}

/// The usage object of a body, or the last one of a stream; null when there is none.
json usage_of(const RecordedCall& call) {
  json found;
  const auto look = [&](const json& body) {
    if (!body.is_object()) return;
    if (body.contains("usageMetadata")) found = body["usageMetadata"];
    if (body.value("type", "") == "message_start") found = body["message"]["usage"];
    if (body.value("type", "") == "message_delta") return found.update(body["usage"]);
    if (body.contains("usage") && body["usage"].is_object()) found = body["usage"];
    if (body.contains("x_groq") && body["x_groq"].contains("usage")) found = body["x_groq"]["usage"];
    if (body.contains("response") && body["response"].is_object() &&
        body["response"].value("usage", json()).is_object()) {
      found = body["response"]["usage"];
    }
  };
  if (!call.stream) {
    look(json::parse(call.response, nullptr, false));
    return found;
  }
  std::istringstream lines(call.response);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("data:", 0) == 0) look(json::parse(line.substr(5), nullptr, false));
  }
  return found;
}

std::int64_t number(const json& usage, const char* name) {
  return usage.contains(name) && usage[name].is_number() ? usage[name].get<std::int64_t>() : 0;
}
std::int64_t number(const json& usage, const char* detail, const char* name) {
  if (!usage.contains(detail) || !usage[detail].is_object()) return 0;
  const json value = usage[detail].value(name, json());
  return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}
std::int64_t either(const json& usage, const char* name, const char* other) {
  return usage.contains(name) ? usage[name].get<std::int64_t>() : usage.value(other, std::int64_t{0});
}

AnswerFacts answer_of(const RecordedCall& call) {
  const Dialect& dialect = *dialect_of(call.endpoint);
  if (!call.stream) return dialect.read(call.response);
  const auto reader = dialect.stream(false);
  reader->feed(call.response);
  reader->finish();
  return reader->facts();
}

TEST(Recorded, there_are_enough_of_them) {
  EXPECT_GE(calls().size(), 700U);
  std::map<std::string, int> of;
  for (const RecordedCall& call : calls())
    ++of[call.endpoint];
  EXPECT_EQ(of["messages"], 62);
  EXPECT_EQ(of["generateContent"] + of["streamGenerateContent"], 49);
  EXPECT_EQ(of["completions"], 49);
}

TEST(Recorded, addresses_are_recognised) {
  const HostTable hosts({});
  for (const RecordedCall& call : calls()) {
    const std::size_t host = call.url.find("//") + 2;
    const std::size_t path = call.url.find('/', host);
    const Route route = recognise("POST", call.url.substr(host, path - host), call.url.substr(path), hosts);
    ASSERT_NE(route.dialect, nullptr) << call.url;
    EXPECT_EQ(route.dialect->endpoint, call.endpoint) << call.url;
    if (is_gemini(call)) {
      EXPECT_EQ(route.host.provider, "gemini") << call.url;
      EXPECT_EQ(route.path_model.substr(0, 7), "gemini-") << call.url;
    }
  }
}

TEST(Recorded, requests_are_read) {
  for (const RecordedCall& call : calls()) {
    const Result<RequestFacts> facts = dialect_of(call.endpoint)->scan(call.request);
    ASSERT_TRUE(facts.ok()) << call.source << " " << facts.error().message;
    const json body = json::parse(call.request);
    EXPECT_EQ(facts->model, body.value("model", "")) << call.source;
    EXPECT_EQ(facts->stream, body.value("stream", json()) == json(true) || call.endpoint == "streamGenerateContent")
        << call.source;
    const auto some = [&](const char* name) { return body.contains(name) && !body[name].empty(); };
    EXPECT_EQ(facts->tools, some("tools") || some("functions")) << call.source;
    const json n = body.value("n", json());
    const json prompt = body.value("prompt", json());
    const std::int64_t prompts = prompt.is_array() ? static_cast<std::int64_t>(prompt.size()) : 1;
    EXPECT_EQ(facts->choices, (n.is_number() ? n.get<std::int64_t>() : 1) * prompts) << call.source;
    std::optional<std::int64_t> limit;
    for (const char* name : {"max_tokens", "max_completion_tokens", "max_output_tokens"}) {
      if (body.value(name, json()).is_number()) limit = std::max(limit.value_or(0), body[name].get<std::int64_t>());
    }
    const json config = body.value("generationConfig", json::object());
    if (config.contains("maxOutputTokens")) limit = config["maxOutputTokens"].get<std::int64_t>();
    EXPECT_EQ(facts->output_limit, limit) << call.source;
    EXPECT_EQ(facts->schema, body.dump().find("json_schema") != std::string::npos ||
                                 config.contains("responseSchema") || config.contains("responseJsonSchema"))
        << call.source;
    if (call.endpoint == "messages") {
      EXPECT_EQ(facts->cache_writes, body.dump().find("\"cache_control\"") == std::string::npos
                                         ? CacheWrites::none
                                         : CacheWrites::short_only)
          << call.source;
      EXPECT_EQ(facts->thinking_budget, number(body, "thinking", "budget_tokens")) << call.source;
      EXPECT_EQ(facts->media, body.dump().find("\"base64\"") != std::string::npos) << call.source;
    }
    if (is_gemini(call)) {
      EXPECT_EQ(facts->media, body.dump().find("\"inlineData\"") != std::string::npos) << call.source;
      EXPECT_EQ(facts->remote, body.dump().find("\"fileData\"") != std::string::npos) << call.source;
    }
  }
}

TEST(Recorded, rewrites_are_what_they_say) {
  for (const RecordedCall& call : calls()) {
    const Dialect& dialect = *dialect_of(call.endpoint);
    if (!dialect.has_output) continue;
    Rewrite change;
    change.output_limit = 777;
    change.output_limit_name = dialect.output_limit_name;
    change.ask_for_usage = dialect.takes_usage_option;
    const RequestFacts facts = *dialect.scan(call.request);
    const std::string sent = rewrite(call.request, facts, change);
    json expected = json::parse(call.request);
    json& parent = is_gemini(call) ? expected["generationConfig"] : expected;
    parent[facts.output_limit_spans.empty() ? std::string(dialect.output_limit_name)
                                            : std::string(facts.output_limit_name)] = 777;
    if (change.ask_for_usage) {
      if (!expected["stream_options"].is_object()) expected["stream_options"] = json::object();
      expected["stream_options"]["include_usage"] = true;
    }
    EXPECT_EQ(json::parse(sent), expected) << call.source;
  }
}

TEST(Recorded, usage_equals_an_independent_reading) {
  for (const RecordedCall& call : calls()) {
    const AnswerFacts facts = answer_of(call);
    const json usage = usage_of(call);
    if (usage.is_null()) {
      EXPECT_FALSE(facts.quantities) << call.source;
      continue;
    }
    ASSERT_TRUE(facts.quantities) << call.source << " " << usage.dump();
    const Quantities& q = *facts.quantities;
    const std::int64_t written = number(usage, "cache_creation_input_tokens");
    std::int64_t input = either(usage, "prompt_tokens", "input_tokens");
    std::int64_t output = either(usage, "completion_tokens", "output_tokens");
    std::int64_t cached = number(usage, "prompt_tokens_details", "cached_tokens") +
                          number(usage, "input_tokens_details", "cached_tokens");
    std::int64_t reasoning = number(usage, "completion_tokens_details", "reasoning_tokens") +
                             number(usage, "output_tokens_details", "reasoning_tokens");
    if (call.endpoint == "messages") {
      cached = number(usage, "cache_read_input_tokens");
      input += written + cached;
    } else if (is_gemini(call)) {
      input = number(usage, "promptTokenCount");
      reasoning = number(usage, "thoughtsTokenCount");
      output = number(usage, "candidatesTokenCount") + reasoning;
      cached = number(usage, "cachedContentTokenCount");
      EXPECT_EQ(input + output, number(usage, "totalTokenCount")) << call.source;
    }
    EXPECT_EQ(q[Quantity::input_tokens] + q[Quantity::cache_read_tokens] + q[Quantity::cache_write_tokens] +
                  q[Quantity::cache_write_1h_tokens] + q[Quantity::input_audio_tokens] +
                  q[Quantity::input_image_tokens],
              input)
        << call.source;
    EXPECT_EQ(q[Quantity::cache_write_tokens], written) << call.source;
    EXPECT_EQ(q[Quantity::cache_read_tokens], cached) << call.source;
    EXPECT_EQ(q[Quantity::output_tokens] + q[Quantity::reasoning_tokens] + q[Quantity::output_audio_tokens] +
                  q[Quantity::output_image_tokens],
              output)
        << call.source << usage.dump();
    EXPECT_EQ(q[Quantity::reasoning_tokens], reasoning) << call.source;
    EXPECT_FALSE(facts.model.empty()) << call.source;
    EXPECT_TRUE(facts.final) << call.source;
  }
}

TEST(Recorded, random_cuts_give_the_same) {
  std::mt19937 random(7);
  for (const RecordedCall& call : calls()) {
    if (!call.stream) continue;
    const AnswerFacts expected = answer_of(call);
    std::string stripped;
    for (int round = 0; round < 8; ++round) {
      for (const bool strip : {false, true}) {
        const auto reader = dialect_of(call.endpoint)->stream(strip);
        std::string delivered;
        std::uniform_int_distribution<std::size_t> sizes(1, round < 2 ? 3 : 4000);
        for (std::size_t at = 0; at < call.response.size();) {
          const std::size_t size = std::min(sizes(random), call.response.size() - at);
          const std::string piece = call.response.substr(at, size);
          at += size;
          const StreamReader::Delivery delivery = reader->feed(piece);
          delivered += delivery.same ? piece : std::string(delivery.bytes);
        }
        delivered += reader->finish();
        ASSERT_EQ(reader->facts().quantities, expected.quantities) << call.source;
        ASSERT_EQ(reader->facts().final, expected.final) << call.source;
        ASSERT_EQ(reader->facts().finish_reason, expected.finish_reason) << call.source;
        ASSERT_EQ(reader->facts().id, expected.id) << call.source;
        if (!strip) {
          ASSERT_EQ(delivered, call.response) << call.source;
        } else if (stripped.empty()) {
          stripped = delivered;
        } else {
          ASSERT_EQ(delivered, stripped) << call.source;
        }
      }
    }
    // What was left out is at most the one usage chunk.
    EXPECT_LE(call.response.size() - stripped.size(), 2000U) << call.source;
  }
}

TEST(Recorded, bytes_and_the_allowance_bound_the_input) {  // R31
  for (const RecordedCall& call : calls()) {
    const RequestFacts facts = *dialect_of(call.endpoint)->scan(call.request);
    const AnswerFacts answer = answer_of(call);
    if (!answer.quantities || facts.media || facts.remote || facts.server_tools) continue;
    const Amounts meters = meters_of(*answer.quantities);
    // "": the least allowance that any model has.
    EXPECT_LE(meters[Meter::input_tokens], facts.input_bytes + hidden_tokens_bound("", facts)) << call.source << "\n"
                                                                                               << facts.model;
  }
}

TEST(Recorded, output_stays_below_what_was_asked) {  // R20
  for (const RecordedCall& call : calls()) {
    const RequestFacts facts = *dialect_of(call.endpoint)->scan(call.request);
    const AnswerFacts answer = answer_of(call);
    if (!answer.quantities || !facts.output_limit || facts.server_tools) continue;
    EXPECT_LE(meters_of(*answer.quantities)[Meter::output_tokens], *facts.output_limit * facts.choices) << call.source;
  }
}

}  // namespace
}  // namespace farthing
