#include <algorithm>
#include <array>

#include "wire/batch.h"
#include "wire/form_scan.h"
#include "wire/openai_batches/batches.h"
#include "wire/request_scan.h"

namespace farthing::wire {

namespace {

/// What can stand in a file and is billed by its tokens; the rest has no usage in a batch's own.
const Dialect* dialect_of_url(std::string_view url) {
  constexpr std::array<std::string_view, 4> endpoints = {"chat.completions", "responses", "completions", "embeddings"};
  for (const std::string_view endpoint : endpoints) {
    const Dialect* dialect = dialect_of(endpoint);
    if (url.ends_with(dialect->path) && url.size() - dialect->path.size() <= std::string_view("/v1").size())
      return dialect;
  }
  return nullptr;
}

/// A member that is not known could choose another model, or another file.
constexpr std::array<std::string_view, 5> known_members = {"input_file_id", "endpoint", "completion_window", "metadata",
                                                           "output_expires_after"};

struct BatchScan : RequestScan {
  std::string endpoint;

  void key(const Path& path) {
    RequestScan::key(path);
    if (path.depth() == 1 && std::find(known_members.begin(), known_members.end(), path.own()) == known_members.end())
      fail("it has a member \"" + std::string(path.own()) +
           "\", of which nobody knows what it does to the cost; known are input_file_id, endpoint, completion_window, "
           "metadata and output_expires_after");
  }
  void value(const Path& path, const Scalar& scalar) {
    if (common(path, scalar)) return;
    if (path.is("input_file_id")) text(path, scalar, facts.batch_file);
    if (path.is("endpoint")) text(path, scalar, endpoint);
  }
  void open(const Path& path, bool array, std::size_t at) {
    open_body(path, array, at);
    plain(path, {"input_file_id", "endpoint"});
  }
  void finish() { facts.batch_of = dialect_of_url(endpoint); }
};

/// A line of a file: where the request goes, and the request.
struct FileLine : Ignore {
  std::string method, url, problem;
  Span body;

  void key(const Path& path) {
    if (path.depth() != 1) return;
    const std::string_view own = path.own();
    if (own == "method") told(own, method_told_);
    if (own == "url") told(own, url_told_);
    if (own == "body") told(own, body_told_);
  }
  void value(const Path& path, const Scalar& scalar) {
    if (path.is("method") && scalar.is_text()) method = scalar.text;
    if (path.is("url") && scalar.is_text()) url = scalar.text;
  }
  void open(const Path& path, bool array, std::size_t at) {
    if (path.is("body") && !array) body.at = at - 1;
  }
  void close(const Path& path, bool array, std::size_t) {
    if (path.is("body") && !array) body.length = path.end() - body.at;
  }

 private:
  bool method_told_ = false, url_told_ = false, body_told_ = false;
  void told(std::string_view name, bool& before) {
    if (before) problem = "the member \"" + std::string(name) + "\" stands twice";
    before = true;
  }
};

Status add_line(RequestFacts& file, std::string_view line, std::size_t number) {
  const std::string where = "line " + std::to_string(number);
  const auto unreadable = [&](const std::string& why) { return Error{Code::unreadable_request, where + ": " + why}; };
  FileLine read;
  std::string problem = walk(line, read);
  if (problem.empty()) problem = std::move(read.problem);
  if (!problem.empty()) return unreadable(problem);
  if (read.body.length == 0) return unreadable("it has no \"body\"");
  const Dialect* dialect = dialect_of_url(read.url);
  if (dialect == nullptr || (read.method != "POST" && !read.method.empty()))
    return unreadable(read.method + " " + read.url +
                      " cannot be priced in a batch; read are /v1/chat/completions, /v1/responses, /v1/completions and "
                      "/v1/embeddings");
  if (file.batch_of != nullptr && file.batch_of != dialect)
    return unreadable(read.url + " is another endpoint than that of the lines before it");
  file.batch_of = dialect;
  return add_to_batch(file, line.substr(read.body.at, read.body.length), where);
}

}  // namespace

Result<RequestFacts> scan_batch(std::string_view body) {
  auto facts = scan_with<BatchScan>(body);
  if (!facts) return facts;
  if (facts->batch_file.empty())
    return Error{Code::unreadable_request,
                 "the request cannot be read, so its cost cannot be bounded: it names no \"input_file_id\""};
  facts->service_tier = "batch";
  return facts;
}

}  // namespace farthing::wire

namespace farthing {

std::optional<Result<RequestFacts>> scan_batch_file(std::string_view body) {
  std::vector<wire::Part> parts;
  if (!wire::is_multipart(body) || !wire::read_parts(body, parts).empty()) return std::nullopt;
  const wire::Part* file = nullptr;
  bool of_batch = false;
  int purposes = 0, files = 0;
  for (const wire::Part& part : parts) {
    // Together AI says "batch-api".
    if (part.name == "purpose") ++purposes;
    if (part.name == "file") ++files;
    if (part.name == "purpose") of_batch = of_batch || part.content.starts_with("batch");
    if (part.name == "file") file = &part;
  }
  if (!of_batch || file == nullptr) return std::nullopt;
  if (purposes > 1 || files > 1)
    return Error{Code::unreadable_request, "its form has several fields \"file\" or \"purpose\": which counts?"};
  RequestFacts facts;
  Status read = success();
  std::size_t number = 0;
  const auto add = [&](std::string_view line) {
    ++number;
    if (read) read = wire::add_line(facts, line, number);
  };
  wire::Lines lines;
  lines.feed(file->content, add);
  lines.finish(add);
  if (!read) return read.error();
  if (lines.too_long() || facts.batch.empty())
    return Error{Code::unreadable_request, facts.batch.empty() ? "it has no requests" : "a line of it does not end"};
  facts.service_tier = "batch";
  return facts;
}

}  // namespace farthing
