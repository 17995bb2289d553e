// What a store keeps, for how long and how much of it: holds, old counters, the ledger of memory:, logs (R2, R6, R8, R9, R17, R36).
#include <algorithm>
#include <cstdlib>
#include <fstream>

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
  EXPECT_EQ(store->sweep()->expired, 0);
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

DenialEntry denial(const std::shared_ptr<Store>& store, const std::string& cap, std::int64_t at_ms) {
  DenialEntry entry;
  entry.id = store->next_id();
  entry.cap_id = cap;
  entry.first_ms = entry.last_ms = at_ms;
  return entry;
}

TEST_P(StoreBounds, R2_equal_refusals_within_a_minute_are_one_entry) {
  const auto add = [&](const std::string& cap, const std::string& model) {
    DenialEntry entry = denial(store, cap, clock->wall);
    entry.model = model;
    ASSERT_TRUE(store->add_denials({entry}));
  };
  const std::int64_t first_ms = clock->wall;
  add("day", "m");
  clock->advance(60'000);
  add("day", "m");
  add("month", "m");
  add("day", "other");
  clock->advance(60'001);
  add("day", "m");
  const auto log = store->denials(10);
  ASSERT_EQ(log->size(), 4U);
  EXPECT_EQ(log->front().count, 1);
  EXPECT_EQ(log->front().first_ms, clock->wall);
  EXPECT_EQ(std::count_if(log->begin(), log->end(), [&](const DenialEntry& e) { return e.count == 2; }), 1);
  EXPECT_EQ(
      std::count_if(log->begin(), log->end(),
                    [&](const DenialEntry& e) { return e.first_ms == first_ms && e.last_ms == first_ms + 60'000; }),
      1);
}

TEST_P(StoreBounds, R2_an_entry_is_found_by_the_id_of_each_of_its_refusals) {
  std::vector<AttemptId> ids;
  for (std::size_t i = 0; i < max_denial_ids + 3; ++i) {
    const DenialEntry entry = denial(store, "day", clock->wall);
    ids.push_back(entry.id);
    ASSERT_TRUE(store->add_denials({entry}));
  }
  const auto log = store->denials(10);
  ASSERT_EQ(log->size(), 1U);
  const DenialEntry& entry = log->front();
  EXPECT_EQ(entry.id, ids.back());
  EXPECT_EQ(entry.others, std::vector<AttemptId>(ids.end() - 1 - max_denial_ids, ids.end() - 1));
  EXPECT_TRUE(entry.is_of(ids.back()) && entry.is_of(ids[2]));
  EXPECT_FALSE(entry.is_of(ids[1]));
}

TEST_P(StoreBounds, R2_the_log_of_refusals_keeps_the_newest_10_000) {
  // Every other note of the store is a change: numbers that the kinds share must not let one of them grow.
  std::vector<DenialEntry> batch;
  for (int i = 0; i < 11'000; ++i)
    batch.push_back(denial(store, "cap" + std::to_string(i), clock->wall + i));
  for (auto from = batch.begin(); from != batch.end(); from += 10) {
    ASSERT_TRUE(store->add_denials({from, from + 9}));
    ASSERT_TRUE(store->resume(std::nullopt, "me", ""));
    ASSERT_TRUE(store->add_denials({from + 9, from + 10}));
  }
  const auto log = store->denials(20'000);
  ASSERT_EQ(log->size(), 10'000U);
  EXPECT_EQ(log->front().cap_id, "cap10999");
  EXPECT_EQ(log->back().cap_id, "cap1000");
  EXPECT_EQ(store->changes(20'000)->size(), 1'100U);
}

TEST_P(StoreBounds, R2_what_coalesces_is_the_newest_not_the_last_of_the_alphabet) {
  // "a" is refused all along; many others, later in the alphabet, are not heard of again.
  std::vector<DenialEntry> batch;
  for (int i = 0; i < 12'000; ++i) {
    clock->advance(50);
    batch.push_back(denial(store, "z" + std::to_string(i), clock->wall));
    if (i % 500 == 0) batch.push_back(denial(store, "a", clock->wall));
  }
  ASSERT_TRUE(store->add_denials(batch));
  const auto log = store->denials(20'000);
  const auto a = std::find_if(log->begin(), log->end(), [](const DenialEntry& e) { return e.cap_id == "a"; });
  ASSERT_NE(a, log->end());
  EXPECT_EQ(a->count, 24);
}

TEST_F(SharedBounds, R2_no_kind_of_record_misses_its_bound) {
  // Only one kind meets the numbers that are divisible by 256: the others are bounded all the same.
  open_both(hour_ms, hour_ms);
  std::int64_t number = 1;
  for (int i = 0; i < 44; ++i) {
    std::vector<DenialEntry> batch;
    for (int k = i == 0 ? 1 : 0; k < 255; ++k) {  // the policy's own change took a number
      ++number;
      batch.push_back(denial(store, "cap" + std::to_string(number), clock->wall + number));
    }
    ASSERT_TRUE(store->add_denials(batch));
    ASSERT_TRUE(store->resume(std::nullopt, "me", ""));
  }
  store->close();
  other.store->close();
  const std::string ask = "sqlite3 " + folder.path +
                          "/x.db \"SELECT max(n) FROM (SELECT count(*) AS n FROM fact WHERE " +
                          "kind LIKE 'denial%' GROUP BY kind)\" > " + folder.path + "/out";
  ASSERT_EQ(std::system(ask.c_str()), 0);
  int rows = 0;
  std::ifstream(folder.path + "/out") >> rows;
  EXPECT_GT(rows, 9'000);
  EXPECT_LE(rows, 10'256);
}

TEST_F(SharedBounds, R17_a_process_that_was_idle_for_days_is_not_forgotten_with_its_hold_max) {
  open_both(hour_ms, 60'000);
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
  clock->advance(60'000);
  EXPECT_EQ(store->sweep()->expired, 1);
}

TEST_P(StoreBounds, R9_a_counter_that_a_hold_names_stays_however_old_its_window) {
  options.hold_ms = options.hold_max_ms = 80 * hour_ms;  // a hold that outlives its window by days
  open(location == "memory:" ? location : "file:" + folder.path + "/y.db");
  apply(one_cap);
  const AttemptId id = store->next_id();
  ASSERT_TRUE(granted(id, acme, usd / 2));
  clock->advance(72 * hour_ms);
  EXPECT_EQ(store->sweep()->expired, 0);
  ASSERT_EQ(store->counters(std::nullopt)->size(), 1U);
  EXPECT_EQ(counter("day").reserved, usd / 2);
  settle(id, acme, usd / 4);
  EXPECT_EQ(counter("day").committed, usd / 4);
  clock->advance(2 * hour_ms);
  ASSERT_TRUE(store->sweep());
  EXPECT_TRUE(store->counters(std::nullopt)->empty());
}

TEST_P(StoreBounds, a_long_ledger_is_read_without_gap_or_repetition) {
  apply(one_cap);
  std::vector<AttemptId> newest_first;
  for (int i = 0; i < 2'500; ++i) {
    LedgerRow row;
    auto context = std::make_shared<CallContext>();
    context->labels = acme;
    context->model = i % 5 == 0 ? "every-fifth" : "other";
    row.context = context;
    row.id = store->next_id();
    ASSERT_TRUE(store->book(row, plan(acme)));
    newest_first.insert(newest_first.begin(), row.id);
  }
  const auto ids = [&](std::int64_t most, const std::string& model = "", std::size_t stop = SIZE_MAX) {
    LedgerFilter filter;
    filter.most = most;
    filter.model = model;
    std::vector<AttemptId> result;
    EXPECT_TRUE(store->ledger(filter, [&](const LedgerRow& row) {
      result.push_back(row.id);
      return result.size() < stop;
    }));
    return result;
  };
  const auto first = [&](std::ptrdiff_t count) {
    return std::vector<AttemptId>(newest_first.begin(), newest_first.begin() + count);
  };
  EXPECT_EQ(newest_first, ids(0));
  for (const int most : {1, 999, 1'000, 1'001, 2'000, 2'499})
    EXPECT_EQ(first(most), ids(most)) << most;
  EXPECT_EQ(newest_first, ids(3'000));
  EXPECT_EQ(first(1'500), ids(0, "", 1'500));
  EXPECT_EQ(500U, ids(0, "every-fifth").size());
  EXPECT_EQ(400U, ids(400, "every-fifth").size());
}

TEST(MemoryBounds, R36_the_last_10_000_entries_are_kept_and_what_is_older_is_said_to_be_unknown) {
  Bench bench;
  bench.open("memory:");
  bench.apply(one_cap);
  const auto book = [&] {
    LedgerRow row;
    const auto context = std::make_shared<CallContext>();
    context->labels = acme;
    row.context = context;
    row.id = bench.store->next_id();
    row.booked[Meter::requests] = 1;
    EXPECT_TRUE(bench.store->book(row, bench.plan(acme)));
    bench.clock->advance(1);
    return row.id;
  };
  const AttemptId first = book();
  const AttemptId second = book();
  for (int i = 2; i < 10'000; ++i)
    book();
  EXPECT_EQ(bench.rows().size(), 10'000U);
  EXPECT_EQ(bench.rows().back().id, first);
  book();
  EXPECT_EQ(bench.rows().size(), 10'000U);
  EXPECT_EQ(bench.rows().back().id, second);
  Adjustment change;
  change.attempt = first;
  const auto adjusted = bench.store->adjust(change);
  ASSERT_FALSE(adjusted);
  EXPECT_EQ(adjusted.error().code, Code::unknown_attempt);
  // R7: a cap that comes now cannot be counted from what is gone.
  bench.apply("[[cap]]\nid = \"r\"\nlimit = \"20000 requests\"\nper = \"day\"\n", "later");
  EXPECT_EQ(bench.counter("r").committed, 10'000);
  EXPECT_TRUE(bench.counter("r").counted_since_ms.has_value());
}

FARTHING_ON_ANY_STORE(StoreBounds);

}  // namespace
}  // namespace farthing::test
