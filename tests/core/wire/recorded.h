// RecordedCall: one line of tests/recorded/*.jsonl.gz.
#pragma once

#include <string>
#include <vector>

namespace farthing {

struct RecordedCall {
  std::string source, provider, endpoint, url, request, response;
  bool stream = false;
};
std::vector<RecordedCall> recorded_calls();

}  // namespace farthing
