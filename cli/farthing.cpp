// The command as a program.
#include "farthing_command.h"

int main(int argc, char** argv) {
  return farthing::cli::run_command(argc, argv);
}
