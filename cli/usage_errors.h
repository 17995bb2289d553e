// What a command line that is wrong gets to read: which argument, what was found, what is accepted, an example.
// Thread-safety: free functions.
#pragma once

#include <string>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace farthing::cli {

std::string usage_error(const CLI::App& app, const CLI::ParseError& error);

}  // namespace farthing::cli
