#include <vector>

#include "wire/batch.h"
#include "wire/gemini_batches/batches.h"
#include "wire/gemini_generate/generate.h"
#include "wire/request_scan.h"

namespace farthing::wire {

namespace {

/// Finds where the requests stand, as batch.inputConfig.requests.requests[i].request: each is read for itself afterwards.
struct GenerateBatchScan : RequestScan {
  std::vector<Span> requests;

  void key(const Path& path) {
    RequestScan::key(path);
    // Twice in two spellings: which of them counts is Google's to say, so none does.
    if (path.depth() == 2 && in_batch(path) && is_named(path.own(), "inputConfig") && ++configs_ > 1)
      fail("\"inputConfig\" stands twice");
  }
  void value(const Path& path, const Scalar& scalar) {
    if (common(path, scalar)) return;
    if (in_config(path) && path.depth() == 3 && is_named(path.own(), "fileName"))
      fail("its requests are in a file, which is not read: send them inline (\"requests\")");
    if (is_request(path)) fail(place() + ": \"request\" is not an object");
  }
  void open(const Path& path, bool array, std::size_t at) {
    open_body(path, array, at);
    if (is_list(path)) {
      if (!array) fail("\"requests\" is not a list of objects");
    } else if (is_entry(path)) {
      if (array) fail("\"requests\" is not a list of objects");
      members_ = 0;
    } else if (is_request(path)) {
      if (array) fail(place() + ": \"request\" is not an object");
      if (++members_ > 1) fail(place() + ": \"request\" stands twice");
      requests.push_back({at - 1, 0});
    }
  }
  void close(const Path& path, bool array, std::size_t members) {
    RequestScan::close(path, array, members);
    if (is_request(path) && !requests.empty()) requests.back().length = path.end() - requests.back().at;
    if (is_entry(path)) {
      if (members_ == 0) fail(place() + " has no \"request\"");
      ++read_;
    }
    if (requests.size() > max_batch) fail("it has more than " + std::to_string(max_batch) + " requests");
  }

 private:
  static bool in_batch(const Path& path) { return path.key(0) == "batch"; }
  static bool in_config(const Path& path) { return in_batch(path) && is_named(path.key(1), "inputConfig"); }
  static bool in_list(const Path& path) {
    return in_config(path) && path.key(2) == "requests" && path.key(3) == "requests";
  }
  static bool is_list(const Path& path) { return in_list(path) && path.depth() == 4; }
  static bool is_entry(const Path& path) { return in_list(path) && path.depth() == 5; }
  static bool is_request(const Path& path) { return in_list(path) && path.depth() == 6 && path.own() == "request"; }
  std::string place() const { return "requests[" + std::to_string(read_) + "]"; }

  int configs_ = 0;
  int members_ = 0;  // `request` of the entry that is being read
  std::size_t read_ = 0;
};

}  // namespace

Result<RequestFacts> scan_generate_batch(std::string_view body) {
  GenerateBatchScan scan;
  std::string problem = walk(body, scan);
  if (problem.empty()) problem = std::move(scan.problem);
  auto facts = inline_batch(std::move(scan.facts), std::move(problem), body, scan.requests, "generateContent");
  if (!facts) return facts;
  // As the path has it: without its collection.
  constexpr std::string_view collection = "models/";
  if (facts->model.starts_with(collection)) facts->model.erase(0, collection.size());
  return facts;
}

}  // namespace farthing::wire
