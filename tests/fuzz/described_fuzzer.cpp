// Any bytes as a request and an answer of an endpoint that a policy describes: refused or read, and never less than nothing.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "wire/wire.h"

namespace {

using namespace farthing;

void check(bool good) {
  if (!good) std::abort();
}

EndpointRule rule(const char* name) {
  EndpointRule made;
  made.name = name;
  made.host = "api.acme.example";
  made.path = "/v1/" + made.name;
  made.model = "/model";
  made.asks = {{Quantity::audio_ms, "/options/duration", 240'000},
               {Quantity::images, "/covers", std::nullopt},
               {Quantity::characters, "/lyrics", 0},
               {Quantity::input_tokens, "/a~1b/0", 5}};
  return made;
}

const EndpointTable& table() {
  static const EndpointTable all = [] {
    EndpointRule used = rule("used");
    used.usage = {{Quantity::audio_ms, "/usage/seconds"}, {Quantity::images, "/usage/images/0"}};
    EndpointRule billed = rule("billed");
    billed.cost = "/bill/0/usd";
    billed.error = "/failure/code";
    return EndpointTable({used, billed});
  }();
  return all;
}

void nothing_negative(const Quantities& quantities) {
  for (const std::int64_t count : quantities.of)
    check(count >= 0);
}

void answer(const Dialect& dialect, std::string_view body, const RequestFacts& request) {
  const AnswerFacts facts = dialect.read_answer(body, request);
  check(!facts.final || facts.quantities || facts.reported_cost);
  if (facts.quantities) nothing_negative(*facts.quantities);
  check(!facts.reported_cost || facts.reported_cost->nano >= 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly this size: a read beyond it is found.
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const char* name : {"used", "billed"}) {
    const Dialect& dialect = *table().of(name);
    RequestFacts said;
    said.asked.emplace();
    answer(dialect, text, said);
    const auto asked = dialect.scan_request(text);
    if (!asked) continue;
    check(asked->asked.has_value());
    nothing_negative(*asked->asked);
    answer(dialect, text, *asked);
  }
  return 0;
}
