#pragma once

namespace farthing::cli {

/// The `farthing` command: looks at a store and changes what people change at run time. Reads standard input, writes
/// standard output and standard error. Returns its exit code (`farthing --help`). Once per process: it expects SIGPIPE
/// and SIGINT to end it, as they do in a program of its own.
int run_command(int argc, const char* const* argv);

}  // namespace farthing::cli
