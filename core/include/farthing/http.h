// Http: a URL's bytes, within limits. libcurl is opened at the first fetch: a program that fetches nothing needs none.
//
//   const auto book = fetch("https://example.com/prices.txt", {.most_bytes = 64 << 20});
//   if (!book) return book.error();  // invalid_argument, fetch_failed, library_missing
//   read(*book);
//
// Thread-safety: free functions, from any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "farthing/result.h"

namespace farthing {

struct FetchLimits {
  std::size_t most_bytes = 1 << 20;                              // of what is kept: after decompression
  std::chrono::milliseconds connect = std::chrono::seconds(10);  // until TLS is agreed on
  std::chrono::milliseconds whole = std::chrono::seconds(120);   // with all redirects
};

/// GET: the bytes of an answer with status 200, decompressed. https only, http where the host is this machine; at most five
/// redirects, never from https to http. Certificate and host are always checked, against the system's authorities or those in
/// the file that CURL_CA_BUNDLE or SSL_CERT_FILE names. Proxies as the environment says (HTTPS_PROXY, NO_PROXY, ...). A URL
/// with a user or password is refused, and errors never show one. An answer that does not say its length can be cut off without
/// a sign: what must be whole needs a checksum.
Result<std::string> fetch(const std::string& url, const FetchLimits& limits = {});

/// A URL as messages show it: without what may be secret in it, its user and its query.
std::string shown_url(const std::string& url);

}  // namespace farthing
