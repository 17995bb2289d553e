#include "wire/openai_images/images.h"
#include "wire/piece_usage.h"
#include "wire/sse.h"

namespace farthing::wire {

namespace {

/// An answer with images, or an event of a stream of them.
struct ImagesAnswer : Ignore {
  AnswerFacts facts;
  std::string type;  // of an event
  PieceUsage usage;
  std::int64_t images = 0;

  void value(const Path& path, const Scalar& scalar) {
    if (path.depth() == 1 && scalar.is_text()) {
      if (path.own() == "type") type = scalar.text;
      if (path.own() == "model") facts.model = scalar.text;
    } else if (path.key(0) == "usage") {
      usage.take(path.depth() - 1, path.key(1), path.own(), scalar);
    } else if (path.key(0) == "error" && path.depth() == 2 && scalar.is_text()) {
      if (path.own() == "code" || (path.own() == "type" && facts.error_code.empty())) facts.error_code = scalar.text;
    }
  }
  void open(const Path& path, bool array, std::size_t) {
    if (path.depth() == 2 && path.key(0) == "data") ++images;
    if (array) return;
    if (path.is("error")) facts.error = true;
    if (path.is("svg_usage")) other_bill = true;
  }
  std::optional<Quantities> quantities(std::int64_t made) const {
    if (!usage.counted() || other_bill) return std::nullopt;
    auto found = usage.quantities(Quantity::input_image_tokens, Quantity::output_image_tokens);
    if (found) (*found)[Quantity::images] = made;
    return found;
  }
  bool other_bill = false;  // another model drew the SVG
};

/// One event with usage for every image; the end is the end of the stream, since nobody says how many there are.
class ImagesStream final : public EventStream {
 public:
  ImagesStream() : EventStream(false) {}

 private:
  Fate event(std::string_view data) override {
    ImagesAnswer answer;
    if (!walk(data, answer).empty()) return Fate::pass;
    if (answer.type == "error" || answer.facts.error) {
      facts_.error = true;
      if (facts_.error_code.empty()) facts_.error_code = answer.facts.error_code;
    }
    if (answer.type != "image_generation.completed" && answer.type != "image_edit.completed") return Fate::pass;
    const auto quantities = answer.quantities(1);
    if (!quantities) {
      unread_ = true;
      return Fate::pass;
    }
    for (std::size_t i = 0; i < quantity_count; ++i) {
      const auto sum = checked_add(sum_.of[i], quantities->of[i]);
      if (!sum) unread_ = true;
      sum_.of[i] = sum.value_or(0);
    }
    sum_[Quantity::requests] = 1;
    ++images_;
    return Fate::pass;
  }
  void ended() override {
    if (images_ == 0 || unread_ || facts_.error) return;
    facts_.quantities = sum_;
    facts_.final = true;
  }

  Quantities sum_;
  std::int64_t images_ = 0;
  bool unread_ = false;
};

}  // namespace

AnswerFacts read_images(std::string_view body) {
  ImagesAnswer answer;
  if (!walk(body, answer).empty()) return {};
  answer.facts.quantities = answer.quantities(answer.images);
  answer.facts.final = answer.facts.quantities.has_value();
  answer.facts.reported_cost = answer.usage.reported_cost();
  answer.facts.done = answer.images > 0 && !answer.usage.counted();
  return std::move(answer.facts);
}

std::unique_ptr<StreamReader> stream_images(bool) {
  return std::make_unique<ImagesStream>();
}

}  // namespace farthing::wire
