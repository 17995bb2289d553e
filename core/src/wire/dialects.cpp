#include "farthing/endpoint.h"
#include "wire/anthropic_batches/batches.h"
#include "wire/anthropic_messages/messages.h"
#include "wire/gemini_batches/batches.h"
#include "wire/gemini_embed/embed.h"
#include "wire/gemini_generate/generate.h"
#include "wire/openai_audio/audio.h"
#include "wire/openai_batches/batches.h"
#include "wire/openai_chat/chat.h"
#include "wire/openai_completions/completions.h"
#include "wire/openai_embeddings/embeddings.h"
#include "wire/openai_images/images.h"
#include "wire/openai_responses/responses.h"
#include "wire/openai_videos/videos.h"
#include "wire/wire.h"

namespace farthing {

namespace {

constexpr std::int64_t hour_ms = 3'600'000;
// OpenAI keeps a background response for about ten minutes after it is done, and names no longest run
// (https://developers.openai.com/docs/guides/background, 2026-11-21); an hour is long for both.
constexpr JobKind background_response{.name = "response", .path = "/responses/", .lives_ms = hour_ms, .always = false};
// A video takes minutes; OpenAI keeps it for an hour (API reference of videos, 2026-11).
constexpr JobKind video_job{.name = "video", .path = "/videos/", .lives_ms = hour_ms};
// Both providers end a batch after 24 hours, and bill what was done until then (Anthropic's guide to batch processing,
// OpenAI's guide to the batch API, 2026-11); two hours to be asked for.
constexpr JobKind message_batch{
    .name = "batch", .path = "/messages/batches/", .lives_ms = 26 * hour_ms, .results = "/results"};
// Google's batches run for 48 hours at most (its guide to the Batch API, 2026-11).
constexpr JobKind generate_batch_job{.name = "batch", .path = "/v1beta/batches/", .lives_ms = 50 * hour_ms};
constexpr JobKind batch_job{.name = "batch", .path = "/batches/", .lives_ms = 26 * hour_ms};
constexpr JobKind video_generation_job{.name = "video", .path = "/video/generations/", .lives_ms = hour_ms};

// The table: the next dialect is a folder and a row here.
const Dialect chat{.endpoint = "chat.completions",
                   .modality = "text",
                   .operation = "generate",
                   .path = "/chat/completions",
                   .scan = wire::scan_chat,
                   .read = wire::read_chat,
                   .stream = wire::stream_chat,
                   .output_limit_name = "max_completion_tokens",
                   .takes_usage_option = true,
                   .tells_tools = false};
// Below 16 the responses API refuses max_output_tokens (its reference, 2026-11).
const Dialect responses{.endpoint = "responses",
                        .modality = "text",
                        .operation = "generate",
                        .path = "/responses",
                        .scan = wire::scan_responses,
                        .read = wire::read_responses,
                        .stream = wire::stream_responses,
                        .output_limit_name = "max_output_tokens",
                        .output_limit_minimum = 16,
                        .cut_word = "max_output_tokens",
                        .job = &background_response};
const Dialect embeddings{.endpoint = "embeddings",
                         .modality = "embedding",
                         .operation = "generate",
                         .has_output = false,
                         .path = "/embeddings",
                         .scan = wire::scan_embeddings,
                         .read = wire::read_embeddings,
                         .output_limit_minimum = 0};
// "/v1": OpenAI's threads have messages too, which cost nothing by themselves.
const Dialect messages{.endpoint = "messages",
                       .modality = "text",
                       .operation = "generate",
                       .path = "/v1/messages",
                       .scan = wire::scan_messages,
                       .read = wire::read_messages,
                       .stream = wire::stream_messages,
                       .output_limit_name = "max_tokens",
                       .overhead = "claude",
                       .cut_word = "max_tokens"};
const Dialect message_batches{.endpoint = "messages.batches",
                              .modality = "text",
                              .operation = "generate",
                              .has_output = false,
                              .path = "/v1/messages/batches",
                              .scan = wire::scan_message_batch,
                              .read = wire::read_message_batch,
                              .pieces = true,
                              .job = &message_batch,
                              .batch = true,
                              .read_result = wire::read_message_result};
const Dialect batches{.endpoint = "batches",
                      .modality = "text",
                      .operation = "generate",
                      .has_output = false,
                      .path = "/batches",
                      .scan = wire::scan_batch,
                      .read = wire::read_batch,
                      .pieces = true,
                      .job = &batch_job,
                      .batch = true};
const Dialect generate_batches{.endpoint = "batchGenerateContent",
                               .modality = "text",
                               .operation = "generate",
                               .has_output = false,
                               .path = ":batchGenerateContent",
                               .scan = wire::scan_generate_batch,
                               .read = wire::read_generate_batch,
                               .pieces = true,
                               .tells_parts = true,
                               .job = &generate_batch_job,
                               .batch = true};
const Dialect generate{.endpoint = "generateContent",
                       .modality = "text",
                       .operation = "generate",
                       .path = ":generateContent",
                       .scan = wire::scan_generate,
                       .read = wire::read_generate,
                       .stream = wire::stream_generate,
                       .running_totals = true,
                       .output_limit_name = "maxOutputTokens",
                       .cut_word = "MAX_TOKENS"};
const Dialect stream_generate{.endpoint = "streamGenerateContent",
                              .modality = "text",
                              .operation = "generate",
                              .path = ":streamGenerateContent",
                              .scan = wire::scan_stream_generate,
                              .read = wire::read_generate,
                              .stream = wire::stream_generate,
                              .running_totals = true,
                              .output_limit_name = "maxOutputTokens",
                              .cut_word = "MAX_TOKENS"};
// Without max_tokens OpenAI writes 16 tokens (its reference, 2026-11).
const Dialect completions{.endpoint = "completions",
                          .modality = "text",
                          .operation = "generate",
                          .path = "/completions",
                          .scan = wire::scan_completions,
                          .read = wire::read_chat,
                          .stream = wire::stream_chat,
                          .output_limit_name = "max_tokens",
                          .takes_usage_option = true,
                          .output_default = 16};
const Dialect images{.endpoint = "images.generations",
                     .modality = "image",
                     .operation = "generate",
                     .has_output = false,
                     .path = "/images/generations",
                     .scan = wire::scan_images,
                     .read = wire::read_images,
                     .stream = wire::stream_images,
                     .pieces = true};
const Dialect image_edits{.endpoint = "images.edits",
                          .modality = "image",
                          .operation = "edit",
                          .has_output = false,
                          .path = "/images/edits",
                          .scan = wire::scan_image_edits,
                          .read = wire::read_images,
                          .stream = wire::stream_images,
                          .pieces = true};
const Dialect image_variations{.endpoint = "images.variations",
                               .modality = "image",
                               .operation = "variation",
                               .has_output = false,
                               .path = "/images/variations",
                               .scan = wire::scan_image_edits,
                               .read = wire::read_images,
                               .pieces = true};
const Dialect speech{.endpoint = "audio.speech",
                     .modality = "speech",
                     .operation = "generate",
                     .has_output = false,
                     .path = "/audio/speech",
                     .scan = wire::scan_speech,
                     .read = wire::read_speech,
                     .stream = wire::stream_speech,
                     .pieces = true,
                     .binary = true};
const Dialect transcriptions{.endpoint = "audio.transcriptions",
                             .modality = "transcription",
                             .operation = "generate",
                             .has_output = false,
                             .path = "/audio/transcriptions",
                             .scan = wire::scan_transcription,
                             .read = wire::read_transcription,
                             .stream = wire::stream_transcription,
                             .pieces = true};
const Dialect translations{.endpoint = "audio.translations",
                           .modality = "transcription",
                           .operation = "generate",
                           .has_output = false,
                           .path = "/audio/translations",
                           .scan = wire::scan_transcription,
                           .read = wire::read_transcription,
                           .stream = wire::stream_transcription,
                           .pieces = true};
/// What all requests for videos have in common.
constexpr Dialect of_videos(std::string_view endpoint, std::string_view operation, std::string_view path,
                            Result<RequestFacts> (*scan)(std::string_view), const JobKind& job) noexcept {
  return {.endpoint = endpoint,
          .modality = "video",
          .operation = operation,
          .has_output = false,
          .path = path,
          .scan = scan,
          .read = wire::read_video,
          .pieces = true,
          .job = &job};
}
const Dialect videos = of_videos("videos", "generate", "/videos", wire::scan_videos, video_job);
const Dialect video_remix =
    of_videos("videos.remix", "variation", "/videos/*/remix", wire::scan_video_change, video_job);
const Dialect video_edits = of_videos("videos.edits", "edit", "/videos/edits", wire::scan_video_change, video_job);
const Dialect video_extensions =
    of_videos("videos.extensions", "edit", "/videos/extensions", wire::scan_video_change, video_job);
// xAI's and others': asked for at /videos/ID.
const Dialect videos_generations =
    of_videos("videos.generations", "generate", "/videos/generations", wire::scan_videos, video_job);
const Dialect video_generations =
    of_videos("video.generations", "generate", "/video/generations", wire::scan_videos, video_generation_job);
const Dialect embed{.endpoint = "embedContent",
                    .modality = "embedding",
                    .operation = "generate",
                    .has_output = false,
                    .path = ":embedContent",
                    .scan = wire::scan_embed,
                    .read = wire::read_embed};
const Dialect batch_embed{.endpoint = "batchEmbedContents",
                          .modality = "embedding",
                          .operation = "generate",
                          .has_output = false,
                          .path = ":batchEmbedContents",
                          .scan = wire::scan_batch_embed,
                          .read = wire::read_embed};

}  // namespace

const std::vector<const Dialect*>& dialects() {
  static const std::vector<const Dialect*> table = {&chat,
                                                    &responses,
                                                    &completions,
                                                    &embeddings,
                                                    &messages,
                                                    &message_batches,
                                                    &generate_batches,  // before `batches`, whose path ends as its does
                                                    &batches,
                                                    &generate,
                                                    &stream_generate,
                                                    &images,
                                                    &image_edits,
                                                    &image_variations,
                                                    &speech,
                                                    &transcriptions,
                                                    &translations,
                                                    &videos,
                                                    &video_remix,
                                                    &video_edits,
                                                    &video_extensions,
                                                    &videos_generations,
                                                    &video_generations,
                                                    &embed,
                                                    &batch_embed};
  return table;
}

const Dialect* dialect_of(std::string_view endpoint) {
  for (const Dialect* dialect : dialects()) {
    if (dialect->endpoint == endpoint) return dialect;
  }
  return nullptr;
}

std::string_view modality_of(std::string_view endpoint) {
  const Dialect* dialect = dialect_of(endpoint);
  return dialect == nullptr ? std::string_view() : dialect->modality;
}

std::vector<std::string_view> endpoint_names() {
  std::vector<std::string_view> names;
  for (const Dialect* each : dialects())
    names.push_back(each->endpoint);
  return names;
}

}  // namespace farthing
