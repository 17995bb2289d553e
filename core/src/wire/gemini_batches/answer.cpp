#include <vector>

#include "wire/gemini_batches/batches.h"
#include "wire/gemini_generate/generate.h"
#include "wire/json_walk.h"

namespace farthing::wire {

namespace {

/// An operation: `metadata` says how it stands; the answers are in `response` or, as the SDKs read them, in
/// `metadata.output`.
struct BatchOperation : Ignore {
  struct Answers {
    bool told = false;
    std::size_t entries = 0;
    std::size_t errors = 0;
    std::vector<Span> responses;
  };
  std::string name, state, model, error_code;
  bool error = false;
  bool counted = false;        // `batchStats` is told
  bool none_succeeded = true;  // where it is: a count of 0 is left out
  Answers of_metadata, of_response;

  void value(const Path& path, const Scalar& scalar) {
    // Counts are written as texts, as all 64-bit numbers of Google's.
    if (path.is("metadata", "batchStats", "successfulRequestCount"))
      none_succeeded =
          (scalar.is_text() && scalar.text == "0") || (scalar.kind == Scalar::Kind::integer && scalar.integer == 0);
    if (!scalar.is_text()) return;
    if (path.depth() == 2 && path.key(0) == "error") {
      const std::string_view own = path.own();
      if (own == "code" || ((own == "status" || own == "type") && error_code.empty())) error_code = scalar.text;
    }
    if (path.is("name")) name = scalar.text;
    if (path.is("metadata", "state")) state = scalar.text;
    if (path.is("metadata", "model")) model = scalar.text;
  }
  void open(const Path& path, bool array, std::size_t at) {
    if (!array && path.is("error")) error = true;
    if (!array && path.is("metadata", "batchStats")) counted = true;
    Answers* answers = list_of(path);
    if (answers == nullptr) return;
    const std::size_t depth = path.depth() - depth_of(*answers);
    if (depth == 0 && array) answers->told = true;
    if (depth == 1) ++answers->entries;
    if (depth == 2 && !array && path.own() == "response") answers->responses.push_back({at - 1, 0});
    if (depth == 2 && path.own() == "error") ++answers->errors;
  }
  void close(const Path& path, bool array, std::size_t) {
    Answers* answers = list_of(path);
    if (answers == nullptr || array || path.depth() != depth_of(*answers) + 2 || path.own() != "response") return;
    Span& response = answers->responses.back();
    response.length = path.end() - response.at;
  }

  const Answers& answers() const { return of_response.told ? of_response : of_metadata; }

 private:
  std::size_t depth_of(const Answers& answers) const { return &answers == &of_response ? 3 : 4; }
  Answers* list_of(const Path& path) {
    const std::size_t at = path.key(0) == "response" ? 1 : 2;
    const bool inside = at == 1 || (path.key(0) == "metadata" && path.key(1) == "output");
    if (!inside || path.key(at) != "inlinedResponses" || path.key(at + 1) != "inlinedResponses") return nullptr;
    return at == 1 ? &of_response : &of_metadata;
  }
};

std::string_view behind(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

/// BATCH_STATE_RUNNING, JOB_STATE_RUNNING: "RUNNING".
std::string_view state_word(std::string_view state) {
  return behind(behind(state, "BATCH_STATE_"), "JOB_STATE_");
}

/// What all answers used together; nothing where one of them does not say.
std::optional<Quantities> sum_of(const BatchOperation::Answers& answers, std::string_view body) {
  Quantities sum;
  for (const Span& response : answers.responses) {
    const AnswerFacts one = read_generate(body.substr(response.at, response.length));
    if (!one.quantities) return std::nullopt;
    for (std::size_t i = 0; i < sum.of.size(); ++i) {
      const auto more = checked_add(sum.of[i], one.quantities->of[i]);
      if (!more) return std::nullopt;
      sum.of[i] = *more;
    }
  }
  sum[Quantity::requests] = static_cast<std::int64_t>(answers.responses.size());
  return sum;
}

}  // namespace

AnswerFacts read_generate_batch(std::string_view body) {
  BatchOperation operation;
  if (!walk(body, operation).empty()) return {};
  AnswerFacts facts;
  facts.id = behind(operation.name, "batches/");
  facts.model = behind(operation.model, "models/");
  facts.finish_reason = state_word(operation.state);
  facts.error = operation.error;
  facts.error_code = operation.error_code;
  if (facts.id.empty()) return facts;
  // Where its answers are not told, or one of them says nothing of its usage, its hold stays until its deadline.
  facts.job = JobState::pending;
  const BatchOperation::Answers& answers = operation.answers();
  const bool whole =
      answers.told && answers.entries > 0 && answers.entries == answers.responses.size() + answers.errors;
  const std::string& state = facts.finish_reason;
  const bool over = state == "FAILED" || state == "CANCELLED" || state == "EXPIRED";
  const bool nothing = !answers.told && over && operation.counted && operation.none_succeeded;
  const bool ended = over || state == "SUCCEEDED";
  if (whole && ended) facts.requests_told = static_cast<std::int64_t>(answers.entries);
  if (nothing || (whole && ended && answers.responses.empty())) {
    facts.job = JobState::failed;
    facts.error_code = "none_succeeded";
  } else if (whole && ended) {
    facts.quantities = sum_of(answers, body);
    facts.final = facts.quantities.has_value();
    if (facts.final) facts.job = JobState::done;
  }
  return facts;
}

}  // namespace farthing::wire
