// What a call would cost before anybody sends it, and whether its caps have room for it. Nothing is held.
//
//   auto estimate = guard::estimate(core, {"chat.completions", body, labels, Scope::root(), "", 100});
//
// Thread-safety: a free function.
#pragma once

#include "farthing/receipt.h"
#include "guard/core.h"

namespace farthing::guard {

struct Asked {
  std::string_view endpoint;
  std::string_view body;
  const Labels& labels;
  std::shared_ptr<const Scope> scope;
  std::string_view host;  // "": where endpoint and model are at home
  std::int64_t count = 1;
};

/// `invalid_argument` for an endpoint that is not known or a request that nobody can read, `store_...` where the store
/// cannot be read.
Result<Estimate> estimate(Core& core, const Asked& asked);

}  // namespace farthing::guard
