// BatchSize: what the requests of a batch ask for together (R17), so that it can be kept where the requests are seen and
// priced where the batch is asked for: by another process, at another time. No prompt is in it.
//
//   BatchSize size = size_requests(facts, host, model, book);
//   Sized sized = size_batch(input, size);
//
// Thread-safety: values, free functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "guard/sizing.h"

namespace farthing::guard {

struct BatchSize {
  std::string endpoint;  // of each request: "chat.completions"
  std::string model, region;
  std::string problem;  // why its requests could not be read; "" they could
  std::int64_t requests = 0;
  // Ceilings of all requests; they stay at the most where they do not fit.
  std::int64_t input_tokens = 0;
  std::int64_t bounded_tokens = 0;  // of it: of requests whose bytes bound them
  std::int64_t largest_input = 0;   // of one request: it decides the step of a price by context
  std::int64_t output_tokens = 0;
  std::int64_t likely_input = 0, likely_output = 0;
  std::int64_t own_searches = 0;
  std::int64_t tool_steps = 0;
  std::int64_t unbounded = 0;  // requests
  std::string unbounded_by;    // what of the first of them
  bool endless = false;        // of one of them the context window is no bound either
  // What decides the rates.
  bool media = false;
  bool sound = false;
  bool server_tools = false;
  bool spoken_output = false;
  bool painted_output = false;
  Quantities fees;   // how many requests offer a tool with one, by what it is for
  std::string size;  // of their containers: of the first that has one
  CacheWrites cache_writes = CacheWrites::none;

  /// Whether the sum of the tokens leaves out what costs: searches and tools with fees, sound and images at a price of
  /// their own.
  bool more_than_tokens() const {
    return sound || spoken_output || painted_output || fees != Quantities{} || own_searches > 0;
  }
  std::string to_json() const;
};
/// Nothing where it is none of its texts.
std::optional<BatchSize> batch_size_of(std::string_view json);

/// Of RequestFacts::batch.
BatchSize size_requests(const RequestFacts& facts, const HostFacts& host, const Model* model, const PriceBook& book);

/// The hold of a batch: nothing in it is lowered, so there is no output limit to grant.
Sized size_batch(const SizeInput& input, const BatchSize& batch);

}  // namespace farthing::guard
