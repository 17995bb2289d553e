#include "ledger/pack.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

namespace farthing {

namespace {

constexpr char format = 1;

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
[[gnu::always_inline]] inline void own_fields(Archive& archive, LedgerRow& row) {  // its place stays in a register
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
  archive.uses(row.others);
}

/// Bytes up to this are numbers themselves; one more tells how many bytes of a larger number follow, the low ones first. (A
/// loop over seven bits each would be smaller by a byte in eight, and takes five times as long: a row has a hundred numbers.)
constexpr std::uint64_t last_short = 0xff - sizeof(std::uint64_t);
constexpr std::size_t longest_number = 1 + sizeof(std::uint64_t);
static_assert(std::endian::native == std::endian::little);

/// At most so many bytes: the writer does not ask for room with each of them.
class Sizer {
 public:
  std::size_t most = sizeof(std::uint64_t);
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
  void uses(const std::vector<ModelUse>& values) {
    most += longest_number;
    for (const ModelUse& use : values) {
      most += use.model.size() + longest_number;
      list(use.quantities.of);
    }
  }
};

class Writer {
 public:
  explicit Writer(char* place) : start_(place), place_(place + sizeof present_) {}
  const char* finish() {
    std::memcpy(start_, &present_, sizeof present_);
    return place_;
  }

  template <class Number>
  void number(const Number& value) {
    const auto wide = static_cast<std::int64_t>(value);
    if (next(wide != 0)) put(wide);
  }
  void text(const std::string& value) {
    if (next(!value.empty())) put(value);
  }
  void money(const std::optional<Usd>& value) {
    if (next(value.has_value())) put(value->nano);
  }
  template <std::size_t size>
  void list(const std::array<std::int64_t, size>& values) {
    static_assert(size <= 32);
    std::uint32_t present = 0;
    char* const mask = place_;
    place_ += sizeof present;
    const auto one = [&](std::size_t i) {
      if (values[i] == 0) return;
      present |= 1U << i;
      put(values[i]);
    };
    std::size_t i = 0;
    for (; i + 4 <= size; i += 4) {  // most are 0
      if ((values[i] | values[i + 1] | values[i + 2] | values[i + 3]) == 0) continue;
      for (std::size_t within = i; within < i + 4; ++within)
        one(within);
    }
    for (; i < size; ++i)
      one(i);
    std::memcpy(mask, &present, sizeof present);
  }
  void pairs(const std::vector<std::pair<std::string, std::string>>& values) {
    if (!next(!values.empty())) return;
    put(static_cast<std::int64_t>(values.size()));
    for (const auto& [first, second] : values) {
      put(first);
      put(second);
    }
  }
  void uses(const std::vector<ModelUse>& values) {
    if (!next(!values.empty())) return;
    put(static_cast<std::int64_t>(values.size()));
    for (const ModelUse& use : values) {
      put(use.model);
      list(use.quantities.of);
    }
  }

 private:
  bool next(bool present) {
    if (present) present_ |= std::uint64_t{1} << field_;
    ++field_;
    return present;
  }
  void put(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
    if (bits <= last_short) {
      *place_++ = static_cast<char>(bits);
      return;
    }
    const auto size = static_cast<std::size_t>(std::bit_width(bits) + 7) / 8;
    *place_++ = static_cast<char>(last_short + size);
    std::memcpy(place_, &bits, sizeof bits);  // there is room for all of it
    place_ += size;
  }
  void put(const std::string& value) {
    put(static_cast<std::int64_t>(value.size()));
    std::memcpy(place_, value.data(), value.size());
    place_ += value.size();
  }

  std::uint64_t present_ = 0;
  unsigned field_ = 0;
  char* start_;
  char* place_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) { take(&present_, sizeof present_); }
  bool good() const { return good_; }
  bool at_end() const { return rest_.empty(); }

  template <class Number>
  void number(Number& value) {
    value = next() ? static_cast<Number>(get()) : Number{};
  }
  void text(std::string& value) {
    value.clear();
    if (next()) get(value);
  }
  void money(std::optional<Usd>& value) {
    value.reset();
    if (next()) value = Usd{get()};
  }
  template <std::size_t size>
  void list(std::array<std::int64_t, size>& values) {
    std::uint32_t present = 0;
    take(&present, sizeof present);
    if (static_cast<std::uint64_t>(present) >> size != 0) good_ = false;
    for (std::size_t i = 0; i < size; ++i)
      values[i] = (present >> i & 1U) != 0 ? get() : 0;
  }
  void pairs(std::vector<std::pair<std::string, std::string>>& values) {
    values.clear();
    for (std::int64_t left = next() ? get() : 0; good_ && left > 0; --left) {
      auto& pair = values.emplace_back();
      get(pair.first);
      get(pair.second);
    }
  }
  void uses(std::vector<ModelUse>& values) {
    values.clear();
    for (std::int64_t left = next() ? get() : 0; good_ && left > 0; --left) {
      ModelUse& use = values.emplace_back();
      get(use.model);
      list(use.quantities.of);
    }
  }

 private:
  bool next() { return (present_ >> field_++ & 1U) != 0; }
  void take(void* place, std::size_t size) {
    good_ = good_ && size <= rest_.size();
    if (!good_) return;
    std::memcpy(place, rest_.data(), size);
    rest_.remove_prefix(size);
  }
  std::int64_t get() {
    unsigned char first = 0;
    take(&first, sizeof first);
    std::uint64_t bits = first;
    if (bits > last_short) {
      const std::size_t size = bits - last_short;
      bits = 0;
      take(&bits, size);
    }
    return static_cast<std::int64_t>(bits >> 1 ^ (~(bits & 1) + 1));
  }
  void get(std::string& value) {
    const std::int64_t size = get();
    if (!good_ || size < 0 || static_cast<std::uint64_t>(size) > rest_.size()) {
      good_ = false;
      return;
    }
    value.assign(rest_.substr(0, static_cast<std::size_t>(size)));
    rest_.remove_prefix(static_cast<std::size_t>(size));
  }

  std::string_view rest_;
  std::uint64_t present_ = 0;
  unsigned field_ = 0;
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
  out.append(room.data(), static_cast<std::size_t>(writer.finish() - room.data()));
}

}  // namespace

void pack(const LedgerRow& row, std::string& out) {
  static const CallContext none;
  auto& context = const_cast<CallContext&>(row.context ? *row.context : none);
  std::string made;
  if (context.labels_json.empty()) made = context.labels.to_json();
  out.push_back(format);
  append_fields(out, [&](auto& archive) {
    context_fields(archive, context, made.empty() ? context.labels_json : made);
    own_fields(archive, const_cast<LedgerRow&>(row));
  });
}

void pack_own(const LedgerRow& row, std::string& out) {
  append_fields(out, [&](auto& archive) { own_fields(archive, const_cast<LedgerRow&>(row)); });
}

std::optional<LedgerRow> unpack_row(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != format) return std::nullopt;
  Reader reader(bytes.substr(1));
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
