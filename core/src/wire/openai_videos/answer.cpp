#include <array>
#include <utility>

#include "wire/json_walk.h"
#include "wire/openai_videos/videos.h"
#include "wire/piece_usage.h"
#include "wire/reported_cost.h"

namespace farthing::wire {

namespace {

/// The words of OpenAI, Azure, xAI and of gateways with their form.
constexpr std::array<std::pair<std::string_view, JobState>, 17> states = {{
    {"queued", JobState::pending},
    {"pending", JobState::pending},
    {"submitted", JobState::pending},
    {"not_start", JobState::pending},
    {"in_progress", JobState::pending},
    {"processing", JobState::pending},
    {"preprocessing", JobState::pending},
    {"running", JobState::pending},
    {"completed", JobState::done},
    {"succeeded", JobState::done},
    {"success", JobState::done},
    {"done", JobState::done},
    {"failed", JobState::failed},
    {"failure", JobState::failed},
    {"error", JobState::failed},
    {"cancelled", JobState::cancelled},
    {"canceled", JobState::cancelled},
}};

JobState video_state(std::string_view word) {
  std::string lower(word);
  for (char& c : lower)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  for (const auto& [known, state] : states) {
    if (known == lower) return state;
  }
  return JobState::none;
}

struct VideoAnswer : Ignore {
  AnswerFacts facts;
  std::string id, task_id, request_id;
  std::string status;
  std::optional<std::int64_t> video_ms;
  ReportedCost reported;

  void value(const Path& path, const Scalar& scalar) {
    const std::string_view own = path.own();
    const bool seconds = own == "seconds" || own == "duration";
    if (path.key(0) == "error" && path.depth() == 2 && scalar.is_text()) {
      if (own == "code" || (own == "type" && facts.error_code.empty())) facts.error_code = scalar.text;
    } else if (path.key(0) == "usage") {
      if (path.depth() == 2) reported.take({}, own, scalar);
    } else if (path.is("error") && scalar.is_text()) {  // xAI's
      facts.error = true;
    } else if (path.is("video", "duration") || (path.depth() == 1 && seconds)) {
      const bool whole = scalar.kind == Scalar::Kind::integer;
      if (!scalar.is_null())
        video_ms = ms_of_seconds(whole ? std::to_string(scalar.integer) : std::string(scalar.text));
    } else if (scalar.is_text() && (path.depth() == 1 || (path.depth() == 2 && path.key(0) == "data"))) {
      if (own == "id")
        id = scalar.text;
      else if (own == "task_id")
        task_id = scalar.text;
      else if (own == "request_id")
        request_id = scalar.text;
      else if (own == "status")
        status = scalar.text;
      else if (own == "model")
        facts.model = scalar.text;
      else if (own == "size")
        facts.size = scalar.text;
    }
  }
  void open(const Path& path, bool array, std::size_t) {
    if (!array && path.is("error")) facts.error = true;
  }
};

}  // namespace

AnswerFacts read_video(std::string_view body) {
  VideoAnswer answer;
  if (!walk(body, answer).empty()) return {};
  AnswerFacts& facts = answer.facts;
  // Of several the one that the host asks for at its address: xAI has only `request_id`, gateways `task_id` beside an `id`.
  facts.id = !answer.task_id.empty() ? answer.task_id : !answer.id.empty() ? answer.id : answer.request_id;
  facts.job = video_state(answer.status);
  if (facts.job == JobState::none && answer.status.empty() && !facts.id.empty() && !facts.error)
    facts.job = JobState::pending;  // a task was made, and nothing else is told
  // A word without a job's id or an error's object may be of the poll itself.
  if (facts.job == JobState::failed && facts.id.empty() && !facts.error) facts.job = JobState::none;
  // A job with an error is not an error of the request.
  if (facts.job != JobState::none) facts.error = facts.job == JobState::failed;
  facts.finish_reason = answer.status;
  facts.done = facts.job == JobState::done;
  if (facts.done) facts.reported_cost = answer.reported.cost();
  if (facts.done && answer.video_ms) {
    facts.quantities.emplace();
    (*facts.quantities)[Quantity::video_ms] = *answer.video_ms;
    (*facts.quantities)[Quantity::requests] = 1;
  }
  return std::move(facts);
}

}  // namespace farthing::wire
