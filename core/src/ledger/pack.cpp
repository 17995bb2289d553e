#include "ledger/pack.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

namespace farthing {

namespace {

constexpr std::uint64_t format = 1;

/// One list of fields serves all directions, so they cannot differ.
template <class Archive>
void context_fields(Archive& archive, CallContext& context, std::string& labels) {
  archive.text(labels);
  archive.text(context.provider);
  archive.text(context.host);
  archive.text(context.endpoint);
  archive.text(context.modality);
  archive.text(context.model);
  archive.text(context.model_asked);
  archive.text(context.key_name);
  archive.text(context.book_version);
  archive.text(context.rates_json);
}

template <class Archive>
void own_fields(Archive& archive, LedgerRow& row) {
  archive.number(row.id.value);
  archive.number(row.kind);
  archive.number(row.of.value);
  archive.text(row.adjustment);
  archive.text(row.call);
  archive.text(row.action);
  archive.pairs(row.runs);
  archive.number(row.reserved_ms);
  archive.number(row.settled_ms);
  archive.number(row.policy_revision);
  archive.text(row.process);
  archive.number(row.attempt_number);
  archive.money(row.likely);
  archive.money(row.ceiling);
  archive.money(row.actual);
  archive.money(row.reported_difference);
  archive.list(row.held.of);
  archive.list(row.booked.of);
  archive.number(row.how);
  archive.list(row.quantities.of);
  archive.number(row.output_limit_asked);
  archive.number(row.output_limit);
  archive.text(row.confidence);
  archive.text(row.model_served);
  archive.text(row.tier_asked);
  archive.text(row.tier_served);
  archive.text(row.request_id);
  archive.text(row.response_id);
  archive.number(row.status);
  archive.number(row.latency_ms);
  archive.text(row.finish_reason);
  archive.text(row.error_class);
  archive.text(row.headroom);
  archive.text(row.approval);
  archive.text(row.who);
  archive.text(row.why);
}

constexpr std::size_t longest_number = 10;  // bytes of 64 bits, seven in each

/// At most so many bytes: the writer does not ask for room with each of them.
class Sizer {
 public:
  std::size_t most = 0;
  template <class Number>
  void number(const Number&) {
    most += longest_number;
  }
  void text(const std::string& value) { most += longest_number + value.size(); }
  void money(const std::optional<Usd>&) { most += 2 * longest_number; }
  template <std::size_t size>
  void list(const std::array<std::int64_t, size>&) {
    most += (1 + size) * longest_number;
  }
  void pairs(const std::vector<std::pair<std::string, std::string>>& values) {
    most += longest_number;
    for (const auto& [first, second] : values)
      most += first.size() + second.size() + 2 * longest_number;
  }
};

class Writer {
 public:
  explicit Writer(char* place) : place_(place) {}
  const char* end() const { return place_; }

  template <class Number>
  void number(const Number& value) {
    const auto wide = static_cast<std::int64_t>(value);
    auto bits = static_cast<std::uint64_t>(wide) << 1 ^ static_cast<std::uint64_t>(wide >> 63);
    for (; bits >= 0x80; bits >>= 7)
      *place_++ = static_cast<char>(bits | 0x80);
    *place_++ = static_cast<char>(bits);
  }
  void text(const std::string& value) {
    number(value.size());
    std::memcpy(place_, value.data(), value.size());
    place_ += value.size();
  }
  void money(const std::optional<Usd>& value) {
    number(value.has_value());
    if (value) number(value->nano);
  }
  /// Which are not 0, and those: most are.
  template <std::size_t size>
  void list(const std::array<std::int64_t, size>& values) {
    static_assert(size < 64);
    std::uint64_t present = 0;
    for (std::size_t i = 0; i < size; ++i)
      present |= static_cast<std::uint64_t>(values[i] != 0) << i;
    number(present);
    for (; present != 0; present &= present - 1)
      number(values[static_cast<std::size_t>(std::countr_zero(present))]);
  }
  void pairs(const std::vector<std::pair<std::string, std::string>>& values) {
    number(values.size());
    for (const auto& [first, second] : values) {
      text(first);
      text(second);
    }
  }

 private:
  char* place_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  bool good() const { return good_; }
  bool at_end() const { return rest_.empty(); }

  template <class Number>
  void number(Number& value) {
    std::uint64_t bits = 0;
    unsigned shift = 0;
    for (;;) {
      if (rest_.empty() || shift > 63) {
        good_ = false;
        return;
      }
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      bits |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if ((byte & 0x80U) == 0) break;
      shift += 7;
    }
    value = static_cast<Number>(static_cast<std::int64_t>(bits >> 1 ^ (~(bits & 1) + 1)));
  }
  void text(std::string& value) {
    std::uint64_t size = 0;
    number(size);
    if (!good_ || size > rest_.size()) {
      good_ = false;
      return;
    }
    value.assign(rest_.substr(0, size));
    rest_.remove_prefix(size);
  }
  void money(std::optional<Usd>& value) {
    bool present = false;
    number(present);
    value.reset();
    if (!present) return;
    value.emplace();
    number(value->nano);
  }
  template <std::size_t size>
  void list(std::array<std::int64_t, size>& values) {
    std::uint64_t present = 0;
    number(present);
    if (present >> size != 0) good_ = false;
    for (std::size_t i = 0; good_ && i < size; ++i) {
      values[i] = 0;
      if ((present >> i & 1U) != 0) number(values[i]);
    }
  }
  void pairs(std::vector<std::pair<std::string, std::string>>& values) {
    std::uint64_t size = 0;
    number(size);
    values.clear();
    for (std::uint64_t i = 0; good_ && i < size; ++i) {
      auto& pair = values.emplace_back();
      text(pair.first);
      text(pair.second);
    }
  }

 private:
  std::string_view rest_;
  bool good_ = true;
};

/// What `fields` lists, appended to `out`. The list is written for all directions: neither sizer nor writer changes anything.
template <class Fields>
void append_fields(std::string& out, Fields fields) {
  Sizer sizer;
  fields(sizer);
  static thread_local std::vector<char> room;
  if (room.size() < sizer.most) room.resize(sizer.most);
  Writer writer(room.data());
  fields(writer);
  out.append(room.data(), static_cast<std::size_t>(writer.end() - room.data()));
}

}  // namespace

void pack(const LedgerRow& row, std::string& out) {
  static const CallContext none;
  auto& context = const_cast<CallContext&>(row.context ? *row.context : none);
  std::string made;
  if (context.labels_json.empty()) made = context.labels.to_json();
  append_fields(out, [&](auto& archive) {
    archive.number(format);
    context_fields(archive, context, made.empty() ? context.labels_json : made);
    own_fields(archive, const_cast<LedgerRow&>(row));
  });
}

void pack_own(const LedgerRow& row, std::string& out) {
  append_fields(out, [&](auto& archive) { own_fields(archive, const_cast<LedgerRow&>(row)); });
}

std::optional<LedgerRow> unpack_row(std::string_view bytes) {
  Reader reader(bytes);
  std::uint64_t found = 0;
  reader.number(found);
  if (!reader.good() || found != format) return std::nullopt;
  LedgerRow row;
  auto context = std::make_shared<CallContext>();
  context_fields(reader, *context, context->labels_json);
  own_fields(reader, row);
  if (!reader.good() || !reader.at_end()) return std::nullopt;
  if (auto labels = Labels::from_json(context->labels_json)) context->labels = std::move(*labels);
  row.context = std::move(context);
  return row;
}

LedgerRow unpack_own(std::string_view bytes, std::shared_ptr<const CallContext> context) {
  Reader reader(bytes);
  LedgerRow row;
  own_fields(reader, row);
  row.context = std::move(context);
  return row;
}

}  // namespace farthing
