// What batches of all providers have in common: the requests that are put together, and lines that come in pieces.
// Thread-safety: values; one thread at a time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wire/wire.h"

namespace farthing::wire {

/// More are refused by their providers: 100,000 (Anthropic) and 50,000 (OpenAI) in one batch (their guides, 2026-11).
inline constexpr std::size_t max_batch = 100'000;

/// Reads one request of a batch and puts it to the others. `where` begins the error: "requests[3]". All are of one model and
/// are processed in one place: a batch is one call, and caps, labels and ledger know one model for each.
Status add_to_batch(RequestFacts& batch, std::string_view request, const std::string& where);

/// What a body asks for whose requests stand inside of it, at these places; each is read for itself.
Result<RequestFacts> inline_batch(RequestFacts facts, std::string problem, std::string_view body,
                                  const std::vector<Span>& requests, std::string_view each);

/// Cuts bytes into lines, wherever they are split; white space alone is none.
class Lines {
 public:
  /// Longer than any answer of a model.
  static constexpr std::size_t longest = 64U << 20U;

  /// `use` is given each line that is whole now.
  template <class Use>
  void feed(std::string_view bytes, Use use) {
    if (too_long_) return;
    for (std::size_t end = 0; (end = bytes.find('\n')) != std::string_view::npos; bytes.remove_prefix(end + 1)) {
      if (rest_.empty()) {
        tell(bytes.substr(0, end), use);
        continue;
      }
      rest_.append(bytes.substr(0, end));
      tell(rest_, use);
      rest_.clear();
    }
    too_long_ = rest_.size() + bytes.size() > longest;
    if (!too_long_) rest_.append(bytes);
  }
  /// The last line, which need not end.
  template <class Use>
  void finish(Use use) {
    tell(rest_, use);
    rest_.clear();
  }
  bool too_long() const { return too_long_; }

 private:
  template <class Use>
  static void tell(std::string_view line, Use use) {
    if (line.find_first_not_of(" \t\r\n") != std::string_view::npos) use(line);
  }

  std::string rest_;
  bool too_long_ = false;
};

}  // namespace farthing::wire
