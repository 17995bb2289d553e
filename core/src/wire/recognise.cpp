#include <array>

#include "wire/wire.h"

namespace farthing {

namespace {

/// POSTs that cost nothing (R31), by the end of their path. Source: OpenAI's pricing and API reference, 2026-11.
constexpr std::array<std::string_view, 11> free_ends = {
    "/moderations", "/cancel",   "/responses/input_tokens", "/tokenize", "/files",        "/uploads",
    "/parts",       "/complete", "/vector_stores",          "/search",   "/count_tokens",
};

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace

Route recognise(std::string_view method, std::string_view host, std::string_view path, const HostTable& hosts) {
  Route route;
  route.host = hosts.find(host);
  path = path.substr(0, path.find_first_of("?#"));
  while (path.size() > 1 && path.back() == '/')
    path.remove_suffix(1);
  if (method != "POST") {
    // Nothing that is read or deleted is billed by the call.
    const bool reads = method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "DELETE";
    route.kind = reads ? Route::Kind::free : Route::Kind::unknown;
    return route;
  }
  constexpr std::string_view deployments = "/openai/deployments/";
  if (const std::size_t at = path.find(deployments); at != std::string_view::npos) {
    const std::string_view rest = path.substr(at + deployments.size());
    route.deployment = rest.substr(0, rest.find('/'));
  }
  for (const Dialect* dialect : dialects()) {
    if (!ends_with(path, dialect->path)) continue;
    route.kind = Route::Kind::priced;
    route.dialect = dialect;
    return route;
  }
  for (const std::string_view end : free_ends) {
    if (ends_with(path, end)) route.kind = Route::Kind::free;
  }
  return route;
}

}  // namespace farthing
