// The bytes of JSON strings: what needs no look at all is passed over 16 at a time, since a request is nearly all text.
// Thread-safety: free functions.
#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace farthing::wire {

/// The first byte from `p` on that is a quote, a backslash, a control character or not ASCII; `end` when there is none.
inline const char* skip_plain_bytes(const char* p, const char* end) {
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i blank = _mm_set1_epi8(0x20);
  while (end - p >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    // The comparison is signed: bytes above 0x7f are below a blank as well.
    const __m128i special = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)),
                                         _mm_cmplt_epi8(bytes, blank));
    const int mask = _mm_movemask_epi8(special);
    if (mask != 0) return p + __builtin_ctz(static_cast<unsigned>(mask));
    p += 16;
  }
#endif
  while (p < end) {
    const auto c = static_cast<unsigned char>(*p);
    if (c == '"' || c == '\\' || c < 0x20 || c >= 0x80) return p;
    ++p;
  }
  return end;
}

/// Behind the escape at `p` (a backslash); null where it is none.
const char* after_escape(const char* p, const char* end);
/// Behind the run of characters beyond ASCII at `p`; null where it is not valid UTF-8.
const char* after_utf8(const char* p, const char* end);

}  // namespace farthing::wire
