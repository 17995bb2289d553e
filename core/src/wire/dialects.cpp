#include "wire/openai_chat/chat.h"
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
                   1};
// Below 16 the responses API refuses max_output_tokens (its reference, 2026-11).
const Dialect responses{"responses",          "text",
                        "generate",           true,
                        "/responses",         wire::scan_responses,
                        wire::read_responses, wire::stream_responses,
                        "max_output_tokens",  16};
const Dialect embeddings{"embeddings",          "embedding",           "generate", false, "/embeddings",
                         wire::scan_embeddings, wire::read_embeddings, nullptr,    "",    0};

}  // namespace

const std::vector<const Dialect*>& dialects() {
  static const std::vector<const Dialect*> table = {&chat, &responses, &embeddings};
  return table;
}

const Dialect* dialect_of(std::string_view endpoint) {
  for (const Dialect* dialect : dialects()) {
    if (dialect->endpoint == endpoint) return dialect;
  }
  return nullptr;
}

}  // namespace farthing
