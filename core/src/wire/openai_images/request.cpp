#include <algorithm>
#include <array>

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

struct ImagesScan : RequestScan {
  ImagesScan() { facts.pieces.images = 1; }

  void value(const Path& path, const Scalar& scalar) {
    if (common(path, scalar)) return;
    if (is_image(path.key(0))) {
      if (scalar.is_text()) ++facts.pieces.input_images;
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
        ++pieces.input_images;
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
