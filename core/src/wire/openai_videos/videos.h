// Videos: OpenAI's (as JSON or a form; remixes, edits and extensions of an earlier one) and the forms of hosts that call
// lengths `duration` and sizes `resolution`. An answer is a job (R17).
// Source: OpenAI's API reference of videos and xAI's of video generation, 2026-11.
#pragma once

#include "wire/wire.h"

namespace farthing::wire {

Result<RequestFacts> scan_videos(std::string_view body);
/// What is made over an earlier video: its length, size and model are that one's, unless the request says them.
Result<RequestFacts> scan_video_change(std::string_view body);
AnswerFacts read_video(std::string_view body);

}  // namespace farthing::wire
