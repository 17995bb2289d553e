#include <algorithm>

#include "media/media.h"
#include "wire/form_scan.h"
#include "wire/openai_audio/audio.h"
#include "wire/request_scan.h"

namespace farthing::wire {

namespace {

struct SpeechScan : RequestScan {
  void value(const Path& path, const Scalar& scalar) {
    if (common(path, scalar) || path.depth() != 1) return;
    if (path.own() == "input") {
      if (!scalar.is_text()) return fail("\"input\" is not a string");
      facts.pieces.characters = code_points(scalar.text);
    } else if (path.own() == "speed") {
      facts.pieces.slow = !scalar.is_null() && !(scalar.kind == Scalar::Kind::integer && scalar.integer >= 1);
    } else if (path.own() == "stream_format") {
      facts.stream = scalar.is_text() && scalar.text == "sse";
    }
  }
  void open(const Path& path, bool array, std::size_t at) {
    open_body(path, array, at);
    plain(path, {"input", "speed", "stream_format"});
  }
};

/// Hosts that take the audio's address or base64 in JSON.
struct TranscriptionScan : RequestScan {
  TranscriptionScan() { facts.pieces.audio = true; }

  void value(const Path& path, const Scalar& scalar) {
    if (common(path, scalar)) return;
    if (path.is("chunking_strategy") && !scalar.is_null()) facts.pieces.endless = chunked;
  }
  void open(const Path& path, bool array, std::size_t at) {
    open_body(path, array, at);
    if (path.is("chunking_strategy")) facts.pieces.endless = chunked;
  }

  static constexpr std::string_view chunked = "audio that the provider cuts into pieces";
};

struct TranscriptionForm : FormScan {
  TranscriptionForm() { facts.pieces.audio = true; }

  void read(const std::vector<Part>& parts) {
    once(parts, {"model", "stream", "file"});
    for (const Part& part : parts) {
      if (part.name == "model")
        text(part, facts.model);
      else if (part.name == "stream")
        boolean(part, facts.stream);
      else if (part.name == "file")
        audio(part.content);
      else if (part.name.substr(0, 17) == "chunking_strategy")
        facts.pieces.endless = TranscriptionScan::chunked;
    }
  }

 private:
  void audio(std::string_view bytes) {
    const MediaFacts media = media_facts(bytes, static_cast<std::int64_t>(bytes.size()));
    const bool timed = media.kind == MediaFacts::Kind::audio || media.kind == MediaFacts::Kind::video;
    if (timed && media.duration_ms > 0) facts.pieces.audio_ms = (media.duration_ms + 999) / 1000 * 1000;
  }
};

}  // namespace

Result<RequestFacts> scan_speech(std::string_view body) {
  return scan_with<SpeechScan>(body);
}

Result<RequestFacts> scan_transcription(std::string_view body) {
  return is_multipart(body) ? scan_form<TranscriptionForm>(body) : scan_with<TranscriptionScan>(body);
}

}  // namespace farthing::wire
