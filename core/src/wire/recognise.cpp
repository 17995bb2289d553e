#include <array>

#include "wire/wire.h"

namespace farthing {

namespace {

/// POSTs that cost nothing (R31), by the end of their path: `*` stands for one or more characters. A name that costs
/// somewhere else is free only at its own provider. Source: the providers' pricing and API references, 2026-11.
struct FreePost {
  std::string_view end;
  std::string_view provider;  // "" = everywhere
};
constexpr std::array<FreePost, 24> free_posts = {{
    {"/cancel", ""},
    {"/moderations", "openai"},  // Mistral bills them
    {"/responses/input_tokens", ""},
    {"/files", ""},
    {"/uploads", ""},
    {"/uploads/*/parts", ""},
    {"/uploads/*/complete", ""},
    {"/vector_stores", "openai"},
    {"/vector_stores/*", "openai"},
    {"/openai/vector_stores", "azure"},
    {"/openai/vector_stores/*", "azure"},
    {"/v1/vector_stores", "azure"},
    {"/v1/vector_stores/*", "azure"},
    {"/conversations", "openai"},
    {"/conversations/*", "openai"},
    {"/v1/conversations", "azure"},
    {"/v1/conversations/*", "azure"},
    {"/chat/completions/*", "openai"},  // the metadata of a stored one
    {"/pause", "openai"},               // fine-tuning jobs
    {"/messages/count_tokens", "anthropic"},
    {":countTokens", "gemini"},
    {":cancel", "gemini"},  // a batch
    {"/tokenize-text", "xai"},
    {"/tokenize", ""},
}};

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool ends_like(std::string_view path, std::string_view end) {
  const std::size_t star = end.find('*');
  if (star == std::string_view::npos) return ends_with(path, end);
  const std::string_view rest = end.substr(star + 1);
  const std::size_t at = path.find(end.substr(0, star));
  return at != std::string_view::npos && path.size() > at + star + rest.size() && ends_with(path, rest);
}

bool is_free_post(std::string_view path, std::string_view provider) {
  for (const FreePost& post : free_posts) {
    if ((post.provider.empty() || post.provider == provider) && ends_like(path, post.end)) return true;
  }
  return false;
}

/// What stands for the only `*` of a pattern that a path ends like; "" where it does not, or a slash stands in it.
std::string_view starred(std::string_view path, std::string_view end) {
  const std::size_t star = end.find('*');
  const std::string_view after = end.substr(star + 1);
  if (!ends_with(path, after)) return {};
  path.remove_suffix(after.size());
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || !ends_with(path.substr(0, slash + 1), end.substr(0, star))) return {};
  return path.substr(slash + 1);
}

/// R17: whether a request asks for a job, cancels it or deletes it.
bool find_poll(std::string_view method, std::string_view path, Route& route) {
  constexpr std::string_view cancel = "/cancel";
  const bool reads = method == "GET";
  if (method == "POST") {
    if (!ends_with(path, cancel)) return false;
    path.remove_suffix(cancel.size());
  } else if (!reads && method != "DELETE") {
    return false;
  }
  for (const Dialect* dialect : dialects()) {
    if (dialect->job == nullptr) continue;
    const std::string_view end = dialect->job->results;
    const bool results = reads && !end.empty() && ends_with(path, end);
    const std::string pattern = std::string(dialect->job->path) + "*" + std::string(results ? end : "");
    const std::string_view id = starred(path, pattern);
    if (id.empty()) continue;
    route.results = results;
    route.kind = Route::Kind::poll;
    route.dialect = dialect;
    route.job_id = id;
    route.deletes = method == "DELETE";
    return true;
  }
  return false;
}

/// The model or deployment that a path names: Azure's `/openai/deployments/NAME/...`, Google's `/models/NAME:method`. A
/// model of another publisher, a tuned one or an endpoint keeps its collection's name: none of them is priced as the model
/// of that name.
std::string model_in(std::string_view path) {
  constexpr std::string_view deployments = "/openai/deployments/";
  if (const std::size_t at = path.find(deployments); at != std::string_view::npos) {
    const std::string_view rest = path.substr(at + deployments.size());
    return std::string(rest.substr(0, rest.find('/')));
  }
  const std::size_t slash = path.rfind('/');
  const std::size_t colon = path.rfind(':');
  if (slash == std::string_view::npos || colon == std::string_view::npos || colon < slash) return {};
  const std::string_view name = path.substr(slash + 1, colon - slash - 1);
  const std::string_view before = path.substr(0, slash);
  const std::string_view collection = before.substr(before.rfind('/') + 1);
  if (collection != "models") return std::string(collection) + "/" + std::string(name);
  constexpr std::string_view publishers = "/publishers/";
  const std::size_t at = before.rfind(publishers);
  if (at == std::string_view::npos) return std::string(name);
  const std::string_view rest = before.substr(at + publishers.size());
  const std::string_view publisher = rest.substr(0, rest.find('/'));
  return publisher == "google" ? std::string(name) : std::string(publisher) + "/" + std::string(name);
}

/// Whether a path of Vertex AI names a location where newer models cost more, whatever host it is asked of.
bool in_a_region(std::string_view path) {
  constexpr std::string_view locations = "/locations/";
  const std::size_t at = path.find(locations);
  if (at == std::string_view::npos) return false;
  const std::string_view rest = path.substr(at + locations.size());
  return rest.substr(0, rest.find('/')) != "global";
}

}  // namespace

Route recognise(std::string_view method, std::string_view host, std::string_view path, const HostTable& hosts,
                const EndpointTable& endpoints) {
  Route route;
  route.host = hosts.find(host);
  path = path.substr(0, path.find_first_of("?#"));
  while (path.size() > 1 && path.back() == '/')
    path.remove_suffix(1);
  if (find_poll(method, path, route)) return route;
  if (method != "POST") {
    // Nothing that is read or deleted is billed by the call.
    const bool reads = method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "DELETE";
    route.kind = reads ? Route::Kind::free : Route::Kind::unknown;
    return route;
  }
  if (const Dialect* described = endpoints.find(host, path)) {
    route.kind = Route::Kind::priced;
    route.dialect = described;
    route.host = described->host_facts(host, hosts);
    return route;
  }
  route.path_model = model_in(path);
  if (route.host.provider == "gemini" && in_a_region(path)) route.host.region = "regional";
  for (const Dialect* dialect : dialects()) {
    const bool starry = dialect->path.find('*') != std::string_view::npos;
    const std::string_view id = starry ? starred(path, dialect->path) : std::string_view();
    if (starry ? id.empty() : !ends_with(path, dialect->path)) continue;
    if (route.dialect != nullptr && route.dialect->path.size() >= dialect->path.size()) continue;
    route.kind = Route::Kind::priced;
    route.dialect = dialect;
    route.job_id = id;
  }
  if (route.dialect != nullptr) return route;
  if (is_free_post(path, route.host.provider)) {
    route.kind = Route::Kind::free;
    // Anthropic's batches are made of no files, Gemini's of files in another form.
    const bool own_form = route.host.provider == "anthropic" || route.host.provider == "gemini";
    route.uploads = !own_form && ends_with(path, "/files");
  }
  return route;
}

}  // namespace farthing
