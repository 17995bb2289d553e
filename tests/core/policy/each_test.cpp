// From a document to the counters of a call; and documents made by chance.
#include <gtest/gtest.h>

#include <random>

#include "policy/plan.h"
#include "tests/core/policy/blocks.h"

namespace farthing {
namespace {

Environment no_environment() {
  return [](std::string_view) { return std::optional<std::string>(); };
}

Registry registry_of(const Policy& policy) {
  Registry registry;
  for (const Cap& cap : policy.caps) {
    RegisteredCap registered;
    registered.number = static_cast<std::uint32_t>(registry.caps.size());
    registered.cap = cap;
    registered.documents = {policy.name};
    registry.caps.push_back(registered);
  }
  return registry;
}

std::string shown(const PlannedCap& cap, const std::vector<std::string>& values) {
  std::string out = std::to_string(cap.number) + " ";
  for (const std::string& value : values)
    out.append(&value == &values.front() ? "" : ",").append(value);
  if (values.empty()) out += "-";
  return out + " " + limit_text(cap.meter, cap.limit);
}

std::string shown(const Plan& plan, const Labels& labels) {
  std::string out;
  for (const PlannedSet& set : plan.sets) {
    for (const PlannedCap& cap : set.caps) {
      out.append(&cap == &set.caps.front() ? " | " : " & ").append(shown(cap, set.each_values));
    }
  }
  for (const PlannedCap& cap : plan.per_call) {
    std::vector<std::string> values;
    for (const std::string& kind : cap.registered->cap.each) {
      const std::string* value = labels.get(kind);
      values.emplace_back(value == nullptr ? none_value : std::string_view(*value));
    }
    out.append(" | ").append(shown(cap, values)).append(" call");
  }
  for (const RegisteredCap* cap : plan.label_required)
    out += " | " + std::to_string(cap->number) + " label";
  return out;
}

TEST(Each, agrees_with_the_vectors) {
  const auto blocks = test::blocks_of("match/each.txt");
  ASSERT_GE(blocks.size(), 6U);
  for (const test::Block& block : blocks) {
    SCOPED_TRACE(block.name);
    const PolicyOrProblems read = policy_from_toml(block.part("toml"), "p", no_environment());
    ASSERT_TRUE(read.ok()) << read.problems[0].where << ": " << read.problems[0].message;
    const CapIndex index(registry_of(*read.policy));
    std::istringstream lines(block.part("calls"));
    for (std::string line; std::getline(lines, line);) {
      if (line.empty()) continue;
      const std::string json = line.substr(0, line.find(" | "));
      const Labels labels = *Labels::from_json(json);
      EXPECT_EQ(line, json + shown(index.plan(labels, 0), labels));
    }
  }
}

/// A policy that is valid, by chance.
class RandomPolicy {
 public:
  explicit RandomPolicy(unsigned seed) : random_(seed) {}

  Policy make() {
    Policy policy;
    policy.name = "p" + word();
    if (chance(2)) policy.store = "file:" + word();
    if (chance(2)) policy.timezone = zone();
    if (chance(2)) policy.labels.set("org", word());
    if (chance(2)) policy.units.emplace("credit", Usd{1 + number(1'000'000'000)});
    if (chance(3)) policy.unbounded = {Unbounded::Kind::amount, Usd{number(max_limit.nano)}};
    policy.abandoned_is_hold = chance(2);
    policy.fit_output = chance(2);
    policy.durable_power = chance(2);
    policy.held_wait_ms = number(3'600'000);
    policy.hold_max_ms = 120'000 + number(3'600'000);
    for (std::int64_t n = number(5); n > 0; --n)
      policy.caps.push_back(cap(policy.caps.size(), policy.timezone));
    for (std::int64_t n = number(3); n > 0; --n) {
      HostRule host;
      host.name = "h" + std::to_string(n) + ".example";
      host.provider = chance(2) ? "x" + word() : host.name;
      host.free = chance(2) || host.provider == host.name;
      host.guard = chance(2);
      if (chance(2)) host.deployments.emplace(word(), "m" + word());
      host.release_unknown = chance(2);
      if (chance(2)) host.usage_in_streams = chance(2);
      if (chance(2)) host.stops_on_disconnect = chance(2);
      policy.hosts.push_back(host);
    }
    for (std::int64_t n = number(3); n > 0; --n) {
      PriceOverlay price;
      price.provider = "p" + word();
      price.model = "m" + std::to_string(n);
      price.rates.emplace_back(Quantity::input_tokens, Rate{number(1'000'000'000), 1'000'000});
      if (chance(2)) price.rates.emplace_back(Quantity::video_ms, Rate{number(1'000'000'000), 1000});
      if (chance(2)) price.from_ms = number(4'000'000'000) * 1000;
      if (chance(2)) price.until_ms = price.from_ms.value_or(0) + 1000 + number(1'000'000'000) * 1000;
      if (chance(2)) price.reasoning = chance(2);
      price.context_above = number(1000);
      const auto is_spent = [](const Cap& cap) {
        return cap.meter != Meter::concurrent && cap.window.per != Per::call;
      };
      if (const auto counts = std::find_if(policy.caps.begin(), policy.caps.end(), is_spent);
          counts != policy.caps.end()) {
        price.volume_cap = counts->id;
        price.volume_from = 1 + number(1'000'000);
        price.volume_meter = counts->meter;
      }
      policy.prices.push_back(price);
    }
    return policy;
  }

 private:
  Cap cap(std::size_t i, const std::string& timezone) {
    Cap cap;
    cap.meter = static_cast<Meter>(number(meter_count));
    cap.limit = chance(2) ? number(1000) * 1'000'000'000 : number(max_limit.nano + 1);
    cap.window.per = static_cast<Per>(1 + number(6));
    cap.window.zone = chance(2) ? timezone : zone();
    cap.window.billing_day = static_cast<int>(1 + number(31));
    if (chance(2)) cap.match.of = {{"org", {word(), word() + "*"}}, {"project", {word()}}};
    if (chance(2)) cap.each = {"user"};
    if (chance(3)) cap.each = {"user", "api_key"};
    if (!cap.each.empty() && chance(2)) {
      cap.limits[std::vector<std::string>(cap.each.size(), word())] = number(1000) * 1'000'000'000;
      cap.refuse_absent = chance(2);
    }
    if (cap.meter != Meter::concurrent && chance(2)) cap.alert = {50, 100};
    if (chance(3)) cap.message = word() + "\n" + word();
    if (chance(3)) cap.max_counters = 1 + number(1000);
    cap.id = "c" + std::to_string(i) + word();  // their default ids could be equal
    cap.id_given = true;
    cap.normalise();
    return cap;
  }
  std::int64_t number(std::int64_t below) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(below));
  }
  bool chance(int of) { return number(of) == 0; }
  std::string zone() {
    static const std::vector<std::string> zones = {"UTC", "Europe/Berlin", "Asia/Tokyo", "America/New_York"};
    return zones[static_cast<std::size_t>(number(4))];
  }
  std::string word() {
    static const std::vector<std::string> parts = {"a",   "B", "7", "é", "日", "\"", "\\", ",", "${",
                                                   "$${", "$", "}", "{", " ",  "[",  "]",  "|"};
    std::string out = "w";
    for (std::int64_t n = number(6); n > 0; --n)
      out += parts[static_cast<std::size_t>(number(static_cast<std::int64_t>(parts.size())))];
    return out;
  }

  std::mt19937_64 random_;
};

TEST(Policy, canonical_json_round_trips) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    const Policy policy = RandomPolicy(seed).make();
    const PolicyOrProblems again = policy_from_json(policy.to_json(), "p", no_environment());
    ASSERT_TRUE(again.ok()) << policy.to_json() << "\n" << again.problems[0].where << ": " << again.problems[0].message;
    ASSERT_EQ(policy.to_json(), again.policy->to_json());
    ASSERT_EQ(policy.caps, again.policy->caps);
    ASSERT_EQ(policy.hosts, again.policy->hosts);
    ASSERT_EQ(policy.prices, again.policy->prices);
    ASSERT_EQ(policy.labels, again.policy->labels);
    ASSERT_EQ(policy.units, again.policy->units);
    ASSERT_EQ(policy.unbounded, again.policy->unbounded);
    ASSERT_EQ(policy.held_wait_ms, again.policy->held_wait_ms);
    ASSERT_EQ(policy.hold_max_ms, again.policy->hold_max_ms);
  }
}

// Whatever is written, the answer is a policy or problems, each with a place and words.
TEST(Policy, broken_documents_are_answered) {
  std::mt19937 random(5);
  const auto blocks = test::blocks_of("policy/accepted.txt");
  const std::string pieces = "\"'[]{}=,.:0aé\n#-${}";
  for (int round = 0; round < 3000; ++round) {
    const test::Block& block = blocks[random() % blocks.size()];
    const bool json = block.parts.contains("json") && random() % 2 == 0;
    std::string text = block.part(json ? "json" : "toml");
    for (std::size_t n = 1 + random() % 4; n > 0 && !text.empty(); --n) {
      const std::size_t at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text.erase(at, 1 + random() % 8);
          break;
        case 1:
          text.insert(at, 1, pieces[random() % pieces.size()]);
          break;
        case 2:
          text[at] = static_cast<char>(random());
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), random() % 20));
      }
    }
    const auto read = json ? policy_from_json : policy_from_toml;
    const PolicyOrProblems result = read(text, "p", no_environment());
    ASSERT_TRUE(result.ok() || !result.problems.empty()) << text;
    for (const Problem& problem : result.problems) {
      ASSERT_TRUE(problem.where.starts_with("p")) << text;
      ASSERT_FALSE(problem.message.empty()) << text;
    }
  }
}

}  // namespace
}  // namespace farthing
