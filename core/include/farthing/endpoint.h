// EndpointRule: a JSON API that no dialect reads, as a policy describes it (R31): where it is, what its requests ask for, what its
// answers say.
// Thread-safety: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "farthing/meter.h"

namespace farthing {

/// One quantity that a request asks for. At its place in the request stands a number, a list (its elements count), or a text: its
/// characters count for `characters`, its bytes as the most that its tokens can be for `input_tokens`, elsewhere it is a number.
struct AskedQuantity {
  Quantity quantity = Quantity::requests;
  std::string at;                      // a JSON pointer (RFC 6901) into the request; "" = it is always `amount`
  std::optional<std::int64_t> amount;  // what it is where the request does not say; seconds in ms
  bool operator==(const AskedQuantity&) const = default;
};

/// `[[endpoint]]`. A quantity that the answer does not tell is what was asked for; one request is always counted.
struct EndpointRule {
  std::string name;                // the label `endpoint`
  std::string host;                // as in [[host]]
  std::string path;                // how its path ends; `*` stands for one or more characters
  std::string provider;            // whose prices hold; "" = the host's, else the host's name
  std::string modality = "other";  // text, image, video, ...
  std::string operation = "generate";
  std::string model;  // a JSON pointer into the request, or a model's name; "" = the endpoint's name
  std::vector<AskedQuantity> asks;
  std::vector<std::pair<Quantity, std::string>> usage;  // JSON pointers into the answer
  std::string cost;              // into the answer: what the provider charged, in USD; believed, as the policy says so
  std::string error = "/error";  // into the answer: there in the provider's own errors (R23)
  bool operator==(const EndpointRule&) const = default;
};

/// What a built-in endpoint makes: "text" for "chat.completions", "image" for "images.edits"; "" for another name.
std::string_view modality_of(std::string_view endpoint);
/// The names of the built-in endpoints.
std::vector<std::string_view> endpoint_names();

}  // namespace farthing
