#include "wire/gemini_embed/embed.h"

#include <algorithm>

#include "wire/gemini_generate/generate.h"
#include "wire/request_scan.h"

namespace farthing::wire {

namespace {

struct EmbedScan : RequestScan {
  void value(const Path& path, const Scalar& scalar) {
    if (path.is("model")) {
      text(path, scalar, facts.model);  // the path's is the one that counts
    } else if (scalar.is_text() && is_named(path.parent(), "inlineData") && path.own() == "data") {
      media_bytes(scalar.text.size());
    } else if (scalar.is_text() && is_named(path.parent(), "fileData") && is_named(path.own(), "fileUri")) {
      facts.remote = true;
    }
  }
  void open(const Path& path, bool array, std::size_t at) {
    open_body(path, array, at);
    if (is_named(path.own(), "inlineData")) facts.media = true;
  }
};

struct BatchEmbedScan : EmbedScan {
  void open(const Path& path, bool array, std::size_t at) {
    EmbedScan::open(path, array, at);
    if (path.depth() == 2 && path.key(0) == "requests") ++requests_;
    facts.inputs = std::max<std::int64_t>(requests_, 1);
  }

 private:
  std::int64_t requests_ = 0;
};

/// The Gemini API tells no usage with older models; then what was asked is what is counted.
struct EmbedAnswer : Ignore {
  AnswerFacts facts;
  std::int64_t vectors = 0;

  void value(const Path& path, const Scalar& scalar) {
    if (is_named(path.key(0), "usageMetadata")) {
      if (path.depth() == 2 && is_named(path.own(), "promptTokenCount")) number(prompt_, scalar);
      if (path.depth() == 4 && path.own() == "modality") modality_ = scalar.is_text() ? scalar.text : "";
      if (path.depth() == 4 && is_named(path.own(), "tokenCount")) number(tokens_, scalar);
    } else if (path.is("error", "status") && scalar.is_text()) {
      facts.error_code = scalar.text;
    }
  }
  void open(const Path& path, bool array, std::size_t) {
    if (path.is("embedding") || path.is("embeddings")) ++vectors;
    if (!array && path.is("error")) facts.error = true;
    if (!array && path.is("usageMetadata")) has_usage = true;
  }
  void close(const Path& path, bool array, std::size_t) {
    if (array || path.depth() != 3 || !is_named(path.key(1), "promptTokensDetails")) return;
    if (modality_ == "AUDIO")
      audio_ += tokens_;
    else if (modality_ == "IMAGE")
      image_ += tokens_;
    else if (modality_ != "TEXT")
      broken_ = true;  // video: the price book has no rate of its own for it
    modality_.clear();
    tokens_ = 0;
  }
  std::optional<Quantities> quantities() const {
    if (broken_ || prompt_ == 0 || audio_ + image_ > prompt_) return std::nullopt;
    Quantities quantities;
    quantities[Quantity::input_audio_tokens] = audio_;
    quantities[Quantity::input_image_tokens] = image_;
    quantities[Quantity::input_tokens] = prompt_ - audio_ - image_;
    quantities[Quantity::requests] = 1;
    return quantities;
  }
  bool has_usage = false;

 private:
  void number(std::int64_t& out, const Scalar& scalar) {
    if (scalar.kind == Scalar::Kind::integer && scalar.integer >= 0 && scalar.integer <= (1LL << 53))
      out = scalar.integer;
    else
      broken_ = true;
  }

  std::int64_t prompt_ = 0;
  std::int64_t tokens_ = 0;  // of the detail that is being read
  std::int64_t audio_ = 0;
  std::int64_t image_ = 0;
  std::string modality_;
  bool broken_ = false;
};

}  // namespace

Result<RequestFacts> scan_embed(std::string_view body) {
  return scan_with<EmbedScan>(body);
}

Result<RequestFacts> scan_batch_embed(std::string_view body) {
  return scan_with<BatchEmbedScan>(body);
}

AnswerFacts read_embed(std::string_view body) {
  EmbedAnswer answer;
  if (!walk(body, answer).empty()) return {};
  if (answer.has_usage) answer.facts.quantities = answer.quantities();
  answer.facts.final = answer.facts.quantities.has_value();
  answer.facts.done = answer.vectors > 0 && !answer.has_usage;
  return std::move(answer.facts);
}

}  // namespace farthing::wire
