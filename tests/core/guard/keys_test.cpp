// Whose key a call is sent with: ids that do not tell the key (R30).
#include "guard/keys.h"

#include "guard/base64url.h"
#include "tests/core/guard/fixture.h"

namespace farthing::test {
namespace {

TEST(Keys, are_known_by_a_hash_with_the_secrets_fingerprint_R30) {
  const guard::KeyHasher hasher("secret");
  const guard::KeyHasher other("another secret");
  const HeaderView bearer[] = {{"Authorization", "Bearer sk-test-0123456789"}};
  const HeaderView azure[] = {{"api-key", "sk-test-0123456789"}};
  const std::string id = hasher.id(guard::credential_of(bearer), "api.openai.com");
  EXPECT_EQ(id, hasher.id(guard::credential_of(azure), "x.openai.azure.com"));
  EXPECT_EQ(id, hasher.id_of_key("sk-test-0123456789"));
  EXPECT_NE(id, other.id_of_key("sk-test-0123456789"));
  EXPECT_EQ(guard::fingerprint_of(id), hasher.fingerprint());
  EXPECT_EQ(id.find("0123456789"), std::string::npos);
  EXPECT_EQ(hasher.id(guard::credential_of({}), "api.openai.com"), "");
}

std::string token(std::string_view payload) {
  return "eyJhbGciOiJSUzI1NiJ9." + guard::to_base64url(payload) + ".c2lnbmF0dXJl";
}

class Credentials : public ::testing::Test {
 protected:
  const guard::KeyHasher hasher{"secret"};

  std::string id(std::string_view header, std::string_view value, std::string_view host = "api.openai.com") const {
    const HeaderView headers[] = {{header, value}};
    return hasher.id(guard::credential_of(headers), host);
  }
};

TEST_F(Credentials, of_a_signed_token_are_its_issuer_and_subject_R30) {
  const std::string today = "Bearer " + token(R"({"iss":"https://a.example","sub":"svc-1","exp":1})");
  const std::string tomorrow = "Bearer " + token(R"({"sub":"svc-1","exp":2,"iss":"https://a.example"})");
  const std::string another = "Bearer " + token(R"({"iss":"https://a.example","sub":"svc-2","exp":1})");
  const std::string elsewhere = "Bearer " + token(R"({"iss":"https://b.example","sub":"svc-1","exp":1})");
  EXPECT_EQ(id("authorization", today), id("Authorization", tomorrow));
  EXPECT_NE(id("authorization", today), id("authorization", another));
  EXPECT_NE(id("authorization", today), id("authorization", elsewhere));
  EXPECT_EQ(guard::fingerprint_of(id("authorization", today)), hasher.fingerprint());
}

TEST_F(Credentials, that_rotate_are_one_for_each_host_R30) {
  EXPECT_EQ(id("authorization", "Bearer ya29.a0AfH6SM", "x.googleapis.com"), "oauth@x.googleapis.com");
  EXPECT_EQ(id("authorization", "Bearer ya29.other", "x.googleapis.com"), "oauth@x.googleapis.com");
  // Tokens of this shape that say of nobody whose they are.
  for (const std::string& unreadable : {token("{}"), token("not json"), std::string("eyJ"), std::string("eyJ.x.y")})
    EXPECT_EQ(id("authorization", "Bearer " + unreadable), "oauth@api.openai.com") << unreadable;
}

TEST_F(Credentials, of_a_signature_are_its_access_key_R30) {
  const char* monday =
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/bedrock/aws4_request, SignedHeaders=host, "
      "Signature=aa";
  const char* tuesday =
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/us-east-1/bedrock/aws4_request, SignedHeaders=host, "
      "Signature=bb";
  const char* another = "AWS4-HMAC-SHA256 Credential=AKIDOTHER/20261122/us-east-1/bedrock/aws4_request, Signature=bb";
  EXPECT_EQ(id("authorization", monday), id("authorization", tuesday));
  EXPECT_NE(id("authorization", monday), id("authorization", another));
  EXPECT_NE(id("authorization", monday), hasher.id_of_key("AKIDEXAMPLE"));
}

TEST_F(Credentials, a_providers_own_header_goes_before_a_gateways_R30) {
  const HeaderView headers[] = {{"Authorization", "Bearer gateway-token"}, {"x-api-key", "sk-ant-1"}};
  EXPECT_EQ(hasher.id(guard::credential_of(headers), "h"), hasher.id_of_key("sk-ant-1"));
  EXPECT_EQ(id("X-Goog-Api-Key", "AIza1"), hasher.id_of_key("AIza1"));
  EXPECT_EQ(id("authorization", "sk-bare"), hasher.id_of_key("sk-bare"));
  EXPECT_EQ(id("authorization", "Bearer "), "");
}

class NamedKeys : public GuardFixture {};

TEST_F(NamedKeys, rotate_under_one_name_and_keep_one_counter_R30) {
  const std::string limit = "[[cap]]\nid = \"day\"\nlimit = \"1 USD\"\nper = \"day\"\neach = \"api_key\"\n";
  open("key_secret = \"0123456789abcdef\"\n" + limit);
  const guard::KeyHasher hasher("0123456789abcdef");
  const std::string ids = "[\"" + hasher.id_of_key("sk-old") + "\", \"" + hasher.id_of_key("sk-new") + "\"]";
  open("key_secret = \"0123456789abcdef\"\n" + limit + "[[api_key]]\nname = \"billing\"\nids = " + ids + "\n");
  for (const char* key : {"Bearer sk-old", "Bearer sk-new"}) {
    const HeaderView headers[] = {{"authorization", key}};
    Attempt one = attempt();
    ASSERT_EQ(begin_with(one, headers).kind, Verdict::Kind::send);
    answer(one);
  }
  EXPECT_EQ(left("day").spent, 2 * cost_of_used);
  EXPECT_EQ(left("day").counter.front().second, "billing");
}

TEST_F(NamedKeys, of_the_environment_are_known_by_what_of_them_stays_R30) {
  setenv("FARTHING_TEST_KEY", "sk-env-1", 1);
  setenv("FARTHING_TEST_TOKEN", token(R"({"iss":"https://a.example","sub":"svc-1","exp":1})").c_str(), 1);
  open(
      "[[cap]]\nid = \"day\"\nlimit = \"1 USD\"\nper = \"day\"\neach = \"api_key\"\n"
      "[[api_key]]\nname = \"plain\"\nenv = [\"FARTHING_TEST_KEY\"]\nlabels = { project = \"content\" }\n"
      "[[api_key]]\nname = \"service\"\nenv = [\"FARTHING_TEST_TOKEN\"]\n"
      "[[api_key]]\nname = \"rotating\"\nids = [\"oauth@api.openai.com\"]\n");
  binding = *guard->bind({}, {});
  const std::string later = "Bearer " + token(R"({"iss":"https://a.example","sub":"svc-1","exp":2})");
  for (const std::string& key : {std::string("Bearer sk-env-1"), later, std::string("Bearer ya29.abc")}) {
    const HeaderView headers[] = {{"authorization", key}};
    Attempt one = attempt();
    ASSERT_EQ(begin_with(one, headers).kind, Verdict::Kind::send);
    answer(one);
  }
  std::vector<std::string> names;
  for (const LedgerRow& row : rows())
    names.push_back(row.context->key_name);
  EXPECT_EQ(names, (std::vector<std::string>{"rotating", "service", "plain"}));
  EXPECT_EQ(*rows().back().context->labels.get("project"), "content");
}

TEST_F(NamedKeys, whose_variables_are_all_unset_are_told_when_the_guard_is_opened) {
  setenv("FARTHING_TEST_KEY", "sk-env-1", 1);
  open(
      "[[cap]]\nlimit = \"1 USD\"\nper = \"day\"\n"
      "[[api_key]]\nname = \"one\"\nenv = [\"FARTHING_TEST_KEY\", \"FARTHING_TEST_KEY_OLD\"]\n"
      "[[api_key]]\nname = \"none\"\nenv = [\"FARTHING_TEST_UNSET\"]\n"
      "[[api_key]]\nname = \"id\"\nenv = [\"FARTHING_TEST_UNSET_2\"]\nids = [\"oauth@api.openai.com\"]\n");
  ASSERT_EQ(guard->warnings().size(), 1U);
  EXPECT_EQ(guard->warnings().front(),
            "api_key \"none\": no call has this name, since no variable in its `env` is set in the environment");
}

TEST_F(NamedKeys, of_another_secret_or_without_an_owner_are_refused_R30) {
  setenv("FARTHING_TEST_ROTATING", "ya29.abc", 1);
  const auto opened = [&](const std::string& key) {
    options.clock = clock;
    options.background_thread = false;
    options.store = "memory:";
    return Guard::open(policy_of("key_secret = \"0123456789abcdef\"\n[[api_key]]\nname = \"k\"\n" + key + "\n"),
                       options);
  };
  const guard::KeyHasher another("another secret of 16");
  const auto foreign = opened("ids = [\"" + another.id_of_key("sk-1") + "\"]");
  ASSERT_FALSE(foreign);
  EXPECT_NE(foreign.error().message.find("another secret"), std::string::npos);
  const auto rotating = opened("env = [\"FARTHING_TEST_ROTATING\"]");
  ASSERT_FALSE(rotating);
  EXPECT_NE(rotating.error().message.find("oauth@"), std::string::npos);
}

TEST(Keys, numbers_of_texts_hang_on_each_of_them_on_the_purpose_and_on_the_secret) {
  const guard::KeyHasher hasher("secret");
  const auto number = [&](std::vector<std::string_view> texts) { return hasher.number("a use", texts); };
  EXPECT_EQ(number({"ab", "c"}), number({"ab", "c"}));
  EXPECT_NE(number({"ab", "c"}), number({"a", "bc"}));
  EXPECT_NE(number({"ab", "c"}), number({"c", "ab"}));
  EXPECT_NE(number({"ab"}), number({"ab", ""}));
  const std::vector<std::string_view> texts = {"ab", "c"};
  EXPECT_NE(number(texts), hasher.number("another", texts));
  EXPECT_NE(number(texts), guard::KeyHasher("other").number("a use", texts));
}

}  // namespace
}  // namespace farthing::test
