#include "http/curl.h"

#include <dlfcn.h>

#include <string>
#include <type_traits>

namespace farthing {

namespace {

/// The first function that `library` lacks; "": none, and `curl` has them all.
std::string lacking(void* library, Curl& curl) {
  std::string missing;
  const auto find = [&](auto& function, const char* name) {
    void* found = dlsym(library, name);
    if (found == nullptr && missing.empty()) missing = name;
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(found);
  };
  find(curl.global_init, "curl_global_init");
  find(curl.easy_init, "curl_easy_init");
  find(curl.easy_setopt, "curl_easy_setopt");
  find(curl.easy_perform, "curl_easy_perform");
  find(curl.easy_getinfo, "curl_easy_getinfo");
  find(curl.easy_strerror, "curl_easy_strerror");
  find(curl.easy_cleanup, "curl_easy_cleanup");
  find(curl.url, "curl_url");
  find(curl.url_set, "curl_url_set");
  find(curl.url_get, "curl_url_get");
  find(curl.url_cleanup, "curl_url_cleanup");
  find(curl.free, "curl_free");
  return missing;
}

Result<Curl> opened() {
  std::string tried;
  for (const std::string name : {"libcurl.so.4", "libcurl-gnutls.so.4"}) {
    // Never closed: the TLS library below it registers functions that run when the process ends.
    void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    tried += tried.empty() ? "" : "; ";
    if (library == nullptr) {
      tried += dlerror();
      continue;
    }
    Curl curl;
    const std::string missing = lacking(library, curl);
    if (missing.empty() && curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) return curl;
    tried += name + (missing.empty() ? ": cannot be initialised" : ": lacks " + missing);
  }
  return Error{Code::library_missing,
               "fetching needs libcurl 7.62 or newer, and none could be opened (" + tried +
                   "). It is the package libcurl4 of Debian and Ubuntu, libcurl of Fedora, RHEL and Alpine"};
}

}  // namespace

Result<const Curl*> open_curl() {
  static const Result<Curl> once = opened();
  if (!once) return once.error();
  return &*once;
}

}  // namespace farthing
