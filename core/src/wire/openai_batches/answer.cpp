#include <optional>

#include "wire/json_walk.h"
#include "wire/openai_batches/batches.h"
#include "wire/usage.h"

namespace farthing::wire {

namespace {

struct BatchAnswer : Ignore {
  AnswerFacts facts;
  std::string status;
  UsageFields usage;
  bool has_usage = false;
  std::optional<std::int64_t> input, output, completed;

  void value(const Path& path, const Scalar& scalar) {
    const std::string_view own = path.own();
    const bool counts = scalar.kind == Scalar::Kind::integer && scalar.integer >= 0;
    if (path.key(0) == "usage" && path.depth() >= 2) {
      usage.take_at(path.depth() - 1, path.key(1), own, scalar);
      if (counts && path.is("usage", "input_tokens")) input = scalar.integer;
      if (counts && path.is("usage", "output_tokens")) output = scalar.integer;
    } else if (path.is("request_counts", "completed")) {
      if (counts) completed = scalar.integer;
    } else if (!scalar.is_text()) {
      return;
    } else if (path.depth() == 2 && path.key(0) == "error") {
      if (own == "code" || (own == "type" && facts.error_code.empty())) facts.error_code = scalar.text;
    } else if (path.is("id")) {
      facts.id = scalar.text;
    } else if (path.is("status")) {
      status = scalar.text;
    } else if (path.is("model")) {
      facts.model = scalar.text;
    }
  }
  void open(const Path& path, bool array, std::size_t) {
    if (!array && path.is("usage")) has_usage = true;
    if (!array && path.is("error")) facts.error = true;
  }
};

struct FileAnswer : Ignore {
  std::string id;
  void value(const Path& path, const Scalar& scalar) {
    if (path.is("id") && scalar.is_text()) id = scalar.text;
  }
};

}  // namespace

AnswerFacts read_batch(std::string_view body) {
  BatchAnswer answer;
  if (!walk(body, answer).empty()) return {};
  AnswerFacts& facts = answer.facts;
  const std::string& status = answer.status;
  facts.finish_reason = status;
  const bool ended = status == "completed" || status == "expired" || status == "cancelled";
  if (status == "validating" || status == "in_progress" || status == "finalizing" || status == "cancelling") {
    facts.job = JobState::pending;
  } else if (status == "failed" || ended) {
    // Told to have used nothing, or refused before its first request was sent to a model.
    const bool nothing = answer.has_usage ? answer.input == 0 && answer.output == 0 && answer.completed == 0
                                          : status == "failed" && answer.completed.value_or(0) == 0;
    if (answer.has_usage) facts.quantities = answer.usage.quantities(true);
    if (facts.quantities && answer.completed) (*facts.quantities)[Quantity::requests] = *answer.completed;
    facts.final = facts.quantities.has_value();
    // Without usage nothing of it is known: its hold stays.
    facts.job = facts.final ? JobState::done : nothing ? JobState::failed : JobState::pending;
    if (facts.job == JobState::failed) facts.error_code = status;
  }
  return std::move(facts);
}

}  // namespace farthing::wire

namespace farthing {

std::string read_file_id(std::string_view body) {
  wire::FileAnswer answer;
  return wire::walk(body, answer).empty() ? std::move(answer.id) : std::string();
}

}  // namespace farthing
