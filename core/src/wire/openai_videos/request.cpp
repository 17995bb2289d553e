#include <array>

#include "wire/form_scan.h"
#include "wire/openai_videos/videos.h"
#include "wire/piece_usage.h"
#include "wire/request_scan.h"

namespace farthing::wire {

namespace {

bool is_length(std::string_view name) {
  return name == "seconds" || name == "duration" || name == "n_seconds" || name == "duration_seconds";
}
bool is_number(std::string_view name) {
  return name == "n" || name == "n_variants" || name == "number_of_videos";
}

/// What both forms of a request have in common.
template <class Scan>
void length(Scan& scan, std::string_view name, std::string_view seconds) {
  Pieces& pieces = scan.facts.pieces;
  const auto ms = ms_of_seconds(seconds);
  if (!ms || *ms == 0) return scan.fail("\"" + std::string(name) + "\" is not a number of seconds");
  // Of several the longest, and of numbers the largest: hosts differ in which one they read.
  pieces.video_ms = std::max(pieces.video_ms.value_or(0), *ms);
}

struct VideoScan : RequestScan {
  VideoScan() { facts.pieces.videos = 1; }

  void value(const Path& path, const Scalar& scalar) {
    if (common(path, scalar)) return;
    Pieces& pieces = facts.pieces;
    if (path.is("video", "id") || path.is("video") || path.is("video_id")) {
      if (scalar.is_text()) pieces.video_of = scalar.text;
    } else if (path.depth() == 1) {
      top(path, scalar);
    }
  }
  void open(const Path& path, bool array, std::size_t at) {
    open_body(path, array, at);
    plain(path, {"seconds", "duration", "n_seconds", "duration_seconds", "n", "n_variants", "number_of_videos", "size",
                 "quality", "resolution"});
  }

 private:
  void top(const Path& path, const Scalar& scalar) {
    const std::string_view name = path.own();
    Pieces& pieces = facts.pieces;
    if (is_length(name) && !scalar.is_null()) {
      const bool whole = scalar.kind == Scalar::Kind::integer;
      length(*this, name, whole ? std::to_string(scalar.integer) : std::string(scalar.text));
    } else if (is_number(name)) {
      std::int64_t asked = 1;
      count(path, scalar, 1, asked);
      pieces.videos = std::max(pieces.videos, asked);
    } else if (name == "size") {
      text(path, scalar, pieces.size);
    } else if (name == "quality") {
      text(path, scalar, pieces.quality);
    } else if (name == "resolution") {
      text(path, scalar, pieces.resolution);
    }
  }
};

struct VideoForm : FormScan {
  VideoForm() { facts.pieces.videos = 1; }

  void read(const std::vector<Part>& parts) {
    once(parts, {"model", "seconds", "duration", "n_seconds", "duration_seconds", "n", "n_variants", "number_of_videos",
                 "size", "quality", "resolution", "video", "video[id]"});
    Pieces& pieces = facts.pieces;
    for (const Part& part : parts) {
      if (part.name == "model")
        text(part, facts.model);
      else if (is_length(part.name))
        length(*this, part.name, part.content);
      else if (is_number(part.name))
        number(part);
      else if (part.name == "size")
        text(part, pieces.size);
      else if (part.name == "quality")
        text(part, pieces.quality);
      else if (part.name == "resolution")
        text(part, pieces.resolution);
      else if (part.name == "video[id]" || (part.name == "video" && !part.file))
        text(part, pieces.video_of);
    }
  }

 private:
  void number(const Part& part) {
    std::int64_t asked = 1;
    count(part, 1, asked);
    facts.pieces.videos = std::max(facts.pieces.videos, asked);
  }
};

/// An edit or a remix is as long as what it is made of; only an extension says its own length.
Result<RequestFacts> without_defaults(Result<RequestFacts> scanned) {
  if (scanned && scanned->pieces.video_of.empty()) scanned->pieces.video_of = "-";
  return scanned;
}

}  // namespace

Result<RequestFacts> scan_videos(std::string_view body) {
  return is_multipart(body) ? scan_form<VideoForm>(body) : scan_with<VideoScan>(body);
}

Result<RequestFacts> scan_video_change(std::string_view body) {
  return without_defaults(scan_videos(body));
}

}  // namespace farthing::wire
