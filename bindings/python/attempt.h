// AttemptState: one HTTP request on its way through the core's state machine, with what Python gave for it.
// Wants the interpreter lock.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "convert.h"

namespace farthing::python {

/// What a request is, as HTTP stacks hold it: text and bytes, taken as they are.
struct RequestParts {
  py::handle method, scheme, host, port, path, query, headers, body;
};

class AttemptState {
 public:
  explicit AttemptState(Attempt attempt) : attempt_(std::move(attempt)) {}

  void set_in_event_loop(bool is) { in_event_loop_ = is; }
  void begin(const RequestParts& parts);
  void proceed() { verdict_ = attempt_.proceed(); }
  /// Until woken or the verdict's time is over. Ctrl-C interrupts it.
  void wait();
  /// Calls `callable` from any thread.
  void on_wake(py::object callable);
  void sent();
  void head(int status, py::handle headers);
  void end_whole(py::handle body);
  /// What to deliver: the same object where nothing changed, b"" where nothing is to be delivered yet.
  py::object data(py::handle bytes);
  py::object end();
  void abort(Abort how) { attempt_.abort(how); }

  const Attempt& attempt() const { return attempt_; }
  const Verdict& verdict() const { return verdict_; }

 private:
  // Before the attempt, so that it goes after it: the core must not be the last that drops a Python object.
  std::shared_ptr<py::object> callable_;
  Attempt attempt_;
  Verdict verdict_;
  bool in_event_loop_ = false;
  std::vector<HeaderView> headers_;
  std::string host_, path_;  // composed where the stack has them in pieces
  py::object kept_;          // what a waiting request's views look at
};

std::string_view bytes_view(py::handle value);
std::string_view str_view(py::handle value);
py::bytes bytes_of(std::string_view value);

}  // namespace farthing::python
