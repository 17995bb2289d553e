#include "wire/openai_chat/chat.h"
#include "wire/request_scan.h"

namespace farthing::wire {

namespace {

bool names_link(std::string_view name) {
  return name == "image_url" || name == "video_url" || name == "audio_url" || name == "file_url" ||
         name == "document_url";
}

struct ChatScan : RequestScan {
  ChatScan() : RequestScan(counting::Where::chat) {}

  void value(const Path& path, const Scalar& scalar) {
    if (common(path, scalar) || stream_options(path, scalar)) return;
    if (path.depth() == 1) {
      top(path, scalar);
    } else if (path.key(0) == "messages") {
      message(path, scalar);
    } else if (path.key(0) == "tools" && path.depth() == 3 && path.own() == "type") {
      // Every kind that the caller does not run itself runs at the provider (Groq, OpenRouter, Moonshot).
      if (!scalar.is_text() || (scalar.text != "function" && scalar.text != "custom"))
        tool_with_fee(Quantity::tool_calls);
    } else if (path.is("web_search_options", "search_context_size")) {
      text(path, scalar, facts.search_context);
    } else if (path.is("web_search_options", "search_type")) {
      // Perplexity: others than the fast one take more steps, for another fee.
      if (!scalar.is_text() || scalar.text != "fast") tool_with_fee(Quantity::tool_calls);
    } else if (path.is("response_format", "type")) {
      facts.schema = scalar.is_text() && scalar.text == "json_schema";
    } else if (path.key(0) == "modalities" && scalar.is_text()) {
      output_modality(scalar.text);
    }
  }
  void open(const Path& path, bool array, std::size_t at) {
    open_body(path, array, at);
    open_stream_options(path, array, at);
    plain(path, {"n", "max_tokens", "max_completion_tokens", "reasoning_effort"});
    if (path.depth() == 1) {
      const std::string_view name = path.own();
      if (name == "web_search_options") facts.search_options = true;
      if (name == "prediction") facts.prediction = true;
    } else if (path.depth() == 2 && (path.key(0) == "tools" || path.key(0) == "functions")) {
      facts.tools = true;
    } else if (path.own() == "image_url") {
      open_image();
    }
  }

 private:
  void top(const Path& path, const Scalar& scalar) {
    const std::string_view name = path.own();
    if (name == "max_completion_tokens") {
      output_limit(path, scalar, "max_completion_tokens");
    } else if (name == "max_tokens") {
      output_limit(path, scalar, "max_tokens");
      facts.max_tokens = Span{scalar.begin, scalar.end - scalar.begin};
      facts.limits_max_tokens = !scalar.is_null();
    } else if (name == "n")
      count(path, scalar, 1, facts.choices);
    else if (name == "reasoning_effort")
      text(path, scalar, facts.reasoning_effort);
  }
  void message(const Path& path, const Scalar& scalar) {
    if (!scalar.is_text()) return;
    const std::string_view own = path.own();
    if (own == "type" && path.key(2) == "content" && path.parent().empty())  // also in a part (Mistral's thinking)
      vet(counting::Where::part_of_chat, scalar.text);
    if (names_link(own)) {
      open_image();  // as a text: its detail would stand in another object
      link(scalar.text, own == "image_url");
    } else if (own == "url" && names_link(path.parent())) {
      link(scalar.text, path.parent() == "image_url");
    } else if (own == "detail" && path.parent() == "image_url") {
      detail(scalar);
    } else if (own == "data" && path.parent() == "input_audio") {
      inline_media(scalar.text, Place::sound);
    } else if (own == "file_data") {
      inline_media(scalar.text, Place::document);
    } else if (own == "file_id" || (own == "id" && path.parent() == "audio")) {
      unseen(false);  // a file there, or an earlier spoken answer
    } else if (own == "type" && (scalar.text == "image_url" || scalar.text == "input_audio" || scalar.text == "file")) {
      media_part();
    }
  }
};

}  // namespace

Result<RequestFacts> scan_chat(std::string_view body) {
  return scan_with<ChatScan>(body);
}

}  // namespace farthing::wire
