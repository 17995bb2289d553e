// Tools as OpenAI shows them to its models: declarations of TypeScript in a namespace. The form is not documented; it is known
// from what it costs (published measurements, and the recorded traffic: within 2 tokens of 52 of 52 calls of chat
// completions, 2026-11). Titles and definitions are as responses cost there.
// Thread-safety: free functions.
#pragma once

#include <rapidjson/document.h>

#include <string>
#include <vector>

namespace farthing::counting {

/// The text that stands for `functions`: objects with name, description and parameters (a JSON schema).
std::string rendered_tools(const std::vector<const rapidjson::Value*>& functions);

}  // namespace farthing::counting
