// Text to money and back: what is accepted prints to text that reads as the same amount.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "farthing/money.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto amount = farthing::parse_usd(text);
  if (amount) {
    const auto again = farthing::parse_usd(farthing::to_text(*amount) + " USD");
    if (!again || again->nano != amount->nano || amount->nano < 0) std::abort();
  }
  static_cast<void>(farthing::parse_rate(text));
  return 0;
}
