// The simulator: random schedules of everything that can happen to a store, by a seed. After every step the counters are what
// ledger and holds add up to, worked out here by other means; at every grant each matching cap stands (R1).
//
//   FARTHING_SEED=7 FARTHING_STEPS=100000 store_contract_test --gtest_filter='*Simulator*'
#include <cstdlib>
#include <map>
#include <random>

#include "tests/stores/fixture.h"

namespace farthing::test {
namespace {

std::int64_t from_environment(const char* name, std::int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoll(text);
}

class Simulator : public ::testing::TestWithParam<const char*>, public Bench {
 protected:
  struct Own {  // what this test knows of an id
    Labels labels;
    std::int64_t held = 0;
    std::optional<std::int64_t> paid;  // nothing: not ended by us
  };

  Folder folder;
  std::mt19937_64 random;
  std::vector<std::shared_ptr<Store>> stores;  // several processes' views of one file
  std::map<AttemptId, Own> own;
  std::vector<AttemptId> open_ids;
  std::vector<AttemptId> ended_ids;
  std::optional<std::int64_t> halted;

  std::int64_t below(std::int64_t end) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(std::max<std::int64_t>(end, 1)));
  }
  bool chance(int percent) { return below(100) < percent; }

  static std::string policy(std::int64_t cents, bool with_projects) {
    std::string toml = "[[cap]]\nid=\"all\"\nlimit=\"" + std::to_string(cents / 100) + "." +
                       std::to_string(cents / 10 % 10) + std::to_string(cents % 10) +
                       " USD\"\nper=\"day\"\nalert=[50,100]\n"
                       "[[cap]]\nid=\"users\"\nlimit=\"0.40 USD\"\nper=\"hour\"\neach=\"user\"\n"
                       "[[cap]]\nid=\"calls\"\nlimit=\"60 requests\"\nper=\"minute\"\neach=\"user\"\n"
                       "[[cap]]\nid=\"at once\"\nlimit=\"9 concurrent\"\n"
                       "[[cap]]\nid=\"month\"\nlimit=\"30 USD\"\nper=\"month\"\n";
    if (with_projects) toml += "[[cap]]\nid=\"projects\"\nlimit=\"5 USD\"\nper=\"day\"\neach=\"project\"\n";
    return toml;
  }

  Labels labels() {
    return {{"org", "acme"}, {"user", "u" + std::to_string(below(4))}, {"project", "p" + std::to_string(below(2))}};
  }

  void reserve_one() {
    const AttemptId id = store->next_id();
    const Labels who = labels();
    const Ask ask{.fixed = below(usd / 20),
                  .per_output = below(2'000'000),
                  .want = below(40),
                  .least = below(10),
                  .share = chance(50) ? 16 : 0,
                  .take = chance(80)};
    ReserveAnswer answer = reserve(id, who, ask);
    if (std::holds_alternative<PolicyChanged>(answer)) {
      refresh();
      answer = reserve(id, who, ask);
    }
    ASSERT_FALSE(std::holds_alternative<Error>(answer)) << std::get<Error>(answer).message;
    const auto* grant = std::get_if<Granted>(&answer);
    ASSERT_TRUE(!halted || grant == nullptr);
    if (grant == nullptr) return;
    own[id] = {who, grant->held[Meter::usd], std::nullopt};
    open_ids.push_back(id);
    const auto views = store->counters(std::nullopt);
    ASSERT_TRUE(views);
    for (const CounterView& view : *views) {  // R1
      if (grant->at_ms >= view.window.end_ms) continue;
      if (!view.each_values.empty() && *who.get(view.cap->cap.each.front()) != view.each_values.front()) continue;
      if (grant->held[view.cap->cap.meter] == 0) continue;
      ASSERT_LE(view.committed, view.limit) << view.cap->cap.id;
    }
  }

  void settle_one() {
    if (open_ids.empty()) return;
    const auto at = static_cast<std::size_t>(below(static_cast<std::int64_t>(open_ids.size())));
    const AttemptId id = open_ids[at];
    open_ids.erase(open_ids.begin() + static_cast<std::ptrdiff_t>(at));
    if (chance(5)) return;  // forgotten: it expires
    Own& mine = own[id];
    const bool released = chance(15);
    const bool lost = !released && chance(10);
    const std::int64_t paid = released ? 0 : lost ? mine.held : below(mine.held + mine.held / 4 + 1);
    const Settled settled = settle(id, mine.labels, paid, released ? How::released : lost ? How::hold : How::usage);
    // An unknown outcome after an expiry says nothing new: the expiry has charged it.
    if (settled.first || settled.adjusted) mine.paid = paid;
    ended_ids.push_back(id);
  }

  void end_again() {
    if (ended_ids.empty()) return;
    const AttemptId id = ended_ids[static_cast<std::size_t>(below(static_cast<std::int64_t>(ended_ids.size())))];
    const Settled settled = settle(id, own[id].labels, below(usd));
    EXPECT_FALSE(settled.first);
    EXPECT_FALSE(settled.adjusted && own[id].paid);  // R18: one outcome
    if (settled.adjusted) own[id].paid = *settled.actual == Usd{} ? 0 : settled.actual->nano;
  }

  void adjust_one() {
    if (ended_ids.empty()) return;
    const AttemptId id = ended_ids[static_cast<std::size_t>(below(static_cast<std::int64_t>(ended_ids.size())))];
    Adjustment change;
    change.attempt = id;
    change.id = "by-test-" + std::to_string(below(1 << 30));
    change.actual = Usd{below(usd / 10)};
    change.booked[Meter::usd] = change.actual->nano;
    change.booked[Meter::requests] = 1;
    const auto done = store->adjust(change);
    ASSERT_TRUE(done) << done.error().message;
    if (!own[id].paid || !done->adjusted) return;
    own[id].paid = change.actual->nano;
    EXPECT_FALSE(store->adjust(change)->adjusted);
  }

  void turn_the_clock() {
    if (chance(80)) {
      clock->advance(below(20'000));
    } else if (chance(70)) {
      clock->advance(below(3 * hour_ms));
    } else if (chance(50)) {
      clock->wall -= below(2 * hour_ms);
    } else {
      clock->wall += below(30 * hour_ms);
    }
  }

  void govern() {
    switch (below(6)) {
      case 0:
        apply(policy(50 + below(500), chance(50)));
        break;
      case 1: {
        Override change;
        change.cap_id = "users";
        change.limit = below(usd);
        if (chance(50)) change.each_values = {"u1"};
        if (chance(50)) change.until_ms = *store->now_ms() + below(hour_ms);
        ASSERT_TRUE(store->set_override(change));
        break;
      }
      case 2:
        ASSERT_TRUE(store->clear_override("users", {}, "t", "t"));
        break;
      case 3:
        if (!halted) halted = store->halt(Halt{})->id;
        break;
      default:
        ASSERT_TRUE(!halted || store->resume(halted, "t", "t"));
        halted.reset();
        break;
    }
    refresh();
  }

  /// Every counter again from ledger and holds, by the plainest means.
  void check() {
    const auto holds = store->holds();
    ASSERT_TRUE(holds);
    const std::vector<LedgerRow> ledger = rows();
    const auto views = store->counters(std::nullopt);
    ASSERT_TRUE(views);
    for (const CounterView& view : *views) {
      const Cap& cap = view.cap->cap;
      const auto counts = [&](const LedgerRow& row) {
        if (row.reserved_ms < view.window.start_ms || row.reserved_ms >= view.window.end_ms) return false;
        return cap.each.empty() || *row.context->labels.get(cap.each.front()) == view.each_values.front();
      };
      std::int64_t booked = 0;
      std::int64_t held = 0;
      for (const LedgerRow& row : ledger)
        booked += counts(row) && cap.meter != Meter::concurrent ? row.booked[cap.meter] : 0;
      for (const HoldView& hold : *holds)
        held += counts(hold.draft) ? hold.draft.held[cap.meter] : 0;
      ASSERT_EQ(view.reserved, held) << cap.id;
      ASSERT_EQ(view.committed, booked + held) << cap.id;
    }
    std::map<AttemptId, std::int64_t> paid;
    std::map<AttemptId, int> outcomes;
    for (const LedgerRow& row : ledger) {
      const AttemptId id = row.kind == RowKind::adjust ? row.of : row.id;
      paid[id] += row.booked[Meter::usd];
      outcomes[id] += row.kind == RowKind::attempt ? 1 : 0;
    }
    for (const auto& [id, count] : outcomes)
      ASSERT_EQ(count, 1) << to_text(id);
    for (const auto& [id, mine] : own) {
      ASSERT_EQ(paid[id], mine.paid.value_or(paid[id])) << to_text(id);
    }
  }
};

TEST_P(Simulator, R1_and_the_books_stand_on_any_schedule) {
  const bool memory = GetParam() == std::string("memory");
  const auto seed = static_cast<std::uint64_t>(from_environment("FARTHING_SEED", 20261121));
  const std::int64_t steps = from_environment("FARTHING_STEPS", memory ? 3'000 : 1'500);
  RecordProperty("seed", std::to_string(seed));
  SCOPED_TRACE("FARTHING_SEED=" + std::to_string(seed));
  random.seed(seed);
  const int processes = memory ? 1 : 3;
  for (int i = 0; i < processes; ++i) {
    open(memory ? "memory:" : "file:" + folder.path + "/x.db");
    stores.push_back(store);
  }
  apply(policy(200, false));
  for (std::int64_t step = 0; step < steps; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    store = stores[static_cast<std::size_t>(below(processes))];
    const std::int64_t what = below(100);
    if (what < 45) {
      reserve_one();
    } else if (what < 80) {
      settle_one();
    } else if (what < 84) {
      end_again();
    } else if (what < 87) {
      adjust_one();
    } else if (what < 94) {
      turn_the_clock();
    } else if (what < 96) {
      ASSERT_TRUE(store->renew());
    } else if (what < 98) {
      ASSERT_TRUE(store->sweep());
    } else {
      govern();
    }
    if (step % 50 == 0 || step + 1 == steps) check();
    if (HasFatalFailure() || HasNonfatalFailure()) return;
    // The ledger of memory: keeps the newest 10,000 rows; a long run begins anew before that.
    if (memory && own.size() > 5'000) break;
  }
  EXPECT_GT(static_cast<std::int64_t>(own.size()), std::min<std::int64_t>(steps / 20, 5'000));  // it did something
}

INSTANTIATE_TEST_SUITE_P(Stores, Simulator, ::testing::Values("memory", "file"),
                         [](const auto& given) { return std::string(given.param); });

}  // namespace
}  // namespace farthing::test
