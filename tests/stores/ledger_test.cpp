// What the ledger keeps and finds, and what a grant tells of a counter, on every store (R25, R41).
#include <algorithm>
#include <limits>
#include <set>
#include <thread>

#include "fixture.h"
#include "ledger/ids.h"

namespace farthing::test {
namespace {

class StoreLedger : public AnyStore {};
FARTHING_ON_ANY_STORE(StoreLedger);

TEST_P(StoreLedger, R41_what_a_provider_reported_more_or_less_than_the_book_says_is_kept) {
  apply(one_cap);
  for (const std::optional<Usd>& difference :
       {std::optional<Usd>(Usd{-3}), std::optional<Usd>(Usd{usd}), std::optional<Usd>()}) {
    Settlement settlement;
    settlement.row.id = store->next_id();
    ASSERT_TRUE(granted(settlement.row.id, acme, usd / 100));
    settlement.row.how = How::usage;
    settlement.row.actual = Usd{7};
    settlement.row.reported_difference = difference;
    ASSERT_TRUE(store->settle(settlement));
    EXPECT_EQ(rows().front().reported_difference, difference);
  }
}

/// Every field, with the values at which a form of it could break: ends of ranges and of what fits a byte.
LedgerRow full_row() {
  LedgerRow row;
  auto context = std::make_shared<CallContext>();
  context->labels = acme;
  context->labels_json = acme.to_json();
  std::size_t length = 1;
  for (std::string* text : {&context->provider, &context->host, &context->endpoint, &context->modality, &context->model,
                            &context->model_asked, &context->key_name, &context->book_version, &context->rates_json})
    *text = std::string(length++, 'c');
  row.context = context;
  length = 1;
  for (std::string* text : {&row.call, &row.action, &row.process, &row.confidence, &row.model_served, &row.tier_asked,
                            &row.tier_served, &row.request_id, &row.response_id, &row.finish_reason, &row.error_class,
                            &row.headroom, &row.approval, &row.who, &row.why}) {
    *text = std::string(length, static_cast<char>('a' + length % 26));
    length += 21;  // also 127 and 316
  }
  row.runs = {{"r1", "outer"}, {"r2", ""}};
  row.attempt_number = 3;
  row.likely = Usd{0};
  row.ceiling = Usd{std::numeric_limits<std::int64_t>::max()};
  row.actual = Usd{248};
  row.reported_difference = Usd{std::numeric_limits<std::int64_t>::min()};
  row.how = How::usage;
  row.quantities[Quantity::input_tokens] = std::numeric_limits<std::int64_t>::max();
  row.quantities[Quantity::output_tokens] = std::numeric_limits<std::int64_t>::min();
  row.quantities[Quantity::tool_calls] = 124;
  row.others = {{"claude-opus-4-8", row.quantities}, {"", {}}};
  row.booked[Meter::usd] = 248;
  row.booked[Meter::input_tokens] = -1;
  row.booked[Meter::tokens] = 1LL << 40;
  row.output_limit_asked = 123;
  row.output_limit = 65'536;
  row.status = 529;
  row.latency_ms = 1LL << 33;
  return row;
}

void expect_same_own_fields(const LedgerRow& row, const LedgerRow& given) {
  for (const auto text :
       {&LedgerRow::call, &LedgerRow::action, &LedgerRow::process, &LedgerRow::confidence, &LedgerRow::model_served,
        &LedgerRow::tier_asked, &LedgerRow::tier_served, &LedgerRow::request_id, &LedgerRow::response_id,
        &LedgerRow::finish_reason, &LedgerRow::error_class, &LedgerRow::headroom, &LedgerRow::approval, &LedgerRow::who,
        &LedgerRow::why})
    EXPECT_EQ(row.*text, given.*text);
  for (const auto money :
       {&LedgerRow::likely, &LedgerRow::ceiling, &LedgerRow::actual, &LedgerRow::reported_difference})
    EXPECT_EQ(row.*money, given.*money);
  for (const auto number : {&LedgerRow::output_limit_asked, &LedgerRow::output_limit, &LedgerRow::latency_ms})
    EXPECT_EQ(row.*number, given.*number);
  EXPECT_EQ(row.runs, given.runs);
  EXPECT_EQ(row.attempt_number, given.attempt_number);
  EXPECT_EQ(row.quantities.of, given.quantities.of);
  EXPECT_EQ(row.others, given.others);
  EXPECT_EQ(row.booked, given.booked);
  EXPECT_EQ(row.status, given.status);
}

TEST_P(StoreLedger, R41_a_draft_and_an_entry_come_back_as_they_were_given) {
  apply(one_cap);
  // The second takes the place of the first, and nothing of it.
  for (const LedgerRow& given : {full_row(), LedgerRow{}}) {
    const Plan planned = plan(acme);
    LedgerRow draft = given;
    ReserveRequest request;
    request.id = store->next_id();
    request.plan = &planned;
    request.demand.fixed[Meter::usd] = 300;
    request.draft = &draft;
    ASSERT_TRUE(std::holds_alternative<Granted>(store->reserve(request)));
    const auto open = store->holds();
    ASSERT_TRUE(open);
    ASSERT_EQ(open->size(), 1U);
    expect_same_own_fields(open->front().draft, given);
    EXPECT_EQ(open->front().draft.held[Meter::usd], 300);

    Settlement settlement;
    settlement.row = given;
    settlement.row.id = request.id;
    ASSERT_TRUE(store->settle(settlement));
    const LedgerRow row = rows().front();
    EXPECT_EQ(row.id, request.id);
    expect_same_own_fields(row, given);
    EXPECT_EQ(row.held[Meter::usd], 300);
    EXPECT_EQ(row.reserved_ms, clock->wall);
    EXPECT_EQ(row.settled_ms, clock->wall);
    if (!given.context) continue;
    for (const auto text :
         {&CallContext::labels_json, &CallContext::provider, &CallContext::host, &CallContext::endpoint,
          &CallContext::modality, &CallContext::model, &CallContext::model_asked, &CallContext::key_name,
          &CallContext::book_version, &CallContext::rates_json}) {
      EXPECT_EQ((*open->front().draft.context).*text, (*given.context).*text);
      EXPECT_EQ((*row.context).*text, (*given.context).*text);
    }
  }
}

TEST(Ids, ascend_and_are_never_the_same_also_where_one_millisecond_has_more_than_its_own) {
  IdMaker maker(7);
  constexpr std::int64_t now_ms = 1'790'000'000'000;
  constexpr std::size_t each = 2'000;
  std::vector<std::vector<AttemptId>> made(4);
  std::vector<std::thread> threads;
  for (auto& own : made) {
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < each; ++i)
        own.push_back(maker.next(now_ms - static_cast<std::int64_t>(i % 2)));  // the clock goes back as well
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  std::set<AttemptId> all;
  for (const auto& own : made) {
    EXPECT_TRUE(std::is_sorted(own.begin(), own.end()));
    all.insert(own.begin(), own.end());
  }
  EXPECT_EQ(all.size(), made.size() * each);
  EXPECT_GE(*all.begin(), first_id_of(now_ms - 1));
  EXPECT_EQ(made_ms(*all.rbegin()), now_ms + 3) << "8,000 of 2,048 each";
  EXPECT_EQ(made_ms(maker.next(now_ms + 1'000)), now_ms + 1'000);
}

TEST_P(StoreLedger, R41_what_was_reserved_since_an_instant_is_found_however_old_its_id) {
  apply(one_cap);
  const auto since = [&](std::int64_t at_ms) {
    LedgerFilter filter;
    filter.since_ms = at_ms;
    std::vector<AttemptId> ids;
    EXPECT_TRUE(store->ledger(filter, [&](const LedgerRow& row) {
      ids.push_back(row.id);
      return true;
    }));
    std::sort(ids.begin(), ids.end());
    return ids;
  };
  const auto call = [&](AttemptId id) {
    ASSERT_TRUE(granted(id, acme, 1));
    settle(id, acme, 1);
  };
  const AttemptId waited = store->next_id();  // for two minutes, for an hour
  const AttemptId long_ago = store->next_id();
  call(store->next_id());
  clock->advance(120'000);
  const std::int64_t then = clock->wall;
  call(waited);
  EXPECT_EQ(since(then), (std::vector{waited}));
  clock->advance(hour_ms);
  const std::int64_t later = clock->wall;
  const AttemptId newest = store->next_id();
  call(newest);
  call(long_ago);
  EXPECT_EQ(since(later), (std::vector{long_ago, newest}));
  EXPECT_EQ(since(then), (std::vector{waited, long_ago, newest}));
  EXPECT_EQ(since(0).size(), 4U);
  clock->wall -= 5 * hour_ms;  // the clock is set back: the store's time goes on, ids do not
  clock->boot += hour_ms;
  const AttemptId behind = store->next_id();
  call(behind);
  EXPECT_EQ(rows().size(), 5U);
  EXPECT_EQ(since(later + hour_ms), (std::vector{behind}));
}

TEST_P(StoreLedger, R25_a_grant_tells_what_a_cap_had_spent) {
  apply(
      "[[cap]]\nid=\"day\"\nlimit=\"1 USD\"\nper=\"day\"\n[[cap]]\nid=\"b\"\nmatch={org=\"b\"}\nlimit=\"1 "
      "USD\"\nper=\"day\"\n");
  const auto volume = [&](std::string_view cap, const Labels& labels) {
    const Plan planned = plan(labels);
    ReserveRequest request;
    request.id = store->next_id();
    request.plan = &planned;
    request.demand.fixed[Meter::usd] = usd / 10;
    request.volume_cap = cap;
    LedgerRow draft;
    request.draft = &draft;
    const auto answer = store->reserve(request);
    EXPECT_TRUE(std::holds_alternative<Granted>(answer));
    return std::get<Granted>(answer).volume;
  };
  EXPECT_EQ(volume("day", acme), 0);
  EXPECT_EQ(volume("day", acme), 0) << "held is not spent";
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 2));
  settle(id, acme, usd / 4);
  EXPECT_EQ(volume("day", acme), usd / 4);
  EXPECT_EQ(volume("", acme), std::nullopt);
  EXPECT_EQ(volume("b", acme), std::nullopt) << "does not match";
  clock->advance(24 * hour_ms);
  EXPECT_EQ(volume("day", acme), 0);
}

}  // namespace
}  // namespace farthing::test
