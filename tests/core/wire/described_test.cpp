// Endpoints that a policy describes: what a request asks and what its answer says, at the places that the rule names (R31).
#include <gmock/gmock.h>

#include "reading.h"

namespace farthing {
namespace {

using ::testing::HasSubstr;

EndpointRule songs() {
  EndpointRule rule;
  rule.name = "songs";
  rule.host = "api.acme.example";
  rule.path = "/v1/*/songs";
  rule.model = "/model";
  rule.asks = {{Quantity::audio_ms, "/options/duration", 240'000},
               {Quantity::images, "/covers", std::nullopt},
               {Quantity::characters, "/lyrics", 0}};
  rule.usage = {{Quantity::audio_ms, "/usage/seconds"}};
  return rule;
}

class Described : public ::testing::Test {
 protected:
  EndpointTable table;
  const Dialect* of(const EndpointRule& rule) {
    table = EndpointTable({rule});
    return table.of(rule.name);
  }
  Result<RequestFacts> ask(std::string_view body) { return of(songs())->scan_request(body); }
  Quantities asked(std::string_view body) {
    const auto facts = ask(body);
    EXPECT_TRUE(facts) << body << ": " << (facts ? "" : facts.error().message);
    return facts ? *facts->asked : Quantities{};
  }
};

TEST_F(Described, goes_before_what_is_built_in_on_its_own_host) {
  EndpointRule chat = songs();
  chat.path = "/v1/chat/completions";
  const EndpointTable endpoints({songs(), chat});
  const HostTable hosts({});
  const auto to = [&](const char* method, const char* host, const char* path) {
    return recognise(method, host, path, hosts, endpoints);
  };
  const Route route = to("POST", "api.acme.example", "/v1/pop/songs?x=1");
  EXPECT_EQ(route.kind, Route::Kind::priced);
  EXPECT_EQ(route.dialect->endpoint, "songs");
  EXPECT_EQ(route.host.provider, "api.acme.example");
  EXPECT_EQ(to("POST", "api.acme.example", "/v1/songs").kind, Route::Kind::unknown) << "* is a name at least";
  EXPECT_EQ(to("POST", "api.other.example", "/v1/pop/songs").kind, Route::Kind::unknown);
  EXPECT_EQ(to("GET", "api.acme.example", "/v1/pop/songs").kind, Route::Kind::free);
  EXPECT_EQ(to("POST", "api.acme.example", "/v1/chat/completions").dialect->rule->path, "/v1/chat/completions");
  EXPECT_EQ(to("POST", "api.openai.com", "/v1/chat/completions").dialect->rule, nullptr);
}

TEST_F(Described, asks_for_what_stands_at_its_places) {
  const Quantities all =
      asked(R"({"model":"song-1","options":{"duration":12.0004},"covers":["a","b"],"lyrics":"\u00e9t\u00e9 7"})");
  EXPECT_EQ(all[Quantity::audio_ms], 12'001) << "rounded up to whole ms (R10)";
  EXPECT_EQ(all[Quantity::images], 2);
  EXPECT_EQ(all[Quantity::characters], 5);
  EXPECT_EQ(all[Quantity::requests], 1);
  const Quantities by_default = asked(R"({"model":"song-1","options":{"duration":null},"covers":3})");
  EXPECT_EQ(by_default[Quantity::audio_ms], 240'000);
  EXPECT_EQ(by_default[Quantity::images], 3);
  EXPECT_EQ(by_default[Quantity::characters], 0);
  EXPECT_EQ(asked(R"({"covers":"4","lyrics":["ab",["c","\u00e9"]]})")[Quantity::characters], 4) << "of all texts";
  EXPECT_EQ(asked(R"({"covers":"4","lyrics":500})")[Quantity::images], 4) << "a number in quotes";
  EXPECT_EQ(asked(R"({"covers":"4","lyrics":500})")[Quantity::characters], 500) << "a number of them";
  EXPECT_EQ(asked(R"({"covers":"4","lyrics":"500"})")[Quantity::characters], 3) << "three of them";
  EXPECT_EQ(asked(R"({"covers":1.5})")[Quantity::images], 2) << "a part of one is one";
}

TEST_F(Described, says_what_nobody_says) {
  const auto facts = ask(R"({"model":"song-1"})");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->unsaid, "images at /covers");
}

TEST_F(Described, a_request_that_could_be_read_in_two_ways_is_not_read) {
  for (const auto& [body, why] : std::initializer_list<std::pair<const char*, const char*>>{
           {"", "empty"},
           {"[]", "not an object"},
           {R"({"covers":1)", "Missing"},
           {R"({"covers":1}x)", "root"},
           {"{\"covers\":\"\xff\"}", "UTF-8"},
           {R"({"covers":1,"covers":9})", "\"covers\" stands twice"},
           {R"({"covers":1,"options":{"duration":1,"duration":900}})", "\"duration\" stands twice"},
           {R"({"covers":-1})", "/covers is not a number of images"},
           {R"({"covers":"many"})", "/covers is not a number of images"},
           {R"({"covers":true})", "/covers is not a number of images"},
           {R"({"covers":{"n":1}})", "/covers is not a number of images"},
           {R"({"covers":1e12})", "/covers is not a number of images"},
           {R"({"covers":1,"model":7})", "the model at /model"}}) {
    const auto facts = ask(body);
    ASSERT_FALSE(facts) << body;
    EXPECT_EQ(facts.error().code, Code::unreadable_request);
    EXPECT_THAT(facts.error().message, HasSubstr(why)) << body;
  }
  const std::string deep = R"({"covers":1,"x":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_EQ(asked(deep)[Quantity::images], 1) << "nesting costs no stack";
}

TEST_F(Described, an_answer_tells_usage_or_it_is_what_was_asked_for) {
  RequestFacts request;
  request.asked.emplace();
  (*request.asked)[Quantity::audio_ms] = 240'000;
  (*request.asked)[Quantity::images] = 2;
  const Dialect& dialect = *of(songs());
  const AnswerFacts told = dialect.read_answer(R"({"id":"s1","usage":{"seconds":31.5}})", request);
  ASSERT_TRUE(told.quantities && told.final);
  EXPECT_EQ((*told.quantities)[Quantity::audio_ms], 31'500);
  EXPECT_EQ((*told.quantities)[Quantity::images], 2);
  EXPECT_EQ(told.id, "s1");
  for (const char* body : {"", "null", R"({"id":"s1"})", R"({"usage":{"seconds":null}})", R"({"usage":{"seconds":-1}})",
                           R"({"usage":{"seconds":1,"seconds":2}})", R"({"usage":{"seconds":"soon"}})"}) {
    const AnswerFacts facts = dialect.read_answer(body, request);
    EXPECT_FALSE(facts.quantities || facts.final || facts.error) << body << ": missing is not zero";
  }
  const AnswerFacts failed = dialect.read_answer(R"({"error":{"code":"too_loud"}})", request);
  EXPECT_TRUE(failed.error);
  EXPECT_EQ(failed.error_code, "too_loud");
  EXPECT_FALSE(dialect.read_answer(R"({"error":null,"usage":{"seconds":1}})", request).error);
}

TEST_F(Described, a_cost_is_read_in_decimals) {
  EndpointRule rule = songs();
  rule.usage.clear();
  rule.cost = "/bill/0/usd";
  const auto cost = [&](std::string_view body) { return of(rule)->read_answer(body, {}).reported_cost; };
  EXPECT_EQ(cost(R"({"bill":[{"usd":0.1}]})"), Usd{100'000'000});
  EXPECT_EQ(cost(R"({"bill":[{"usd":"0.0000036"}]})"), Usd{3'600});
  for (const char* body : {R"({"bill":[]})", R"({"bill":[{"usd":-1}]})", R"({"bill":[{"usd":"free"}]})", "{}"}) {
    EXPECT_FALSE(cost(body)) << body;
    EXPECT_FALSE(of(rule)->read_answer(body, {}).final) << body;
  }
}

}  // namespace
}  // namespace farthing
