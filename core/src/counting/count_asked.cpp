#include <array>

#include "counting/json.h"
#include "counting/neighbours.h"
#include "farthing/count.h"
#include "farthing/prices.h"
#include "farthing/tokens.h"

namespace farthing {
namespace {

using counting::member;
using counting::text;
using counting::Value;

Error unknown_model(std::string_view model) {
  return {
      Code::invalid_argument,
      "nothing is known of the tokens of model \"" + std::string(model) +
          "\"; known are the price book's models of OpenAI (exact), Claude and Gemini (calibrated), Llama, Mistral, "
          "DeepSeek, Qwen, Kimi and Grok (heuristic): `farthing prices NAME` finds their names. A vocabulary "
          "of its own can be named in the policy ([[tokenizer]]), or for once: `farthing count --encoding o200k_base`, "
          "cl100k_base, o200k_harmony, or a file"};
}

Result<CountedModel> counted_model_of(std::string_view name, const KnownModels& known) {
  const Model* model = find_anywhere(*known.book, name);
  CountedModel counted{.name = name};
  if (model != nullptr) counted = {.encoding = model->encoding, .overhead = model->overhead, .name = model->name};
  auto vocabulary = known.tokenizers.find(name, counted.name);
  if (!vocabulary) return vocabulary.error();
  counted.vocabulary = std::move(*vocabulary);
  if (!counted.vocabulary && counted.overhead.empty() && counted.encoding.empty()) return unknown_model(name);
  return counted;
}

}  // namespace

std::string_view confidence_of(const InputCount& count) {
  return count.exact ? "exact" : count.rough ? "heuristic" : "calibrated";
}

std::string_view endpoint_of(std::string_view body, std::string_view model, const PriceBook& book) {
  rapidjson::Document json;
  json.Parse<rapidjson::kParseIterativeFlag>(body.data(), body.size());
  if (json.HasParseError() || !json.IsObject()) return "";
  if (model.empty()) model = text(member(json, "model"));
  if (member(json, "contents") != nullptr) return "generateContent";
  if (member(json, "content") != nullptr) return "embedContent";
  if (member(json, "messages") != nullptr)
    return model.find("claude") == std::string_view::npos ? "chat.completions" : "messages";
  const bool prompt = member(json, "prompt") != nullptr;
  if (!prompt && member(json, "input") == nullptr) return "";
  const Model* known = find_anywhere(book, model);
  const std::string_view makes = known == nullptr ? std::string_view() : known->modality;
  if (prompt) return makes == "image" ? "images.generations" : makes == "video" ? "videos" : "completions";
  if (makes == "speech" || member(json, "voice") != nullptr) return "audio.speech";
  return makes == "embedding" || model.find("embed") != std::string_view::npos ? "embeddings" : "responses";
}

Result<InputCount> count_text(std::string_view model, std::string_view text, const KnownModels& models) {
  const auto known = counted_model_of(model, models);
  if (!known) return known.error();
  InputCount count;
  const EncodingPtr encoding =
      known->vocabulary && !is_measured(*known) ? known->vocabulary : Encoding::find(known->encoding);
  if (encoding) {
    count.tokens = encoding->count(text);
    count.exact = true;
  } else {
    const counting::Factors* factors = counting::factors_of(*known);
    count.rough = factors == nullptr;
    static constexpr counting::Factors none;
    const auto sum = counting::thousandths(*Encoding::find("o200k_base"), text, factors == nullptr ? none : *factors);
    count.tokens = (sum + 500) / 1'000;
  }
  if (count.tokens > 0) count.parts.push_back({"text", count.tokens});
  return count;
}

Result<InputCount> count_request(std::string_view model, std::string_view body, std::string_view endpoint,
                                 const KnownModels& models) {
  rapidjson::Document json;
  json.Parse<rapidjson::kParseIterativeFlag>(body.data(), body.size());
  if (json.HasParseError() || !json.IsObject())
    return Error{Code::invalid_argument, "the request is not a JSON object"};
  const std::string asked(model.empty() ? text(member(json, "model")) : model);
  if (asked.empty()) return Error{Code::invalid_argument, "the request names no model, and none is given"};
  const auto known = counted_model_of(asked, models);
  if (!known) return known.error();
  if (endpoint.empty()) endpoint = endpoint_of(body, asked, *models.book);
  if (endpoint.empty()) {
    return Error{Code::invalid_argument,
                 "the request has none of \"messages\", \"input\", \"contents\" and \"prompt\", so there is "
                 "nothing to count"};
  }
  auto count = count_input(endpoint, body, *known);
  if (!count) {
    return Error{Code::invalid_argument, "a " + std::string(endpoint) + " request to " + asked +
                                             " with these contents is not counted: only texts, tools that the caller "
                                             "runs, calls of them and schemas are"};
  }
  if (count->media) {
    return Error{
        Code::invalid_argument,
        "images and sound are not counted here: their tokens go by their size, and `farthing estimate` has them"};
  }
  return std::move(*count);
}

}  // namespace farthing
