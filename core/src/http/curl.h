// Curl: libcurl's functions, opened when they are first needed. Nothing links it: a wheel with a copy would be three times as
// large, and would lack the system's certificates and security updates.
//
//   const auto curl = open_curl();
//   if (!curl) return curl.error();
//   CURL* handle = (*curl)->easy_init();
//
// Thread-safety: open_curl from any thread; what it answers never changes.
#pragma once

#define CURL_DISABLE_DEPRECATION  // what is new in libcurl is not where it is older
#include <curl/curl.h>

#include "farthing/result.h"

namespace farthing {

struct Curl {
  decltype(&curl_global_init) global_init = nullptr;
  decltype(&curl_easy_init) easy_init = nullptr;
  decltype(&curl_easy_setopt) easy_setopt = nullptr;
  decltype(&curl_easy_perform) easy_perform = nullptr;
  decltype(&curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&curl_easy_strerror) easy_strerror = nullptr;
  decltype(&curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&curl_url) url = nullptr;  // since 7.62: what is older is not taken
  decltype(&curl_url_set) url_set = nullptr;
  decltype(&curl_url_get) url_get = nullptr;
  decltype(&curl_url_cleanup) url_cleanup = nullptr;
  decltype(&curl_free) free = nullptr;
};

/// `library_missing` where there is none that can be used; asked again, the answer is the same.
Result<const Curl*> open_curl();

}  // namespace farthing
