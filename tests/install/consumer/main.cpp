// A cap of one nano and a call: refused before anything is sent.
#include <iostream>

#include "farthing/guard.h"

int main() {
  auto read = farthing::policy_from_toml("[[cap]]\nlimit = \"0.000000001 USD\"\nper = \"day\"\n", "consumer",
                                         farthing::process_environment());
  if (!read.policy) return 1;
  auto guard = farthing::Guard::open(*read.policy, {.store = "memory:"});
  if (!guard) {
    std::cerr << guard.error().message << "\n";
    return 1;
  }
  auto binding = (*guard)->bind({}, {});
  if (!binding) return 1;
  farthing::Attempt attempt = (*guard)->attempt(*binding, farthing::Scope::root(), (*guard)->call());
  attempt.begin({.method = "POST",
                 .host = "api.openai.com",
                 .path = "/v1/chat/completions",
                 .body = R"({"model": "gpt-5-mini", "messages": [{"role": "user", "content": "Good morning"}]})"});
  const auto denial = attempt.denial();
  std::cout << (denial ? "refused: " + std::string(farthing::code_text(denial->code)) : "granted") << "\n";
  return 0;
}
