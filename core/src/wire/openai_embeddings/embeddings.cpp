#include "wire/openai_embeddings/embeddings.h"

#include <algorithm>

#include "wire/request_scan.h"
#include "wire/usage.h"

namespace farthing::wire {

namespace {

struct EmbeddingsScan : RequestScan {
  bool tokens = false;        // one input as a list of token ids
  std::int64_t elements = 0;  // texts or lists of token ids

  void value(const Path& path, const Scalar& scalar) {
    if (common(path, scalar)) return;
    if (path.key(0) == "input" && path.depth() == 2) {
      if (scalar.is_text())
        ++elements;
      else
        tokens = true;
    }
    update();
  }
  void open(const Path& path, bool array, std::size_t at) {
    open_body(path, array, at);
    if (path.depth() == 2 && path.key(0) == "input") {
      ++elements;
      if (!array) other_media();  // parts with images, on other hosts
    }
    update();
  }
  void update() { facts.inputs = tokens ? 1 : std::max<std::int64_t>(elements, 1); }
};

struct EmbeddingsAnswer : Ignore {
  AnswerFacts facts;
  UsageFields usage;
  bool has_usage = false;

  void value(const Path& path, const Scalar& scalar) {
    if (path.depth() == 1 && scalar.is_text()) {
      if (path.own() == "id") facts.id = scalar.text;
      if (path.own() == "model") facts.model = scalar.text;
    } else if (path.key(0) == "usage") {
      usage.take_at(path.depth() - 1, path.key(1), path.own(), scalar);
    } else if (path.key(0) == "error" && path.depth() == 2 && scalar.is_text()) {
      if (path.own() == "code" || (path.own() == "type" && facts.error_code.empty())) facts.error_code = scalar.text;
    }
  }
  void open(const Path& path, bool array, std::size_t) {
    if (array) return;
    if (path.is("usage")) has_usage = true;
    if (path.is("error")) facts.error = true;
  }
};

}  // namespace

Result<RequestFacts> scan_embeddings(std::string_view body) {
  return scan_with<EmbeddingsScan>(body);
}

AnswerFacts read_embeddings(std::string_view body) {
  EmbeddingsAnswer answer;
  if (!walk(body, answer).empty()) return {};
  if (answer.has_usage) {
    answer.facts.quantities = answer.usage.quantities(false);
    answer.facts.reported_cost = answer.usage.reported_cost();
  }
  answer.facts.final = answer.facts.quantities.has_value();
  return std::move(answer.facts);
}

}  // namespace farthing::wire
