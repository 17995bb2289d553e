#include "guard/explain.h"

#include <algorithm>

#include "prices/fees.h"

namespace farthing::guard {
namespace {

/// Sums of parts are rounded as their whole is: each costs what it adds to the sum before it.
class PartList {
 public:
  using Rounding = std::optional<Usd> (Cost::*)() const;
  PartList(std::vector<EstimatePart>& parts, bool priced, Rounding rounded)
      : parts_(parts), priced_(priced), rounded_(rounded) {}

  void add(std::string what, Quantity quantity, std::int64_t count, const Rate* rate) {
    if (count == 0) return;
    EstimatePart part{.what = std::move(what), .quantity = quantity, .count = count, .cost = {}, .rate = {}};
    if (priced_ && rate != nullptr) {
      sum_.add(*rate, count);
      if (const auto told = (sum_.*rounded_)()) {
        part.rate = *rate;
        part.cost = Usd{told->nano - told_.nano};
        told_ = *told;
      }
    }
    parts_.push_back(std::move(part));
  }
  /// Money without a rate.
  void add(std::string what, Usd cost) {
    if (!priced_ || cost.nano == 0) return;
    parts_.push_back({.what = std::move(what), .quantity = Quantity::requests, .count = 0, .cost = cost, .rate = {}});
    outside_.nano += cost.nano;
  }
  std::int64_t total() const { return told_.nano + outside_.nano; }

 private:
  std::vector<EstimatePart>& parts_;
  const bool priced_;
  const Rounding rounded_;
  Cost sum_;
  Usd told_{}, outside_{};
};

class Explanation {
 public:
  Explanation(const Explaining& what, Estimate& estimate)
      : what_(what),
        by_the_piece_(what.dialect.pieces || what.dialect.batch || what.facts.asked),
        ceiling_(estimate.ceiling_parts, estimate.ceiling.has_value(), &Cost::rounded_up),
        likely_(estimate.likely_parts, estimate.likely.has_value(), &Cost::half_even),
        likely_usd_(estimate.likely) {}

  void write() {
    by_the_piece_ ? pieces_at_most() : tokens_at_most();
    by_the_piece_ ? pieces_likely() : tokens_likely();
    if (likely_usd_) likely_.add("no more than at most", Usd{likely_usd_->nano - likely_.total()});
  }

 private:
  static std::string name_of(Quantity quantity) {
    if (quantity == Quantity::video_ms) return "video_seconds";
    if (quantity == Quantity::audio_ms) return "audio_seconds";
    return std::string(quantity_text(quantity));
  }
  static bool is_fee(Quantity quantity) {
    return quantity == Quantity::requests || std::find(tool_fees.begin(), tool_fees.end(), quantity) != tool_fees.end();
  }
  static std::string piece(Quantity quantity) { return (is_fee(quantity) ? "fee: " : "asked: ") + name_of(quantity); }
  static std::string learned_from(std::int64_t lessons) { return "learned from " + std::to_string(lessons) + " calls"; }
  /// "input: images", "input: 3 pages and images".
  std::string media() const {
    using Kind = MediaFacts::Kind;
    constexpr std::pair<Kind, std::string_view> names[] = {
        {Kind::document, "documents"}, {Kind::image, "images"}, {Kind::audio, "sound"}, {Kind::video, "videos"}};
    const std::int64_t pages = what_.sized.pages;
    std::string text = pages == 0 ? "" : std::to_string(pages) + (pages == 1 ? " page" : " pages");
    for (const auto& [kind, name] : names) {
      const bool there = std::any_of(what_.facts.media_inputs.begin(), what_.facts.media_inputs.end(),
                                     [kind = kind](const MediaInput& input) { return input.facts.kind == kind; });
      if (there && !(kind == Kind::document && pages > 0)) text += (text.empty() ? "" : " and ") + std::string(name);
    }
    return "input: " + (text.empty() ? "images" : text);  // a URL, which is bounded as an image
  }
  const Rate* rate_at_most(Quantity quantity) const {
    const auto line = std::find_if(what_.bill.lines.begin(), what_.bill.lines.end(),
                                   [quantity](const Bill::Line& each) { return each.quantity == quantity; });
    return line == what_.bill.lines.end() ? nullptr : &line->rate;
  }
  void amount() { ceiling_.add("not bounded: the policy's amount", what_.bill.amount); }

  void pieces_at_most() {
    Quantities rest = what_.facts.asked ? *what_.facts.asked : what_.sized.pieces;
    for (const Bill::Line& line : what_.bill.lines) {
      ceiling_.add(piece(line.quantity), line.quantity, line.count, &line.rate);
      rest[line.quantity] -= std::min(rest[line.quantity], line.count);
    }
    amount();
    rest[Quantity::requests] = 0;
    for (std::size_t i = 0; i < quantity_count; ++i)
      ceiling_.add(piece(static_cast<Quantity>(i)), static_cast<Quantity>(i), rest.of[i], nullptr);
  }
  void pieces_likely() {
    for (std::size_t i = 0; i < quantity_count; ++i) {
      const auto quantity = static_cast<Quantity>(i);
      const Rate* rate = rate_for(what_.bill.usual, quantity);
      if (rate != nullptr || quantity != Quantity::requests)
        likely_.add(piece(quantity), quantity, what_.sized.likely[quantity], rate);
    }
  }

  void tokens_at_most() {
    const Sized& sized = what_.sized;
    const Rate* rate = rate_at_most(Quantity::input_tokens);
    const auto input = [&](std::string of, std::int64_t tokens) {
      ceiling_.add("input: " + std::move(of), Quantity::input_tokens, tokens, rate);
    };
    if (sized.input_is_window) {
      input(sized.input_steps > 1 ? "context window, in " + std::to_string(sized.input_steps) + " steps"
                                  : "context window",
            sized.input_tokens);
    } else {
      input(sized.input_is_counted ? "tokens of the request" : "bytes of the request", sized.text_tokens);
      input(sized.input_is_counted ? "margin of the count" : "hidden prompts", sized.hidden_tokens);
      ceiling_.add(media(), Quantity::input_tokens, sized.media_tokens, rate);
    }
    for (const Bill::Line& line : what_.bill.lines) {
      if (is_fee(line.quantity)) ceiling_.add(piece(line.quantity), line.quantity, line.count, &line.rate);
    }
    amount();
    ceiling_.add("output limit", Quantity::output_tokens, sized.demand.want * choices(),
                 rate_at_most(Quantity::output_tokens));
  }
  void tokens_likely() {
    const Sized& sized = what_.sized;
    input_likely(sized.likely[Quantity::input_tokens] - sized.reread_tokens);
    const auto add = [&](std::string of, Quantity quantity, std::int64_t count) {
      likely_.add(std::move(of), quantity, count, rate_for(what_.bill.usual, quantity));
    };
    add("input: read again after a tool", Quantity::input_tokens, sized.reread_tokens);
    for (std::size_t i = 0; i < quantity_count; ++i) {
      const auto quantity = static_cast<Quantity>(i);
      if (!is_fee(quantity)) continue;
      if (quantity == Quantity::requests && rate_for(what_.bill.usual, quantity) == nullptr) continue;
      add(piece(quantity) + (what_.facts.fees[quantity] > 0 ? ", one use" : ""), quantity, sized.likely[quantity]);
    }
    add("output: " + (sized.learned_output ? learned_from(what_.output_lessons) : std::string("usual length")),
        sized.likely_output, sized.likely[sized.likely_output]);
  }
  void input_likely(std::int64_t tokens) {
    const Sized& sized = what_.sized;
    const Rate* rate = rate_for(what_.bill.usual, Quantity::input_tokens);
    const auto add = [&](std::string of, std::int64_t count) {
      likely_.add(std::move(of), Quantity::input_tokens, count, rate);
    };
    if (what_.counted == nullptr || sized.unbounded_count > 0) {
      const std::int64_t of_media = std::min(sized.media_likely, tokens);
      add("input: about four bytes a token", tokens - of_media);
      return add(media(), of_media);
    }
    if (what_.counted->tokens + sized.media_likely + sized.input_correction != tokens)
      return add("input: as much as it can be", tokens);
    for (const CountPart& part : what_.counted->parts)
      add("input: " + part.what, part.tokens);
    add(media(), sized.media_likely);
    add("input: " + learned_from(what_.input_lessons), sized.input_correction);
  }
  std::int64_t choices() const { return std::max<std::int64_t>(1, what_.facts.choices); }

  const Explaining& what_;
  const bool by_the_piece_;
  PartList ceiling_, likely_;
  const std::optional<Usd> likely_usd_;
};

}  // namespace

void explain(const Explaining& what, Estimate& estimate) {
  Explanation(what, estimate).write();
}

}  // namespace farthing::guard
