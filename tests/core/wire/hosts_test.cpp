// Where a request goes (R31): hosts of the table and of a policy, dialects by path, what costs nothing.
#include <gtest/gtest.h>

#include "wire/wire.h"

namespace farthing {
namespace {

HostRule rule(std::string name, std::string provider) {
  HostRule made;
  made.name = std::move(name);
  made.provider = std::move(provider);
  return made;
}

TEST(Hosts, table_knows_providers) {
  const HostTable hosts({});
  EXPECT_EQ(hosts.find("api.openai.com").provider, "openai");
  EXPECT_EQ(hosts.find("eu.api.openai.com").provider, "openai");
  EXPECT_EQ(hosts.find("acme.openai.azure.com").provider, "azure");
  EXPECT_EQ(hosts.find("acme.services.ai.azure.com").provider, "azure");
  EXPECT_TRUE(hosts.find("api.openai.com").usage_in_streams);
  EXPECT_TRUE(hosts.find("api.openai.com").stops_on_disconnect);
  EXPECT_FALSE(hosts.find("acme.openai.azure.com").stops_on_disconnect);
  EXPECT_FALSE(hosts.find("api.mistral.ai").usage_in_streams);  // 422 when asked
  EXPECT_TRUE(hosts.find("api.mistral.ai").usage_unasked);
  EXPECT_EQ(hosts.find("api.mistral.ai").output_limit_name, "max_tokens");
}

TEST(Hosts, where_a_region_costs_more) {
  const HostTable hosts({});
  EXPECT_EQ(hosts.find("api.anthropic.com").account_region, "us");
  EXPECT_EQ(HostTable({rule("gw.example", "anthropic")}).find("gw.example").account_region, "us");
  EXPECT_EQ(hosts.find("api.openai.com").account_region, "");
  EXPECT_EQ(hosts.find("eu.api.openai.com").region, "eu");
  EXPECT_EQ(hosts.find("us.api.openai.com").region, "us");
  EXPECT_EQ(hosts.find("mtls.api.openai.com").region, "");
  EXPECT_EQ(hosts.find("mtls.api.openai.com").provider, "openai");
  EXPECT_EQ(hosts.find("mtls-us.api.openai.com").region, "us");
  EXPECT_EQ(hosts.find("mtls-eu.api.openai.com").region, "eu");
  EXPECT_EQ(hosts.find("us-central1-aiplatform.googleapis.com").region, "regional");
  EXPECT_EQ(hosts.find("aiplatform.eu.rep.googleapis.com").region, "regional");
  EXPECT_EQ(hosts.find("aiplatform.googleapis.com").region, "");
  EXPECT_EQ(hosts.find("generativelanguage.googleapis.com").region, "");
  const auto at = [&](std::string_view location) {
    const std::string path =
        "/v1/projects/p/locations/" + std::string(location) + "/publishers/google/models/m:generateContent";
    return std::string(recognise("POST", "aiplatform.googleapis.com", path, hosts).host.region);
  };
  EXPECT_EQ(at("europe-west4"), "regional");
  EXPECT_EQ(at("global"), "");
}

TEST(Hosts, what_only_looks_like_a_known_host_is_unknown) {
  const HostTable hosts({});
  for (const char* host : {"api.openai.com.evil.test", "evilapi.openai.com", "openai.azure.com.test", "localhost", "",
                           "api.openai.com:8443"}) {
    EXPECT_EQ(hosts.find(host).provider, "") << host;
    EXPECT_FALSE(hosts.known(host)) << host;
  }
}

TEST(Hosts, rules_win_over_the_table_and_the_exact_one_over_globs) {
  HostRule wide = rule("127.0.0.1:*", "openai");
  HostRule exact = rule("127.0.0.1:11434", "ollama");
  exact.free = true;
  HostRule guarded = rule("api.openai.com", "");
  guarded.guard = false;
  const HostTable hosts({wide, exact, guarded});
  EXPECT_EQ(hosts.find("127.0.0.1:11434").provider, "ollama");
  EXPECT_TRUE(hosts.find("127.0.0.1:11434").free);
  EXPECT_EQ(hosts.find("127.0.0.1:9000").provider, "openai");
  EXPECT_TRUE(hosts.find("127.0.0.1:9000").usage_in_streams) << "behaves like its provider";
  EXPECT_TRUE(hosts.known("127.0.0.1:9000"));
  EXPECT_FALSE(hosts.known("127.0.0.1"));
  EXPECT_EQ(hosts.find("api.openai.com").provider, "openai");
  EXPECT_FALSE(hosts.find("api.openai.com").guard);
}

TEST(Hosts, servers_of_ones_own_behave_as_their_maker_says) {
  const HostTable hosts({rule("localhost:11434", "ollama"), rule("llm.internal", "vllm"), rule("other.test", "mine")});
  for (const char* host : {"localhost:11434", "llm.internal"}) {
    EXPECT_EQ(hosts.find(host).output_limit_name, "max_tokens") << host;
    EXPECT_TRUE(hosts.find(host).usage_in_streams) << host;
    EXPECT_FALSE(hosts.find(host).stops_on_disconnect) << host;
  }
  EXPECT_EQ(hosts.find("other.test").output_limit_name, "");
  EXPECT_FALSE(hosts.find("other.test").usage_in_streams);
  EXPECT_FALSE(HostTable({}).known("localhost:11434")) << "a port is no name";
}

TEST(Hosts, a_rule_says_otherwise) {
  HostRule made = rule("gateway.test", "openai");
  made.usage_in_streams = false;
  made.stops_on_disconnect = true;
  const HostTable hosts({made});
  EXPECT_FALSE(hosts.find("gateway.test").usage_in_streams);
  EXPECT_TRUE(hosts.find("gateway.test").stops_on_disconnect);
}

TEST(Recognise, posts_of_dialects_are_priced) {
  const HostTable hosts({});
  const auto endpoint = [&](std::string_view host, std::string_view path) {
    const Route route = recognise("POST", host, path, hosts);
    return route.kind == Route::Kind::priced ? route.dialect->endpoint : std::string_view("none");
  };
  EXPECT_EQ(endpoint("api.openai.com", "/v1/chat/completions"), "chat.completions");
  EXPECT_EQ(endpoint("api.openai.com", "/v1/chat/completions/?x=/files"), "chat.completions");
  EXPECT_EQ(endpoint("api.openai.com", "/v1/responses"), "responses");
  EXPECT_EQ(endpoint("api.openai.com", "/v1/embeddings"), "embeddings");
  EXPECT_EQ(endpoint("generativelanguage.googleapis.com", "/v1beta/openai/chat/completions"), "chat.completions");
  EXPECT_EQ(endpoint("unknown.test", "/v1/chat/completions"), "chat.completions");
}

TEST(Recognise, azure_names_its_deployment_in_the_path) {
  const Route route = recognise("POST", "acme.openai.azure.com",
                                "/openai/deployments/our-gpt/chat/completions?api-version=2026-01-01", HostTable({}));
  EXPECT_EQ(route.kind, Route::Kind::priced);
  EXPECT_EQ(route.path_model, "our-gpt");
  EXPECT_EQ(route.host.provider, "azure");
}

TEST(Recognise, the_longest_path_wins) {
  const HostTable hosts({});
  const auto endpoint = [&](std::string_view path) {
    return recognise("POST", "api.openai.com", path, hosts).dialect->endpoint;
  };
  EXPECT_EQ(endpoint("/v1/completions"), "completions");
  EXPECT_EQ(endpoint("/v1/chat/completions"), "chat.completions");
  EXPECT_EQ(recognise("POST", "acme.openai.azure.com", "/openai/deployments/d/completions", hosts).path_model, "d");
}

TEST(Recognise, messages_of_anthropic_and_no_others) {
  const HostTable hosts({});
  const Route route = recognise("POST", "api.anthropic.com", "/v1/messages?beta=true", hosts);
  ASSERT_EQ(route.kind, Route::Kind::priced);
  EXPECT_EQ(route.dialect->endpoint, "messages");
  EXPECT_EQ(route.host.provider, "anthropic");
  EXPECT_EQ(recognise("POST", "api.deepseek.com", "/anthropic/v1/messages", hosts).dialect->endpoint, "messages");
  EXPECT_EQ(recognise("POST", "api.openai.com", "/v1/threads/thread_1/messages", hosts).kind, Route::Kind::unknown);
  EXPECT_EQ(recognise("GET", "api.anthropic.com", "/v1/messages/batches", hosts).kind, Route::Kind::free);
}

TEST(Recognise, gemini_names_its_model_in_the_path) {
  const HostTable hosts({});
  const auto model = [&](std::string_view host, std::string_view path) {
    const Route route = recognise("POST", host, path, hosts);
    EXPECT_EQ(route.kind, Route::Kind::priced) << path;
    EXPECT_EQ(route.host.provider, "gemini") << host;
    return route.path_model;
  };
  const std::string_view gemini = "generativelanguage.googleapis.com";
  EXPECT_EQ(model(gemini, "/v1beta/models/gemini-2.5-flash:generateContent?key=x"), "gemini-2.5-flash");
  EXPECT_EQ(model(gemini, "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"), "gemini-2.5-flash");
  EXPECT_EQ(model(gemini, "/v1beta/tunedModels/mine:generateContent"), "tunedModels/mine");
  const std::string in = "/v1/projects/p/locations/us-central1/";
  for (const char* host :
       {"us-central1-aiplatform.googleapis.com", "aiplatform.googleapis.com", "aiplatform.eu.rep.googleapis.com"}) {
    EXPECT_EQ(model(host, in + "publishers/google/models/gemini-2.5-pro:streamGenerateContent"), "gemini-2.5-pro");
    EXPECT_EQ(model(host, in + "publishers/acme/models/gemini-2.5-pro:generateContent"), "acme/gemini-2.5-pro");
    EXPECT_EQ(model(host, in + "endpoints/123:generateContent"), "endpoints/123");
  }
  EXPECT_EQ(recognise("POST", gemini, "/v1beta/models/m:countTokens", hosts).kind, Route::Kind::free);
  EXPECT_EQ(recognise("POST", gemini, "/v1beta/batches/b1:cancel", hosts).kind, Route::Kind::free);
  const Route poll = recognise("GET", gemini, "/v1beta/batches/b1", hosts);
  EXPECT_EQ(poll.kind, Route::Kind::poll);
  EXPECT_EQ(poll.dialect->endpoint, "batchGenerateContent");
  EXPECT_EQ(poll.job_id, "b1");
  EXPECT_EQ(recognise("GET", "api.openai.com", "/v1/batches/b1", hosts).dialect->endpoint, "batches");
  for (const char* path : {"/v1beta/models/m:asyncBatchEmbedContent", "/v1beta/models/m:predictLongRunning",
                           "/v1beta/models/m%3AgenerateContent"}) {
    EXPECT_EQ(recognise("POST", gemini, path, hosts).kind, Route::Kind::unknown) << path;
  }
}

TEST(Recognise, free_calls_pass) {
  const HostTable hosts({});
  for (const char* path :
       {"/v1/moderations", "/v1/fine_tuning/jobs/j_1/cancel", "/v1/files", "/v1/uploads", "/v1/uploads/u_1/parts",
        "/v1/uploads/u_1/complete", "/v1/responses/input_tokens", "/v1/vector_stores", "/v1/vector_stores/vs_1/files",
        "/v1/vector_stores/vs_1/search", "/v1/conversations"}) {
    EXPECT_EQ(recognise("POST", "api.openai.com", path, hosts).kind, Route::Kind::free) << path;
  }
  EXPECT_EQ(recognise("POST", "api.anthropic.com", "/v1/messages/count_tokens", hosts).kind, Route::Kind::free);
  for (const char* method : {"GET", "HEAD", "OPTIONS", "DELETE"}) {
    EXPECT_EQ(recognise(method, "api.openai.com", "/v1/chat/completions", hosts).kind, Route::Kind::free) << method;
  }
}

TEST(Recognise, batches_and_who_asks_for_them) {
  const HostTable hosts({});
  const auto route = [&](std::string_view method, std::string_view path) {
    return recognise(method, "api.anthropic.com", path, hosts);
  };
  EXPECT_EQ(route("POST", "/v1/messages/batches?beta=true").dialect, dialect_of("messages.batches"));
  EXPECT_EQ(route("POST", "/v1/batches").dialect, dialect_of("batches"));
  EXPECT_EQ(route("POST", "/openai/batches?api-version=1").dialect, dialect_of("batches"));
  for (const char* path : {"/v1/messages/batches/b_1", "/v1/messages/batches/b_1/results?beta=true"}) {
    const Route poll = route("GET", path);
    EXPECT_EQ(poll.kind, Route::Kind::poll) << path;
    EXPECT_EQ(poll.dialect, dialect_of("messages.batches")) << path;
    EXPECT_EQ(poll.job_id, "b_1");
    EXPECT_EQ(poll.results, std::string_view(path).find("/results") != std::string_view::npos);
  }
  EXPECT_EQ(route("POST", "/v1/messages/batches/b_1/cancel").job_id, "b_1");
  EXPECT_EQ(route("GET", "/v1/batches/b_1").dialect, dialect_of("batches"));
  EXPECT_TRUE(route("DELETE", "/v1/messages/batches/b_1").deletes);
  for (const char* path : {"/v1/messages/batches", "/v1/messages/batches/b_1/other", "/v1/batches/b_1/results"})
    EXPECT_EQ(route("GET", path).kind, Route::Kind::free) << path;
  EXPECT_FALSE(route("POST", "/v1/files").uploads);
  EXPECT_TRUE(recognise("POST", "api.openai.com", "/v1/files", hosts).uploads);
  EXPECT_TRUE(recognise("POST", "x.openai.azure.com", "/openai/files?api-version=1", hosts).uploads);
  EXPECT_FALSE(recognise("POST", "api.openai.com", "/v1/uploads", hosts).uploads);
}

TEST(Recognise, every_other_post_is_unknown) {
  const HostTable hosts({});
  const auto unknown = [&](std::string_view host, std::string_view path) {
    return recognise("POST", host, path, hosts).kind == Route::Kind::unknown;
  };
  EXPECT_TRUE(unknown("api.openai.com", "/v1/videos/characters"));
  EXPECT_TRUE(unknown("api.openai.com", "/v1/fine_tuning/jobs"));
  EXPECT_TRUE(unknown("api.openai.com", "/"));
  // Billed, although they end like something free.
  EXPECT_TRUE(unknown("api.anthropic.com", "/v1/complete"));
  EXPECT_TRUE(unknown("api.perplexity.ai", "/search"));
  EXPECT_TRUE(unknown("api.mistral.ai", "/v1/moderations"));
  EXPECT_TRUE(recognise("PUT", "api.openai.com", "/v1/files", hosts).kind == Route::Kind::unknown);
}

TEST(Dialects, are_found_by_their_endpoint) {
  for (const Dialect* dialect : dialects())
    EXPECT_EQ(dialect_of(dialect->endpoint), dialect);
  EXPECT_EQ(dialect_of("images"), nullptr);
  EXPECT_EQ(dialect_of("responses")->output_limit_minimum, 16);
  EXPECT_FALSE(dialect_of("embeddings")->has_output);
}

}  // namespace
}  // namespace farthing
