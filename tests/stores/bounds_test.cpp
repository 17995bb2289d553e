// What a store keeps, for how long and how much of it: holds, old counters, the ledger of memory:, logs (R2, R6, R8, R9, R17, R36).
#include "fixture.h"

namespace farthing::test {
namespace {

class StoreBounds : public AnyStore {};

/// Two opens of one file, as two processes have it.
class SharedBounds : public ::testing::Test, public Bench {
 protected:
  Folder folder;
  Bench other;
  void open_both(std::int64_t hold_max_ms, std::int64_t others_hold_max_ms) {
    options.hold_max_ms = hold_max_ms;
    open("file:" + folder.path + "/x.db");
    apply("[[cap]]\nid = \"day\"\nlimit = \"1 USD\"\nper = \"day\"\n");
    other.clock = clock;
    other.options.hold_max_ms = others_hold_max_ms;
    other.open("file:" + folder.path + "/x.db");
    other.refresh();
  }
};

const Labels acme{{"org", "acme"}};
constexpr const char* one_cap = "[[cap]]\nid = \"day\"\nlimit = \"1 USD\"\nper = \"day\"\n";

TEST_P(StoreBounds, R17_a_renewed_hold_ends_at_hold_max_and_not_before) {
  options.hold_max_ms = 300'000;
  open(location == "memory:" ? location : "file:" + folder.path + "/y.db");
  apply(one_cap);
  ASSERT_TRUE(granted(store->next_id(), acme, usd / 2));
  for (int i = 0; i < 3; ++i) {
    clock->advance(99'000);
    ASSERT_TRUE(store->renew());
    EXPECT_EQ(store->sweep()->expired, 0);
  }
  clock->advance(3'000);
  EXPECT_EQ(store->sweep()->expired, 1);
}

TEST_F(SharedBounds, R17_a_hold_lives_by_the_hold_max_of_who_made_it) {
  open_both(hour_ms, 10 * hour_ms);
  ASSERT_TRUE(other.granted(other.store->next_id(), acme, usd / 4));
  ASSERT_EQ(other.store->holds()->size(), 1U);
  const std::int64_t made_ms = clock->wall;
  for (int i = 0; i < 45; ++i) {
    clock->advance(100'000);
    ASSERT_TRUE(other.store->renew());
    ASSERT_EQ(store->sweep()->expired, 0) << i;  // 75 minutes, by one whose hold_max is an hour
  }
  ASSERT_EQ(store->holds()->size(), 1U);
  EXPECT_EQ(store->holds()->front().expires_ms, clock->wall + 120'000);
  // A clock that was put right does not shorten it.
  clock->wall += 48 * hour_ms;
  ASSERT_TRUE(other.store->renew());
  clock->wall -= 48 * hour_ms;
  ASSERT_TRUE(store->reset_clock());
  clock->advance(made_ms + 10 * hour_ms - 1 - clock->wall);
  ASSERT_TRUE(other.store->renew());
  EXPECT_EQ(store->sweep()->expired, 0);
  clock->advance(1);
  EXPECT_EQ(store->sweep()->expired, 1);
}

TEST_F(SharedBounds, R17_a_short_hold_max_counts_before_the_first_renewal) {
  open_both(hour_ms, 60'000);
  ASSERT_TRUE(other.granted(other.store->next_id(), acme, usd / 4));
  ASSERT_TRUE(granted(store->next_id(), acme, usd / 4));
  clock->advance(60'000);
  EXPECT_EQ(store->sweep()->expired, 1);        // the other's
  EXPECT_EQ(other.store->sweep()->expired, 0);  // a minute is not the bound of this one's
  clock->advance(60'000);
  EXPECT_EQ(other.store->sweep()->expired, 1);
}

TEST_F(SharedBounds, R17_a_process_that_was_idle_for_days_is_not_forgotten_with_its_hold_max) {
  open_both(hour_ms, 2 * hour_ms);
  const auto spend_through_other = [&] {
    const AttemptId id = other.store->next_id();
    EXPECT_TRUE(other.granted(id, acme, usd / 100));
    return id;
  };
  other.settle(spend_through_other(), acme, 0);
  clock->advance(13 * hour_ms);
  other.settle(spend_through_other(), acme, 0);  // says again who it is
  clock->advance(49 * hour_ms);
  ASSERT_TRUE(store->sweep());  // forgets it
  spend_through_other();
  for (int i = 0; i < 40; ++i) {
    clock->advance(100'000);
    ASSERT_TRUE(other.store->renew());
    ASSERT_EQ(store->sweep()->expired, 0) << i;
  }
}

FARTHING_ON_ANY_STORE(StoreBounds);

}  // namespace
}  // namespace farthing::test
