#include "wire/openai_chat/chat.h"
#include "wire/sse.h"
#include "wire/usage.h"

namespace farthing::wire {

namespace {

/// Reads a completion or a chunk of one, also of the completions before the chat.
struct ChatAnswer : Ignore {
  AnswerFacts& facts;
  std::int64_t output_bytes = 0;
  UsageFields usage;
  bool has_usage = false;  // an object, whatever is in it
  bool choices_empty = false;
  bool finished = false;  // a finish_reason stands in it

  explicit ChatAnswer(AnswerFacts& out) : facts(out) {}

  void value(const Path& path, const Scalar& scalar) {
    const std::string_view own = path.own();
    if (path.depth() == 1 && scalar.is_text()) {
      if (own == "id")
        facts.id = scalar.text;
      else if (own == "model" && !scalar.text.empty())
        facts.model = scalar.text;
      else if (own == "service_tier")
        facts.service_tier = scalar.text;
      return;
    }
    if (path.key(0) == "usage") {
      usage.take_at(path.depth() - 1, path.key(1), own, scalar);
    } else if (path.key(0) == "x_groq" && path.key(1) == "usage") {
      usage.take_at(path.depth() - 2, path.key(2), own, scalar);
    } else if (path.key(0) == "choices") {
      choice(path, scalar);
    } else if (path.key(0) == "error" && path.depth() == 2 && scalar.is_text()) {
      if (own == "code" || (own == "type" && facts.error_code.empty())) facts.error_code = scalar.text;
    }
  }
  void open(const Path& path, bool array, std::size_t) {
    if (array) return;
    if (path.is("usage") || path.is("x_groq", "usage")) {
      usage.begin();
      has_usage = true;
    }
    if (path.is("error")) facts.error = true;
  }
  void close(const Path& path, bool array, std::size_t members) {
    if (array && path.is("choices")) choices_empty = members == 0;
  }

 private:
  static bool is_content(const Path& path) {
    const std::string_view own = path.own();
    return path.depth() > 3 && (path.key(2) == "delta" || path.key(2) == "message") && own != "role" && own != "id" &&
           own != "type";
  }
  void choice(const Path& path, const Scalar& scalar) {
    if (!scalar.is_text()) return;
    if (path.depth() == 3 && path.own() == "finish_reason") {
      facts.finish_reason = scalar.text;
      finished = true;
    } else if (path.depth() == 3 ? path.own() == "text" : is_content(path)) {
      output_bytes += static_cast<std::int64_t>(scalar.text.size());  // every token has a byte at least
    }
  }
};

class ChatStream final : public EventStream {
 public:
  explicit ChatStream(bool strip_usage) : EventStream(strip_usage), strip_usage_(strip_usage) {}

 private:
  Fate event(std::string_view data) override {
    if (data == "[DONE]") {
      facts_.final = facts_.quantities.has_value();
      return Fate::pass;
    }
    ChatAnswer answer(facts_);
    if (!walk(data, answer).empty()) return Fate::pass;  // nothing we know; the caller shall see it
    output_seen_ += answer.output_bytes;
    if (answer.has_usage || answer.output_bytes > 0) facts_.told_at_finish = answer.has_usage && answer.finished;
    if (answer.has_usage) {
      // The last one counts: some hosts send running totals (Perplexity).
      facts_.quantities = answer.usage.quantities(true);
      facts_.speech_told = answer.usage.speech_told();
      facts_.images_told = answer.usage.images_told();
      facts_.reported_cost = answer.usage.reported_cost();
      facts_.search_context = answer.usage.search_context();
      facts_.final = facts_.final && facts_.quantities.has_value();
      // R24: after the last finish_reason a chunk of nothing but usage is the bill; a loop that stops at the finish_reason
      // never asks for the marker after it.
      if (answer.choices_empty && !facts_.finish_reason.empty()) facts_.final = facts_.quantities.has_value();
      if (strip_usage_ && answer.choices_empty) return Fate::strip;
    }
    return strip_usage_ && answer.finished ? Fate::hold : Fate::pass;  // R24: together with the next event
  }

  const bool strip_usage_;
};

}  // namespace

AnswerFacts read_chat(std::string_view body) {
  AnswerFacts facts;
  ChatAnswer answer(facts);
  if (!walk(body, answer).empty()) return {};
  if (answer.has_usage) {
    facts.quantities = answer.usage.quantities(true);
    facts.speech_told = answer.usage.speech_told();
    facts.images_told = answer.usage.images_told();
    facts.reported_cost = answer.usage.reported_cost();
    facts.search_context = answer.usage.search_context();
  }
  facts.final = facts.quantities.has_value();
  return facts;
}

std::unique_ptr<StreamReader> stream_chat(bool strip_usage) {
  return std::make_unique<ChatStream>(strip_usage);
}

}  // namespace farthing::wire
