#include "ledger/pack.h"

#include <cstdint>

namespace farthing {

namespace {

constexpr std::uint64_t format = 1;

/// One list of fields serves both directions, so they cannot differ.
template <class Archive>
void fields(Archive& archive, LedgerRow& row, CallContext& context, std::string& labels) {
  archive.number(row.id.value);
  archive.number(row.kind);
  archive.number(row.of.value);
  archive.text(row.adjustment);
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
  for (auto& value : row.held.of)
    archive.number(value);
  for (auto& value : row.booked.of)
    archive.number(value);
  archive.number(row.how);
  for (auto& value : row.quantities.of)
    archive.number(value);
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

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  template <class Number>
  void number(const Number& value) {
    const auto wide = static_cast<std::int64_t>(value);
    auto bits = static_cast<std::uint64_t>(wide) << 1 ^ static_cast<std::uint64_t>(wide >> 63);
    while (bits >= 0x80) {
      out_.push_back(static_cast<char>(bits | 0x80));
      bits >>= 7;
    }
    out_.push_back(static_cast<char>(bits));
  }
  void text(const std::string& value) {
    number(value.size());
    out_.append(value);
  }
  void money(const std::optional<Usd>& value) {
    number(value.has_value());
    if (value) number(value->nano);
  }
  void pairs(const std::vector<std::pair<std::string, std::string>>& values) {
    number(values.size());
    for (const auto& [first, second] : values) {
      text(first);
      text(second);
    }
  }

 private:
  std::string& out_;
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

}  // namespace

void pack(const LedgerRow& row, std::string& out) {
  static const CallContext none;
  const CallContext& context = row.context ? *row.context : none;
  std::string made;
  if (context.labels_json.empty()) made = context.labels.to_json();
  Writer writer(out);
  writer.number(format);
  // The writer changes nothing; the list of fields is written for both directions.
  fields(writer, const_cast<LedgerRow&>(row), const_cast<CallContext&>(context),
         made.empty() ? const_cast<std::string&>(context.labels_json) : made);
}

std::optional<LedgerRow> unpack_row(std::string_view bytes) {
  Reader reader(bytes);
  std::uint64_t found = 0;
  reader.number(found);
  if (!reader.good() || found != format) return std::nullopt;
  LedgerRow row;
  auto context = std::make_shared<CallContext>();
  fields(reader, row, *context, context->labels_json);
  if (!reader.good() || !reader.at_end()) return std::nullopt;
  if (auto labels = Labels::from_json(context->labels_json)) context->labels = std::move(*labels);
  row.context = std::move(context);
  return row;
}

}  // namespace farthing
