// OpenAI's images: generations, edits (a form, or JSON that names its images) and variations, and hosts that speak them.
// Source: the API reference of images, 2026-11.
#pragma once

#include "wire/wire.h"

namespace farthing::wire {

Result<RequestFacts> scan_images(std::string_view body);
Result<RequestFacts> scan_image_edits(std::string_view body);
AnswerFacts read_images(std::string_view body);
std::unique_ptr<StreamReader> stream_images(bool strip_usage);

}  // namespace farthing::wire
