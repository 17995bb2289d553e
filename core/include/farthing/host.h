// HostRule: what a policy says of a host that the built-in table does not know, or knows otherwise (R31).
// Thread-safety: values.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace farthing {

/// `[[host]]`: what is known of a host that is not in the built-in table (R31).
struct HostRule {
  std::string name;      // "localhost:11434", "*.acme.internal"
  std::string provider;  // prices are keyed by it
  bool free = false;
  bool guard = true;                               // false: left alone (a guarded proxy, R32)
  std::map<std::string, std::string> deployments;  // deployment name -> model
  bool release_unknown = false;                    // unknown = "release" (R23); the guarantee then excludes it
  std::optional<bool> usage_in_streams;            // may stream_options.include_usage be asked for
  std::optional<bool> stops_on_disconnect;         // R24
  bool operator==(const HostRule&) const = default;
};

}  // namespace farthing
