#include "farthing/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/core/policy/blocks.h"

namespace farthing {
namespace {

using test::Block;
using testing::HasSubstr;
using testing::Not;

/// The variables of a part "env": NAME=value lines.
Environment environment_of(const Block& block) {
  std::map<std::string, std::string, std::less<>> values;
  for (const auto& line : test::lines_of(block.part("env"))) {
    const std::size_t equals = line[0].find('=');
    values[line[0].substr(0, equals)] = line[0].substr(equals + 1);
  }
  return [values](std::string_view name) -> std::optional<std::string> {
    const auto place = values.find(name);
    if (place == values.end()) return std::nullopt;
    return place->second;
  };
}

std::string trimmed(std::string text) {
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  return text;
}

std::string all_of(const std::vector<Problem>& problems) {
  std::string out;
  for (const Problem& problem : problems) {
    out.append(code_text(problem.code)).append(" | ").append(problem.where).append(" | ").append(problem.message) +=
        '\n';
  }
  return out;
}

/// Expected: code | where | fragments of the message, in order and no more of them.
void expect_problems(const Block& block, const std::string& part, const std::vector<Problem>& found) {
  const auto expected = test::lines_of(block.part(part));
  EXPECT_EQ(expected.size(), found.size()) << all_of(found);
  for (std::size_t i = 0; i < std::min(expected.size(), found.size()); ++i) {
    ASSERT_GE(expected[i].size(), 2U);
    EXPECT_EQ(expected[i][0], code_text(found[i].code)) << found[i].message;
    EXPECT_EQ(expected[i][1], found[i].where) << found[i].message;
    for (std::size_t fragment = 2; fragment < expected[i].size(); ++fragment) {
      EXPECT_THAT(found[i].message, HasSubstr(expected[i][fragment]));
    }
  }
}

PolicyOrProblems read(const Block& block) {
  const Environment env = environment_of(block);
  if (block.parts.contains("toml")) return policy_from_toml(block.part("toml"), "p", env);
  return policy_from_json(block.part("json"), "p", env);
}

TEST(Policy, refused_documents) {
  const auto blocks = test::blocks_of("policy/refused.txt");
  ASSERT_GE(blocks.size(), 60U);
  for (const Block& block : blocks) {
    SCOPED_TRACE(block.name);
    const PolicyOrProblems result = read(block);
    EXPECT_FALSE(result.ok());
    EXPECT_THAT(all_of(result.problems), Not(HasSubstr("sk-proj-")));  // a key is not shown, wherever it was written
    expect_problems(block, "problems", result.problems);
  }
}

TEST(Policy, accepted_documents) {
  const auto blocks = test::blocks_of("policy/accepted.txt");
  ASSERT_GE(blocks.size(), 10U);
  for (const Block& block : blocks) {
    SCOPED_TRACE(block.name);
    const PolicyOrProblems result = read(block);
    ASSERT_TRUE(result.ok()) << all_of(result.problems);
    expect_problems(block, "warnings", result.problems);
    EXPECT_EQ(trimmed(block.part("canonical")), result.policy->to_json());

    // The same document in JSON is the same policy.
    if (block.parts.contains("toml") && block.parts.contains("json")) {
      const PolicyOrProblems json = policy_from_json(block.part("json"), "p", environment_of(block));
      ASSERT_TRUE(json.ok()) << all_of(json.problems);
      EXPECT_EQ(result.policy->to_json(), json.policy->to_json());
      EXPECT_EQ(result.policy->caps, json.policy->caps);
      EXPECT_EQ(result.policy->prices, json.policy->prices);
    }

    // Canonical JSON says everything but what is secret.
    const PolicyOrProblems again =
        policy_from_json(result.policy->to_json(), "p", [](std::string_view) { return std::optional<std::string>(); });
    ASSERT_TRUE(again.ok()) << all_of(again.problems);
    EXPECT_EQ(result.policy->to_json(), again.policy->to_json());
    EXPECT_EQ(result.policy->caps, again.policy->caps);
    EXPECT_EQ(result.policy->api_keys, again.policy->api_keys);
    EXPECT_EQ(result.policy->hosts, again.policy->hosts);
    EXPECT_EQ(result.policy->prices, again.policy->prices);
    EXPECT_EQ(result.policy->labels, again.policy->labels);
    EXPECT_EQ(result.policy->unbounded, again.policy->unbounded);
    EXPECT_EQ(result.policy->held_wait_ms, again.policy->held_wait_ms);
    EXPECT_EQ(result.policy->hold_max_ms, again.policy->hold_max_ms);
  }
}

TEST(Policy, secrets_are_not_written_out) {
  const PolicyOrProblems result =
      policy_from_toml("key_secret = \"correct horse battery\"", "p", [](std::string_view) { return std::nullopt; });
  ASSERT_TRUE(result.ok());
  EXPECT_EQ("correct horse battery", result.policy->key_secret);
  EXPECT_EQ(std::string::npos, result.policy->to_json().find("horse"));
}

class PolicyFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "farthing-policy-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }
  std::filesystem::path folder_;
};

TEST_F(PolicyFile, toml_and_json_by_their_extension) {
  const PolicyOrProblems toml =
      policy_from_file(write("farthing.toml", "\xEF\xBB\xBF[[cap]]\r\nlimit = \"5 USD\"\r\nper = \"day\"\r\n"));
  ASSERT_TRUE(toml.ok()) << all_of(toml.problems);
  const PolicyOrProblems json =
      policy_from_file(write("farthing.json", R"({"cap": [{"limit": "5 USD", "per": "day"}]})"));
  ASSERT_TRUE(json.ok()) << all_of(json.problems);
  EXPECT_EQ(toml.policy->to_json(), json.policy->to_json());
  EXPECT_EQ(Origin::file, toml.policy->origin);
  EXPECT_EQ("default", toml.policy->name);
  EXPECT_EQ((folder_ / "farthing.toml").string(), toml.policy->path);
}

TEST_F(PolicyFile, errors_name_file_and_line) {
  const std::string path = write("farthing.toml", "\n\n[[cap]]\nlimit = \"5 USD\"\nper = \"dya\"\n");
  const PolicyOrProblems result = policy_from_file(path);
  ASSERT_EQ(1U, result.problems.size());
  EXPECT_EQ(path + ":5: cap[0].per", result.problems[0].where);
  EXPECT_THAT(result.problems[0].message, HasSubstr("Did you mean \"day\"?"));
}

TEST_F(PolicyFile, that_cannot_be_read) {
  const std::string path = (folder_ / "missing.toml").string();
  const PolicyOrProblems result = policy_from_file(path);
  ASSERT_EQ(1U, result.problems.size());
  EXPECT_EQ(path, result.problems[0].where);
  EXPECT_THAT(result.problems[0].message, HasSubstr("No such file"));
  EXPECT_FALSE(policy_from_file(folder_.string()).ok());
}

// R6: names that begin with code: are for policies in code.
TEST_F(PolicyFile, a_file_does_not_take_the_name_of_one_in_code) {
  EXPECT_FALSE(policy_from_file(write("a.toml", "name = \"code:main\"")).ok());
  EXPECT_TRUE(policy_from_json(R"({"name":"code:main"})", "code", process_environment()).ok());
}

TEST_F(PolicyFile, a_secret_in_the_file_is_warned_of) {
  const PolicyOrProblems plain = policy_from_file(write("a.toml", "key_secret = \"0123456789abcdef\""));
  ASSERT_TRUE(plain.ok());
  ASSERT_EQ(1U, plain.problems.size());
  EXPECT_THAT(plain.problems[0].message, HasSubstr("${FARTHING_KEY_SECRET}"));
}

TEST(Policy, the_process_environment_is_read) {
  ASSERT_EQ(0, setenv("FARTHING_TEST_ORG", "acme", 1));
  const PolicyOrProblems result =
      policy_from_toml("labels = { org = \"${FARTHING_TEST_ORG}\" }", "p", process_environment());
  ASSERT_TRUE(result.ok());
  EXPECT_EQ("acme", *result.policy->labels.get("org"));
}

}  // namespace
}  // namespace farthing
