// Videos and jobs (R17): what their requests ask for, what answers say of work that goes on, and which requests ask for it.
#include <gtest/gtest.h>

#include <string>

#include "wire/wire.h"

namespace farthing::videos_test {
namespace {

RequestFacts scan(std::string_view endpoint, std::string_view body, std::string_view provider = "openai") {
  auto facts = dialect_of(endpoint)->scan(body);
  EXPECT_TRUE(facts) << body;
  if (!facts) return {};
  fill_video_defaults(provider, *facts);
  return *facts;
}

TEST(Videos, of_a_request_as_json_and_as_a_form) {
  const RequestFacts json = scan("videos", R"({"model":"sora-2-pro","prompt":"p","seconds":"8","size":"1792x1024"})");
  const RequestFacts form =
      scan("videos",
           "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nsora-2-pro\r\n"
           "--b\r\nContent-Disposition: form-data; name=\"seconds\"\r\n\r\n8\r\n"
           "--b\r\nContent-Disposition: form-data; name=\"size\"\r\n\r\n1792x1024\r\n"
           "--b\r\nContent-Disposition: form-data; name=\"input_reference\"; filename=\"a.png\"\r\n\r\nx\r\n--b--\r\n");
  for (const RequestFacts& facts : {json, form}) {
    EXPECT_EQ(facts.model, "sora-2-pro");
    EXPECT_EQ(facts.pieces.videos, 1);
    EXPECT_EQ(facts.pieces.video_ms, 8'000);
    EXPECT_EQ(facts.pieces.size, "1792x1024");
    EXPECT_EQ(facts.pieces.resolution, "1024p");
    EXPECT_EQ(facts.pieces.video_of, "");
  }
}

TEST(Videos, lengths_in_every_spelling_and_the_longest_of_several) {
  EXPECT_EQ(scan("video.generations", R"({"duration":5})").pieces.video_ms, 5'000);
  EXPECT_EQ(scan("video.generations", R"({"duration":"2.5"})").pieces.video_ms, 2'500);
  EXPECT_EQ(scan("video.generations", R"({"seconds":4,"duration":9})").pieces.video_ms, 9'000);
  EXPECT_EQ(scan("videos.generations", R"({"n_seconds":20,"n":3})").pieces.videos, 3);
  EXPECT_EQ(scan("videos.generations", R"({"n":4,"n_variants":1,"number_of_videos":null})").pieces.videos, 4);
  EXPECT_EQ(scan("videos.generations", R"({"n_variants":1,"n":4})").pieces.videos, 4);
  EXPECT_EQ(scan("videos",
                 "--b\r\nContent-Disposition: form-data; name=\"n_variants\"\r\n\r\n4\r\n"
                 "--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n1\r\n--b--\r\n")
                .pieces.videos,
            4);
  for (const char* body : {R"({"seconds":"long"})", R"({"seconds":0})", R"({"seconds":-4})", R"({"seconds":[4]})",
                           R"({"n":0})", R"({"size":{}})", R"({"seconds":4,"seconds":8})"})
    EXPECT_FALSE(dialect_of("videos")->scan(body)) << body;
}

TEST(Videos, what_a_provider_takes_where_nothing_is_said) {
  const RequestFacts facts = scan("videos", R"({"prompt":"p"})");
  EXPECT_EQ(facts.model, "sora-2");
  EXPECT_EQ(facts.pieces.video_ms, 4'000);
  EXPECT_EQ(facts.pieces.size, "720x1280");
  EXPECT_EQ(facts.pieces.resolution, "720p");
  const RequestFacts unknown = scan("videos", R"({"prompt":"p"})", "xai");
  EXPECT_EQ(unknown.pieces.video_ms, std::nullopt);
  EXPECT_EQ(unknown.pieces.size, "");
}

TEST(Videos, what_is_made_over_another_one_has_no_defaults) {
  const RequestFacts edit = scan("videos.edits", R"({"prompt":"p","video":{"id":"video_1"}})");
  EXPECT_EQ(edit.pieces.video_of, "video_1");
  EXPECT_EQ(edit.pieces.video_ms, std::nullopt);
  EXPECT_EQ(edit.model, "");
  EXPECT_EQ(scan("videos.extensions", R"({"video":{"id":"v"},"seconds":"20"})").pieces.video_ms, 20'000);
  EXPECT_NE(scan("videos.remix", R"({"prompt":"p"})").pieces.video_of, "");
}

TEST(Videos, resolutions_of_sizes) {
  EXPECT_EQ(resolution_of("1280x720"), "720p");
  EXPECT_EQ(resolution_of("1080*1920"), "1080p");
  for (const char* none : {"", "auto", "720p", "1280x", "x720", "0x720", "1280x720x3"})
    EXPECT_EQ(resolution_of(none), "") << none;
}

JobState state(std::string_view endpoint, std::string_view body) {
  return dialect_of(endpoint)->read(body).job;
}

TEST(JobAnswers, states_of_videos) {
  EXPECT_EQ(state("videos", R"({"id":"video_1","status":"queued"})"), JobState::pending);
  EXPECT_EQ(state("videos", R"({"id":"video_1","status":"in_progress"})"), JobState::pending);
  EXPECT_EQ(state("videos", R"({"id":"video_1","status":"completed","seconds":"8"})"), JobState::done);
  EXPECT_EQ(state("videos", R"({"id":"video_1","status":"failed","error":{"code":"x"}})"), JobState::failed);
  EXPECT_EQ(state("videos", R"({"request_id":"r"})"), JobState::pending);
  EXPECT_EQ(state("video.generations", R"({"code":"success","data":{"task_id":"t","status":"SUCCESS"}})"),
            JobState::done);
  EXPECT_EQ(state("videos", R"({"error":{"code":"x"}})"), JobState::none);
  EXPECT_EQ(state("videos", R"({"id":"v","status":"something new"})"), JobState::none);
  EXPECT_EQ(dialect_of("videos")
                ->read(R"({"id":"v","status":"completed","seconds":"8","size":"720x1280"})")
                .quantities->of[static_cast<std::size_t>(Quantity::video_ms)],
            8'000);
}

TEST(JobAnswers, states_of_responses) {
  EXPECT_EQ(state("responses", R"({"id":"r","status":"queued"})"), JobState::pending);
  EXPECT_EQ(state("responses", R"({"id":"r","status":"incomplete"})"), JobState::done);
  EXPECT_EQ(state("responses", R"({"id":"r","status":"cancelled"})"), JobState::cancelled);
  EXPECT_EQ(state("responses", R"({"id":"r","status":"failed"})"), JobState::failed);
}

TEST(JobPaths, what_asks_for_a_job) {
  const HostTable hosts({});
  const auto poll = [&](std::string_view method, std::string_view path) {
    const Route route = recognise(method, "api.openai.com", path, hosts);
    return route.kind == Route::Kind::poll ? route.job_id : std::string("-");
  };
  EXPECT_EQ(poll("GET", "/v1/responses/resp_1"), "resp_1");
  EXPECT_EQ(poll("GET", "/v1/responses/resp_1?stream=true"), "resp_1");
  EXPECT_EQ(poll("POST", "/v1/responses/resp_1/cancel"), "resp_1");
  EXPECT_EQ(poll("DELETE", "/v1/videos/video_1"), "video_1");
  EXPECT_EQ(poll("GET", "/openai/v1/videos/video_1"), "video_1");
  EXPECT_EQ(poll("GET", "/v1/video/generations/t"), "t");
  for (const char* path : {"/v1/responses", "/v1/responses/", "/v1/responses/r/input_items", "/v1/videos/v/content",
                           "/v1/models/gpt-5", "/v1/files/f"})
    EXPECT_EQ(poll("GET", path), "-") << path;
  EXPECT_EQ(poll("POST", "/v1/batches/b/cancel"), "b");
  EXPECT_EQ(poll("POST", "/v1/fine_tuning/jobs/j/cancel"), "-");
  const Route remix = recognise("POST", "api.openai.com", "/v1/videos/video_1/remix", hosts);
  ASSERT_EQ(remix.kind, Route::Kind::priced);
  EXPECT_EQ(remix.dialect->endpoint, "videos.remix");
  EXPECT_EQ(remix.job_id, "video_1");
  EXPECT_EQ(recognise("POST", "api.openai.com", "/v1/videos/characters", hosts).kind, Route::Kind::unknown);
}

}  // namespace
}  // namespace farthing::videos_test
