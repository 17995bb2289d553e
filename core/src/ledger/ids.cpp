#include "ledger/ids.h"

#include <algorithm>
#include <array>
#include <string>

namespace farthing {

namespace {

constexpr std::int64_t epoch_ms = 1'704'067'200'000;                       // 2024-01-01
constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";  // Crockford: no I, L, O, U
constexpr std::size_t id_length = 13;

constexpr std::array<std::pair<How, std::string_view>, 10> hows = {{
    {How::open, "open"},
    {How::usage, "usage"},
    {How::counted, "counted"},
    {How::hold, "hold"},
    {How::ended, "ended"},
    {How::provider_error, "provider_error"},
    {How::released, "released"},
    {How::expired, "expired"},
    {How::voided, "voided"},
    {How::unheld, "unheld"},
}};

constexpr unsigned sequence_bits = 11;

std::uint64_t since_epoch(std::int64_t unix_ms) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(unix_ms - epoch_ms, 0));
}

std::uint64_t id_of(std::uint64_t ms, std::uint32_t slot, std::uint64_t sequence) {
  return (ms & ((1ULL << 41) - 1)) << 22 | static_cast<std::uint64_t>(slot) << sequence_bits | sequence;
}

}  // namespace

AttemptId IdMaker::next(std::int64_t now_ms) {
  // More ids in one ms than its sequence has borrow the next: it runs over into them.
  const std::uint64_t first = since_epoch(now_ms) << sequence_bits;
  std::uint64_t last = last_.load(std::memory_order_relaxed);
  std::uint64_t next = 0;
  do {
    next = std::max(first, last + 1);
  } while (!last_.compare_exchange_weak(last, next, std::memory_order_relaxed));
  return {id_of(next >> sequence_bits, slot_, next & ((1U << sequence_bits) - 1))};
}

AttemptId first_id_of(std::int64_t unix_ms) {
  return {id_of(since_epoch(unix_ms), 0, 0)};
}

std::int64_t made_ms(AttemptId id) {
  return static_cast<std::int64_t>(id.value >> 22) + epoch_ms;
}

std::string to_text(AttemptId id) {
  std::string text(id_length, '0');
  for (std::size_t i = id_length; i-- > 0; id.value >>= 5)
    text[i] = alphabet[id.value & 31U];
  return text;
}

Result<AttemptId> parse_attempt_id(std::string_view text) {
  AttemptId id;
  bool valid = text.size() == id_length;
  for (const char given : text) {
    const char upper = given >= 'a' && given <= 'z' ? static_cast<char>(given - 'a' + 'A') : given;
    const std::size_t digit = alphabet.find(upper);
    valid = valid && digit != std::string_view::npos;
    if (!valid) break;
    id.value = id.value << 5 | digit;
  }
  if (valid) return id;
  return Error{Code::invalid_argument, "\"" + std::string(text) +
                                           "\" is no attempt id: those have 13 characters of 0-9 and A-Z without I, L, "
                                           "O, U, as `farthing ledger` shows them"};
}

std::string_view how_text(How how) {
  for (const auto& [value, text] : hows) {
    if (value == how) return text;
  }
  return "";
}

Status LedgerFilter::only(std::string_view word) {
  if (word == "adjust" || word == "book") {
    kind = word == "book" ? RowKind::book : RowKind::adjust;
    return success();
  }
  how = how_of(word);
  if (how && *how != How::open) return success();
  std::string accepted;
  for (const auto& [value, text] : hows)
    accepted += value == How::open ? "" : std::string(text) + ", ";
  return Error{Code::invalid_argument,
               "how = \"" + std::string(word) + "\" is not known; accepted are " + accepted + "adjust and book"};
}

std::optional<How> how_of(std::string_view text) {
  for (const auto& [value, word] : hows) {
    if (word == text) return value;
  }
  return std::nullopt;
}

}  // namespace farthing
