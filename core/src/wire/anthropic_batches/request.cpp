#include <vector>

#include "wire/anthropic_batches/batches.h"
#include "wire/batch.h"
#include "wire/request_scan.h"

namespace farthing::wire {

namespace {

/// Finds where the requests stand: each is read for itself afterwards.
struct MessageBatchScan : RequestScan {
  std::vector<Span> requests;  // their `params`

  void value(const Path& path, const Scalar& scalar) {
    if (common(path, scalar)) return;
    if (path.is("requests") || (path.key(0) == "requests" && path.depth() == 2)) fail(not_a_list);
    if (in_request(path) && path.own() == "params") fail(place() + ": \"params\" is not an object");
  }
  void open(const Path& path, bool array, std::size_t at) {
    open_body(path, array, at);
    if (path.is("requests")) {
      if (!array) fail(not_a_list);
    } else if (path.key(0) == "requests" && path.depth() == 2) {
      if (array) fail(not_a_list);
      params_ = 0;
    } else if (in_request(path) && path.own() == "params") {
      if (array) fail(place() + ": \"params\" is not an object");
      if (++params_ > 1) fail(place() + ": \"params\" stands twice");
      requests.push_back({at - 1, 0});
    }
  }
  void close(const Path& path, bool array, std::size_t members) {
    RequestScan::close(path, array, members);
    if (in_request(path) && path.own() == "params" && !requests.empty())
      requests.back().length = path.end() - requests.back().at;
    if (path.key(0) == "requests" && path.depth() == 2) {
      if (params_ == 0) fail(place() + " has no \"params\"");
      ++read_;
    }
    if (requests.size() > max_batch) fail("it has more than " + std::to_string(max_batch) + " requests");
  }

 private:
  static constexpr const char* not_a_list = "\"requests\" is not a list of objects";
  static bool in_request(const Path& path) { return path.key(0) == "requests" && path.depth() == 3; }
  std::string place() const { return "requests[" + std::to_string(read_) + "]"; }

  int params_ = 0;  // of the request that is being read
  std::size_t read_ = 0;
};

}  // namespace

Result<RequestFacts> scan_message_batch(std::string_view body) {
  // The walk ends before the requests are read: they are walked in the same place.
  MessageBatchScan scan;
  std::string problem = walk(body, scan);
  if (problem.empty()) problem = std::move(scan.problem);
  return inline_batch(std::move(scan.facts), std::move(problem), body, scan.requests, "messages");
}

}  // namespace farthing::wire
