// InputCount: the tokens of a request's input, as its provider counts them: what a person wrote, and what the provider puts
// around it. Exact where the provider's rule is known and held on all recorded traffic; calibrated where the form that it
// gives tools and schemas is only known by what it cost.
//
//   auto count = count_input("chat.completions", body, "o200k_base", "openai-chat");
//   if (count) use(count->tokens, count->parts);     // nothing: files, an encoding that is not known
//
// Images are not among them: they are counted by their size (core/src/counting/images.h).
//
// Thread-safety: a free function; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace farthing {

struct CountPart {
  std::string what;  // "text", "around messages", "tools", "schema"
  std::int64_t tokens = 0;
};

struct InputCount {
  std::int64_t tokens = 0;
  bool exact = false;
  /// No provider was seen to count more for such a request; nothing where that is not known (tools, schemas).
  std::optional<std::int64_t> ceiling;
  std::vector<CountPart> parts;  // they add up to `tokens`
};

/// `endpoint`: "chat.completions", "responses", "completions" or "embeddings"; `body`: the request's JSON, which a dialect
/// has read; `encoding` and `overhead`: of the model, as the price book names them.
std::optional<InputCount> count_input(std::string_view endpoint, std::string_view body, std::string_view encoding,
                                      std::string_view overhead);

}  // namespace farthing
