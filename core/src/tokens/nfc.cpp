#include "tokens/nfc.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

namespace farthing::tokens_detail {

std::string_view composed(std::string_view text, std::string& kept) {
  // Characters before U+0300 are composed already, and nothing joins with them but what comes after.
  constexpr unsigned char first_byte = 0xCC;
  const bool may_change =
      std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= first_byte; });
  if (!may_change) return text;
  utf8proc_uint8_t* made = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                   &made, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owned(made, &std::free);
  if (size < 0) throw std::bad_alloc();  // of valid UTF-8 nothing else can fail
  kept.assign(reinterpret_cast<const char*>(made), static_cast<std::size_t>(size));
  return kept;
}

}  // namespace farthing::tokens_detail
