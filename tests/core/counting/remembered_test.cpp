// What was counted before: found again by the same rule and text, by no other, and never another number than a fresh count.
#include "counting/remembered.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "counting/request.h"
#include "farthing/count.h"
#include "farthing/prices.h"
#include "tests/core/wire/recorded.h"

namespace farthing::counting {
namespace {

KeyedHash hash_of(std::uint64_t seed) {
  KeyedHash::Key key;
  for (std::uint8_t& byte : key) {
    seed = seed * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    byte = static_cast<std::uint8_t>(seed >> 56U);
  }
  return KeyedHash(key);
}

TEST(KeyedHash, differs_by_every_byte_and_by_the_length) {
  const KeyedHash hash = hash_of(1);
  std::set<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>> seen;
  std::size_t texts = 0;
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 1'023U, 1'024U, 1'025U, 5'000U}) {
    std::string text(size, '\0');
    for (std::size_t at = 0; at <= size; ++at) {
      if (at < size) text[at] = 'x';
      const Hashed hashed = hash(text);
      EXPECT_EQ(hashed.size, size);
      if (at < size || size == 0) {
        seen.emplace(hashed.high, hashed.low, hashed.size);
        ++texts;
      }
      if (at < size) text[at] = '\0';
    }
  }
  EXPECT_EQ(seen.size(), texts);
  const std::string copy = "abc";
  EXPECT_EQ(hash("abc"), hash(copy));
  EXPECT_NE(hash("abc"), hash(std::string_view("abc\0", 4)));  // padded alike, of another length
}

TEST(KeyedHash, of_blocks_in_another_order_differs) {
  const KeyedHash hash = hash_of(2);
  const std::string a(1'024, 'a');
  const std::string b(1'024, 'b');
  EXPECT_NE(hash(a + b), hash(b + a));
  EXPECT_NE(hash(a + a + b), hash(a + b + b));
}

TEST(KeyedHash, hangs_on_its_key) {
  const std::string text(3'000, 'a');
  EXPECT_NE(hash_of(1)(text), hash_of(2)(text));
  EXPECT_NE(hash_of(1)("a"), hash_of(2)("a"));
}

TEST(Remembered, is_found_by_the_same_rule_and_text_only) {
  Remembered remembered;
  const Encoding& o200k = *Encoding::find("o200k_base");
  const Encoding& cl100k = *Encoding::find("cl100k_base");
  const auto place = [](const Encoding& encoding, Rule::Part part, std::uint8_t variant, std::string_view text) {
    return Remembered::place({encoding, part, variant}, text);
  };
  const auto here = place(o200k, Rule::Part::claude, 1, "{}");
  remembered.keep(here, {.text = 7'000, .media = true});
  const auto found = remembered.find(here);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->text, 7'000);
  EXPECT_TRUE(found->media);
  EXPECT_FALSE(found->system);
  EXPECT_FALSE(remembered.find(place(cl100k, Rule::Part::claude, 1, "{}")));
  EXPECT_FALSE(remembered.find(place(o200k, Rule::Part::gemini, 1, "{}")));
  EXPECT_FALSE(remembered.find(place(o200k, Rule::Part::claude, 0, "{}")));
  EXPECT_FALSE(remembered.find(place(o200k, Rule::Part::claude, 1, "[]")));
}

TEST(Remembered, forgets_what_it_has_no_room_for) {
  Remembered remembered;
  const Encoding& encoding = *Encoding::find("o200k_base");
  const auto place = [&](int i) { return Remembered::place({encoding, Rule::Part::chat}, std::to_string(i)); };
  constexpr int count = 100'000;
  for (int i = 0; i < count; ++i)
    remembered.keep(place(i), {.text = i});
  int found = 0;
  for (int i = 0; i < count; ++i) {
    const auto sum = remembered.find(place(i));
    if (!sum) continue;
    EXPECT_EQ(sum->text, i);
    ++found;
  }
  EXPECT_LE(found, 16'384);
  EXPECT_GE(found, 8'000);  // the newest, spread evenly
  EXPECT_TRUE(remembered.find(place(count - 1)));
}

/// `rounds` counts of a request with a text of its own: the first is fresh, the others are found.
std::vector<InputCount> counts(std::string_view endpoint, const std::string& body, const CountedModel& model) {
  std::vector<InputCount> all;
  for (int i = 0; i < 3; ++i) {
    const auto count = count_input(endpoint, body, model);
    EXPECT_TRUE(count) << body;
    if (count) all.push_back(*count);
  }
  return all;
}

bool same(const InputCount& a, const InputCount& b) {
  if (a.parts.size() != b.parts.size()) return false;
  for (std::size_t i = 0; i < a.parts.size(); ++i) {
    if (a.parts[i].what != b.parts[i].what || a.parts[i].tokens != b.parts[i].tokens) return false;
  }
  return a.tokens == b.tokens && a.exact == b.exact && a.ceiling == b.ceiling && a.media == b.media &&
         a.rough == b.rough;
}

TEST(Remembered, of_recorded_calls_is_what_a_fresh_count_is) {
  const auto book = PriceBook::builtin();
  int calls = 0;
  for (const RecordedCall& call : recorded_calls()) {
    for (const char* name : {"gpt-5-mini", "gpt-4", "claude-sonnet-4-5", "gemini-2.5-flash", "mistral-large-latest"}) {
      const std::string_view provider = name[0] == 'c'   ? "anthropic"
                                        : name[0] == 'm' ? "mistral"
                                        : name[1] == 'e' ? "gemini"
                                                         : "openai";
      const Model* model = book->find(provider, name);
      ASSERT_NE(model, nullptr) << name;
      const CountedModel counted{.encoding = model->encoding, .overhead = model->overhead, .name = model->name};
      const auto first = count_input(call.endpoint, call.request, counted);
      const auto again = count_input(call.endpoint, call.request, counted);
      ASSERT_EQ(first.has_value(), again.has_value());
      if (!first) continue;
      ++calls;
      EXPECT_TRUE(same(*first, *again)) << call.source << " " << name;
      // Written otherwise, so that nothing of it is known: a space after each colon of an object's first member.
      std::string spaced = call.request;
      for (std::size_t at = spaced.find("{\""); at != std::string::npos; at = spaced.find("{\"", at + 3)) {
        if (at == 0 || spaced[at - 1] != '\\') spaced.insert(at + 1, " ");
      }
      if (call.request.find("\\\"") != std::string::npos) continue;  // JSON inside a text would be another text
      const auto fresh = count_input(call.endpoint, spaced, counted);
      ASSERT_TRUE(fresh) << spaced;
      EXPECT_TRUE(same(*first, *fresh)) << call.source << " " << name;
    }
  }
  EXPECT_GT(calls, 1'000);
}

TEST(Remembered, the_families_do_not_share_what_they_count_otherwise) {
  const std::string body =
      R"({"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Der Fluß im Tal, 河川 1?"}]})";
  std::set<std::int64_t> tokens;
  for (const CountedModel& model :
       {CountedModel{.encoding = "o200k_base", .overhead = "openai-chat"},
        CountedModel{.encoding = "cl100k_base", .overhead = "openai-chat"},
        CountedModel{.encoding = "o200k_base", .overhead = "openai-reasoning"},
        CountedModel{.overhead = "claude", .name = "claude-sonnet-4-5"},
        CountedModel{.overhead = "claude", .name = "claude-opus-4-7"}, CountedModel{.overhead = "gemini"},
        CountedModel{.overhead = "llama-3"}, CountedModel{.overhead = "deepseek"}}) {
    const auto three = counts("chat.completions", body, model);
    ASSERT_EQ(three.size(), 3U);
    EXPECT_TRUE(same(three[0], three[1]));
    EXPECT_TRUE(same(three[0], three[2]));
    tokens.insert(three[0].tokens);
  }
  EXPECT_GE(tokens.size(), 7U);
}

TEST(Remembered, tools_are_counted_with_the_system_message_that_this_request_has) {
  const auto body = [](const char* first) {
    return std::string(R"({"messages":[{"role":")") + first +
           R"(","content":"hi"}],"tools":[{"type":"function","function":{"name":"twice_seen"}}]})";
  };
  const CountedModel model{.encoding = "o200k_base", .overhead = "openai-chat"};
  const auto alone = counts("chat.completions", body("user"), model);
  const auto with_system = counts("chat.completions", body("system"), model);
  EXPECT_EQ(alone.back().tokens, with_system.back().tokens + 4);
}

TEST(Remembered, is_shared_by_threads) {
  std::vector<std::thread> threads;
  const CountedModel model{.encoding = "o200k_base", .overhead = "openai-chat"};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        const std::string body = R"({"messages":[{"role":"user","content":"thread number )" + std::to_string(i % 20) +
                                 R"("},{"role":"user","content":"Hello, world!"}]})";
        const auto count = count_input("chat.completions", body, model);
        EXPECT_EQ(count->tokens, (4 + 4) + (4 + 4) + 3);
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
}

TEST(Request, is_cut_into_members_and_elements) {
  auto request = Request::read(R"( { "a" : [ {"x":"]}\""} , [1,{"y":[]}],"\\" , -1.5e3 ] , "b":null,"c" : "d" } )");
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->has("a"));
  EXPECT_FALSE(request->has("b"));
  EXPECT_EQ(request->raw("c"), "\"d\"");
  EXPECT_EQ(text(request->member("c")), "d");
  EXPECT_EQ(request->member("b"), nullptr);
  std::vector<std::string> elements;
  const auto sum = request->of_each("a", {*Encoding::find("o200k_base"), Rule::Part::chat, 99}, [&](const Value& one) {
    elements.push_back(compact(one));
    return std::optional(Sum{.text = 1});
  });
  ASSERT_TRUE(sum);
  EXPECT_EQ(sum->text, 4);
  EXPECT_EQ(elements, (std::vector<std::string>{R"({"x":"]}\""})", R"([1,{"y":[]}])", R"("\\")", "-1500.0"}));
}

TEST(Request, counts_of_a_long_list_only_what_is_new) {
  std::vector<std::string> list;
  for (int i = 0; i < 50; ++i)
    list.push_back(R"({"of a long list":)" + std::to_string(i) + "}");
  int asked = 0;
  const auto sum_of = [&](std::size_t from) {
    std::string body;
    for (std::size_t i = from; i < list.size(); ++i)
      body += (body.empty() ? R"({"a":[)" : " ,\n") + list[i];
    body += "]}";
    asked = 0;
    const auto sum =
        Request::read(body)->of_each("a", {*Encoding::find("o200k_base"), Rule::Part::chat, 98}, [&](const Value& one) {
          ++asked;
          return std::optional(Sum{.text = 1'000 + one.MemberBegin()->value.GetInt()});
        });
    return sum->text;
  };
  const auto expect = [&](std::size_t from, std::int64_t sum, int new_ones) {
    EXPECT_EQ(sum_of(from), sum);
    EXPECT_EQ(asked, new_ones);
    EXPECT_EQ(sum_of(from), sum);
    EXPECT_EQ(asked, 0);
  };
  constexpr std::int64_t all = 50 * 1'000 + 49 * 50 / 2;
  expect(0, all, 50);
  list.emplace_back(R"({"of a long list":50})");
  expect(0, all + 1'050, 1);
  list[20] = R"({"of a long list":7})";  // the text of another one before
  expect(0, all + 1'050 - 13, 0);
  list[20] = R"({"of a long list":20000})";
  expect(0, all + 1'050 + 19'980, 1);
  expect(3, all + 1'050 + 19'980 - 3'003, 0);  // other ones stand together
}

TEST(Request, that_could_be_read_in_two_ways_is_not_counted) {
  const CountedModel model{.encoding = "o200k_base", .overhead = "openai-chat"};
  for (
      const char* body : {
          R"({"messages":[{"role":"user","content":"hi","content":"a much longer text that is read instead"}]})",
          R"({"messages":[],"m\u0065ssages":[{"role":"user","content":"hidden"}]})",
          R"({"messages":[{"role":"user","content":"hi"}],"t\u006fols":[{"type":"function","function":{"name":"f"}}]})",
          R"({"messages":[{"role":"user","content":"hi"}],"tool_choice":{"type":"none","type":"function"}})",
          R"({"messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","type":"function"}]})",
      })
    EXPECT_FALSE(count_input("chat.completions", body, model)) << body;
}

TEST(Request, that_is_no_json_is_harmless) {
  const CountedModel model{.encoding = "o200k_base", .overhead = "openai-chat"};
  const std::string whole = R"({"model":"m","messages":[{"role":"user","content":"a \" \\ b"},{"c":[1,2]}],"n":1})";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(count_input("chat.completions", std::string(whole.data(), size), model));
    std::string broken = whole;
    broken[size] = '"';
    static_cast<void>(count_input("chat.completions", broken, model));
  }
}

}  // namespace
}  // namespace farthing::counting
