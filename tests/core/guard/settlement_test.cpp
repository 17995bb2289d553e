// What a settled call costs and what its entry says: the book and time of its reserve, the model that served it (R25, R29, R41).
#include "tests/core/guard/fixture.h"

namespace farthing::test {
namespace {

class Settled : public GuardFixture {
 protected:
  static std::string answered(const std::string& model, const std::string& more = "") {
    return R"({"id":"c","model":")" + model + "\"" + more +
           R"(,"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":1000,)"
           R"("total_tokens":2000}})";
  }
};

TEST_F(Settled, at_the_price_that_was_in_force_when_it_was_granted_R25) {
  open(std::string(a_dollar_a_day) +
       "[[price]]\nprovider = \"openai\"\nmodel = \"acme-1\"\nuntil = \"2026-09-21T14:30:00Z\"\n"
       "rates = { input_tokens = \"1.00 USD per million\", output_tokens = \"4.00 USD per million\" }\n"
       "[[price]]\nprovider = \"openai\"\nmodel = \"acme-1\"\nfrom = \"2026-09-21T14:30:00Z\"\n"
       "rates = { input_tokens = \"2.00 USD per million\", output_tokens = \"8.00 USD per million\" }\n");
  constexpr const char* request = R"({"model":"acme-1","messages":[],"max_completion_tokens":1000})";
  Attempt before = attempt();
  ASSERT_EQ(begin(before, request).kind, Verdict::Kind::send);
  clock->advance(hour_ms);
  answer(before, answered("acme-1"));
  EXPECT_EQ(before.receipt()->cost, Usd{5'000'000});
  Attempt after = attempt();
  ASSERT_EQ(begin(after, request).kind, Verdict::Kind::send);
  answer(after, answered("acme-1"));
  EXPECT_EQ(after.receipt()->cost, Usd{10'000'000});
}

TEST_F(Settled, a_price_that_rises_while_a_call_waits_stays_below_its_hold_R21_R25) {
  open(
      "[[cap]]\nid = \"day\"\nlimit = \"0.02 USD\"\nper = \"day\"\n"
      "[[price]]\nprovider = \"openai\"\nmodel = \"acme-1\"\nuntil = \"2026-09-21T14:14:00Z\"\n"
      "rates = { input_tokens = \"1.00 USD per million\", output_tokens = \"4.00 USD per million\" }\n"
      "[[price]]\nprovider = \"openai\"\nmodel = \"acme-1\"\nfrom = \"2026-09-21T14:14:00Z\"\n"
      "rates = { input_tokens = \"2.00 USD per million\", output_tokens = \"12.00 USD per million\" }\n");
  constexpr const char* request = R"({"model":"acme-1","messages":[],"max_completion_tokens":1000})";
  Attempt first = attempt();
  ASSERT_EQ(begin(first, request).kind, Verdict::Kind::send);
  Attempt second = attempt();
  ASSERT_EQ(begin(second, request).kind, Verdict::Kind::wait);
  clock->advance(59'000);  // past 14:14
  answer(first, R"({"id":"c","model":"acme-1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":9}})");
  ASSERT_EQ(second.proceed().kind, Verdict::Kind::send);
  const std::int64_t held = left("day").reserved;
  answer(second, R"({"id":"c","model":"acme-1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":1000}})");
  EXPECT_GT(second.receipt()->cost->nano, 12'000'000);
  EXPECT_LE(second.receipt()->cost->nano, held);
}

TEST_F(Settled, at_the_price_of_the_model_that_served_it_R29) {
  open(a_dollar_a_day);
  Attempt one = attempt();
  ASSERT_EQ(begin(one).kind, Verdict::Kind::send);  // gpt-5-mini: 0.25 and 2 USD per million
  answer(one, answered("gpt-5-nano"));              // 0.05 and 0.40
  EXPECT_EQ(one.receipt()->cost, Usd{450'000});
  EXPECT_EQ(one.receipt()->model, "gpt-5-mini");
  EXPECT_EQ(one.receipt()->model_served, "gpt-5-nano");
  Attempt unknown = attempt();
  ASSERT_EQ(begin(unknown).kind, Verdict::Kind::send);
  answer(unknown, answered("acme-7b"));  // in no book: the asked model's price
  EXPECT_EQ(unknown.receipt()->cost, Usd{2'250'000});
}

TEST_F(Settled, at_the_tier_that_served_it_not_the_one_that_was_asked_for) {
  open(a_dollar_a_day);
  Attempt one = attempt();
  ASSERT_EQ(
      begin(one, R"({"model":"gpt-5-mini","messages":[],"max_completion_tokens":1000,"service_tier":"priority"})").kind,
      Verdict::Kind::send);
  answer(one, answered("gpt-5-mini", R"(,"service_tier":"default")"));
  EXPECT_EQ(one.receipt()->cost, Usd{2'250'000});
  EXPECT_EQ(rows().front().tier_asked, "priority");
  EXPECT_EQ(rows().front().tier_served, "default");
}

TEST_F(Settled, its_entry_says_all_that_is_known_of_it_R41) {
  open(a_dollar_a_day);
  Attempt one = attempt();
  ASSERT_EQ(begin(one).kind, Verdict::Kind::send);
  ASSERT_TRUE(one.sent());
  clock->advance(750);
  const HeaderView headers[] = {{"content-type", "application/json"},
                                {"x-request-id", "req_9"},
                                {"x-ratelimit-remaining-requests", "499"},
                                {"x-ratelimit-remaining-tokens", "12000"}};
  one.head(200, headers);
  one.end(answered("gpt-5-mini-2025-08-07"));
  ASSERT_EQ(rows().size(), 1U);
  const LedgerRow row = rows().front();
  EXPECT_EQ(row.context->provider, "openai");
  EXPECT_EQ(row.context->host, "api.openai.com");
  EXPECT_EQ(row.context->endpoint, "chat.completions");
  EXPECT_EQ(row.context->modality, "text");
  EXPECT_EQ(row.context->model, "gpt-5-mini");
  EXPECT_EQ(row.context->model_asked, "gpt-5-mini");
  EXPECT_EQ(row.context->book_version, PriceBook::builtin()->version());
  EXPECT_NE(row.context->rates_json.find("0.25 USD per million"), std::string::npos) << row.context->rates_json;
  EXPECT_EQ(row.model_served, "gpt-5-mini-2025-08-07");
  EXPECT_EQ(row.request_id, "req_9");
  EXPECT_EQ(row.response_id, "c");
  EXPECT_EQ(row.finish_reason, "stop");
  EXPECT_EQ(row.status, 200);
  EXPECT_EQ(row.latency_ms, 750);
  EXPECT_EQ(row.headroom, R"({"requests":"499","tokens":"12000"})");
  EXPECT_EQ(row.output_limit_asked, 1'000);
  EXPECT_EQ(row.output_limit, 1'000);
  EXPECT_EQ(row.attempt_number, 1);
  EXPECT_GT(row.policy_revision, 0U);
  EXPECT_GT(row.ceiling->nano, row.likely->nano);
  EXPECT_EQ(row.confidence, "heuristic");
  EXPECT_EQ(row.quantities[Quantity::output_tokens], 1'000);
  EXPECT_EQ(row.booked[Meter::tokens], 2'000);
  EXPECT_GE(row.held[Meter::usd], row.actual->nano);
}

TEST_F(Settled, labels_that_farthing_sets_itself_can_be_matched_R29) {
  const std::vector<std::pair<std::string, std::string>> set = {
      {"provider", "openai"},    {"model", "gpt-5-mini"},          {"model_asked", "gpt-5-mini-2025-08-07"},
      {"model_family", "gpt-5"}, {"endpoint", "chat.completions"}, {"modality", "text"},
      {"operation", "generate"}, {"attempt_kind", "primary"},
  };
  std::string toml;
  for (const auto& [kind, value] : set) {
    toml += "[[cap]]\nid = \"" + kind + "\"\nlimit = \"1 requests\"\nper = \"day\"\nmatch = { " + kind + " = \"" +
            value + "\" }\n";
  }
  open(toml +
       "[[cap]]\nid = \"retries\"\nlimit = \"9 requests\"\nper = \"day\"\nmatch = { attempt_kind = \"retry\" }\n");
  const auto call = guard->call();
  Attempt one = attempt(call);
  ASSERT_EQ(begin(one, R"({"model":"gpt-5-mini-2025-08-07","messages":[],"max_completion_tokens":10})").kind,
            Verdict::Kind::send);
  answer(one);
  for (const auto& [kind, value] : set)
    EXPECT_EQ(left(kind).spent, 1) << kind;
  Attempt retry = attempt(call);
  ASSERT_EQ(begin(retry, R"({"model":"gpt-5-nano","messages":[],"max_completion_tokens":10})", "api.openai.com").kind,
            Verdict::Kind::answer);  // the other labels are the same
  const auto denial = retry.denial();
  for (const RefusedCap& cap : denial->caps)
    EXPECT_TRUE(cap.cap_id != "attempt_kind" && cap.cap_id != "model" && cap.cap_id != "model_asked") << cap.cap_id;
}

TEST_F(Settled, what_fits_counts_what_others_hold_R22) {
  open("held_wait = \"0s\"\n[[cap]]\nid = \"day\"\nlimit = \"0.012 USD\"\nper = \"day\"\n");
  Attempt first = attempt();
  ASSERT_EQ(begin(first).kind, Verdict::Kind::send);
  const std::int64_t free = left("day").remaining();
  Attempt second = attempt();
  ASSERT_EQ(
      begin(second, R"({"model":"gpt-5-mini","messages":[],"max_completion_tokens":100000})").kind,
      Verdict::Kind::send);  // lowered to what is left now, not to what would be left if the first came out at nothing
  EXPECT_LE(left("day").reserved, usd * 12 / 1'000);
  second.abort(Abort::not_sent);
  Attempt third = attempt();
  ASSERT_EQ(begin(third, R"({"model":"gpt-5-mini","messages":[],"max_completion_tokens":100000,"n":20})").kind,
            Verdict::Kind::answer);
  ASSERT_TRUE(third.denial()->fits_output_limit);
  EXPECT_LE(*third.denial()->fits_output_limit * 20 * 3'600, free);
  EXPECT_GT((*third.denial()->fits_output_limit + 2) * 20 * 3'600, free - 1'000'000);
}

TEST_F(Settled, a_task_with_a_limit_needs_a_price_also_where_no_cap_counts_money_R28) {
  open("[[cap]]\nid = \"calls\"\nlimit = \"9 requests\"\nper = \"day\"\n");
  constexpr const char* unpriced = R"({"model":"acme-7b","messages":[],"max_completion_tokens":10})";
  const auto counted = Scope::root()->enter_task("counted", std::nullopt);
  Attempt free = attempt(nullptr, *counted);
  EXPECT_EQ(begin(free, unpriced).kind, Verdict::Kind::send);
  const auto limited = Scope::root()->enter_task("limited", Usd{usd});
  Attempt refused = attempt(nullptr, *limited);
  ASSERT_EQ(begin(refused, unpriced).kind, Verdict::Kind::answer);
  EXPECT_EQ(refused.denial()->code, Code::unpriced_model);
}

TEST_F(Settled, a_host_that_the_policy_leaves_alone_is_not_counted_R32) {
  open(std::string(a_dollar_a_day) + "[[host]]\nname = \"api.openai.com\"\nprovider = \"openai\"\nguard = false\n");
  Attempt one = attempt();
  EXPECT_EQ(begin(one).kind, Verdict::Kind::pass);
  EXPECT_FALSE(one.open());
  EXPECT_TRUE(rows().empty());
}

TEST_F(Settled, at_what_the_provider_says_that_it_charged) {
  open(std::string(a_dollar_a_day) +
       "[[price]]\nprovider = \"openrouter\"\nmodel = \"acme/one\"\n"
       "rates = { input_tokens = \"1.00 USD per million\", output_tokens = \"4.00 USD per million\" }\n"
       "[[host]]\nname = \"gateway.example\"\nprovider = \"openrouter\"\n");
  constexpr const char* request = R"({"model":"acme/one","messages":[],"max_tokens":1000})";
  constexpr const char* told =
      R"({"id":"c","model":"acme/one","choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,)"
      R"("completion_tokens":1000,"cost":0.0123}})";
  Attempt one = attempt();
  ASSERT_EQ(begin(one, request, "openrouter.ai", "/api/v1/chat/completions").kind, Verdict::Kind::send);
  answer(one, told);
  EXPECT_EQ(one.receipt()->cost, Usd{12'300'000}) << "also above the hold (promise 4)";
  EXPECT_EQ(left("day").spent, 12'300'000);
  EXPECT_EQ(rows().front().reported_difference, Usd{7'300'000}) << "the book says 0.005";
  // Whoever stands in between does not bill what it says: a word of it would make caps void.
  Attempt other = attempt();
  ASSERT_EQ(begin(other, request, "gateway.example", "/api/v1/chat/completions").kind, Verdict::Kind::send);
  answer(other, told);
  EXPECT_EQ(other.receipt()->cost, Usd{5'000'000});
  EXPECT_EQ(rows().front().reported_difference, std::nullopt);
}

TEST_F(Settled, what_the_provider_charged_of_a_model_without_a_price_has_no_difference) {
  open("[[cap]]\nid = \"day\"\nlimit = \"10 requests\"\nper = \"day\"\n");
  Attempt one = attempt();
  ASSERT_EQ(
      begin(one, R"({"model":"acme/one","messages":[],"max_tokens":9})", "openrouter.ai", "/api/v1/chat/completions")
          .kind,
      Verdict::Kind::send);
  answer(one, R"({"id":"c","model":"acme/one","choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":9,)"
              R"("completion_tokens":9,"cost":0.0123}})");
  EXPECT_EQ(rows().front().actual, Usd{12'300'000});
  EXPECT_EQ(rows().front().reported_difference, std::nullopt) << "unknown is not zero";
}

TEST_F(Settled, at_the_step_of_the_volume_that_the_store_had_counted_at_the_reserve_R25) {
  open(
      "[[cap]]\nid = \"tokens\"\nmatch = { team = \"a\" }\nlimit = \"1_000_000 tokens\"\nper = \"day\"\n"
      "[[cap]]\nid = \"day\"\nlimit = \"1 USD\"\nper = \"day\"\n"
      "[[price]]\nprovider = \"openai\"\nmodel = \"acme-1\"\n"
      "rates = { input_tokens = \"2.00 USD per million\", output_tokens = \"8.00 USD per million\" }\n"
      "[[price]]\nprovider = \"openai\"\nmodel = \"acme-1\"\nvolume = \"tokens\"\nvolume_from = \"2_000 tokens\"\n"
      "rates = { input_tokens = \"1.00 USD per million\", output_tokens = \"4.00 USD per million\" }\n");
  constexpr const char* request = R"({"model":"acme-1","messages":[],"max_completion_tokens":1000})";
  const auto cost = [&](const Labels& labels) {
    Attempt one = attempt(nullptr, *Scope::root()->with(labels));
    EXPECT_EQ(begin(one, request).kind, Verdict::Kind::send);
    EXPECT_GE(left("day").reserved, 8'000'000) << "held at the dearest step";
    answer(one, answered("acme-1"));
    return one.receipt()->cost->nano;
  };
  EXPECT_EQ(cost({{"team", "a"}}), 10'000'000);
  EXPECT_EQ(cost({{"team", "a"}}), 5'000'000) << "2,000 are spent";
  EXPECT_EQ(cost({{"team", "b"}}), 10'000'000) << "a call that the cap does not count is at the dearest step";
  clock->advance(24 * hour_ms);
  EXPECT_EQ(cost({{"team", "a"}}), 10'000'000) << "the period began anew";
}

TEST_F(Settled, what_was_counted_after_the_reserve_does_not_move_its_step_R25) {
  open(
      "[[cap]]\nid = \"tokens\"\nlimit = \"1_000_000 tokens\"\nper = \"day\"\n"
      "[[price]]\nprovider = \"openai\"\nmodel = \"acme-1\"\n"
      "rates = { input_tokens = \"2.00 USD per million\", output_tokens = \"8.00 USD per million\" }\n"
      "[[price]]\nprovider = \"openai\"\nmodel = \"acme-1\"\nvolume = \"tokens\"\nvolume_from = \"2_000 tokens\"\n"
      "rates = { input_tokens = \"1.00 USD per million\", output_tokens = \"4.00 USD per million\" }\n");
  constexpr const char* request = R"({"model":"acme-1","messages":[],"max_completion_tokens":1000})";
  Attempt first = attempt();
  Attempt second = attempt();
  ASSERT_EQ(begin(first, request).kind, Verdict::Kind::send);
  ASSERT_EQ(begin(second, request).kind, Verdict::Kind::send);
  answer(first, answered("acme-1"));
  answer(second, answered("acme-1"));
  EXPECT_EQ(second.receipt()->cost, Usd{10'000'000}) << "nothing was spent when it was reserved, only held";
}

TEST_F(Settled, a_host_that_may_choose_another_model_is_refused_R31) {
  const std::string price =
      "[[price]]\nprovider = \"openrouter\"\nmodel = \"acme/one\"\ncontext_window = 100000\n"
      "rates = { input_tokens = \"1.00 USD per million\", output_tokens = \"4.00 USD per million\" }\n";
  constexpr const char* request =
      R"({"model":"acme/one","models":["acme/one","acme/dear"],"messages":[],"max_tokens":1000})";
  open(std::string(a_dollar_a_day) + price);
  Attempt one = attempt();
  ASSERT_EQ(begin(one, request, "openrouter.ai", "/api/v1/chat/completions").kind, Verdict::Kind::answer);
  EXPECT_EQ(one.denial()->code, Code::unbounded_request);
  EXPECT_NE(one.denial()->message.find("Ask for one model"), std::string::npos) << one.denial()->message;
  open("unbounded = \"0.50 USD\"\n" + std::string(a_dollar_a_day) + price);
  Attempt allowed = attempt();
  EXPECT_EQ(begin(allowed, request, "openrouter.ai", "/api/v1/chat/completions").kind, Verdict::Kind::send);
}

}  // namespace
}  // namespace farthing::test
