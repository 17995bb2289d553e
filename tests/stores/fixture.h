// What the store tests share: a clock they own, policies from TOML, calls in one line.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "policy/plan.h"
#include "store/store.h"

namespace farthing::test {

class TestClock : public Clock {
 public:
  std::int64_t wall = 1'790'000'000'000;  // 2026-09-21 14:13 UTC
  std::int64_t boot = 1'000'000;
  std::int64_t wall_ms() override { return wall; }
  std::int64_t boot_ms() override { return boot; }
  std::uint64_t boot_id() override { return 7; }
  void advance(std::int64_t ms) {
    wall += ms;
    boot += ms;
  }
};

inline constexpr std::int64_t hour_ms = 3'600'000;
inline constexpr std::int64_t usd = 1'000'000'000;
inline const Labels acme{{"org", "acme"}};
inline const Labels marketing{{"org", "acme"}, {"project", "marketing"}};
inline constexpr const char* one_cap = "[[cap]]\nid = \"day\"\nlimit = \"1 USD\"\nper = \"day\"\n";

/// A folder that goes when the test ends.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "farthing-test-XXXXXX").string();
    path = mkdtemp(pattern.data());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string path;
};

inline Policy policy_of(const std::string& toml, const std::string& name = "test") {
  PolicyOrProblems read = policy_from_toml(toml, "test.toml", [](std::string_view) { return std::nullopt; });
  if (!read.ok()) {
    for (const Problem& problem : read.problems)
      ADD_FAILURE() << problem.where << ": " << problem.message;
  }
  Policy policy = read.ok() ? std::move(*read.policy) : Policy{};
  policy.name = name;
  policy.origin = Origin::code;
  return policy;
}

/// A store with a policy in force, and calls on it.
class Bench {
 public:
  std::shared_ptr<TestClock> clock = std::make_shared<TestClock>();
  std::shared_ptr<Store> store;
  std::unique_ptr<CapIndex> index;
  StoreOptions options;

  void open(const std::string& location) {
    options.clock = clock;
    auto opened = open_store(location, options);
    ASSERT_TRUE(opened) << opened.error().message;
    store = *opened;
  }
  void apply(const std::string& toml, const std::string& name = "test") {
    const auto applied = store->apply(policy_of(toml, name), false);
    ASSERT_TRUE(applied) << applied.error().message;
    refresh();
  }
  void refresh() {
    auto registry = store->registry();
    ASSERT_TRUE(registry) << registry.error().message;
    index = std::make_unique<CapIndex>(std::move(*registry));
  }
  Plan plan(const Labels& labels) { return index->plan(labels, clock->wall); }

  struct Ask {
    std::int64_t fixed = 0;       // nano
    std::int64_t per_output = 0;  // nano
    std::int64_t want = 0;
    std::int64_t least = 0;
    std::int64_t share = 0;
    bool take = true;
    std::vector<RunHold> runs = {};
  };
  ReserveAnswer reserve(AttemptId id, const Labels& labels, const Ask& ask) {
    const Plan planned = plan(labels);
    ReserveRequest request;
    LedgerRow draft;
    auto context = std::make_shared<CallContext>();
    context->labels = labels;
    draft.context = context;
    draft.ceiling = Usd{ask.fixed + ask.per_output * ask.want};
    for (const RunHold& run : ask.runs)
      draft.runs.emplace_back(run.id, run.task);
    request.id = id;
    request.plan = &planned;
    request.runs = ask.runs;
    request.demand.fixed[Meter::usd] = ask.fixed;
    request.demand.fixed[Meter::requests] = 1;
    request.demand.fixed[Meter::concurrent] = 1;
    request.demand.per_output[Meter::usd] = ask.per_output;
    request.demand.want = ask.want;
    request.demand.least = ask.least;
    request.demand.share = ask.share;
    request.take_what_fits = ask.take;
    request.draft = &draft;
    return store->reserve(request);
  }
  /// Reserves and says whether it was granted.
  bool granted(AttemptId id, const Labels& labels, std::int64_t nano) {
    return std::holds_alternative<Granted>(reserve(id, labels, {.fixed = nano}));
  }
  Settled settle(AttemptId id, const Labels& labels, std::int64_t nano, How how = How::usage) {
    Settlement settlement;
    auto context = std::make_shared<CallContext>();
    context->labels = labels;
    settlement.row.id = id;
    settlement.row.context = context;
    settlement.row.how = how;
    settlement.row.actual = Usd{nano};
    settlement.row.booked[Meter::usd] = nano;
    settlement.row.booked[Meter::requests] = how == How::released ? 0 : 1;
    const auto settled = store->settle(settlement);
    EXPECT_TRUE(settled) << settled.error().message;
    return settled ? *settled : Settled{};
  }
  /// The only counter of a cap (or of one `each` value).
  CounterView counter(const std::string& cap, const std::string& value = "") {
    const auto views = store->counters(cap);
    EXPECT_TRUE(views);
    for (const CounterView& view : *views) {
      if (value.empty() || view.each_values.front() == value) return view;
    }
    return {};
  }
  std::int64_t spent(const std::string& cap, const std::string& value = "") {
    const CounterView view = counter(cap, value);
    return view.committed - view.reserved;
  }
  std::vector<LedgerRow> rows() {
    std::vector<LedgerRow> result;
    EXPECT_TRUE(store->ledger({}, [&](const LedgerRow& row) {
      result.push_back(row);
      return true;
    }));
    return result;
  }
};

/// The parameter of a suite that memory: and file: both have to pass.
class AnyStore : public ::testing::TestWithParam<const char*>, public Bench {
 protected:
  Folder folder;
  std::string location = GetParam() == std::string("memory") ? "memory:" : "file:" + folder.path + "/x.db";
  void SetUp() override { open(location); }
};
#define FARTHING_ON_ANY_STORE(Suite)                                           \
  INSTANTIATE_TEST_SUITE_P(Stores, Suite, ::testing::Values("memory", "file"), \
                           [](const auto& store) { return store.param; })

}  // namespace farthing::test
