// What the guard's thread does beside calls: holds of a living process are renewed, what nobody renews is charged (R17).
#include <atomic>
#include <thread>

#include "guard/housekeeping.h"
#include "tests/core/guard/fixture.h"

namespace farthing::test {
namespace {

class Beside : public GuardFixture {
 protected:
  std::shared_ptr<WatchedStore> store;
  std::atomic<int> renewed{0};
  std::atomic<int> swept{0};
  std::atomic<int> alerts_told{0};

  void SetUp() override {
    store = open_watched("[[cap]]\nid = \"day\"\nlimit = \"0.01 USD\"\nper = \"day\"\nalert = [20]\n");
    store->before = [this](const char* step) -> std::optional<Error> {
      if (step == std::string_view("renew")) ++renewed;
      if (step == std::string_view("sweep")) ++swept;
      return std::nullopt;
    };
  }
  std::unique_ptr<guard::Housekeeping> thread_with(guard::Rhythm rhythm) {
    GuardOptions own = options;
    own.background_thread = true;
    return std::make_unique<guard::Housekeeping>(
        store, own, [this](const std::vector<AlertFired>& fired) { alerts_told += static_cast<int>(fired.size()); },
        rhythm);
  }
  static void until(const std::atomic<int>& count, int at_least) {
    while (count.load() < at_least)
      std::this_thread::yield();
  }
};

constexpr std::chrono::milliseconds often{1};
constexpr std::chrono::hours never{1};

TEST_F(Beside, open_holds_are_renewed_as_long_as_they_are_open_R17) {
  const auto thread = thread_with({.turn = often, .renew = often, .sweep = never});
  thread->hold_opened();
  until(renewed, 3);
  thread->hold_ended();
  thread->stop();
  const int then = renewed.load();
  const auto idle = thread_with({.turn = often, .renew = often, .sweep = often});
  idle->hold_opened();
  idle->hold_ended();
  const int before = swept.load();
  until(swept, before + 3);  // turns without an open hold
  idle->stop();
  EXPECT_LE(renewed.load(), then + 1) << "one may have begun while the hold was open";
}

TEST_F(Beside, refusals_that_a_store_gave_back_stand_before_those_that_came_meanwhile_R2) {
  const auto refusal = [&](std::int64_t at_ms) {
    DenialEntry entry;
    entry.id = store->next_id();
    entry.cap_id = "day";
    entry.first_ms = entry.last_ms = at_ms;
    return entry;
  };
  GuardOptions own = options;
  own.background_thread = false;
  guard::Housekeeping here(store, own, [](const std::vector<AlertFired>&) {});
  const DenialEntry older = refusal(clock->wall);
  const DenialEntry newer = refusal(clock->wall + 1);
  bool away = true;
  store->before = [&](const char* step) -> std::optional<Error> {
    if (step != std::string_view("add_denials") || !away) return std::nullopt;
    away = false;
    here.denied(newer);  // of another thread, while the store is asked
    return Error{Code::store_unavailable, "away"};
  };
  here.denied(older);
  static_cast<void>(here.flush(0));
  ASSERT_FALSE(away);
  ASSERT_TRUE(here.flush(0));
  const auto log = store->denials(10);
  ASSERT_EQ(log->size(), 1U);
  EXPECT_EQ(log->front().id, newer.id);
  EXPECT_EQ(log->front().others, std::vector<AttemptId>{older.id});
  EXPECT_EQ(log->front().count, 2);
}

TEST_F(GuardFixture, what_a_program_left_that_died_is_charged_when_the_next_guard_opens_R17) {
  const Folder folder;
  open(room_for_one, "file:" + folder.path + "/x.db");
  Attempt left = attempt();
  ASSERT_EQ(begin(left).kind, Verdict::Kind::send);
  const std::shared_ptr<Guard> died = guard;
  clock->advance(121'000);
  const auto seen = guard->control()->status();
  ASSERT_TRUE(seen);
  ASSERT_EQ(seen->notes.size(), 1U);
  EXPECT_NE(seen->notes.front().find("1 call was left open by a program that ended"), std::string::npos);
  EXPECT_EQ(seen->stale_streams, 0);
  open(room_for_one, "file:" + folder.path + "/x.db");
  ASSERT_EQ(rows().size(), 1U);
  EXPECT_EQ(rows().front().how, How::expired);
}

TEST_F(Beside, a_hold_that_nobody_renews_is_charged_and_its_alerts_are_told_R17_R35) {
  Attempt lost = attempt();
  ASSERT_EQ(begin(lost).kind, Verdict::Kind::send);
  ASSERT_TRUE(lost.sent());
  const std::int64_t held = left("day").reserved;
  ASSERT_GT(held, 0);
  clock->advance(180'000);
  const auto thread = thread_with({.turn = often, .renew = never, .sweep = often});
  thread->hold_opened();
  until(alerts_told, 1);
  thread->stop();
  EXPECT_EQ(left("day").reserved, 0);
  EXPECT_EQ(left("day").spent, held);
  ASSERT_EQ(rows().size(), 1U);
  EXPECT_EQ(rows().front().how, How::expired);
}

TEST_F(Beside, what_counting_needs_is_loaded_by_the_thread_and_without_one_at_once) {
  class Heavy : public Encoding {
   public:
    explicit Heavy(std::atomic<int>& loads) : loads_(loads) {}
    std::string_view name() const override { return "heavy"; }
    std::uint64_t id() const override { return 0; }
    std::int64_t count(std::string_view, SpecialTokens) const override {
      by = std::this_thread::get_id();
      return ++loads_;
    }
    std::vector<std::uint32_t> encode(std::string_view, SpecialTokens) const override { return {}; }
    mutable std::atomic<std::thread::id> by;

   private:
    std::atomic<int>& loads_;
  };
  std::atomic<int> loads{0};
  const auto heavy = std::make_shared<Heavy>(loads);
  const auto thread = thread_with({.turn = often, .renew = never, .sweep = never});
  thread->load(heavy);
  until(loads, 1);
  EXPECT_NE(heavy->by.load(), std::this_thread::get_id());
  thread->stop();
  guard::Housekeeping none(store, options, [](const std::vector<AlertFired>&) {});
  none.load(heavy);
  EXPECT_EQ(loads.load(), 2);
  EXPECT_EQ(heavy->by.load(), std::this_thread::get_id());
}

}  // namespace
}  // namespace farthing::test
