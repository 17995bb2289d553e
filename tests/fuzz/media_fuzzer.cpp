// Any bytes as a file, and as the objects of a PDF: read or unknown, in time, never by a byte beyond the end; base64 says the same.
#include <zlib.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "media/media.h"

namespace {

using namespace farthing;

void check(bool good) {
  if (!good) std::abort();
}

void sane(const MediaFacts& facts) {
  using Kind = MediaFacts::Kind;
  const bool image = facts.kind == Kind::image;
  const bool sound = facts.kind == Kind::audio || facts.kind == Kind::video;
  check(image == (facts.width > 0) && image == (facts.height > 0));
  check(sound == (facts.duration_ms > 0) && (facts.kind == Kind::document) == (facts.pages > 0));
  check(facts.likely_pages <= facts.pages);
}

std::string base64(const std::string& bytes) {
  constexpr const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : bytes) {
    bits = bits << 8U | static_cast<unsigned char>(c);
    for (held += 8; held >= 6; held -= 6)
      out += digits[bits >> (held - 6) & 63U];
  }
  if (held > 0) out += digits[bits << (6 - held) & 63U];
  return out;
}

/// A PDF that has these bytes compressed, as its objects.
std::string with_objects(const std::string& bytes) {
  std::string packed(compressBound(bytes.size()), '\0');
  auto size = static_cast<uLongf>(packed.size());
  check(compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
                  bytes.size(), Z_BEST_SPEED) == Z_OK);
  packed.resize(size);
  return "%PDF-1.5\n<</Type/ObjStm/N 1/First 9/Filter/FlateDecode>>stream\n" + packed + "\nendstream";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly this size: a read beyond it is found.
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const MediaFacts facts = media_facts(bytes, static_cast<std::int64_t>(size));
  sane(facts);
  sane(media_facts(bytes, static_cast<std::int64_t>(size) + 1'000'000));
  check(media_facts_of_base64(base64(bytes)) == facts);
  sane(media_facts_of_base64(bytes));
  const std::string pdf = with_objects(bytes);
  sane(media_facts(pdf, static_cast<std::int64_t>(pdf.size())));
  return 0;
}
