// What a refusal says, and what becomes of it: the error that the caller gets, and its entry.
#include <algorithm>
#include <array>
#include <string>

#include "guard/attempt.h"
#include "money/json_text.h"
#include "policy/documents.h"
#include "policy/text.h"

namespace farthing {

namespace {

/// A server on this machine or in this network: most likely the caller's own.
bool is_local(std::string_view host) {
  const std::string_view name = host.substr(0, host.rfind(':'));
  for (const std::string_view start : {"127.", "10.", "192.168.", "[::1]", "0.0.0.0"}) {
    if (host.starts_with(start)) return true;
  }
  return name == "localhost" || name.ends_with(".local") || name.ends_with(".internal") || name.ends_with(".localhost");
}

constexpr std::size_t max_name_bytes = max_label_bytes;  // no model has a longer name
std::string in_quotes(std::string_view text) {
  std::string out;
  append_json(out, text);
  return out;
}

/// What a caller sends as a model's name may be of any length.
std::string name_in_message(std::string_view name) {
  if (name.size() <= max_name_bytes) return in_quotes(name);
  std::size_t end = max_name_bytes / 2;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U)
    --end;
  return in_quotes(name.substr(0, end)) + "... (" + std::to_string(name.size()) + " bytes)";
}

/// The rates that a price of such a model is written in, to be filled in.
std::string_view rates_to_write(std::string_view modality) {
  constexpr std::pair<std::string_view, std::string_view> usual[] = {
      {"embedding", R"(input_tokens = "... USD per million")"},
      {"image", R"(images = "... USD each")"},
      {"speech", R"(characters = "... USD per million")"},
      {"transcription", R"(audio_seconds = "... USD per minute")"},
      {"video", R"(video_seconds = "... USD per second")"},
      {"music", R"(audio_seconds = "... USD per minute")"},
  };
  for (const auto& [name, rates] : usual) {
    if (name == modality) return rates;
  }
  return R"(input_tokens = "... USD per million", output_tokens = "... USD per million")";
}

}  // namespace

Verdict Attempt::State::refuse_unknown_endpoint(const RequestView& request) {
  std::string readable;
  for (const Dialect* each : dialects())
    readable += (readable.empty() ? "" : ", ") + std::string(each->endpoint);
  return refuse(Code::unknown_endpoint,
                std::string(request.method) + " " + std::string(request.path.substr(0, request.path.find('?'))) +
                    " on " + host +
                    " is not an endpoint that this version can price, so it is not sent. It reads: " + readable +
                    ". Describe it in the policy ([[endpoint]], docs/policy.md), or send it with a client that is not "
                    "guarded, if its cost need not be limited ([[host]] name = \"" +
                    host + "\" guard = false would unguard every call to that host)");
}

Verdict Attempt::State::refuse_unknown_host() {
  Denial refusal;
  refusal.code = Code::unpriced_model;
  const bool local = is_local(host);
  refusal.paste = "[[host]]\nname = \"" + host + "\"\n" +
                  (local ? "free = true  # your own server; a stand-in for a provider: provider = \"openai\""
                         : "provider = \"openai\"");
  refusal.message = "host " + host + " is not known, so " +
                    (facts.model.empty() ? "its calls have" : "model " + name_in_message(facts.model) + " there has") +
                    " no price. " +
                    (local ? "A server of your own is free = true, a stand-in for a provider is provider = \"openai\""
                           : "Say whose prices hold there: provider = \"openai\", or free = true") +
                    ". In code: Guard(hosts={\"" + host + "\": " + (local ? "\"free\"}), or " : "") +
                    (local ? "{\"" + host + "\": " : std::string()) + "{\"provider\": \"openai\"}" +
                    (local ? "}." : "}).");
  return refuse(std::move(refusal));
}

Verdict Attempt::State::refuse(Code code, std::string message) {
  Denial refusal;
  refusal.code = code;
  refusal.message = std::move(message);
  return refuse(std::move(refusal));
}

std::vector<std::string> Attempt::State::jobs_with_slots(const RefusedCap& cap) const {
  const auto counts = [&cap](const JobView& view) {
    if (!view.slot || view.row.held[Meter::concurrent] == 0 || !view.row.context) return false;
    const Labels& labels = view.row.context->labels;
    return cap.match.matches(labels) && std::all_of(cap.counter.begin(), cap.counter.end(), [&](const auto& one) {
             const std::string* value = labels.get(one.first);
             return (value == nullptr ? none_value : std::string_view(*value)) == one.second;
           });
  };
  const auto limited = patience();
  const auto jobs = core->store->jobs({.most = max_slot_jobs + 1, .fits = counts});
  std::vector<std::string> ids;
  if (!jobs) return ids;
  for (const JobView& view : *jobs)
    ids.push_back(view.job.id);
  return ids;
}

Verdict Attempt::State::refuse(const Refused& refused) {
  Denial refusal;
  refusal.code = refused.code;
  refusal.caps = refused.caps;
  for (RefusedCap& cap : refusal.caps) {
    // What was asked for, before any share of what is left made less of it (R20).
    const auto output = checked_mul(sized.demand.per_output[cap.meter], sized.demand.want);
    const auto all = output ? checked_add(sized.demand.fixed[cap.meter], *output) : std::nullopt;
    if (all) cap.wanted = *all;
  }
  refusal.held = refused.held;
  refusal.at_ms = refused.at_ms;
  refusal.fits_output_limit = refused.fits_output_limit;
  if (!refusal.caps.empty() && !refusal.caps.front().baseline) {
    const auto index = core->here().contexts.index();
    const std::string* other =
        index == nullptr ? nullptr : lowered_by(index->registry(), core->policy, refusal.caps.front().cap_id);
    if (other != nullptr) refusal.set_by = *other;
  }
  if (refused.held) refusal.stale_streams = core->here().stale_streams(refused.at_ms);
  if (!refusal.caps.empty() && refusal.caps.front().meter == Meter::concurrent)
    refusal.slot_jobs = jobs_with_slots(refusal.caps.front());
  if (refusal.slot_jobs.size() > max_slot_jobs) {
    refusal.slot_jobs.resize(max_slot_jobs);
    refusal.more_slot_jobs = true;
  }
  if (refused.code == Code::duplicate) {
    refusal.message = "an equal request of this key is pending (attempt " + to_text(refused.duplicate_of) +
                      "), and this policy refuses duplicates (jobs.duplicates). It passes when that one is over: poll "
                      "it, or end it (farthing jobs end)";
  } else if (refusal.caps.empty()) {
    refusal.message = "the store refused this call";
  }
  core->here().tell(refused.alerts);
  return refuse(std::move(refusal));
}

/// R31: what has no bound, and what a person may write or leave out.
Verdict Attempt::State::refuse_unbounded() {
  std::string what;
  std::string_view last;
  for (std::size_t i = 0; i < sized.unbounded_count; ++i) {
    last = sized.unbounded_by[i];
    what += (i == 0 ? "" : ", ") + std::string(last);
  }
  const std::string_view endpoint = route.dialect->endpoint;
  const bool leave_out = !facts.endless.empty() || !facts.server_tools || facts.server_tool_steps;
  struct Way {
    bool fits;
    std::string_view words;
  };
  // The first that fits.
  const std::array<Way, 9> ways = {{
      {last == guard::unknown_output_rate,
       "Write their price ([[price]] with output_audio_tokens or output_image_tokens), or allow"},
      {route.dialect->pieces && !batch, "Allow"},
      {last == guard::unknown_search_fee, "Write its fee ([[price]] with requests or web_searches), or allow"},
      {last == guard::unknown_fee,
       "Write its fee ([[price]] with web_searches, code_sessions, file_searches or tool_calls), or allow"},
      {facts.other_models, "Ask for one model, or allow"},
      {leave_out, "Leave it out, or allow"},
      {endpoint == "responses", "Give a limit (max_tool_calls), or allow"},
      {endpoint == "messages", "Give a limit (max_uses of every such tool), or allow"},
      {true, "Leave them out, or allow"},
  }};
  const Way& way = *std::find_if(ways.begin(), ways.end(), [](const Way& each) { return each.fits; });
  return refuse(Code::unbounded_request, "the cost of this request has no bound: " + what + ". " +
                                             std::string(way.words) +
                                             " an amount: unbounded = \"0.50 USD\" in the policy");
}

Verdict Attempt::State::refuse_unpriced() {
  Denial refusal;
  refusal.code = Code::unpriced_model;
  if (facts.model.empty()) {
    refusal.message = "the request names no model, so it has no price, and a cap on money matches it.";
    return refuse(std::move(refusal));
  }
  const std::string provider = in_quotes(route.host.provider);
  const std::string& name = plan->context->model;  // that a deployment stands for, where somebody said so
  const std::string_view why = plan->model == nullptr ? std::string_view()
                                                      : guard::why_unpriced(*core->book, *plan->model, facts,
                                                                            route.host, core->clock->wall_ms());
  if (!why.empty()) {
    refusal.message = "model " + name_in_message(name) + " of " + std::string(route.host.provider) +
                      " has no price for this request, and a cap on money matches it: " + std::string(why) +
                      ". farthing prices " + std::string(plan->model->name) +
                      " lists its prices; ask for what has one, or write the one that is missing ([[price]] with "
                      "service_tier, size, quality, resolution or search_context).";
    return refuse(std::move(refusal));
  }
  refusal.near = core->book->near(route.host.provider, name, 3);
  refusal.message = "model " + name_in_message(name) + " of " + std::string(route.host.provider) +
                    " has no price in book " + std::string(core->book->version()) +
                    ", and a cap on money matches this call. ";
  if (!refusal.near.empty()) {
    refusal.message += "Near names:";
    for (std::size_t i = 0; i < refusal.near.size(); ++i)
      refusal.message += (i == 0 ? " " : ", ") + refusal.near[i];
    refusal.message += ". ";
  }
  const bool usable = name.size() <= max_name_bytes;  // lines with half a name would be of no use
  if (usable && name == facts.model && (deployment || route.host.provider == "azure")) {
    const std::string model = in_quotes(refusal.near.empty() ? "gpt-5-mini" : refusal.near.front());
    refusal.paste = "[[host]]\nname = " + in_quotes(host) + "\nprovider = " + provider + "\ndeployments = { " +
                    in_quotes(name) + " = " + model + " }";
    refusal.message += "If it is a deployment, say of which model: wrap(client, deployments={" + in_quotes(name) +
                       ": " + model + "}), or in the policy. If it is a model: ";
  } else if (usable) {
    refusal.paste = "[[price]]\nprovider = " + provider + "\nmodel = " + in_quotes(policy::kept(name)) +
                    "\nrates = { " + std::string(rates_to_write(route.dialect->modality)) + " }";
    refusal.message += "To use it, write its price into the policy; in code: ";
  }
  if (usable) {
    refusal.message +=
        "Guard(prices=[{\"provider\": " + provider + ", \"model\": " + in_quotes(name) + ", \"rates\": {...}}]).";
  } else {
    refusal.message += "No model has a name of that length.";
  }
  return refuse(std::move(refusal));
}

Verdict Attempt::State::answer_of(const Denial& refusal) {
  Verdict verdict;
  verdict.kind = Verdict::Kind::answer;
  verdict.answer.status = 402;
  verdict.answer.headers = {
      {"content-type", "application/json"}, {"x-should-retry", "false"}, {"x-farthing-attempt", refusal.attempt}};
  verdict.answer.body = refusal.to_json();
  return verdict;
}

Verdict Attempt::State::refuse(Denial refusal) {
  leave_queue();
  forget_ids();
  phase = Phase::ended;
  if (attempt_id.value == 0) attempt_id = core->store->next_id();
  id_text = to_text(attempt_id);
  refusal.attempt = id_text;
  refusal.model = plan ? plan->context->model : facts.model;
  const std::int64_t wall_ms = core->clock->wall_ms();
  if (refusal.at_ms == 0) refusal.at_ms = wall_ms;
  refusal.clock_ahead_ms = std::max<std::int64_t>(0, refusal.at_ms - wall_ms);
  if (route.dialect != nullptr && route.dialect->has_output) refusal.output_limit_name = limit_name();
  refusal.message = denial_message(refusal);

  Verdict verdict = answer_of(refusal);
  DenialEntry entry;
  entry.id = attempt_id;
  entry.first_ms = refusal.at_ms;
  entry.last_ms = refusal.at_ms;
  entry.code = refusal.code;
  if (!refusal.caps.empty()) entry.cap_id = refusal.caps.front().cap_id;
  if (plan)
    entry.labels_json = plan->context->labels_json;
  else
    entry.labels_json = binding->labels.to_json();
  entry.model = refusal.model;
  entry.message = refusal.message;
  entry.body = verdict.answer.body;
  core->here().housekeeping.denied(std::move(entry));
  denial = std::move(refusal);
  return verdict;
}

}  // namespace farthing
