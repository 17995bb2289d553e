// A compiled price book of any bytes is refused or harmless. The checksum is put right first: else nothing gets past it.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "prices/book.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace farthing;
  using namespace farthing::prices_detail;
  std::vector<std::uint64_t> aligned(size / 8 + 1);
  std::memcpy(aligned.data(), data, size);
  char* bytes = reinterpret_cast<char*>(aligned.data());
  if (size >= sizeof(Header)) {
    Header header;
    std::memcpy(&header, bytes, sizeof(header));
    std::memcpy(header.magic, magic, sizeof(magic));
    header.format = format_number;
    header.bytes = static_cast<std::uint32_t>(size);
    std::memcpy(bytes, &header, sizeof(header));
    header.checksum = checksum_of({bytes, size});
    std::memcpy(bytes, &header, sizeof(header));
  }
  const auto table = Table::open({bytes, size});
  if (!table) return 0;
  const Book book(*table);
  for (const Model* model : book.models()) {
    for (const char* tier : {"", "flex", "nonsense"}) {
      const Terms terms{.at_ms = 1'795'262'400'000, .service_tier = tier, .context_tokens = 300'000, .region = "eu"};
      const auto rates = book.rates(*model, terms);
      const auto ceiling = book.dearest_rates(*model, terms);
      if (rates && rates->to_json().empty()) std::abort();
      if (ceiling && ceiling->to_json().empty()) std::abort();
    }
    const Model* found = book.find(model->provider, model->name);
    if (found != nullptr && found->name != model->name && found->name.empty()) std::abort();
    static_cast<void>(book.source(*model));
    static_cast<void>(book.near(model->provider, model->name, 2));
  }
  return 0;
}
