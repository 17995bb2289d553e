#include <algorithm>
#include <array>

#include "media/media.h"
#include "wire/form_scan.h"
#include "wire/openai_images/images.h"
#include "wire/request_scan.h"

namespace farthing::wire {

namespace {

/// An SVG is drawn by another model, a GIF has many frames: what they cost nobody has published.
constexpr std::array<std::string_view, 3> still_formats = {"png", "jpeg", "webp"};

void set_format(std::string_view format, Pieces& pieces) {
  if (std::find(still_formats.begin(), still_formats.end(), format) == still_formats.end())
    pieces.endless = "an SVG or a GIF";
}

/// Members that bring images into a request, here and on other hosts.
bool is_image(std::string_view name) {
  return name == "image" || name == "images" || name == "mask" || name == "markup" || name == "image_url" ||
         name == "image_urls" || name == "image_prompt" || name == "reference_images";
}

void add_image(const MediaFacts& image, Pieces& pieces) {
  ++pieces.input_images;
  if (image.kind != MediaFacts::Kind::image) {
    pieces.input_unread = true;
    return;
  }
  const std::int64_t longer = std::max(image.width, image.height);
  const std::int64_t shorter = std::min(image.width, image.height);
  pieces.input_squares += (longer + shorter - 1) / shorter;
}

struct ImagesScan : RequestScan {
  ImagesScan() { facts.pieces.images = 1; }

  void value(const Path& path, const Scalar& scalar) {
    if (common(path, scalar)) return;
    if (is_image(path.key(0))) {
      image(path, scalar);
    } else if (path.depth() == 1) {
      top(path, scalar);
    }
  }
  void open(const Path& path, bool array, std::size_t at) {
    open_body(path, array, at);
    plain(path, {"n", "size", "quality", "resolution", "partial_images", "output_format"});
    if (path.is("svg")) facts.pieces.endless = "an SVG or a GIF";
  }

 private:
  /// Its bytes, its address, or the id of a file.
  void image(const Path& path, const Scalar& scalar) {
    if (scalar.is_null() || path.own() == "type" || path.own() == "detail") return;
    add_image(scalar.is_text() ? media_facts_of_base64(scalar.text) : MediaFacts{}, facts.pieces);
    if (scalar.is_text()) facts.input_bytes -= static_cast<std::int64_t>(scalar.text.size());
  }
  void top(const Path& path, const Scalar& scalar) {
    const std::string_view name = path.own();
    Pieces& pieces = facts.pieces;
    if (name == "n")
      count(path, scalar, 1, pieces.images);
    else if (name == "partial_images")
      count(path, scalar, 0, pieces.partial_images);
    else if (name == "size")
      text(path, scalar, pieces.size);
    else if (name == "quality")
      text(path, scalar, pieces.quality);
    else if (name == "resolution")
      text(path, scalar, pieces.resolution);
    else if (name == "input_fidelity")
      facts.pieces.input_closely = scalar.is_text() && scalar.text != "low";
    else if (name == "output_format" && scalar.is_text())
      set_format(scalar.text, pieces);
  }
};

struct ImagesForm : FormScan {
  ImagesForm() { facts.pieces.images = 1; }

  void read(const std::vector<Part>& parts) {
    once(parts, {"model", "n", "size", "quality", "stream", "partial_images", "output_format"});
    Pieces& pieces = facts.pieces;
    for (const Part& part : parts) {
      if (is_image(part.name))
        add_image(media_facts(part.content, static_cast<std::int64_t>(part.content.size())), pieces);
      else if (part.name == "model")
        text(part, facts.model);
      else if (part.name == "n")
        count(part, 1, pieces.images);
      else if (part.name == "size")
        text(part, pieces.size);
      else if (part.name == "quality")
        text(part, pieces.quality);
      else if (part.name == "stream")
        boolean(part, facts.stream);
      else if (part.name == "partial_images")
        count(part, 0, pieces.partial_images);
      else if (part.name == "input_fidelity")
        pieces.input_closely = part.content != "low";
      else if (part.name == "output_format")
        set_format(part.content, pieces);
      else if (part.name == "svg" || part.name.substr(0, 4) == "svg[")
        pieces.endless = "an SVG or a GIF";
    }
  }
};

}  // namespace

Result<RequestFacts> scan_images(std::string_view body) {
  return scan_with<ImagesScan>(body);
}

Result<RequestFacts> scan_image_edits(std::string_view body) {
  return is_multipart(body) ? scan_form<ImagesForm>(body) : scan_images(body);
}

}  // namespace farthing::wire
