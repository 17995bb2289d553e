// Estimates: no ceiling where nothing bounds the money, and parts that add up to both sides.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/core/guard/fixture.h"
#include "tests/core/policy/blocks.h"
#include "wire/wire.h"

namespace farthing::test {
namespace {

using ::testing::HasSubstr;

class Explained : public GuardFixture, public ::testing::WithParamInterface<Block> {
 protected:
  Estimate estimate(std::string_view endpoint, std::string_view body, std::string_view host = "") {
    const auto made = guard->estimate(endpoint, body, Labels{}, nullptr, host, 1);
    EXPECT_TRUE(made) << made.error().message;
    return made ? *made : Estimate{};
  }
  /// The one part that is called so.
  static EstimatePart part(const std::vector<EstimatePart>& parts, const std::string& what) {
    const auto found =
        std::find_if(parts.begin(), parts.end(), [&](const EstimatePart& each) { return each.what == what; });
    EXPECT_NE(found, parts.end()) << what;
    return found == parts.end() ? EstimatePart{} : *found;
  }
  static void adds_up(const std::vector<EstimatePart>& parts, const std::optional<Usd>& whole, const Amounts& meters) {
    std::int64_t nano = 0;
    Quantities counts;
    for (const EstimatePart& each : parts) {
      nano += each.cost ? each.cost->nano : 0;
      counts[each.quantity] += each.count;
      EXPECT_EQ(each.cost.has_value(), each.rate || each.count == 0) << each.what;
    }
    if (whole) {
      EXPECT_EQ(nano, whole->nano);
    }
    const Amounts sums = meters_of(counts);
    for (const Meter meter : {Meter::input_tokens, Meter::output_tokens, Meter::images, Meter::video_seconds,
                              Meter::audio_seconds, Meter::characters})
      EXPECT_EQ(sums[meter], meters[meter]) << meter_text(meter);
  }
  static void adds_up(const Estimate& made) {
    adds_up(made.likely_parts, made.likely, made.likely_meters);
    adds_up(made.ceiling_parts, made.ceiling, made.ceiling_meters);
    EXPECT_EQ(made.ceiling.has_value(), made.no_ceiling.empty()) << made.no_ceiling;
  }
};

TEST_P(Explained, parts_add_up) {
  auto document = nlohmann::json::parse(R"({"cap":[{"id":"day","limit":"1 USD","per":"day"}]})");
  if (const std::string more = GetParam().part("policy"); !more.empty()) document.update(nlohmann::json::parse(more));
  open_json(document.dump());
  const auto line_of = [](const std::string& text, const char* usual) {
    const std::string line = text.substr(0, text.find('\n'));
    return line.empty() ? usual : line;
  };
  const std::string host = line_of(GetParam().part("host"), "api.openai.com");
  const std::string path = line_of(GetParam().part("endpoint"), "/v1/chat/completions");
  const Route route =
      recognise("POST", host, path, HostTable(guard->policy().hosts), EndpointTable(guard->policy().endpoints));
  ASSERT_NE(route.dialect, nullptr);
  std::string body = GetParam().part("request");
  if (body.starts_with('"')) body = nlohmann::json::parse(body).get<std::string>();
  const auto made = guard->estimate(route.dialect->endpoint, body, Labels{}, nullptr, host, 1);
  if (GetParam().parts.count("file") != 0) GTEST_SKIP() << "a batch of a file that this store has not seen";
  ASSERT_TRUE(made) << made.error().message;
  adds_up(*made);
}

std::vector<Block> calls() {
  std::vector<Block> blocks = blocks_of("calls/outcomes.txt");
  const std::string usual = blocks.front().part("request");
  for (Block& block : blocks_of("calls/dialects.txt"))
    blocks.push_back(std::move(block));
  for (Block& block : blocks) {
    if (block.parts.count("request") == 0) block.parts["request"] = usual;
  }
  return blocks;
}

INSTANTIATE_TEST_SUITE_P(Vectors, Explained, ::testing::ValuesIn(calls()), [](const auto& given) {
  std::string name;
  for (const char letter : given.param.name)
    name += std::isalnum(static_cast<unsigned char>(letter)) != 0 ? letter : '_';
  return name + "_" + std::to_string(given.index);
});

using Estimates = Explained;

constexpr const char* fifty_a_day = "[[cap]]\nid = \"day\"\nlimit = \"50 USD\"\nper = \"day\"\n";

TEST_F(Estimates, what_nothing_bounds_has_no_ceiling) {
  constexpr const char* image =
      R"({"model":"chatgpt-image-latest","prompt":"a mill","quality":"high","size":"1024x1024"})";
  constexpr const char* video = R"({"model":"grok-imagine-video","prompt":"a mill"})";
  for (const char* policy : {fifty_a_day, "[[cap]]\nlimit = \"5 requests\"\nper = \"day\"\n"}) {
    open(policy);
    const Estimate of_image = estimate("images.generations", image);
    EXPECT_FALSE(of_image.ceiling);
    EXPECT_FALSE(of_image.likely);
    EXPECT_FALSE(of_image.hold);
    EXPECT_EQ(of_image.no_ceiling, "nothing bounds it: the tokens of images of this model");
    adds_up(of_image);
    EXPECT_FALSE(estimate("videos", video, "api.x.ai").ceiling);
    EXPECT_FALSE(estimate("videos", video, "api.x.ai").likely);
  }
  const Estimate known = estimate(
      "images.generations", R"({"model":"gpt-image-2.5-flare","prompt":"x","quality":"high","size":"1024x1024"})");
  // Its prompt and 1,756 tokens at 30 USD per million.
  EXPECT_EQ(part(known.ceiling_parts, "asked: output_image_tokens").cost, Usd{52'680'000});
  adds_up(known);
  open(std::string("unbounded = \"2 USD\"\n") + fifty_a_day);
  const Estimate allowed = estimate("images.generations", image);
  EXPECT_EQ(allowed.ceiling, Usd{2 * usd});
  EXPECT_FALSE(allowed.likely) << "an image more than its prompt";
  adds_up(allowed);
  EXPECT_EQ(part(allowed.ceiling_parts, "not bounded: the policy's amount").cost, Usd{2 * usd});
  EXPECT_EQ(estimate("chat.completions", R"({"model":"nobody-knows","messages":[]})").no_ceiling, "no price is known");
}

TEST_F(Estimates, what_is_not_bounded_costs_no_near_zero) {
  open("[[cap]]\nlimit = \"5 requests\"\nper = \"day\"\n");
  Attempt one = attempt();
  ASSERT_EQ(
      begin(one, R"({"model":"chatgpt-image-latest","prompt":"x"})", "api.openai.com", "/v1/images/generations").kind,
      Verdict::Kind::send);
  ASSERT_TRUE(one.sent());
  one.abort(Abort::sent);
  EXPECT_FALSE(rows().front().actual);
  EXPECT_FALSE(rows().front().ceiling);
  Attempt two = attempt();
  ASSERT_EQ(
      begin(two, R"({"model":"chatgpt-image-latest","prompt":"x"})", "api.openai.com", "/v1/images/generations").kind,
      Verdict::Kind::send);
  answer(two, R"({"error":{"message":"no","type":"invalid_request_error"}})", 400);
  EXPECT_EQ(rows().front().actual, Usd{0});
}

TEST_F(Estimates, every_fee_is_a_part_at_its_own_rate) {
  open(fifty_a_day);
  const Estimate sonar =
      estimate("chat.completions", R"({"model":"sonar","max_tokens":100,"messages":[{"role":"user","content":"hi"}]})",
               "api.perplexity.ai");
  EXPECT_EQ(part(sonar.ceiling_parts, "fee: requests").cost, Usd{12'000'000});
  adds_up(sonar);
  const Estimate film = estimate("videos", R"({"model":"sora-2","prompt":"x","seconds":"8","size":"1280x720"})");
  const EstimatePart seconds = part(film.ceiling_parts, "asked: video_seconds");
  EXPECT_EQ(seconds.count, 8'000);
  EXPECT_EQ(seconds.cost, film.ceiling);
  EXPECT_EQ(seconds.rate_text(), "0.10 USD per second");
  // A rate that is finer than a nano: the next whole one is held.
  const Estimate spoken = estimate("chat.completions", R"({"model":"gpt-audio","max_tokens":1000,"messages":[]})");
  adds_up(spoken);
  const EstimatePart output = part(spoken.ceiling_parts, "output limit");
  EXPECT_EQ(Usd{static_cast<std::int64_t>(output.rate->atto / output.rate->per / atto_per_nano) * output.count},
            *output.cost);
  const Estimate document = estimate(
      "messages",
      R"({"model":"claude-haiku-4-5","max_tokens":9,"messages":[{"role":"user","content":[{"type":"image","source":)"
      R"({"type":"base64","media_type":"image/png","data":"iVBORw0KGgoAAAANSUhEUgAAAoAAAAHgCAIAAAAAAAAA"}}]}]})");
  EXPECT_GT(part(document.ceiling_parts, "input: images").count, 0);
  adds_up(document);
}

TEST_F(Estimates, a_tool_with_a_fee_is_likely_used_once) {
  open(fifty_a_day);
  const auto with = [&](const std::string& tool, const std::string& more = "") {
    return estimate("responses", R"({"model":"gpt-5-mini","input":"hello there","max_output_tokens":100,"tools":[)" +
                                     tool + "]" + more + "}");
  };
  const Estimate bare = with("");
  const Estimate searching = with(R"({"type":"web_search"})", R"(,"max_tool_calls":3)");
  EXPECT_EQ(part(searching.likely_parts, "fee: web_searches, one use").cost, Usd{usd / 100});
  EXPECT_GE(searching.likely->nano, bare.likely->nano + usd / 100);
  EXPECT_EQ(part(searching.ceiling_parts, "fee: web_searches").cost, Usd{3 * usd / 100});
  EXPECT_GT(part(searching.likely_parts, "input: read again after a tool").count, 0);
  adds_up(searching);
  const Estimate endless = with(R"({"type":"web_search"})");
  EXPECT_FALSE(endless.ceiling);
  EXPECT_GE(endless.likely->nano, usd / 100);
  EXPECT_THAT(endless.no_ceiling, HasSubstr("server tools without a limit"));
  adds_up(endless);
  const Estimate none = with(R"({"type":"web_search"})", R"(,"max_tool_calls":0)");
  EXPECT_LT(none.likely->nano, usd / 100);
  const Estimate code = with(R"({"type":"code_interpreter","container":{"type":"auto"}})", R"(,"max_tool_calls":2)");
  EXPECT_EQ(part(code.likely_parts, "fee: code_sessions, one use").cost, Usd{3 * usd / 100});
  adds_up(code);
  EXPECT_FALSE(with(R"({"type":"image_generation"})", R"(,"max_tool_calls":2)").likely) << "unknown is never zero";
}

}  // namespace
}  // namespace farthing::test
