// The lints of the price book: each finds its mistake, says where, and can be waived with a reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "books.h"

namespace farthing::lint_test {
namespace {

using prices_detail::Problems;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::model;
using testing::plain_row;

Problems problems_of(const std::string& models) {
  Problems problems;
  prices_detail::compile_book({testing::acme(models)}, problems);
  return problems;
}

/// The problems of a model with a plain row and these.
Problems with_rows(const std::string& rows, const std::string& keys = "") {
  return problems_of(model(std::string(plain_row) + rows, keys));
}

TEST(Lint, a_right_book_has_no_problems) {
  EXPECT_THAT(problems_of(model(plain_row)), IsEmpty());
  EXPECT_THAT(with_rows("{ tier = \"flex\", per = \"million\", input_tokens = \"0.5\", output_tokens = \"2\" },\n"),
              IsEmpty());
}

TEST(Lint, a_problem_names_the_line_what_was_found_and_what_is_accepted) {
  EXPECT_EQ(
      Problems{"acme.toml:26: model a-1: input_tokens is \"1,00\"; accepted: USD as decimal text in double quotes, "
               "\"0.25\": at most 18 decimals, no sign, no exponent"},
      with_rows("{ tier = \"flex\", per = \"million\", input_tokens = \"1,00\", output_tokens = \"1\" },\n"));
}

TEST(Lint, what_is_no_toml_is_a_problem_and_not_the_end_of_the_process) {
  for (const char* text :
       {"[`acme]\n", "[[`model]]\n", "x = 2026-12-01Tx\n", "\xC3\xA9 = 1\n", "a = \"", "[", "\xFF"}) {
    Problems problems;
    EXPECT_EQ(prices_detail::compile_book({{"acme.toml", text}}, problems), "") << text;
    EXPECT_THAT(problems, Contains(HasSubstr("accepted: TOML"))) << text;
  }
}

TEST(Lint, amounts_that_are_none_are_refused) {
  for (const char* amount :
       {"", "-1", "1e-6", "$1", "1 USD", "abc", ".5", "1.", "1_000", "0.0000000000000000001", "9999999999"}) {
    const auto problems = problems_of(
        model("{ per = \"million\", input_tokens = \"" + std::string(amount) + "\", output_tokens = \"4\" },\n"));
    EXPECT_THAT(problems, Contains(HasSubstr("input_tokens is \"" + std::string(amount) + "\"")));
  }
  EXPECT_THAT(problems_of(model("{ per = \"million\", input_tokens = 0.25, output_tokens = \"4\" },\n")),
              Contains(HasSubstr("input_tokens is no text")));
}

TEST(Lint, a_unit_is_required_and_must_be_one) {
  EXPECT_THAT(problems_of(model("{ input_tokens = \"1\", output_tokens = \"4\" },\n")),
              Contains(HasSubstr("per is missing")));
  EXPECT_THAT(problems_of(model("{ per = \"token\", input_tokens = \"1\", output_tokens = \"4\" },\n")),
              Contains(HasSubstr("per is \"token\"")));
  EXPECT_THAT(problems_of(model("{ per = \"0\", input_tokens = \"1\", output_tokens = \"4\" },\n")),
              Contains(HasSubstr("per is \"0\"")));
  EXPECT_THAT(problems_of(model("{ per = \"minute\", input_tokens = \"1\", output_tokens = \"4\" },\n")),
              Contains(HasSubstr("wrong kind of unit")));
}

TEST(Lint, misspelt_keys_are_refused) {
  EXPECT_THAT(with_rows("{ teir = \"flex\", per = \"million\", input_tokens = \"0.5\" },\n"),
              Contains(HasSubstr("\"teir\" is neither a condition nor a quantity")));
  EXPECT_THAT(problems_of(model(plain_row, "contxt = 1")), Contains(HasSubstr("the key contxt is not known")));
  EXPECT_THAT(problems_of("[[modle]]\n"), Contains(HasSubstr("the key modle is not known")));
  EXPECT_THAT(problems_of("[[model]\n"), Contains(HasSubstr("acme.toml:")));
}

TEST(Lint, rates_above_1000_usd_per_million_tokens) {
  EXPECT_THAT(problems_of(model("{ per = \"million\", input_tokens = \"1\", output_tokens = \"1000.01\" },\n")),
              Contains(HasSubstr("[absurd]")));
  EXPECT_THAT(problems_of(model("{ per = \"thousand\", input_tokens = \"1\", output_tokens = \"1.5\" },\n")),
              Contains(HasSubstr("[absurd]")));
  EXPECT_THAT(problems_of(model("{ per = \"million\", input_tokens = \"1\", output_tokens = \"1000\" },\n")),
              IsEmpty());
}

TEST(Lint, more_than_nine_significant_digits) {
  EXPECT_THAT(problems_of(model("{ per = \"million\", input_tokens = \"0.1234567891\", output_tokens = \"4\" },\n")),
              Contains(HasSubstr("[digits]")));
  EXPECT_THAT(
      problems_of(model("{ per = \"million\", input_tokens = \"0.000000123456789\", output_tokens = \"4\" },\n")),
      IsEmpty());
}

TEST(Lint, a_zero_must_be_meant) {
  EXPECT_THAT(problems_of(model("{ per = \"million\", input_tokens = \"0\", output_tokens = \"4\" },\n")),
              Contains(HasSubstr("[zero]")));
  EXPECT_THAT(
      problems_of(model("{ per = \"million\", input_tokens = \"0\", output_tokens = \"0\" },\n", "free = true")),
      IsEmpty());
  EXPECT_THAT(problems_of(model(plain_row, "free = true")), Contains(HasSubstr("[zero]")));
}

TEST(Lint, caches_in_their_order) {
  const auto cache = [](const std::string& prices) {
    return problems_of(model("{ per = \"million\", input_tokens = \"1\", output_tokens = \"4\", " + prices + " },\n"));
  };
  EXPECT_THAT(cache("cache_read_tokens = \"1.01\""), Contains(HasSubstr("[read_at_most_input]")));
  EXPECT_THAT(cache("cache_read_tokens = \"0.9\", cache_write_tokens = \"0.8\""),
              Contains(HasSubstr("[read_at_most_write]")));
  EXPECT_THAT(cache("cache_write_tokens = \"2\", cache_write_1h_tokens = \"1.25\""),
              Contains(HasSubstr("[write_at_most_1h]")));
  EXPECT_THAT(cache("cache_write_tokens = \"3.01\""), Contains(HasSubstr("[write_at_most_3_inputs]")));
  EXPECT_THAT(cache("cache_write_1h_tokens = \"3.01\""), Contains(HasSubstr("[write_at_most_3_inputs]")));
  EXPECT_THAT(cache("cache_read_tokens = \"0.1\", cache_write_tokens = \"1.25\", cache_write_1h_tokens = \"2\""),
              IsEmpty());
  // A tier without a cache price has the standard one, which may be above its input.
  EXPECT_THAT(with_rows("{ tier = \"batch\", per = \"million\", input_tokens = \"0.09\", output_tokens = \"2\" },\n"),
              Contains(HasSubstr("[read_at_most_input]")));
}

TEST(Lint, batch_below_standard_below_priority_and_none_ten_times_away) {
  EXPECT_THAT(with_rows("{ tier = \"batch\", per = \"million\", output_tokens = \"4.00\" },\n"),
              Contains(HasSubstr("[tier_order]")));
  EXPECT_THAT(with_rows("{ tier = \"flex\", per = \"million\", output_tokens = \"5\" },\n"),
              Contains(HasSubstr("[tier_order]")));
  EXPECT_THAT(with_rows("{ tier = \"priority\", per = \"million\", output_tokens = \"3\" },\n"),
              Contains(HasSubstr("[tier_order]")));
  EXPECT_THAT(with_rows("{ tier = \"priority\", per = \"million\", output_tokens = \"40.1\" },\n"),
              Contains(HasSubstr("[tier_within_10]")));
  EXPECT_THAT(with_rows("{ tier = \"warp\", per = \"million\", output_tokens = \"8\" },\n"),
              Contains(HasSubstr("tier is \"warp\"")));
}

TEST(Lint, a_longer_context_is_never_cheaper) {
  EXPECT_THAT(with_rows("{ context_above = 200_000, per = \"million\", output_tokens = \"3.99\" },\n"),
              Contains(HasSubstr("[context_order]")));
  EXPECT_THAT(with_rows("{ context_above = 200_000, per = \"million\", output_tokens = \"6\" },\n"
                        "{ context_above = 500_000, per = \"million\", output_tokens = \"5\" },\n"),
              Contains(HasSubstr("[context_order]")));
}

TEST(Lint, a_change_over_5_times_needs_a_person) {
  const auto change = [](const std::string& after, const std::string& keys = "") {
    return problems_of(
        model("{ until = 2026-07-30, per = \"million\", input_tokens = \"1\", output_tokens = \"5\" },\n"
              "{ from = 2026-07-30, per = \"million\", input_tokens = \"" +
                  after + "\", output_tokens = \"5\" },\n" + "{ per = \"thousand\", web_searches = \"10\" },\n",
              keys));
  };
  EXPECT_THAT(change("0.20"), Not(Contains(HasSubstr("change_over_5"))));
  EXPECT_THAT(change("0.19"), Contains(HasSubstr("[change_over_5]")));
  EXPECT_THAT(change("5.01"), Contains(HasSubstr("[change_over_5]")));
  EXPECT_THAT(change("0.19", "waive = { change_over_5 = \"announced on 2026-07-30\" }"),
              Not(Contains(HasSubstr("change_over_5"))));
}

TEST(Lint, waivers_need_a_reason_and_something_to_waive) {
  EXPECT_THAT(problems_of(model(plain_row, "waive = { zero = \"why not\" }")),
              Contains(HasSubstr("waive zero waives nothing")));
  EXPECT_THAT(problems_of(model(plain_row, "waive = { nonsense = \"x\" }")),
              Contains(HasSubstr("names the lint \"nonsense\"")));
  EXPECT_THAT(problems_of(model("{ per = \"million\", input_tokens = \"0\", output_tokens = \"4\" },\n",
                                "waive = { zero = \"\" }")),
              Contains(HasSubstr("[zero]")));
}

TEST(Lint, a_dated_name_has_the_prices_of_the_undated) {
  const std::string other = "{ per = \"million\", input_tokens = \"2\", output_tokens = \"4\" },\n";
  EXPECT_THAT(problems_of(model(plain_row) + model(other, "", "a-1-2026-01-01")),
              Contains(HasSubstr("[dated_equals_undated]")));
  EXPECT_THAT(problems_of(model(plain_row) + model(plain_row, "", "a-1-2026-01-01")), IsEmpty());
}

TEST(Lint, two_prices_for_one_instant) {
  EXPECT_THAT(with_rows("{ per = \"million\", output_tokens = \"5\" },\n"),
              Contains(HasSubstr("output_tokens has two prices for one instant")));
  EXPECT_THAT(
      problems_of(model("{ until = 2026-08-01, per = \"million\", input_tokens = \"1\", output_tokens = \"4\" },\n"
                        "{ from = 2026-07-31, per = \"million\", input_tokens = \"1\", output_tokens = \"5\" },\n")),
      Contains(HasSubstr("two prices for one instant")));
  EXPECT_THAT(with_rows("{ hours = \"01:00-04:00\", per = \"million\", output_tokens = \"5\" },\n"
                        "{ hours = \"03:00-06:00\", per = \"million\", output_tokens = \"6\" },\n"),
              Contains(HasSubstr("two prices for one instant")));
  EXPECT_THAT(with_rows("{ hours = \"22:00-04:00\", per = \"million\", output_tokens = \"5\" },\n"
                        "{ hours = \"04:00-06:00\", per = \"million\", output_tokens = \"6\" },\n"),
              IsEmpty());
}

TEST(Lint, rows_of_which_neither_is_the_more_specific) {
  const std::string ambiguous =
      "{ tier = \"priority\", per = \"million\", output_tokens = \"8\" },\n"
      "{ context_above = 200_000, per = \"million\", output_tokens = \"6\" },\n";
  EXPECT_THAT(with_rows(ambiguous), Contains(HasSubstr("neither row is the more specific one")));
  EXPECT_THAT(
      with_rows(ambiguous +
                "{ tier = \"priority\", context_above = 200_000, per = \"million\", output_tokens = \"12\" },\n"),
      IsEmpty());
}

TEST(Lint, times_and_dates) {
  EXPECT_THAT(with_rows("{ hours = \"1:00-4:00\", per = \"million\", output_tokens = \"5\" },\n"),
              Contains(HasSubstr("hours is \"1:00-4:00\"")));
  EXPECT_THAT(with_rows("{ from = \"2026-01-01\", per = \"million\", output_tokens = \"5\" },\n"),
              Contains(HasSubstr("from is a value of type string")));
  EXPECT_THAT(with_rows("{ from = 2026-01-02, until = 2026-01-02, per = \"million\", output_tokens = \"5\" },\n"),
              Contains(HasSubstr("until is not after from")));
  EXPECT_THAT(problems_of(model(plain_row, "date = 2026-11-22")), Contains(HasSubstr("[future_date]")));
}

TEST(Lint, an_answer_is_not_longer_than_the_context) {
  std::string text = model(plain_row);
  text.replace(text.find("output = 1_000"), 14, "output = 1_000_001");
  EXPECT_THAT(problems_of(text), Contains(HasSubstr("output is above context [output_at_most_context]")));
}

TEST(Lint, names_are_unique_and_facts_are_there) {
  EXPECT_THAT(problems_of(model(plain_row) + model(plain_row)),
              Contains(HasSubstr("the name \"a-1\" is also that of acme.toml:")));
  EXPECT_THAT(problems_of(model(plain_row) + model(plain_row, "aliases = [\"a-1\"]", "a-2")),
              Contains(HasSubstr("is also that of")));
  EXPECT_THAT(problems_of("[[model]]\nname = \"x\"\nfamily = \"x\"\nmodality = \"text\"\nrates = []\n"),
              AllOf(Contains(HasSubstr("context is missing")), Contains(HasSubstr("output is missing")),
                    Contains(HasSubstr("there are no rates"))));
  EXPECT_THAT(problems_of(model("{ per = \"million\", input_tokens = \"1\" },\n")),
              Contains(HasSubstr("there is no output_tokens price without a condition")));
  EXPECT_THAT(problems_of(model(plain_row, "dated = [\"-YYYY\"]")), Contains(HasSubstr("dated has \"-YYYY\"")));
  EXPECT_THAT(problems_of(model(plain_row, "regions = { eu = \"ten\" }")), Contains(HasSubstr("region eu is \"ten\"")));
  EXPECT_THAT(problems_of(model(plain_row, "output_at_most = 1")),
              Contains(HasSubstr("the key output_at_most is not known")));
}

TEST(Lint, all_problems_are_reported_not_only_the_first) {
  EXPECT_GE(problems_of(model("{ per = \"x\", input_tokens = \"y\" },\n", "contxt = 1")).size(), 4u);
}

TEST(Lint, what_takes_the_prices_of_another_provider) {
  Problems problems;
  prices_detail::compile_book(
      {testing::acme(model(plain_row)),
       {"b.toml",
        "[provider]\nname = \"b\"\nsource = \"https://b.test\"\ndate = 2026-11-20\ntokens_per_second = 1\n"
        "[[provider.prices_of]]\nprovider = \"acne\"\n[provider.aliases]\nx = \"y\"\n"}},
      problems);
  EXPECT_THAT(problems, AllOf(Contains(HasSubstr("there is no other provider \"acne\"")),
                              Contains(HasSubstr("alias x: there is no model \"y\""))));
}

}  // namespace
}  // namespace farthing::lint_test
