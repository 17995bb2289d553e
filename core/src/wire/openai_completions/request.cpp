#include <algorithm>

#include "wire/openai_completions/completions.h"
#include "wire/request_scan.h"

namespace farthing::wire {

namespace {

struct CompletionsScan : RequestScan {
  void value(const Path& path, const Scalar& scalar) {
    if (common(path, scalar) || stream_options(path, scalar)) return;
    if (path.key(0) == "prompt" && path.depth() == 2) {
      if (scalar.is_text())
        ++prompts_;
      else
        tokens_ = true;
    } else if (path.is("max_tokens")) {
      output_limit(path, scalar, "max_tokens");
    } else if (path.is("max_completion_tokens")) {
      output_limit(path, scalar, "max_completion_tokens");  // some hosts know the newer name too
    } else if (path.is("n")) {
      count(path, scalar, 1, n_);
    } else if (path.is("best_of")) {
      count(path, scalar, 1, best_of_);
    }
  }
  void open(const Path& path, bool array, std::size_t at) {
    open_body(path, array, at);
    open_stream_options(path, array, at);
    plain(path, {"n", "best_of", "max_tokens", "max_completion_tokens"});
    if (path.is("prompt") && !array) fail("\"prompt\" is not a text or a list");
    if (path.depth() == 2 && path.key(0) == "prompt") {
      ++prompts_;
      if (!array) other_media();  // parts of something, on other hosts
    }
    if (path.is("response_format")) facts.schema = true;
  }
  void finish() {
    RequestScan::finish();
    // Every prompt is answered by itself; of `best_of` answers all are billed, and `n` of them come back.
    facts.inputs = tokens_ ? 1 : std::max<std::int64_t>(prompts_, 1);
    facts.choices = std::max(n_, best_of_) * facts.inputs;
  }

 private:
  bool tokens_ = false;       // one prompt as a list of token ids
  std::int64_t prompts_ = 0;  // texts or lists of token ids
  std::int64_t n_ = 1;
  std::int64_t best_of_ = 1;
};

}  // namespace

Result<RequestFacts> scan_completions(std::string_view body) {
  return scan_with<CompletionsScan>(body);
}

}  // namespace farthing::wire
