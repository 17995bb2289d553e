// The `farthing` command.
#include <iostream>

int main() {
  std::cout << "farthing " << FARTHING_VERSION << "\n";
  return 0;
}
