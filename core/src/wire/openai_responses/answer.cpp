#include "wire/openai_responses/responses.h"
#include "wire/sse.h"
#include "wire/usage.h"

namespace farthing::wire {

namespace {

/// Reads a response, at the top (`depth` 0) or inside a stream's event as `response` (1).
struct ResponseAnswer : Ignore {
  AnswerFacts& facts;
  const std::size_t depth;
  std::string type;  // of an event
  std::string status;
  UsageFields usage;
  bool has_usage = false;
  std::int64_t output_bytes = 0;

  ResponseAnswer(AnswerFacts& out, std::size_t inside) : facts(out), depth(inside) {}

  bool in_response(const Path& path) const { return depth == 0 || path.key(0) == "response"; }

  void value(const Path& path, const Scalar& scalar) {
    const std::string_view own = path.own();
    if (depth == 1 && path.depth() == 1 && scalar.is_text()) {
      if (own == "type")
        type = scalar.text;
      else if (own == "delta")
        output_bytes += static_cast<std::int64_t>(scalar.text.size());
      else if (own == "code" && facts.error_code.empty())
        event_code = scalar.text;
      return;
    }
    if (depth == 1 && path.is("error", "code") && scalar.is_text()) event_code = scalar.text;
    if (!in_response(path)) return;
    const std::size_t own_depth = path.depth() - depth;
    if (own_depth == 1 && scalar.is_text()) {
      if (own == "id")
        facts.id = scalar.text;
      else if (own == "model")
        facts.model = scalar.text;
      else if (own == "service_tier")
        facts.service_tier = scalar.text;
      else if (own == "status")
        status = scalar.text;
    } else if (path.key(depth) == "usage") {
      usage.take_at(own_depth - 1, path.key(depth + 1), own, scalar);
    } else if (path.key(depth) == "incomplete_details" && own == "reason" && scalar.is_text()) {
      facts.finish_reason = scalar.text;
    } else if (path.key(depth) == "error" && own_depth == 2 && scalar.is_text()) {
      if (own == "code" || (own == "type" && facts.error_code.empty())) facts.error_code = scalar.text;
    }
  }
  void open(const Path& path, bool array, std::size_t) {
    if (array || path.depth() != depth + 1 || !in_response(path)) return;
    if (path.own() == "usage") {
      usage.begin();
      has_usage = true;
    }
    if (path.own() == "error") facts.error = true;
  }
  std::string event_code;
};

JobState state_of(std::string_view status) {
  if (status == "queued" || status == "in_progress") return JobState::pending;
  if (status == "completed" || status == "incomplete") return JobState::done;
  if (status == "failed") return JobState::failed;
  return status == "cancelled" ? JobState::cancelled : JobState::none;
}

class ResponseStream final : public EventStream {
 public:
  ResponseStream() : EventStream(false) {}

 private:
  Fate event(std::string_view data) override {
    ResponseAnswer answer(facts_, 1);
    if (!walk(data, answer).empty()) return Fate::pass;
    output_seen_ += answer.output_bytes;
    if (!answer.status.empty()) facts_.job = state_of(answer.status);
    if (answer.type == "error") {
      facts_.error = true;
      if (facts_.error_code.empty()) facts_.error_code = answer.event_code;
    }
    if (answer.type == "response.completed" || answer.type == "response.incomplete" ||
        answer.type == "response.failed") {
      facts_.quantities = answer.has_usage ? answer.usage.quantities(true) : std::nullopt;
      facts_.reported_cost = answer.has_usage ? answer.usage.reported_cost() : std::nullopt;
      facts_.final = facts_.quantities.has_value();
      facts_.ended = true;
      if (facts_.finish_reason.empty()) facts_.finish_reason = answer.status;
    }
    return Fate::pass;
  }
};

}  // namespace

AnswerFacts read_responses(std::string_view body) {
  AnswerFacts facts;
  ResponseAnswer answer(facts, 0);
  if (!walk(body, answer).empty()) return {};
  if (answer.has_usage) {
    facts.quantities = answer.usage.quantities(true);
    facts.reported_cost = answer.usage.reported_cost();
  }
  facts.final = facts.quantities.has_value();
  facts.job = state_of(answer.status);
  if (facts.finish_reason.empty()) facts.finish_reason = answer.status;
  // A response that failed after work was done has both; then its usage is the bill.
  if (facts.quantities) facts.error = false;
  return facts;
}

std::unique_ptr<StreamReader> stream_responses(bool) {
  return std::make_unique<ResponseStream>();
}

}  // namespace farthing::wire
