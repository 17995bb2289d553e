#include "wire/anthropic_messages/messages.h"
#include "wire/gemini_generate/generate.h"
#include "wire/openai_chat/chat.h"
#include "wire/openai_completions/completions.h"
#include "wire/openai_embeddings/embeddings.h"
#include "wire/openai_responses/responses.h"
#include "wire/wire.h"

namespace farthing {

namespace {

// The table: the next dialect is a folder and a row here.
const Dialect chat{.endpoint = "chat.completions",
                   .modality = "text",
                   .operation = "generate",
                   .path = "/chat/completions",
                   .scan = wire::scan_chat,
                   .read = wire::read_chat,
                   .stream = wire::stream_chat,
                   .output_limit_name = "max_completion_tokens",
                   .takes_usage_option = true};
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
                        .cut_word = "max_output_tokens"};
const Dialect embeddings{.endpoint = "embeddings",
                         .modality = "embedding",
                         .operation = "generate",
                         .has_output = false,
                         .path = "/embeddings",
                         .scan = wire::scan_embeddings,
                         .read = wire::read_embeddings,
                         .stream = nullptr,
                         .output_limit_name = "",
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
const Dialect generate{.endpoint = "generateContent",
                       .modality = "text",
                       .operation = "generate",
                       .path = ":generateContent",
                       .scan = wire::scan_generate,
                       .read = wire::read_generate,
                       .stream = wire::stream_generate,
                       .output_limit_name = "maxOutputTokens",
                       .cut_word = "MAX_TOKENS"};
const Dialect stream_generate{.endpoint = "streamGenerateContent",
                              .modality = "text",
                              .operation = "generate",
                              .path = ":streamGenerateContent",
                              .scan = wire::scan_stream_generate,
                              .read = wire::read_generate,
                              .stream = wire::stream_generate,
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

}  // namespace

const std::vector<const Dialect*>& dialects() {
  static const std::vector<const Dialect*> table = {&chat,     &responses, &completions,    &embeddings,
                                                    &messages, &generate,  &stream_generate};
  return table;
}

const Dialect* dialect_of(std::string_view endpoint) {
  for (const Dialect* dialect : dialects()) {
    if (dialect->endpoint == endpoint) return dialect;
  }
  return nullptr;
}

}  // namespace farthing
