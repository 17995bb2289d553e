// What every part stands on: codes, meters, labels, clocks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "farthing/clock.h"
#include "farthing/labels.h"
#include "farthing/meter.h"
#include "farthing/result.h"

namespace farthing {
namespace {

TEST(Code, every_one_has_its_own_text) {
  std::set<std::string_view> texts;
  for (int i = 0; i <= static_cast<int>(Code::closed); ++i)
    texts.insert(code_text(static_cast<Code>(i)));
  EXPECT_EQ(static_cast<std::size_t>(Code::closed) + 1, texts.size());
  EXPECT_EQ("cap_exceeded", code_text(Code::cap_exceeded));
}

TEST(Meter, texts_are_read_back) {
  for (std::size_t i = 0; i < meter_count; ++i) {
    const auto meter = static_cast<Meter>(i);
    EXPECT_EQ(meter, meter_of(meter_text(meter)));
  }
  for (std::size_t i = 0; i < quantity_count; ++i) {
    const auto quantity = static_cast<Quantity>(i);
    EXPECT_EQ(quantity, quantity_of(quantity_text(quantity)));
  }
  EXPECT_EQ("video_seconds", meter_text(Meter::video_seconds));
  EXPECT_EQ("tool_calls", quantity_text(Quantity::tool_calls));
  EXPECT_EQ(std::nullopt, meter_of("USD"));
  EXPECT_EQ(std::nullopt, quantity_of(""));
}

TEST(Meter, a_token_is_counted_once_in_each_sum_it_belongs_to) {  // R10
  Quantities q;
  q[Quantity::input_tokens] = 1;
  q[Quantity::cache_read_tokens] = 10;
  q[Quantity::cache_write_tokens] = 100;
  q[Quantity::cache_write_1h_tokens] = 1'000;
  q[Quantity::input_audio_tokens] = 10'000;
  q[Quantity::input_image_tokens] = 100'000;
  q[Quantity::output_tokens] = 2;
  q[Quantity::reasoning_tokens] = 20;
  q[Quantity::output_audio_tokens] = 200;
  q[Quantity::output_image_tokens] = 2'000;
  q[Quantity::requests] = 3;
  q[Quantity::images] = 4;
  q[Quantity::video_ms] = 5;
  q[Quantity::audio_ms] = 6;
  q[Quantity::characters] = 7;
  q[Quantity::web_searches] = 8;
  q[Quantity::tool_calls] = 9;
  const Amounts amounts = meters_of(q);
  EXPECT_EQ(111'111, amounts[Meter::input_tokens]);
  EXPECT_EQ(2'222, amounts[Meter::output_tokens]);
  EXPECT_EQ(113'333, amounts[Meter::tokens]);
  EXPECT_EQ(3, amounts[Meter::requests]);
  EXPECT_EQ(4, amounts[Meter::images]);
  EXPECT_EQ(5, amounts[Meter::video_seconds]);
  EXPECT_EQ(6, amounts[Meter::audio_seconds]);
  EXPECT_EQ(7, amounts[Meter::characters]);
  for (const Meter meter : {Meter::usd, Meter::concurrent, Meter::actions, Meter::runs})
    EXPECT_EQ(0, amounts[meter]);
}

TEST(Meter, a_sum_that_does_not_fit_stays_at_the_largest) {
  Quantities q;
  q[Quantity::input_tokens] = std::numeric_limits<std::int64_t>::max();
  q[Quantity::output_tokens] = 1;
  EXPECT_EQ(std::numeric_limits<std::int64_t>::max(), meters_of(q)[Meter::tokens]);
}

TEST(Labels, are_sorted_with_one_value_per_kind) {
  Labels labels{{"project", "a"}, {"org", "acme"}, {"project", "b"}};
  EXPECT_EQ(R"({"org":"acme","project":"b"})", labels.to_json());
  labels.set_default("project", "c");
  labels.set_default("env", "test");
  EXPECT_EQ(R"({"env":"test","org":"acme","project":"b"})", labels.to_json());
  labels.merge({{"org", "other"}, {"user", "u1"}});
  EXPECT_EQ(R"({"env":"test","org":"other","project":"b","user":"u1"})", labels.to_json());
  EXPECT_EQ("u1", *labels.get("user"));
  EXPECT_EQ(nullptr, labels.get("team"));
  EXPECT_EQ("{}", Labels().to_json());
}

TEST(Labels, any_text_round_trips_through_json) {
  Labels labels;
  labels.set("user", std::string("a\"b\\c\n\x01\x7f é 東京 \0 /", 22));
  labels.set("team", "");
  const Result<Labels> back = Labels::from_json(labels.to_json());
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(labels, *back);
}

TEST(Labels, what_is_no_object_of_texts_is_refused) {
  for (const char* json : {"", "[]", "null", "{", R"({"a":1})", R"({"a":null})", R"({"a":"1","a":"2"})",
                           "{\"a\":\"\xff\"}", R"({"a":"1"}x)"}) {
    const Result<Labels> labels = Labels::from_json(json);
    ASSERT_FALSE(labels) << json;
    EXPECT_EQ(Code::invalid_argument, labels.error().code);
  }
  EXPECT_FALSE(Labels::from_json(std::string(1'000'000, '[')));
}

TEST(Labels, kinds_are_lower_case_words) {
  for (const char* kind : {"org", "api_key", "x2"})
    EXPECT_TRUE(check_label(kind, "v")) << kind;
  for (const char* kind : {"", "Org", "2x", "_x", "a-b", "a b", "é", "a\n"})
    EXPECT_FALSE(check_label(kind, "v")) << kind;
  EXPECT_FALSE(check_label(std::string(65, 'a'), "v"));
}

TEST(Labels, values_are_printable_utf8_of_at_most_128_bytes) {  // R9
  for (const char* value : {"x", "München", "東京", "😀", "a b", "(none)", "*"})
    EXPECT_TRUE(check_label("user", value)) << value;
  EXPECT_TRUE(check_label("user", std::string(128, 'x')));
  EXPECT_THAT(check_label("user", std::string(129, 'x')).error().message, ::testing::HasSubstr("129 bytes"));
  for (const std::string value : {"", "a\nb", "\x7f", "\xc2\x85", "\xff", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                                  "\xf4\x90\x80\x80", "\xf0\x8f\xbf\xbf", "\xe6\x9d", "a\x80"})
    EXPECT_FALSE(check_label("user", value)) << value;
}

TEST(Clock, the_machine_has_one_boot_and_time_goes_on) {
  const auto clock = system_clock();
  EXPECT_GT(clock->wall_ms(), 1'767'225'600'000);  // 2026
  const std::int64_t first = clock->boot_ms();
  EXPECT_LE(first, clock->boot_ms());
  EXPECT_EQ(clock->boot_id(), system_clock()->boot_id());
}

}  // namespace
}  // namespace farthing
