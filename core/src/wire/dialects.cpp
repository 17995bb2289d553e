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
const Dialect chat{"chat.completions",
                   "text",
                   "generate",
                   true,
                   "/chat/completions",
                   wire::scan_chat,
                   wire::read_chat,
                   wire::stream_chat,
                   "max_completion_tokens",
                   1,
                   true};
// Below 16 the responses API refuses max_output_tokens (its reference, 2026-11).
const Dialect responses{"responses",          "text",
                        "generate",           true,
                        "/responses",         wire::scan_responses,
                        wire::read_responses, wire::stream_responses,
                        "max_output_tokens",  16};
const Dialect embeddings{"embeddings",          "embedding",           "generate", false, "/embeddings",
                         wire::scan_embeddings, wire::read_embeddings, nullptr,    "",    0};
// "/v1": OpenAI's threads have messages too, which cost nothing by themselves.
const Dialect messages{.endpoint = "messages",
                       .modality = "text",
                       .operation = "generate",
                       .path = "/v1/messages",
                       .scan = wire::scan_messages,
                       .read = wire::read_messages,
                       .stream = wire::stream_messages,
                       .output_limit_name = "max_tokens",
                       .overhead = "claude"};
const Dialect generate{.endpoint = "generateContent",
                       .modality = "text",
                       .operation = "generate",
                       .path = ":generateContent",
                       .scan = wire::scan_generate,
                       .read = wire::read_generate,
                       .stream = wire::stream_generate,
                       .output_limit_name = "maxOutputTokens"};
const Dialect stream_generate{.endpoint = "streamGenerateContent",
                              .modality = "text",
                              .operation = "generate",
                              .path = ":streamGenerateContent",
                              .scan = wire::scan_stream_generate,
                              .read = wire::read_generate,
                              .stream = wire::stream_generate,
                              .output_limit_name = "maxOutputTokens"};
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
