#include "wire/openai_audio/audio.h"
#include "wire/piece_usage.h"
#include "wire/sse.h"

namespace farthing::wire {

namespace {

/// A transcription as JSON, or an event of a stream of either kind.
struct AudioAnswer : Ignore {
  AnswerFacts facts;
  std::string type;  // of an event
  PieceUsage usage;
  bool has_usage = false;

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
    if (array) return;
    if (path.is("usage")) has_usage = true;
    if (path.is("error")) facts.error = true;
  }
};

class AudioStream final : public EventStream {
 public:
  AudioStream(std::string_view last, Quantity input, Quantity output)
      : EventStream(false), last_(last), input_(input), output_(output) {}

 private:
  Fate event(std::string_view data) override {
    AudioAnswer answer;
    if (!walk(data, answer).empty()) return Fate::pass;
    if (answer.type == "error" || answer.facts.error) {
      facts_.error = true;
      if (facts_.error_code.empty()) facts_.error_code = answer.facts.error_code;
    }
    if (answer.type == last_) {
      facts_.quantities = answer.has_usage ? answer.usage.quantities(input_, output_) : std::nullopt;
      facts_.final = facts_.quantities.has_value();
      facts_.done = true;
    }
    return Fate::pass;
  }

  const std::string_view last_;
  const Quantity input_, output_;
};

}  // namespace

/// Audio; only errors are JSON.
AnswerFacts read_speech(std::string_view body) {
  AudioAnswer answer;
  if (body.substr(0, 1) == "{" && walk(body, answer).empty()) return std::move(answer.facts);
  AnswerFacts facts;
  facts.done = true;
  return facts;
}

std::unique_ptr<StreamReader> stream_speech(bool) {
  return std::make_unique<AudioStream>("speech.audio.done", Quantity::input_tokens, Quantity::output_audio_tokens);
}

/// JSON, or a text in one of its formats.
AnswerFacts read_transcription(std::string_view body) {
  AudioAnswer answer;
  AnswerFacts facts;
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  const bool json = first != std::string_view::npos && body[first] == '{';
  if (json && walk(body, answer).empty()) {
    facts = std::move(answer.facts);
    if (answer.has_usage)
      facts.quantities = answer.usage.quantities(Quantity::input_audio_tokens, Quantity::output_tokens);
  }
  facts.final = facts.quantities.has_value();
  facts.done = !facts.error && !body.empty();
  return facts;
}

std::unique_ptr<StreamReader> stream_transcription(bool) {
  return std::make_unique<AudioStream>("transcript.text.done", Quantity::input_audio_tokens, Quantity::output_tokens);
}

}  // namespace farthing::wire
