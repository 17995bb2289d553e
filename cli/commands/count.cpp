#include <iostream>

#include "../books.h"
#include "../commands.h"
#include "../input.h"
#include "../json.h"
#include "../terminal.h"
#include "farthing/count.h"
#include "farthing/tokens.h"

namespace farthing::cli {

namespace {

Result<InputCount> counted(const CountOptions& options) {
  if (!options.encoding.empty()) {
    if (!options.request.empty())
      return Error{Code::invalid_argument,
                   "--encoding counts a text; what is around it in a request hangs on a --model"};
    EncodingPtr encoding = Encoding::find(options.encoding);
    if (!encoding) {
      auto read = Encoding::from_file(options.encoding);
      if (!read) {
        return Error{Code::invalid_argument,
                     "--encoding takes o200k_base, cl100k_base, o200k_harmony or a file "
                     "(.tiktoken, tokenizer.json): " +
                         read.error().message};
      }
      encoding = std::move(*read);
    }
    const auto text = input(options.file);
    if (!text) return text.error();
    InputCount count;
    count.tokens = encoding->count(*text);
    count.exact = true;
    count.parts.push_back({"text", count.tokens});
    return count;
  }
  if (options.request.empty()) {
    if (options.model.empty())
      return Error{Code::invalid_argument, "say whose tokens: --model gpt-5-mini, or --encoding o200k_base"};
    const auto text = input(options.file);
    if (!text) return text.error();
    const auto known = known_models(options.policy);
    if (!known) return known.error();
    return count_text(options.model, *text, *known);
  }
  const auto body = input(options.request);
  if (!body) return body.error();
  const auto known = known_models(options.policy);
  if (!known) return known.error();
  return count_request(options.model, *body, options.endpoint, *known);
}

}  // namespace

int count(const CountOptions& options) {
  const auto count = counted(options);
  if (!count) return fail(count.error());
  if (options.json) {
    Json json;
    json["tokens"] = count->tokens;
    json["confidence"] = confidence_of(*count);
    json["parts"] = Json::object();
    for (const CountPart& part : count->parts)
      json["parts"][part.what] = part.tokens;
    std::cout << dump_json(json, 2) << "\n";
    return ok;
  }
  if (!options.explain) {
    std::cout << count->tokens << "\n";
    return ok;
  }
  std::vector<std::vector<std::string>> rows;
  for (const CountPart& part : count->parts)
    rows.push_back({part.what, std::to_string(part.tokens)});
  rows.push_back({"all", std::to_string(count->tokens)});
  std::cout << table({"input", ">tokens"}, rows) << "\n" << confidence_of(*count) << "\n";
  return ok;
}

}  // namespace farthing::cli
