// What the ledger keeps and finds, and what a grant tells of a counter, on every store (R25, R41).
#include <algorithm>

#include "fixture.h"

namespace farthing::test {
namespace {

constexpr const char* one_cap = "[[cap]]\nid=\"day\"\nlimit=\"1 USD\"\nper=\"day\"\n";
const Labels acme{{"org", "acme"}};

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
