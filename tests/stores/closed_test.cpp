// What a store answers once it was closed.
#include "fixture.h"

namespace farthing::test {
namespace {

class StoreClosed : public AnyStore {};
FARTHING_ON_ANY_STORE(StoreClosed);

TEST_P(StoreClosed, a_closed_store_answers_closed) {
  apply(one_cap);
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 2));
  Settlement settlement;
  settlement.row.id = id;
  store->close();
  const ReserveAnswer refused = reserve(store->next_id(), acme, {.fixed = usd / 4});
  ASSERT_TRUE(std::holds_alternative<Error>(refused));
  EXPECT_EQ(Code::closed, std::get<Error>(refused).code);
  const auto closed = [](const auto& answer) { return !answer && answer.error().code == Code::closed; };
  EXPECT_TRUE(closed(store->settle(settlement)));
  EXPECT_TRUE(closed(store->ledger({}, [](const LedgerRow&) { return true; })));
  EXPECT_TRUE(closed(store->counters(std::nullopt)));
  EXPECT_TRUE(closed(store->holds()));
  EXPECT_TRUE(closed(store->jobs()));
  EXPECT_TRUE(closed(store->learned(1)));
  EXPECT_TRUE(closed(store->registry()));
  EXPECT_TRUE(closed(store->apply(policy_of(one_cap, "other"), false)));
  EXPECT_TRUE(closed(store->changes(1)));
  EXPECT_TRUE(closed(store->denials(1)));
  EXPECT_TRUE(closed(store->alerts(1)));
  EXPECT_TRUE(closed(store->renew()));
  EXPECT_TRUE(closed(store->sweep()));
  EXPECT_TRUE(closed(store->now_ms()));
}

}  // namespace
}  // namespace farthing::test
