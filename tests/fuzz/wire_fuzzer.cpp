// Any bytes as a request, an answer and a stream of every dialect: refused or read, never harmful; a rewritten request says
// what was written, and a stream gives the same however it is cut.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "wire/wire.h"

namespace {

using namespace farthing;

void check(bool good) {
  if (!good) std::abort();
}

void request(const Dialect& dialect, std::string_view body) {
  const auto facts = dialect.scan(body);
  if (!facts) return;
  check(facts->choices >= 1 && facts->inputs >= 1);
  check(facts->object_open > 0 || dialect.pieces);  // a form has none
  const Pieces& pieces = facts->pieces;
  check(pieces.images >= 0 && pieces.partial_images >= 0 && pieces.characters >= 0 && pieces.audio_ms.value_or(0) >= 0);
  check(pieces.input_images >= 0 && pieces.input_squares >= 0);
  for (const char* model : {"gpt-image-1", "gpt-image-2"})
    check(image_tokens_bound(model, pieces).value_or(-1) >= 0);
  check(facts->input_bytes >= 0 && facts->input_bytes <= static_cast<std::int64_t>(body.size()));
  check(!facts->output_limit || *facts->output_limit >= 0);
  check(rewrite(body, *facts, {}) == body);
  if (!dialect.has_output) return;
  Rewrite change;
  change.output_limit = 777;
  change.output_limit_name = dialect.output_limit_name;
  change.ask_for_usage = dialect.takes_usage_option;
  const auto again = dialect.scan(rewrite(body, *facts, change));
  if (!again && body.size() > 1'000) return;  // a member of ours was one more than is read
  check(again.ok() && again->output_limit == 777);
  check(!dialect.takes_usage_option || again->usage_asked == true);
  check(again->model == facts->model && again->choices == facts->choices && again->stream == facts->stream);
}

void sane(const AnswerFacts& facts) {
  if (!facts.quantities) {
    check(!facts.final);
    return;
  }
  for (const std::int64_t count : facts.quantities->of)
    check(count >= 0);
  const Amounts amounts = meters_of(*facts.quantities);
  check(amounts[Meter::input_tokens] > 0 || amounts[Meter::audio_seconds] > 0);
}

AnswerFacts stream(const Dialect& dialect, bool strip, std::string_view bytes, std::size_t piece) {
  const auto reader = dialect.stream(strip);
  std::string delivered;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const std::string own(bytes.substr(at, piece));
    const auto delivery = reader->feed(own);
    delivered += delivery.same ? own : std::string(delivery.bytes);
  }
  delivered += reader->finish();
  check(delivered.size() <= bytes.size() && (strip || delivered == bytes));
  check(reader->output_seen() >= 0);
  return reader->facts();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly this size: a read beyond it is found.
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const Dialect* dialect : dialects()) {
    request(*dialect, text);
    sane(dialect->read(text));
    if (dialect->stream == nullptr) continue;
    // As it came, and as the data of one event.
    for (const std::string& bytes : {text, "data: " + text + "\n\n"}) {
      for (const bool strip : {false, true}) {
        const AnswerFacts whole = stream(*dialect, strip, bytes, bytes.size() + 1);
        const AnswerFacts cut = stream(*dialect, strip, bytes, 3);
        check(whole.quantities == cut.quantities && whole.final == cut.final && whole.error == cut.error);
        sane(whole);
      }
    }
  }
  return 0;
}
