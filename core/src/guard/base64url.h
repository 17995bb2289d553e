// base64url without padding, as JWTs and scope tokens have it.
// Thread-safety: free functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace farthing::guard {

std::string to_base64url(std::string_view bytes);
/// Nothing where a character is not of the alphabet; padding is not taken.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace farthing::guard
