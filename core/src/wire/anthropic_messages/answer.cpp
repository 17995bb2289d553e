#include <algorithm>
#include <vector>

#include "farthing/labels.h"
#include "wire/anthropic_messages/messages.h"
#include "wire/json_walk.h"
#include "wire/reported_cost.h"
#include "wire/sse.h"

namespace farthing::wire {

namespace {

/// Counts of one usage object or of one of its iterations. Cache reads and writes stand beside the input.
struct Counts {
  std::optional<std::int64_t> input, read, write, write_5m, write_1h, output;

  std::optional<std::int64_t>* named(std::string_view name) {
    if (name == "input_tokens") return &input;
    if (name == "cache_read_input_tokens") return &read;
    if (name == "cache_creation_input_tokens") return &write;
    if (name == "output_tokens") return &output;
    return nullptr;
  }
  std::optional<std::int64_t>* written(std::string_view name) {
    if (name == "ephemeral_5m_input_tokens") return &write_5m;
    if (name == "ephemeral_1h_input_tokens") return &write_1h;
    return nullptr;
  }
  /// False when they cannot be a bill.
  bool add_to(Quantities& quantities) const {
    if (!input || !output) return false;
    const std::int64_t apart = write_5m.value_or(0) + write_1h.value_or(0);
    const std::int64_t written = write.value_or(apart);
    if (apart > written) return false;
    quantities[Quantity::input_tokens] += *input;
    quantities[Quantity::cache_read_tokens] += read.value_or(0);
    quantities[Quantity::cache_write_1h_tokens] += write_1h.value_or(0);
    quantities[Quantity::cache_write_tokens] += written - write_1h.value_or(0);
    quantities[Quantity::output_tokens] += *output;  // thinking is in it, and not told apart
    return true;
  }
};

/// The usage of an answer. In a stream it is told in parts, each part overwriting what it names.
class MessageUsage {
 public:
  /// A member of the usage object, which stands at `depth` keys from the top.
  void take(std::size_t depth, const Path& path, const Scalar& scalar) {
    const std::string_view own = path.own();
    const std::size_t below = path.depth() - depth;
    if (below <= 2) reported_.take(below == 1 ? std::string_view() : path.key(depth), own, scalar);
    if (below == 1) {
      number(whole_.named(own), scalar);
      if (scalar.is_text() && own == "service_tier") tier_ = scalar.text;
      if (scalar.is_text() && own == "speed") speed_ = scalar.text;
      if (scalar.is_text() && own == "inference_geo") region_ = scalar.text;
    } else if (below == 2 && path.key(depth) == "cache_creation") {
      number(whole_.written(own), scalar);
    } else if (below == 2 && path.key(depth) == "server_tool_use") {
      if (own == "web_search_requests") number(&searches_, scalar);
    } else if (path.key(depth) == "iterations" && !iterations_.empty()) {
      Iteration& iteration = iterations_.back();
      if (below == 3 && own == "type" && scalar.is_text()) iteration.type = scalar.text;
      if (below == 3 && own == "model" && scalar.is_text()) iteration.model = scalar.text;
      if (below == 3) number(iteration.counts.named(own), scalar);
      if (below == 4 && path.key(depth + 2) == "cache_creation") number(iteration.counts.written(own), scalar);
    }
  }
  void open(std::size_t depth, const Path& path, bool array) {
    if (path.depth() == depth + 1 && array && path.own() == "iterations") iterations_.clear();
    if (path.depth() == depth + 2 && path.key(depth) == "iterations") iterations_.emplace_back();
  }

  struct Bill {
    Quantities quantities;
    std::vector<ModelUse> others;  // what of them other models than the one that answered used
  };
  /// Nothing where no bill can be read.
  std::optional<Bill> bill(std::string_view answered) const {
    Bill bill;
    if (broken_ || !whole_.add_to(bill.quantities)) return std::nullopt;
    if (!add_turns(answered, bill) || !add_beside(bill)) return std::nullopt;
    const Quantities& all = bill.quantities;
    const std::int64_t input = all[Quantity::input_tokens] + all[Quantity::cache_read_tokens] +
                               all[Quantity::cache_write_tokens] + all[Quantity::cache_write_1h_tokens];
    if (input == 0) return std::nullopt;  // no model reads nothing: a gateway that does not count (promise 5)
    bill.quantities[Quantity::web_searches] = searches_.value_or(0);
    bill.quantities[Quantity::requests] = 1;
    return bill;
  }
  std::optional<Usd> reported_cost() const { return reported_.cost(); }
  /// The tier that served, in the price book's words.
  std::string tier() const {
    if (!speed_.empty() && speed_ != "standard") return speed_;
    // Standard speed is what served, also where fast was asked for and no tier is told.
    return tier_ == "standard" || (tier_.empty() && !speed_.empty()) ? "default" : tier_;
  }
  std::string region() const { return region_ == "global" || region_ == "not_available" ? std::string() : region_; }

 private:
  struct Iteration {
    std::string type, model;
    Counts counts;
  };
  /// Where one model declined and another answered, each turn names its own: the whole may be of the last one only, the turns
  /// are of all (description of BetaFallbackMessageIterationUsage in anthropic 2.11).
  bool add_turns(std::string_view answered, Bill& bill) const {
    const auto is_turn = [](const Iteration& one) { return one.type == "message" || one.type == "fallback_message"; };
    const bool several = std::any_of(iterations_.begin(), iterations_.end(), [&](const Iteration& one) {
      return one.type == "fallback_message" || (is_turn(one) && !one.model.empty() && one.model != answered);
    });
    if (!several) return true;
    Quantities sum;
    for (const Iteration& one : iterations_) {
      if (!is_turn(one)) continue;
      Quantities used;
      if (one.model.empty() || !one.counts.add_to(used) || !one.counts.add_to(sum)) return false;
      if (one.model != answered && !add_other(bill, one.model, used)) return false;
    }
    // Less than the whole: turns are missing.
    for (std::size_t i = 0; i < quantity_count; ++i)
      if (sum.of[i] < bill.quantities.of[i]) return false;
    bill.quantities = sum;
    return true;
  }
  /// What a compaction and an advisor used is told beside the whole (Anthropic's pages on both, 2026-11). A kind of iteration
  /// that we do not know may be in it or not: no bill can be read.
  bool add_beside(Bill& bill) const {
    for (const Iteration& one : iterations_) {
      if (one.type == "message" || one.type == "fallback_message") continue;
      if (!one.counts.add_to(bill.quantities)) return false;
      if (one.type == "advisor_message" && !one.model.empty()) {
        Quantities used;
        one.counts.add_to(used);
        if (!add_other(bill, one.model, used)) return false;
      } else if (one.type != "compaction") {
        return false;
      }
    }
    return true;
  }
  /// One for each turn, since the price of a turn may go by its length. Past so many they are added up, which is never cheaper: the
  /// ledger keeps them all. False of more models than any answer has.
  static bool add_other(Bill& bill, const std::string& model, const Quantities& used) {
    constexpr std::size_t max_others = 64;
    if (model.size() > max_label_bytes) return false;
    if (bill.others.size() < max_others) {
      bill.others.push_back({model, used});
      return true;
    }
    const auto same = std::find_if(bill.others.rbegin(), bill.others.rend(),
                                   [&](const ModelUse& other) { return other.model == model; });
    if (same == bill.others.rend()) return false;
    for (std::size_t i = 0; i < quantity_count; ++i)
      same->quantities.of[i] += used.of[i];
    return true;
  }
  void number(std::optional<std::int64_t>* out, const Scalar& scalar) {
    if (out == nullptr || scalar.is_null()) return;
    // Beyond 2^53 other readers of this JSON see another number: no bill can mean it.
    if (scalar.kind == Scalar::Kind::integer && scalar.integer >= 0 && scalar.integer <= (1LL << 53))
      *out = scalar.integer;
    else
      broken_ = true;
  }

  Counts whole_;
  std::optional<std::int64_t> searches_;
  std::vector<Iteration> iterations_;
  std::string tier_, speed_, region_;
  ReportedCost reported_;
  bool broken_ = false;
};

/// Reads a message at the top (`depth` 0), or an event of a stream, whose message stands inside (1).
struct MessageAnswer : Ignore {
  AnswerFacts& facts;
  MessageUsage& usage;
  const bool event;
  std::string type;
  bool has_usage = false;    // an object, whatever is in it
  bool output_told = false;  // in it
  std::int64_t output_bytes = 0;

  MessageAnswer(AnswerFacts& out, MessageUsage& used, bool is_event) : facts(out), usage(used), event(is_event) {}

  /// Where the usage stands, 0 when this is outside of it: a message's own, or that of an event.
  std::size_t usage_depth(const Path& path) const {
    if (path.key(0) == "usage") return 1;
    return event && path.key(0) == "message" && path.key(1) == "usage" ? 2 : 0;
  }
  void value(const Path& path, const Scalar& scalar) {
    const std::string_view own = path.own();
    if (const std::size_t depth = usage_depth(path); depth != 0) {
      if (path.depth() > depth) usage.take(depth, path, scalar);
      if (path.depth() == depth + 1 && own == "output_tokens" && !scalar.is_null()) output_told = true;
      return;
    }
    if (!scalar.is_text()) return;
    const bool of_message = event ? path.depth() == 2 && path.key(0) == "message" : path.depth() == 1;
    if (path.is("type")) {
      type = scalar.text;
    } else if (of_message && own == "id") {
      facts.id = scalar.text;
    } else if (of_message && own == "model") {
      if (!scalar.text.empty()) facts.model = scalar.text;
    } else if (own == "stop_reason" && (of_message || (event && path.is("delta", "stop_reason")))) {
      facts.finish_reason = scalar.text;
    } else if (path.depth() == 2 && path.key(0) == "error") {
      if (own == "code" || (own == "type" && facts.error_code.empty())) facts.error_code = scalar.text;
    } else if (event && path.depth() == 2 && (path.key(0) == "delta" || path.key(0) == "content_block")) {
      // Text, JSON of tools, thinking and its signature: every token has a byte at least.
      if (own != "type" && own != "id") output_bytes += static_cast<std::int64_t>(scalar.text.size());
    }
  }
  void open(const Path& path, bool array, std::size_t) {
    if (const std::size_t depth = usage_depth(path); depth != 0) {
      if (path.depth() == depth && !array) has_usage = true;
      if (path.depth() > depth) usage.open(depth, path, array);
    }
    if (!array && path.is("error")) facts.error = true;
  }
};

void keep_usage(const MessageUsage& usage, AnswerFacts& facts) {
  auto bill = usage.bill(facts.model);
  facts.quantities.reset();
  facts.others.clear();
  if (bill) {
    facts.quantities = bill->quantities;
    facts.others = std::move(bill->others);
  }
  facts.service_tier = usage.tier();
  facts.region = usage.region();
  facts.reported_cost = usage.reported_cost();
}

class MessageStream final : public EventStream {
 public:
  MessageStream() : EventStream(false) {}

 private:
  Fate event(std::string_view data) override {
    MessageUsage before = usage_;
    MessageAnswer answer(facts_, usage_, true);
    if (!walk(data, answer).empty()) {
      usage_ = std::move(before);  // nothing we know; the caller shall see it
      return Fate::pass;
    }
    output_seen_ += answer.output_bytes;
    if (answer.has_usage) {
      keep_usage(usage_, facts_);
      facts_.final = facts_.final && facts_.quantities.has_value();
      // What message_start says of output is a first guess; only a message_delta has the bill's.
      if (answer.type == "message_delta" && answer.output_told) output_billed_ = true;
    }
    if (answer.type == "message_stop") facts_.final = output_billed_ && facts_.quantities.has_value();
    return Fate::pass;
  }

  MessageUsage usage_;
  bool output_billed_ = false;
};

}  // namespace

AnswerFacts read_messages(std::string_view body) {
  AnswerFacts facts;
  MessageUsage usage;
  MessageAnswer answer(facts, usage, false);
  if (!walk(body, answer).empty()) return {};
  if (answer.has_usage) keep_usage(usage, facts);
  facts.final = facts.quantities.has_value();
  return facts;
}

std::unique_ptr<StreamReader> stream_messages(bool) {
  return std::make_unique<MessageStream>();
}

}  // namespace farthing::wire
