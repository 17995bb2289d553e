#include <array>
#include <optional>

#include "wire/anthropic_batches/batches.h"
#include "wire/anthropic_messages/messages.h"
#include "wire/json_walk.h"

namespace farthing::wire {

namespace {

struct MessageBatchAnswer : Ignore {
  AnswerFacts facts;
  std::string type;
  std::string status;
  std::optional<std::int64_t> processing, succeeded, errored, canceled, expired;

  void value(const Path& path, const Scalar& scalar) {
    const std::string_view own = path.own();
    if (path.depth() == 2 && path.key(0) == "request_counts") {
      if (auto* count = counted(own); count != nullptr && scalar.kind == Scalar::Kind::integer && scalar.integer >= 0)
        *count = scalar.integer;
    } else if (!scalar.is_text()) {
      return;
    } else if (path.depth() == 2 && path.key(0) == "error") {
      if (own == "code" || (own == "type" && facts.error_code.empty())) facts.error_code = scalar.text;
    } else if (path.is("id")) {
      facts.id = scalar.text;
    } else if (path.is("type")) {
      type = scalar.text;
    } else if (path.is("processing_status")) {
      status = scalar.text;
    }
  }
  void open(const Path& path, bool array, std::size_t) {
    if (!array && path.is("error")) facts.error = true;
  }

  /// Nothing is billed of a request that did not succeed (guide to batch processing). All counts must be told.
  bool none_succeeded() const {
    return processing == 0 && succeeded == 0 && errored && canceled && expired && *errored + *canceled + *expired > 0;
  }

 private:
  std::optional<std::int64_t>* counted(std::string_view name) {
    if (name == "processing") return &processing;
    if (name == "succeeded") return &succeeded;
    if (name == "errored") return &errored;
    if (name == "canceled") return &canceled;
    if (name == "expired") return &expired;
    return nullptr;
  }
};

/// A line of the results: how a request ended, and the message where it was answered.
struct ResultLine : Ignore {
  std::string type;
  bool has_id = false;
  std::optional<Span> message;

  void value(const Path& path, const Scalar& scalar) {
    if (path.is("custom_id")) has_id = scalar.is_text();
    if (path.is("result", "type") && scalar.is_text()) type = scalar.text;
  }
  void open(const Path& path, bool array, std::size_t at) {
    if (!array && path.is("result", "message")) message = Span{at - 1, 0};
  }
  void close(const Path& path, bool, std::size_t) {
    if (message && path.is("result", "message")) message->length = path.end() - message->at;
  }
};

}  // namespace

AnswerFacts read_message_batch(std::string_view body) {
  MessageBatchAnswer answer;
  if (!walk(body, answer).empty()) return {};
  AnswerFacts& facts = answer.facts;
  facts.finish_reason = answer.status;
  if (answer.status == "in_progress" || answer.status == "canceling") {
    facts.job = JobState::pending;
  } else if (answer.status == "ended") {
    // What it used stands in its results.
    facts.job = answer.none_succeeded() ? JobState::failed : JobState::pending;
    if (facts.job == JobState::failed) facts.error_code = "none_succeeded";
  }
  return std::move(facts);
}

AnswerFacts read_message_result(std::string_view line) {
  ResultLine result;
  AnswerFacts facts;
  if (!walk(line, result).empty() || !result.has_id) return facts;
  if (result.type == "succeeded") {
    if (result.message) facts = read_messages(line.substr(result.message->at, result.message->length));
    facts.job = JobState::done;
  } else if (result.type == "errored" || result.type == "canceled" || result.type == "expired") {
    facts.job = JobState::failed;
  }
  return facts;
}

}  // namespace farthing::wire
