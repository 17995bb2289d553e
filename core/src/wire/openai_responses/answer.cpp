#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "wire/openai_responses/responses.h"
#include "wire/sse.h"
#include "wire/usage.h"

namespace farthing::wire {

namespace {

/// Tools that ran at the provider. Its usage does not tell them, the output does, and where there is one, a summary.
class ToolCalls {
 public:
  void begin_item() { type_ = action_ = environment_ = container_ = {}; }
  void item(std::string_view name, const Scalar& scalar) {
    if (name == "type" && scalar.is_text()) type_ = scalar.text;
    if (name == "container_id" && scalar.is_text()) container_ = scalar.text;
  }
  void part(std::string_view object, std::string_view name, const Scalar& scalar) {
    if (object == "environment" && name == "container_id" && scalar.is_text()) container_ = scalar.text;
    if (name != "type" || !scalar.is_text()) return;
    if (object == "action") action_ = scalar.text;
    if (object == "environment") environment_ = scalar.text;
  }
  void end_item() {
    // A page that is opened or looked through has no fee, a search has (OpenAI's guide to web search, 2026-11).
    if (type_ == "web_search_call")
      searches_ += action_.empty() || action_ == "search" ? 1 : 0;
    else if (type_ == "file_search_call")
      ++file_searches_;
    else if (type_ == "code_interpreter_call")
      ran_in_container();
    else if (type_ == "shell_call")
      run_shell();
    else if (type_.ends_with("_call") && std::find(free.begin(), free.end(), type_) == free.end())
      ++others_;
  }
  void summary(std::string_view tool, std::string_view name, const Scalar& scalar) {
    if (tool == "web_search" && name == "num_requests" && scalar.kind == Scalar::Kind::integer && scalar.integer >= 0)
      told_searches_ = scalar.integer;
  }
  void add_to(Quantities& quantities) const {
    quantities[Quantity::web_searches] = std::max(told_searches_.value_or(0), searches_);
    quantities[Quantity::tool_calls] = others_;
    quantities[Quantity::code_sessions] = nameless_sessions_ + static_cast<std::int64_t>(containers_.size());
    quantities[Quantity::file_searches] = file_searches_;
  }

 private:
  void run_shell() {
    if (!environment_.empty() && environment_ != "local") ran_in_container();
  }
  /// A session is of one container, however often it is used.
  void ran_in_container() {
    if (container_.empty())
      ++nameless_sessions_;
    else if (std::find(containers_.begin(), containers_.end(), container_) == containers_.end())
      containers_.push_back(container_);
  }

  /// Run by the caller, or without a fee.
  static constexpr std::array<std::string_view, 7> free = {"function_call",    "custom_tool_call", "computer_call",
                                                           "local_shell_call", "mcp_call",         "apply_patch_call",
                                                           "tool_search_call"};

  std::string type_, action_, environment_, container_;
  std::vector<std::string> containers_;
  std::int64_t nameless_sessions_ = 0;
  std::int64_t file_searches_ = 0;
  std::int64_t searches_ = 0;
  std::int64_t others_ = 0;
  std::optional<std::int64_t> told_searches_;
};

/// Reads a response, at the top (`depth` 0) or inside a stream's event as `response` (1).
struct ResponseAnswer : Ignore {
  AnswerFacts& facts;
  const std::size_t depth;
  std::string type;  // of an event
  std::string status;
  UsageFields usage;
  bool has_usage = false;
  ToolCalls tools;
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
    } else if (path.key(depth) == "output") {
      if (own_depth == 3) tools.item(own, scalar);
      if (own_depth == 4) tools.part(path.key(depth + 2), own, scalar);
    } else if (path.key(depth) == "tool_usage") {
      if (own_depth == 3) tools.summary(path.key(depth + 1), own, scalar);
    } else if (path.key(depth) == "incomplete_details" && own == "reason" && scalar.is_text()) {
      facts.finish_reason = scalar.text;
    } else if (path.key(depth) == "error" && own_depth == 2 && scalar.is_text()) {
      if (own == "code" || (own == "type" && facts.error_code.empty())) facts.error_code = scalar.text;
    }
  }
  void open(const Path& path, bool array, std::size_t) {
    if (array || !in_response(path)) return;
    if (path.depth() == depth + 2 && path.key(depth) == "output") tools.begin_item();
    if (path.depth() != depth + 1) return;
    if (path.own() == "usage") {
      usage.begin();
      has_usage = true;
    }
    if (path.own() == "error") facts.error = true;
  }
  void close(const Path& path, bool array, std::size_t) {
    if (!array && path.depth() == depth + 2 && in_response(path) && path.key(depth) == "output") tools.end_item();
  }
  std::optional<Quantities> quantities() const {
    auto found = has_usage ? usage.quantities(true) : std::nullopt;
    if (found) tools.add_to(*found);
    return found;
  }
  std::string event_code;
};

JobState response_state(std::string_view status) {
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
    if (!answer.status.empty()) facts_.job = response_state(answer.status);
    if (answer.type == "error") {
      facts_.error = true;
      if (facts_.error_code.empty()) facts_.error_code = answer.event_code;
    }
    if (answer.type == "response.completed" || answer.type == "response.incomplete" ||
        answer.type == "response.failed") {
      facts_.quantities = answer.quantities();
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
  facts.quantities = answer.quantities();
  if (answer.has_usage) facts.reported_cost = answer.usage.reported_cost();
  facts.final = facts.quantities.has_value();
  facts.job = response_state(answer.status);
  if (facts.finish_reason.empty()) facts.finish_reason = answer.status;
  // A response that failed after work was done has both; then its usage is the bill.
  if (facts.quantities) facts.error = false;
  return facts;
}

std::unique_ptr<StreamReader> stream_responses(bool) {
  return std::make_unique<ResponseStream>();
}

}  // namespace farthing::wire
