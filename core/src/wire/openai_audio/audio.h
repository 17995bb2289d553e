// OpenAI's audio: speech, transcriptions and translations, and hosts that speak them.
// Source: the API reference of audio, 2026-11.
#pragma once

#include "wire/wire.h"

namespace farthing::wire {

Result<RequestFacts> scan_speech(std::string_view body);
AnswerFacts read_speech(std::string_view body);
std::unique_ptr<StreamReader> stream_speech(bool strip_usage);

Result<RequestFacts> scan_transcription(std::string_view body);
AnswerFacts read_transcription(std::string_view body);
std::unique_ptr<StreamReader> stream_transcription(bool strip_usage);

}  // namespace farthing::wire
