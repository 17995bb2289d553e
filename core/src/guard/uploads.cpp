// Files with the requests of a batch (R17): what they ask for is sized while they are uploaded, and kept with the id that
// their host gives them, so that a batch of any process finds it.
#include <charconv>

#include "guard/attempt.h"

namespace farthing {

namespace {

// What a form adds to its file: boundaries, heads and the other fields.
constexpr std::int64_t form_bytes = 64LL << 10U;

bool same_name(std::string_view name, std::string_view lower) {
  return name.size() == lower.size() && std::equal(name.begin(), name.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
         });
}

/// A form of a length that a file with requests can have. Others are not even read.
bool may_bring_requests(std::span<const HeaderView> headers) {
  bool form = false;
  bool fits = false;
  for (const HeaderView& header : headers) {
    if (same_name(header.name, "content-type")) form = header.value.starts_with("multipart/form-data");
    if (!same_name(header.name, "content-length")) continue;
    std::int64_t length = 0;
    const char* const end = header.value.data() + header.value.size();
    const auto [stopped, problem] = std::from_chars(header.value.data(), end, length);
    fits = problem == std::errc() && stopped == end && length <= max_batch_file + form_bytes;
  }
  return form && fits;
}

/// Whether a file's requests are those that a batch of `endpoint` runs. A host may go by either; Azure's takes files of responses
/// as chat completions.
bool runs_as(std::string_view endpoint, std::string_view of_file) {
  const auto writes = [](std::string_view name) { return name == "chat.completions" || name == "responses"; };
  return endpoint == of_file || (writes(endpoint) && writes(of_file));
}

}  // namespace

Verdict Attempt::State::begin_upload(const RequestView& request) {
  if (binding->install && !core->hosts.known(request.host)) return {};
  if (route.host.provider.empty() || !may_bring_requests(request.headers)) return {};
  if (!request.body) {
    Verdict verdict;
    verdict.kind = Verdict::Kind::need_body;
    return verdict;
  }
  const auto scanned = scan_batch_file(*request.body);
  if (!scanned) return {};
  route.dialect = dialect_of("batches");
  host = request.host;
  in_event_loop = request.in_event_loop;
  batch.emplace();
  if (!*scanned) {
    batch->problem = scanned->error().message;
  } else {
    const Model* model = core->here().contexts.model_of({.binding = *binding,
                                                         .scope = *scope,
                                                         .host = host,
                                                         .host_facts = route.host,
                                                         .dialect = *route.dialect,
                                                         .asked = (*scanned)->model,
                                                         .key_id = ""});
    batch = guard::size_requests(**scanned, route.host, model, *core->book);
  }
  uploading = true;
  phase = Phase::granted;
  Verdict verdict;
  verdict.kind = Verdict::Kind::send;
  return verdict;
}

/// The host answered an upload.
void Attempt::State::keep_file(const std::string& id) {
  phase = Phase::ended;
  if (status >= 300 || id.empty()) return;
  settlement.file = BatchFile{host, id, batch->to_json()};
  const auto written = [&] {
    const auto limited = patience();
    return core->store->settle(settlement);
  }();
  if (!written && written.error().code != Code::closed)
    core->here().housekeeping.queue(std::move(settlement), written.error());
}

/// What a batch of an uploaded file asks for; a verdict: the store is busy, or nobody knows.
std::optional<Verdict> Attempt::State::look_up_file() {
  if (facts.batch_file.empty() || batch) return std::nullopt;
  const auto found = core->store->find_batch_file(host, facts.batch_file);
  if (!found) return refuse_or_ask_again(found.error());
  if (*found) batch = guard::batch_size_of(**found);
  const std::string file = "the cost of a batch of file " + facts.batch_file + " has no bound: ";
  if (batch && batch->problem.empty() && facts.batch_of != nullptr &&
      !runs_as(facts.batch_of->endpoint, batch->endpoint))
    return refuse(Code::unbounded_request, file + "it has requests for " + batch->endpoint + ", the batch asks for " +
                                               std::string(facts.batch_of->endpoint));
  if (batch && batch->problem.empty()) {
    facts.model = batch->model;
    facts.region = batch->region;
    return std::nullopt;
  }
  if (batch) return refuse(Code::unbounded_request, file + batch->problem);
  if (core->here().housekeeping.queued() > 0) {
    // Its upload may still wait to be written by the guard's own thread.
    if (auto again = ask_again(unwritten_most_ms)) return again;
  }
  return refuse(Code::unbounded_request,
                file +
                    "no guard on this store has seen it. Upload it with a guarded client (files.create with purpose "
                    "\"batch\"), at most " +
                    std::to_string(max_batch_file >> 20U) + " MB, and ask for a batch of that file");
}

}  // namespace farthing
