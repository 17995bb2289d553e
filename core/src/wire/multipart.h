// Multipart: the parts of a multipart/form-data body (RFC 7578), as views into it: nothing is copied, files are not read.
//
//   std::string problem = read_parts(body, [](const Part& part) { ... });
//
// The boundary is that of the body's first line; what a server finds with another one is not this body.
// Thread-safety: free functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace farthing::wire {

struct Part {
  std::string_view name;  // without the "[]" of lists
  bool file = false;      // has a file name
  std::string_view content;
};

/// More fields or files than any request has.
inline constexpr std::size_t max_parts = 256;

/// Whether a body looks like one, not like JSON.
bool is_multipart(std::string_view body);

/// Empty when the whole body was read; else what is wrong with it.
std::string read_parts(std::string_view body, std::vector<Part>& parts);

}  // namespace farthing::wire
