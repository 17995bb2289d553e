// The vectors of caps/ and settlement/, over memory and file.
#include <map>
#include <sstream>

#include "farthing/money.h"
#include "tests/core/policy/blocks.h"
#include "tests/stores/fixture.h"

namespace farthing::test {
namespace {

struct Case {
  std::string store;
  Block block;
};

class StoreVectors : public ::testing::TestWithParam<Case>, public Bench {
 protected:
  Folder folder;
  std::map<std::string, AttemptId> ids;
  std::map<std::string, Labels> labels_of;
  int adjustments = 0;

  static std::int64_t nano(const std::string& text) { return parse_usd(text + " USD").value().nano; }
  static std::string usd_text(std::int64_t value) {
    std::string text = to_text(Usd{value});
    while (text.find('.') != std::string::npos && (text.back() == '0' || text.back() == '.')) {
      const bool point = text.back() == '.';
      text.pop_back();
      if (point) break;
    }
    return text;
  }
  AttemptId id_of(const std::string& name) {
    const auto [place, fresh] = ids.try_emplace(name);
    if (fresh) place->second = store->next_id();
    return place->second;
  }

  std::string reserve_step(std::istringstream& in) {
    std::string name;
    in >> name;
    Labels labels;
    Ask ask;
    for (std::string word; in >> word;) {
      const std::string key = word.substr(0, word.find('='));
      const std::string value = word.substr(word.find('=') + 1);
      if (word == "wait") {
        ask.take = false;
      } else if (key == "fixed") {
        ask.fixed = nano(value);
      } else if (key == "per") {
        ask.per_output = nano(value);
      } else if (key == "want" || key == "least" || key == "share") {
        (key == "want" ? ask.want : key == "least" ? ask.least : ask.share) = std::stoll(value);
      } else {
        labels.set_default(key, value);
      }
    }
    labels_of[name] = labels;
    const ReserveAnswer answer = reserve(id_of(name), labels, ask);
    if (const auto* grant = std::get_if<Granted>(&answer))
      return "granted " + std::to_string(grant->output_limit) + " " + usd_text(grant->held[Meter::usd]);
    if (const auto* refused = std::get_if<Refused>(&answer)) {
      std::string text = "refused";
      for (const RefusedCap& cap : refused->caps)
        text += " " + cap.cap_id;
      return text;
    }
    if (const auto* back = std::get_if<HeldBack>(&answer)) return "held " + back->refusal.caps.front().cap_id;
    return std::holds_alternative<Error>(answer) ? "error" : "plan again";
  }

  std::string settle_step(std::istringstream& in) {
    std::string name;
    std::string amount;
    std::string how = "usage";
    in >> name >> amount >> how;
    const Settled settled = settle(id_of(name), labels_of[name], nano(amount), *how_of(how));
    return settled.adjusted ? "adjusted" : settled.first ? "first" : "repeated";
  }

  std::string counter_step(std::istringstream& in) {
    std::string cap;
    std::string value;
    in >> cap >> value;
    const auto views = store->counters(cap);
    for (const CounterView& view : *views) {
      if (!value.empty() && view.each_values.front() != value) continue;
      return usd_text(view.committed - view.reserved) + " " + usd_text(view.reserved);
    }
    return "none";
  }

  std::string run(const std::string& step) {
    std::istringstream in(step);
    std::string word;
    in >> word;
    if (word == "reserve") return reserve_step(in);
    if (word == "settle") return settle_step(in);
    if (word == "counter") return counter_step(in);
    if (word == "sweep") return std::to_string(store->sweep()->expired);
    std::string name;
    std::string amount;
    in >> name >> amount;
    if (word == "job") {
      Settlement goes_on;
      goes_on.row.id = id_of(name);
      auto context = std::make_shared<CallContext>();
      context->labels = labels_of[name];
      goes_on.row.context = context;
      goes_on.row.ceiling = Usd{};
      goes_on.job = Job{.attempt = id_of(name),
                        .host = "h",
                        .id = name,
                        .kind = "video",
                        .lives_ms = std::stoll(amount) * 1000,
                        .terms = ""};
      EXPECT_TRUE(store->settle(goes_on));
    } else if (word == "end") {
      const auto actual = amount.empty() ? std::nullopt : std::optional(Usd{nano(amount)});
      const auto ended = store->end_job("h", name, actual, "", "");
      return ended ? "ended" : std::string(code_text(ended.error().code));
    } else if (word == "advance") {
      clock->advance(std::stoll(name) * 1000);
    } else if (word == "renew") {
      EXPECT_TRUE(store->renew());
    } else if (word == "override") {
      Override change;
      change.cap_id = name;
      change.limit = nano(amount);
      EXPECT_TRUE(store->set_override(change));
      refresh();
    } else if (word == "adjust") {
      Adjustment change;
      change.attempt = id_of(name);
      change.id = "adjustment-" + std::to_string(++adjustments);
      change.actual = Usd{nano(amount)};
      change.booked[Meter::usd] = change.actual->nano;
      EXPECT_TRUE(store->adjust(change));
    } else {
      ADD_FAILURE() << "no such step: " << step;
    }
    return "";
  }
};

TEST_P(StoreVectors, agree) {
  open(GetParam().store == "memory" ? "memory:" : "file:" + folder.path + "/x.db");
  clock->wall = 1'790'000'000'000;
  apply(GetParam().block.part("policy"));
  std::istringstream lines(GetParam().block.part("steps"));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t arrow = line.find(" => ");
    const std::string said = run(line.substr(0, arrow));
    if (arrow == std::string::npos) continue;
    EXPECT_EQ(said, line.substr(arrow + 4)) << line;
  }
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const char* file : {"caps/admission.txt", "settlement/counters.txt"}) {
    for (const Block& block : blocks_of(file)) {
      for (const char* store : {"memory", "file"})
        all.push_back({store, block});
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Vectors, StoreVectors, ::testing::ValuesIn(cases()), [](const auto& given) {
  std::string name = given.param.block.name + "_" + given.param.store;
  for (char& letter : name)
    letter = std::isalnum(static_cast<unsigned char>(letter)) != 0 ? letter : '_';
  return name;
});

}  // namespace
}  // namespace farthing::test
