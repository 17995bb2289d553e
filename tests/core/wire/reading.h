// What the tests of streams share: a stream fed in pieces, and what came of it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "wire/wire.h"

namespace farthing {

struct Read {
  std::string delivered;
  AnswerFacts facts;
  std::int64_t output_seen = 0;
};

/// Feeds the pieces of a stream.
inline Read read(std::string_view endpoint, bool strip, const std::vector<std::string_view>& pieces) {
  Read out;
  const std::unique_ptr<StreamReader> reader = dialect_of(endpoint)->stream(strip);
  for (const std::string_view piece : pieces) {
    // A copy of its own: a reader that kept a view into it would be caught by the address sanitizer.
    const std::string own(piece);
    const StreamReader::Delivery delivery = reader->feed(own);
    out.delivered += delivery.same ? own : std::string(delivery.bytes);
  }
  out.delivered += reader->finish();
  out.facts = reader->facts();
  out.output_seen = reader->output_seen();
  return out;
}

inline std::vector<std::string_view> in_pieces(std::string_view text, std::size_t size) {
  std::vector<std::string_view> pieces;
  for (std::size_t at = 0; at < text.size(); at += size)
    pieces.push_back(text.substr(at, size));
  return pieces;
}

/// Quantities of one request.
inline Quantities of(std::initializer_list<std::pair<Quantity, std::int64_t>> counts) {
  Quantities quantities;
  quantities[Quantity::requests] = 1;
  for (const auto& [quantity, count] : counts)
    quantities[quantity] = count;
  return quantities;
}

}  // namespace farthing
