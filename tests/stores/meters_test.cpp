// Every meter of R10 is held, refused, settled and given back alike, in memory and file.
#include "fixture.h"

namespace farthing::test {
namespace {

struct Metered {
  Meter meter;
  const char* limit;
  std::int64_t ten;  // as the store counts it
};

void PrintTo(const Metered& metered, std::ostream* out) {
  *out << metered.limit;
}

class StoreMeters : public ::testing::TestWithParam<std::tuple<const char*, Metered>>, public Bench {
 protected:
  Folder folder;
  const Metered metered = std::get<1>(GetParam());
  const bool spent_at_all = metered.meter != Meter::concurrent;

  void SetUp() override {
    const bool memory = std::get<0>(GetParam()) == std::string("memory");
    open(memory ? "memory:" : "file:" + folder.path + "/x.db");
    apply(std::string("[[cap]]\nid = \"c\"\nlimit = \"") + metered.limit + "\"\n" +
          (spent_at_all ? "per = \"day\"\n" : ""));
  }
  ReserveAnswer ask(AttemptId id, std::int64_t amount) {
    const Plan planned = plan(acme);
    LedgerRow draft;
    auto context = std::make_shared<CallContext>();
    context->labels = acme;
    draft.context = context;
    ReserveRequest request;
    request.id = id;
    request.plan = &planned;
    request.demand.fixed[metered.meter] = amount;
    request.take_what_fits = true;
    request.draft = &draft;
    return store->reserve(request);
  }
  bool taken(AttemptId id, std::int64_t amount) { return std::holds_alternative<Granted>(ask(id, amount)); }
  Settled end(AttemptId id, std::int64_t amount, How how) {
    Settlement settlement;
    settlement.row.id = id;
    settlement.row.how = how;
    settlement.row.booked[metered.meter] = amount;
    const auto settled = store->settle(settlement);
    EXPECT_TRUE(settled) << settled.error().message;
    return settled ? *settled : Settled{};
  }
};

TEST_P(StoreMeters, R10_up_to_the_limit_and_not_beyond) {
  const std::int64_t tenth = metered.ten / 10;
  const AttemptId first = store->next_id();
  const AttemptId second = store->next_id();
  ASSERT_TRUE(taken(first, 6 * tenth));
  ASSERT_TRUE(taken(second, 4 * tenth));

  const auto beyond = ask(store->next_id(), 1);
  const auto* refused = std::get_if<Refused>(&beyond);
  ASSERT_NE(refused, nullptr);
  ASSERT_EQ(refused->caps.size(), 1U);
  EXPECT_EQ(refused->caps.front().meter, metered.meter);
  EXPECT_EQ(refused->caps.front().limit, metered.ten);
  EXPECT_EQ(refused->caps.front().reserved, metered.ten);
  EXPECT_EQ(refused->caps.front().requested, 1);
  EXPECT_TRUE(refused->held);
  EXPECT_EQ(counter("c").committed, metered.ten);

  // What was used of the six is spent, the rest is free again; of a slot nothing is spent.
  const std::int64_t used = spent_at_all ? 2 * tenth : 0;
  const Settled settled = end(first, 2 * tenth, How::usage);
  ASSERT_EQ(settled.remaining.size(), 1U);
  EXPECT_EQ(settled.remaining.front().limit - settled.remaining.front().committed, metered.ten - used - 4 * tenth);
  EXPECT_EQ(counter("c").committed, used + 4 * tenth);
  EXPECT_EQ(counter("c").reserved, 4 * tenth);

  const AttemptId third = store->next_id();
  EXPECT_FALSE(taken(store->next_id(), metered.ten - used - 4 * tenth + 1));
  ASSERT_TRUE(taken(third, metered.ten - used - 4 * tenth));
  end(third, 0, How::released);
  end(second, 4 * tenth, How::usage);
  EXPECT_EQ(spent("c"), spent_at_all ? 6 * tenth : 0);
  EXPECT_EQ(counter("c").reserved, 0);

  std::int64_t booked = 0;
  for (const LedgerRow& row : rows()) {
    booked += row.booked[metered.meter];
    for (std::size_t i = 0; i < meter_count; ++i) {
      if (static_cast<Meter>(i) == metered.meter) continue;
      EXPECT_EQ(row.booked.of[i], 0);
    }
  }
  EXPECT_EQ(booked, spent("c"));
}

constexpr std::array<Metered, meter_count> every_meter = {{
    {Meter::usd, "10 USD", 10 * usd},
    {Meter::requests, "10 requests", 10},
    {Meter::input_tokens, "10 input_tokens", 10},
    {Meter::output_tokens, "10 output_tokens", 10},
    {Meter::tokens, "10 tokens", 10},
    {Meter::images, "10 images", 10},
    {Meter::video_seconds, "10 video_seconds", 10'000},
    {Meter::audio_seconds, "10 audio_seconds", 10'000},
    {Meter::characters, "10 characters", 10},
    {Meter::concurrent, "10 concurrent", 10},
    {Meter::actions, "10 actions", 10},
    {Meter::runs, "10 runs", 10},
}};

INSTANTIATE_TEST_SUITE_P(Stores, StoreMeters,
                         ::testing::Combine(::testing::Values("memory", "file"), ::testing::ValuesIn(every_meter)),
                         [](const auto& of) {
                           return std::string(std::get<0>(of.param)) + "_" +
                                  std::string(meter_text(std::get<1>(of.param).meter));
                         });

}  // namespace
}  // namespace farthing::test
