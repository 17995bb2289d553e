// NFC: the composed form of a text, as some encodings read it (Unicode Standard Annex 15).
// Thread-safety: pure.
#pragma once

#include <string>
#include <string_view>

namespace farthing::tokens_detail {

/// `text`, valid UTF-8, or `kept` where composing changes it.
std::string_view composed(std::string_view text, std::string& kept);

}  // namespace farthing::tokens_detail
