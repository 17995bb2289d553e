#include "wire/batch.h"

namespace farthing::wire {

namespace {

/// What a request says where it wants nothing but the batch's own tier.
bool says_no_tier(std::string_view tier) {
  return tier.empty() || tier == "auto" || tier == "default" || tier == "batch";
}

Error unreadable(std::string text) {
  return {Code::unreadable_request, std::move(text)};
}

}  // namespace

Status add_to_batch(RequestFacts& batch, std::string_view request, const std::string& where) {
  if (batch.batch.size() >= max_batch)
    return unreadable("the batch has more than " + std::to_string(max_batch) + " requests");
  auto scanned = batch.batch_of->scan_request(request);
  if (!scanned) return unreadable(where + ": " + scanned.error().message);
  if (!says_no_tier(scanned->service_tier))
    return unreadable(where + " asks for the tier \"" + scanned->service_tier +
                      "\": what a batch costs with it is not known");
  scanned->service_tier = "batch";
  if (batch.batch.empty()) {
    batch.model = scanned->model;
    batch.region = scanned->region;
  }
  constexpr const char* remedy = ". A batch is one call for caps, labels and the ledger: send one batch for each";
  if (scanned->model != batch.model)
    return unreadable(where + " asks for another model (\"" + scanned->model + "\") than the requests before it (\"" +
                      batch.model + "\")" + remedy);
  if (scanned->region != batch.region)
    return unreadable(where + " asks to be processed in another region (\"" + scanned->region +
                      "\") than the requests before it (\"" + batch.region + "\")" + remedy);
  batch.batch.push_back(std::move(*scanned));
  return success();
}

Result<RequestFacts> inline_batch(RequestFacts facts, std::string problem, std::string_view body,
                                  const std::vector<Span>& requests, std::string_view each) {
  if (problem.empty() && facts.object_open == 0) problem = "the body is not an object";
  if (problem.empty() && requests.empty()) problem = "the batch has no requests";
  if (!problem.empty()) return unreadable("the request cannot be read, so its cost cannot be bounded: " + problem);
  facts.batch_of = dialect_of(each);
  facts.batch.reserve(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const std::string_view request = body.substr(requests[i].at, requests[i].length);
    const Status added = add_to_batch(facts, request, "requests[" + std::to_string(i) + "]");
    if (!added) return added.error();
  }
  facts.service_tier = "batch";
  facts.input_bytes = static_cast<std::int64_t>(body.size());
  return facts;
}

}  // namespace farthing::wire
