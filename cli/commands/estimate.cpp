#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "../commands.h"
#include "../input.h"
#include "../json.h"
#include "../terminal.h"
#include "farthing/count.h"
#include "farthing/guard.h"
#include "farthing/policy.h"

namespace farthing::cli {

namespace {

/// What a file is for: by its model.
std::string form_endpoint(const EstimateOptions& options, const PriceBook& book) {
  if (!options.endpoint.empty()) return options.endpoint;
  const Model* model = find_anywhere(book, options.model);
  if (model == nullptr) return "audio.transcriptions";
  return model->modality == "image" ? "images.edits" : "audio.transcriptions";
}

/// A prompt as the request that a model's maker takes.
Json request_of(const EstimateOptions& options, const PriceBook& book) {
  const bool gemini = options.model.find("gemini") != std::string::npos;
  for (const char* member : {"prompt", "input"}) {  // of models that do not chat
    Json json{{"model", options.model}, {member, *options.text}};
    const std::string_view endpoint = endpoint_of(dump_json(json), options.model, book);
    const bool meant =
        options.endpoint.empty() ? endpoint != "completions" && endpoint != "responses" : endpoint == options.endpoint;
    if (meant && !gemini) return json;
  }
  Json json;
  json["model"] = options.model;
  if (gemini) {
    json["contents"] = Json::array({{{"role", "user"}, {"parts", Json::array({{{"text", *options.text}}})}}});
    if (options.output_limit) json["generationConfig"]["maxOutputTokens"] = *options.output_limit;
    return json;
  }
  json["messages"] = Json::array({{{"role", "user"}, {"content", *options.text}}});
  const bool claude = options.model.find("claude") != std::string::npos;
  if (options.output_limit) json[claude ? "max_tokens" : "max_completion_tokens"] = *options.output_limit;
  return json;
}

/// A file as the form that it is sent in: speech to be written down, an image to be changed.
Result<std::string> form_of(const EstimateOptions& options, const PriceBook& book) {
  if (options.model.empty()) return Error{Code::invalid_argument, "--file wants a --model"};
  const auto content = input(options.file);
  if (!content) return content.error();
  const bool image = form_endpoint(options, book) == "images.edits";
  std::string boundary = "--farthing";
  while (content->find(boundary) != std::string::npos)
    boundary += "-";
  const auto part = [&](std::string_view field, const std::string& value) {
    return boundary + "\r\nContent-Disposition: form-data; " + std::string(field) + "\r\n\r\n" + value + "\r\n";
  };
  return part(R"(name="model")", options.model) +
         part(image ? R"(name="image"; filename="file")" : R"(name="file"; filename="file")", *content) + boundary +
         "--\r\n";
}

Result<std::string> body_of(const EstimateOptions& options, const PriceBook& book) {
  if (options.text) {
    if (options.model.empty()) return Error{Code::invalid_argument, "--text wants a --model"};
    return dump_json(request_of(options, book));
  }
  if (options.output_limit) return Error{Code::invalid_argument, "--output-limit goes with --text"};
  if (!options.file.empty()) return form_of(options, book);
  auto body = input(options.request);
  if (!body) return body;
  if (body->starts_with("--")) return body;  // a form, as it is sent
  if (body->find_first_not_of(" \t\r\n") == std::string::npos) {
    return Error{
        Code::invalid_argument,
        "the request is empty, not JSON; accepted: the JSON body of a request, in a file or on standard input, "
        "or --text with --model"};
  }
  Json json = parse_json(*body);
  if (json.is_discarded())
    return Error{Code::invalid_argument, "the request is not JSON; accepted: the JSON body of a request"};
  if (!json.is_object()) {
    return Error{Code::invalid_argument, "the request is not JSON of a request but " + std::string(json.type_name()) +
                                             "; accepted: an object such as {\"model\": ..., \"messages\": [...]}"};
  }
  if (options.model.empty()) return body;
  json["model"] = options.model;
  return dump_json(json);
}

/// The policy but for its keys, whose names are of its own store. Its caps stay: prices by volume name them, and a cap has an
/// output limit written in; they count in a store of this one look.
Result<Policy> policy_of(const std::string& given) {
  Policy policy;
  const std::string path = policy_path(given);
  if (!path.empty()) {
    PolicyOrProblems read = policy_from_file(path);
    if (!read.ok()) return not_valid(path, read.problems);
    policy = std::move(*read.policy);
  }
  policy.api_keys.clear();
  return policy;
}

Result<Estimate> estimated(const EstimateOptions& options) {
  auto policy = policy_of(options.policy);
  if (!policy) return policy.error();
  // What a model is for is told by the policy's own prices too.
  const auto book = PriceBook::open(policy->price_book_path(), policy->prices);
  if (!book) return book.error();
  const auto body = body_of(options, **book);
  if (!body) return body.error();
  ::unsetenv("FARTHING_STORE");  // it would come before ours, and asking must not write into it
  GuardOptions guard_options;
  guard_options.store = "memory:";
  guard_options.background_thread = false;
  auto guard = Guard::open(std::move(*policy), std::move(guard_options));
  if (!guard) return guard.error();
  const std::string endpoint = !options.endpoint.empty() ? options.endpoint
                               : !options.file.empty()   ? form_endpoint(options, **book)
                                                         : std::string(endpoint_of(*body, options.model, **book));
  if (endpoint.empty()) {
    return Error{
        Code::invalid_argument,
        "the request has none of \"messages\", \"input\", \"contents\" and \"prompt\": say what it is for with "
        "--endpoint"};
  }
  const auto labels = labels_of(options.labels);
  if (!labels) return labels.error();
  return (*guard)->estimate(endpoint, *body, *labels, nullptr, options.host, options.count);
}

/// Whether at most is at other rates than what is likely.
bool has_dearer_rates(const Estimate& made) {
  return std::any_of(made.ceiling_parts.begin(), made.ceiling_parts.end(), [&](const EstimatePart& most) {
    return std::any_of(made.likely_parts.begin(), made.likely_parts.end(), [&](const EstimatePart& likely) {
      return most.quantity == likely.quantity && most.rate && likely.rate && dearer(*most.rate, *likely.rate);
    });
  });
}

std::string usd_cell(const std::optional<Usd>& amount, std::int64_t times = 1) {
  if (!amount) return "";
  const auto all = checked_mul(amount->nano, times);
  return all ? to_text(Usd{*all}) : "";
}

/// Seconds are counted in milliseconds.
std::string count_cell(Meter meter, std::int64_t value) {
  const std::string text = limit_text(meter, value);
  return text.substr(0, text.find(' '));
}

Meter unit_of(Quantity quantity) {
  return quantity == Quantity::video_ms || quantity == Quantity::audio_ms ? Meter::video_seconds : Meter::requests;
}

void add_parts(const char* which, const std::vector<EstimatePart>& parts, std::vector<std::vector<std::string>>& rows) {
  for (const EstimatePart& part : parts)
    rows.push_back({which, part.what, part.count == 0 ? "" : count_cell(unit_of(part.quantity), part.count),
                    part.rate_text(), usd_cell(part.cost)});
}

}  // namespace

int estimate(const EstimateOptions& options) {
  const auto made = estimated(options);
  if (!made) return fail(made.error());
  if (options.json) {
    Json json = parse_json(made->to_json());
    json.erase("left");  // of caps that have counted nothing
    std::cout << dump_json(json, 2) << "\n";
    return ok;
  }
  const Terminal terminal = Terminal::detect();
  std::cout << terminal.bold(made->model.empty() ? "unknown model" : made->model) << " of " << made->provider << ", "
            << made->endpoint << ": input " << made->confidence << "\n\n";
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < meter_count; ++i) {
    const auto meter = static_cast<Meter>(i);
    if (meter == Meter::usd || meter == Meter::concurrent || made->ceiling_meters.of[i] == 0) continue;
    rows.push_back({std::string(meter_text(meter)), count_cell(meter, made->likely_meters.of[i]),
                    count_cell(meter, made->ceiling_meters.of[i])});
  }
  rows.push_back(
      {"cost", made->likely ? usd_cell(made->likely) : "unknown", made->ceiling ? usd_cell(made->ceiling) : "unknown"});
  if (made->count > 1)
    rows.push_back({"usd of " + std::to_string(made->count), usd_cell(made->likely, made->count),
                    usd_cell(made->ceiling, made->count)});
  if (made->hold && made->ceiling && *made->ceiling < *made->hold)
    rows.push_back({"held at first", "", usd_cell(made->hold)});
  std::cout << table({"", ">likely", ">at most"}, rows);
  if (options.explain) {
    std::vector<std::vector<std::string>> parts;
    add_parts("likely", made->likely_parts, parts);
    add_parts("at most", made->ceiling_parts, parts);
    std::cout << "\n" << table({"", "of", ">count", ">rate", ">usd"}, parts);
    if (has_dearer_rates(*made)) {
      std::cout << "\nat most is at the dearest rates that such a request can be billed at: of every service tier and "
                   "region that its "
                   "account may have, of writing into a cache, of a longer context\n";
    }
  }
  for (const std::string& what : made->unbounded_by) {
    if (made->ceiling) std::cout << "\nnot bounded by its bytes: " << what << "\n";
  }
  if (!made->ceiling) std::cout << "\nno cost at most: " << made->no_ceiling << "\n";
  if (!made->no_fit.empty()) {
    std::cout << "\nrefused with nothing spent: " << printable(made->no_fit, true) << "\n";
  } else if (made->fits_output_limit != made->output_limit) {
    std::cout << "\nwith nothing spent, the caps have room for "
              << (made->count == 1 ? "it" : std::to_string(made->count) + " at once") << " with an output limit of "
              << *made->fits_output_limit << "\n";
  }
  return ok;
}

}  // namespace farthing::cli
