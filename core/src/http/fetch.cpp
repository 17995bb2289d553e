#include <arpa/inet.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <new>

#include "farthing/http.h"
#include "http/curl.h"

namespace farthing {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr int most_redirects = 5;
constexpr long ok_status = 200;

Error failed(const std::string& url, const std::string& why) {
  return {Code::fetch_failed, shown_url(url) + ": " + why};
}

bool is_this_machine(const std::string& host) {
  in_addr address{};
  if (inet_pton(AF_INET, host.c_str(), &address) == 1) return ntohl(address.s_addr) >> 24U == 127;
  return host == "[::1]" || strcasecmp(host.c_str(), "localhost") == 0;
}

/// "https", or "http" to this machine; an error for any other URL. libcurl reads it, as it will when it fetches.
Result<std::string> scheme_of(const Curl& curl, const std::string& url) {
  const std::unique_ptr<CURLU, decltype(curl.url_cleanup)> read(curl.url(), curl.url_cleanup);
  const CURLUcode code =
      curl.url_set(read.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME | CURLU_DISALLOW_USER);
  if (code == CURLUE_USER_NOT_ALLOWED) {
    return Error{Code::invalid_argument,
                 "the URL has a user or a password in it; accepted: one without, such as https://host/path"};
  }
  // What cannot be read is not shown: nobody knows what in it is secret.
  const Error unread{Code::invalid_argument, "the URL cannot be read; accepted: https://host/path"};
  if (code != CURLUE_OK) return unread;
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    const bool there = curl.url_get(read.get(), which, &text, 0) == CURLUE_OK && text != nullptr;
    std::string copy = there ? text : "";
    curl.free(text);
    return copy;
  };
  const std::string scheme = part(CURLUPART_SCHEME);
  if (scheme == "https" || (scheme == "http" && is_this_machine(part(CURLUPART_HOST)))) return scheme;
  return Error{
      Code::invalid_argument,
      shown_url(url) + " is not fetched; accepted: https://, and http:// from this machine (127.0.0.1, localhost)"};
}

/// A socket that its peer has closed must not end the process, and libcurl, told to use no signals, does not see to it
/// with every TLS library. For this thread only.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending{};
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoSigpipe() {
    const timespec at_once{};
    if (!was_pending_) sigtimedwait(&pipe_, nullptr, &at_once);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  sigset_t pipe_{}, before_{};
  bool was_pending_ = false;
};

/// What arrives; of what is too large, nothing more is taken.
struct Body {
  std::size_t most_bytes;
  std::string bytes{};
  bool too_large = false;

  static std::size_t take(char* data, std::size_t size, std::size_t count, void* self) {
    Body& body = *static_cast<Body*>(self);
    const std::size_t length = size * count;
    body.too_large = length > body.most_bytes - body.bytes.size();
    if (body.too_large) return 0;  // ends the transfer
    try {
      body.bytes.append(data, length);
    } catch (const std::bad_alloc&) {
      return 0;  // nothing may be thrown through C
    }
    return length;
  }
};

/// The file of authorities that the environment names, by the names that the curl command reads; nullptr: the system's.
const char* authorities() {
  for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    if (const char* file = std::getenv(name); file != nullptr && *file != '\0') return file;
  }
  return nullptr;
}

std::string authorities_in_words() {
  const char* file = authorities();
  return file != nullptr ? "those in " + std::string(file) : "the system's; others: CURL_CA_BUNDLE=FILE";
}

/// What libcurl says, but not where it quotes a proxy's URL, which may hold a password.
std::string shown_words(const std::string& words) {
  if (words.find("://") == std::string::npos && words.find("Unsupported proxy") == std::string::npos) return words;
  return "the proxy that the environment names (HTTPS_PROXY, ALL_PROXY) cannot be used; accepted: "
         "http://host:port, with a user and password where it wants them, their /, @, : and # as %2F, %40, %3A and %23";
}

struct Answer {
  long status = 0;
  std::string bytes;
  std::string redirect;  // where to, absolute; "" = nowhere
};

/// One request; redirects are the caller's to follow.
Result<Answer> get(const Curl& curl, const std::string& url, const std::string& scheme, const FetchLimits& limits,
                   milliseconds left) {
  const std::unique_ptr<CURL, decltype(curl.easy_cleanup)> handle(curl.easy_init(), curl.easy_cleanup);
  if (!handle) return failed(url, "libcurl could not begin");
  Body body{.most_bytes = limits.most_bytes};
  std::array<char, CURL_ERROR_SIZE> words{};
  bool all_set = true;
  const auto set = [&](CURLoption option, auto value) {
    all_set = curl.easy_setopt(handle.get(), option, value) == CURLE_OK && all_set;
  };
  set(CURLOPT_URL, url.c_str());
  // Not CURLOPT_PROTOCOLS_STR: that is of 7.85, and Ubuntu 22.04 and RHEL 9 have older ones.
  set(CURLOPT_PROTOCOLS, scheme == "https" ? long{CURLPROTO_HTTPS} : long{CURLPROTO_HTTP});
  if (scheme == "http") set(CURLOPT_PROXY, "");  // else it would leave this machine
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (const char* file = authorities()) {
    set(CURLOPT_CAINFO, file);
    curl.easy_setopt(handle.get(), CURLOPT_CAPATH, nullptr);  // Debian's looks into its folder too
  }
  set(CURLOPT_ACCEPT_ENCODING, "");  // all that libcurl can undo
  set(CURLOPT_USERAGENT, "farthing/" FARTHING_VERSION);
  set(CURLOPT_NOSIGNAL, 1L);  // other threads may run
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::clamp(limits.connect, milliseconds(1), left).count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
  set(CURLOPT_ERRORBUFFER, words.data());
  set(CURLOPT_WRITEFUNCTION, &Body::take);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&body));
  if (!all_set) return failed(url, "this libcurl is too old, or was built without what fetching needs");

  const CURLcode code = [&] {
    const NoSigpipe quiet;
    return curl.easy_perform(handle.get());
  }();
  if (body.too_large)
    return failed(url, "larger than " + std::to_string(limits.most_bytes) + " bytes, the most accepted");
  if (code != CURLE_OK) {
    const std::string why = words.front() != '\0' ? words.data() : curl.easy_strerror(code);
    const bool untrusted = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE;
    return failed(url, shown_words(why) + (untrusted ? "; the authorities are " + authorities_in_words() : ""));
  }
  Answer answer;
  answer.bytes = std::move(body.bytes);
  curl.easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  char* redirect = nullptr;
  curl.easy_getinfo(handle.get(), CURLINFO_REDIRECT_URL, &redirect);
  if (redirect != nullptr) answer.redirect = redirect;
  return answer;
}

}  // namespace

Result<std::string> fetch(const std::string& url, const FetchLimits& limits) {
  const auto opened = open_curl();
  if (!opened) return opened.error();
  const Curl& curl = **opened;
  auto scheme = scheme_of(curl, url);
  if (!scheme) return scheme.error();
  const auto end = Clock::now() + limits.whole;
  std::string place = url;
  for (int redirects = 0;; ++redirects) {
    const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
    auto answer = get(curl, place, *scheme, limits, std::max(left, milliseconds(1)));
    if (!answer) return answer.error();
    if (answer->status == ok_status) return std::move(answer->bytes);
    if (answer->redirect.empty()) {
      return failed(place, "HTTP status " + std::to_string(answer->status) + "; accepted: 200");
    }
    if (redirects == most_redirects) return failed(url, "more than " + std::to_string(most_redirects) + " redirects");
    auto next = scheme_of(curl, answer->redirect);
    if (!next) return failed(place, "redirects, and " + next.error().message);
    if (*scheme == "https" && *next == "http") {
      return failed(place, "redirects from https to " + shown_url(answer->redirect) + "; accepted: https://");
    }
    place = std::move(answer->redirect);
    scheme = std::move(next);
  }
}

std::string shown_url(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t host = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t path = std::min(url.find_first_of("/?#", host), url.size());
  const std::size_t at = url.rfind('@', path);
  const std::size_t query = url.find_first_of("?#", path);
  const std::string named = url.substr(0, query);
  const std::string rest = query == std::string::npos ? "" : "?...";
  return (at == std::string::npos || at < host ? named : named.substr(0, host) + named.substr(at + 1)) + rest;
}

}  // namespace farthing
